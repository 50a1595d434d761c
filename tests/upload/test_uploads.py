"""Where it counts: real `uv publish` and `twine upload`, of plain wheels and of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

import pytest
from package_index import PASSWORD, USER, Index, package_index
from support import projects, wheels
from support.interpreters import uv
from support.workshop import UV_BUILD_WHEEL, Outcome, Workshop, base_python

from manylinux_shim._platforms import ARCHITECTURES, host_architecture

_DIRECTORY = projects.REPOSITORY / "sample_projects"
SAMPLES = sorted(path.parent.name for path in _DIRECTORY.glob("*/pyproject.toml"))
RUST = [name for name in SAMPLES if [*(_DIRECTORY / name).rglob("Cargo.toml")]]
# What takes longest to build; a program in Rust stands for it in the quick set.
HEAVY = [n for n in SAMPLES if n in ("meson_python", "scikit_build_core", *RUST)]
HEAVY.remove("maturin_bin")
HOST = host_architecture()
assert HOST is not None


class Wheel(NamedTuple):
    """A sample, built in one way."""

    sample: str
    target: str
    family: str = "manylinux"
    mode: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, [self.sample, self.mode, self.family, self.target]))

    @property
    def settings(self) -> Dict[str, str]:
        if self.mode:
            return {"mode": self.mode}
        policy = {"policy": "musllinux_1_2"} if self.family == "musllinux" else {}
        return {"target": self.target, **policy}


QUICK = [
    *(Wheel(sample, HOST.name) for sample in SAMPLES if sample not in HEAVY),
    Wheel("setuptools_c", "aarch64"),
    Wheel("setuptools_c", "riscv64"),
    Wheel("setuptools_cpp", "aarch64"),
    Wheel("in_tree_backend", "armv7l"),
    Wheel("setuptools_c", HOST.name, "musllinux"),
    Wheel("in_tree_backend", "aarch64", "musllinux"),
]
# Rust for other targets needs more than this machine may have: what it makes there is
# tested where those targets are (tests/foreign).
ALL = [
    Wheel(sample, target, family)
    for sample in SAMPLES
    for target in ARCHITECTURES
    for family in ("manylinux", "musllinux")
    if target != "loongarch64"
    if sample not in RUST or (target == HOST.name and family == "manylinux")
]
OURS = [pytest.param(wheel, id=str(wheel)) for wheel in QUICK] + [
    pytest.param(wheel, id=str(wheel), marks=pytest.mark.slow)
    for wheel in ALL
    if wheel not in QUICK
]
PLAIN = [
    pytest.param(
        wheel,
        id=str(wheel),
        marks=[pytest.mark.slow] if wheel.sample in HEAVY else [],
    )
    for wheel in (Wheel(sample, HOST.name, mode="off") for sample in SAMPLES)
]

UV = (uv(), "publish", "--publish-url", "{url}", "-u", USER, "-p", PASSWORD, "--trusted-publishing",
      "never", "{wheel}")  # fmt: skip
TWINE = ("{python}", "-m", "twine", "upload", "--non-interactive", "--verbose", "--repository-url",
         "{url}", "-u", USER, "-p", PASSWORD, "{wheel}")  # fmt: skip
CLIENTS = [pytest.param(UV, id="uv publish"), pytest.param(TWINE, id="twine upload")]


@pytest.fixture
def index() -> Iterator[Index]:
    with package_index() as index:
        yield index


@pytest.fixture(scope="module")
def twine(workshop: Workshop) -> Path:
    """The Python of an environment with twine."""
    return workshop.venv(workshop.root / "twine", ["twine"])


@pytest.fixture(scope="module")
def build(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Wheel], Path]:
    """Builds a sample, once for all tests here."""
    root = tmp_path_factory.mktemp("upload")
    built: Dict[Wheel, Path] = {}

    def build(wheel: Wheel) -> Path:
        if wheel not in built:
            project = projects.copy_sample(wheel.sample, root / str(wheel))
            out = root / f"out-{wheel}"
            workshop.build(
                UV_BUILD_WHEEL,
                project,
                out,
                python=base_python(),
                settings=wheel.settings,
            ).passed()
            built[wheel] = wheels.only_wheel(out)
        return built[wheel]

    return build


@pytest.fixture
def upload(workshop: Workshop, twine: Path, index: Index, tmp_path: Path) -> object:
    def upload(client: Sequence[str], wheel: Path) -> Outcome:
        values = {"url": index.url, "wheel": str(wheel), "python": str(twine)}
        command: List[str] = [part.format(**values) for part in client]
        return workshop.run(command, tmp_path, {"NO_COLOR": "1", "COLUMNS": "400"})

    return upload


Upload = Callable[[Sequence[str], Path], Outcome]
Build = Callable[[Wheel], Path]


@pytest.mark.parametrize("wheel", OURS)
@pytest.mark.parametrize("client", CLIENTS)
def test_wheel_of_ours_is_taken(
    client: Sequence[str], wheel: Wheel, build: Build, upload: Upload, index: Index
) -> None:
    file = build(wheel)
    upload(client, file).passed()
    assert list(index.taken) == [file.name]
    assert index.refused == []


@pytest.mark.parametrize("wheel", PLAIN)
@pytest.mark.parametrize("client", CLIENTS)
def test_plain_wheel_is_refused_for_its_tag(
    client: Sequence[str], wheel: Wheel, build: Build, upload: Upload, index: Index
) -> None:
    file = build(wheel)
    _refused(upload(client, file), file, index, f"linux_{wheel.target}")


@pytest.mark.parametrize("client", CLIENTS)
def test_loongarch64_is_refused_whoever_built_it(
    client: Sequence[str], build: Build, upload: Upload, index: Index
) -> None:
    file = build(Wheel("setuptools_c", "loongarch64"))
    _refused(upload(client, file), file, index, "manylinux_2_36_loongarch64")


def _refused(outcome: Outcome, file: Path, index: Index, platform: Optional[str]) -> None:
    assert not outcome.ok
    reason = f"{file.name}: unsupported platform tag '{platform}'"
    assert (file.name, reason) in index.refused
    assert index.taken == {}
    assert "unsupported platform tag" in outcome.output


@pytest.mark.parametrize("client", CLIENTS)
def test_the_index_asks_who_is_there(
    client: Sequence[str], build: Build, upload: Upload, index: Index
) -> None:
    file = build(Wheel("setuptools_c", HOST.name))
    stranger = ["somebody" if part == USER else part for part in client]
    assert not upload(stranger, file).ok
    assert index.taken == {}
