"""pip and uv pick each target's wheel from a directory that has those of all targets.

That is how a cloud function's layer or another architecture's container image is filled.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import List, Tuple

import pytest
from support import projects, wheels
from support.interpreters import uv
from support.workshop import UV_BUILD_HERE, Workshop, base_python

from manylinux_shim._platforms import ARCHITECTURES, architecture, lowest_policy

pytestmark = pytest.mark.foreign

MINOR = sys.version_info[1]

PIP_PLATFORMS = [
    *((f"manylinux2014_{arch}", arch, "") for arch in ("x86_64", "i686", "aarch64", "armv7l")),
    *((f"manylinux2014_{arch}", arch, "") for arch in ("ppc64le", "s390x")),
    ("manylinux_2_17_aarch64", "aarch64", ""),
    ("manylinux_2_31_riscv64", "riscv64", ""),
    ("manylinux_2_36_loongarch64", "loongarch64", ""),
    *((f"musllinux_1_2_{arch}", arch, "musllinux") for arch in ARCHITECTURES),
]
UV_PLATFORMS = [
    ("x86_64-manylinux2014", "x86_64", ""),
    ("x86_64-manylinux_2_28", "x86_64", ""),
    ("aarch64-manylinux2014", "aarch64", ""),
    ("aarch64-manylinux_2_28", "aarch64", ""),
    ("riscv64-unknown-linux", "riscv64", ""),
    ("x86_64-unknown-linux-musl", "x86_64", "musllinux"),
    ("aarch64-unknown-linux-musl", "aarch64", "musllinux"),
]


@pytest.fixture(scope="module")
def index(workshop: Workshop, stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheels of one project for every architecture and libc."""
    root = tmp_path_factory.mktemp("index")
    made = root / "wheels"
    made.mkdir()

    def build(target: Tuple[str, str]) -> None:
        arch, family = target
        project = projects.tiny(root / f"{arch}-{family}" / "tiny")
        settings = {"target": arch}
        if family == "musllinux":
            settings["policy"] = "musllinux_1_2"
        workshop.build(UV_BUILD_HERE, project, made, python=stocked, settings=settings).passed()

    targets = [(arch, family) for arch in ARCHITECTURES for family in ("manylinux", "musllinux")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(build, targets))
    assert len(list(made.glob("*.whl"))) == len(targets)
    return made


def expected(arch: str, family: str) -> List[str]:
    """The tags of the wheel that has to be picked."""
    tags = lowest_policy(architecture(arch), family or "manylinux").tags(arch)
    return [f"cp3{MINOR}-cp3{MINOR}-{tag}" for tag in tags]


def check(target: Path, arch: str, family: str) -> None:
    """Assert that what was put into ``target`` is the wheel for ``arch``, and whole."""
    (metadata,) = target.glob("tiny-1.0.dist-info/WHEEL")
    tags = [line[5:] for line in metadata.read_text().splitlines() if line.startswith("Tag: ")]
    assert tags == expected(arch, family)
    triplet = architecture(arch).triplet(family or "manylinux", sys.version_info[:2])
    extension = target / "tiny" / f"_tiny.cpython-3{MINOR}-{triplet}.so"
    header = extension.read_bytes()[:20]
    order = architecture(arch).byteorder
    assert header[4] == architecture(arch).bits // 32
    assert int.from_bytes(header[18:20], order) == architecture(arch).machine  # type: ignore


@pytest.mark.parametrize(("platform", "arch", "family"), PIP_PLATFORMS)
def test_pip_picks_the_wheel_of_a_platform(
    platform: str, arch: str, family: str, index: Path, workshop: Workshop, tmp_path: Path
) -> None:
    command = [str(workshop.frontends()), "-m", "pip", "install", "--platform", platform]
    command += ["--only-binary=:all:", "--no-index", "--find-links", str(index)]
    workshop.run([*command, "--target", str(tmp_path / "target"), "tiny"], tmp_path).passed()
    check(tmp_path / "target", arch, family)


@pytest.mark.parametrize(("platform", "arch", "family"), UV_PLATFORMS)
def test_uv_picks_the_wheel_of_a_platform(
    platform: str, arch: str, family: str, index: Path, workshop: Workshop, tmp_path: Path
) -> None:
    command = [uv(), "pip", "install", "-p", base_python(), "--python-platform", platform]
    command += ["--only-binary=:all:", "--no-index", "--find-links", str(index)]
    workshop.run([*command, "--target", str(tmp_path / "target"), "tiny"], tmp_path).passed()
    check(tmp_path / "target", arch, family)


def test_pip_takes_no_wheel_for_an_older_glibc_than_the_tag_names(
    index: Path, workshop: Workshop, tmp_path: Path
) -> None:
    command = [str(workshop.frontends()), "-m", "pip", "download", "--only-binary=:all:"]
    command += ["--no-index", "--find-links", str(index), "--platform", "manylinux2010_x86_64"]
    refused = workshop.run([*command, "tiny"], tmp_path)
    assert not refused.ok
    assert "No matching distribution found for tiny" in refused.output


def test_the_host_itself_gets_its_own_wheel(
    index: Path, workshop: Workshop, tmp_path: Path
) -> None:
    python = workshop.venv(tmp_path / "fresh")
    command = [uv(), "pip", "install", "-p", str(python), "--no-index", "--find-links", str(index)]
    workshop.run([*command, "tiny"], tmp_path).passed()
    assert workshop.use(python, projects.TINY_USE) == projects.TINY_PRINTS
    assert wheels.lowest_tags() in " ".join(path.name for path in index.iterdir())
