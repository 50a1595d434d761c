"""Where there is nothing to do, the real backend's own result comes out."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import pytest
from pyproject_hooks import HookMissing
from support import projects, wheels
from support.hooks import Hooks
from support.workshop import BUILD, PIP_WHEEL, UV_BUILD, UV_BUILD_HERE, Frontend, Workshop

EPOCH = {"SOURCE_DATE_EPOCH": "1600000000"}
PURE = {
    "flit": ("flit_core>=3.8", "flit_core.buildapi"),
    "setuptools": ("setuptools", "setuptools.build_meta"),
}

OPTIONAL = (
    "build_editable",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
)

BACKEND = """\
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise NotImplementedError

def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError
"""


def both(
    workshop: Workshop, python: Path, project: Path, real: str, environment: Dict[str, str]
) -> Tuple[Hooks, Hooks]:
    """The shim's hooks and the real backend's, on the same tree."""
    return (
        Hooks(workshop, python, project, environment=environment),
        Hooks(workshop, python, project, real, environment=environment),
    )


@pytest.mark.parametrize("kind", PURE)
def test_pure_wheel_is_the_real_backends_byte_for_byte(
    kind: str, workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    requires, real = PURE[kind]
    project = projects.pure(tmp_path / "project", requires, real)
    results = []
    for number, hooks in enumerate(both(workshop, stocked, project, real, EPOCH)):
        out = tmp_path / str(number)
        out.mkdir()
        name = hooks.call.build_wheel(str(out))
        results.append((name, (out / name).read_bytes()))
        assert [path.name for path in out.iterdir()] == [name]
    assert results[0] == results[1]
    assert results[0][0] == "plain-1.0-py3-none-any.whl"


@pytest.mark.parametrize("kind", PURE)
def test_pure_project_asks_for_nothing_more_than_the_real_backend(
    kind: str, workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    requires, real = PURE[kind]
    project = projects.pure(tmp_path / "project", requires, real)
    shim, backend = both(workshop, without_zig, project, real, {})
    assert shim.call.get_requires_for_build_wheel() == backend.call.get_requires_for_build_wheel()


@pytest.mark.parametrize("frontend", [UV_BUILD, BUILD, PIP_WHEEL], ids=str)
def test_pure_wheel_passes_through_every_frontend_without_zig(
    frontend: Frontend, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.pure(tmp_path / "project", *PURE["setuptools"])
    outcome = workshop.build(frontend, project, out, zig_on_path=False).passed()
    assert wheels.only_wheel(out).name == "plain-1.0-py3-none-any.whl"
    assert "ziglang" not in outcome.output


def test_zig_is_asked_for_only_when_this_build_uses_it(
    workshop: Workshop, without_zig: Path, stocked: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project")

    def asked(python: Path, settings: Dict[str, str], **environment: str) -> List[str]:
        hooks = Hooks(workshop, python, project, environment=environment)
        return [
            requirement
            for requirement in hooks.call.get_requires_for_build_wheel(settings)
            if requirement.startswith("ziglang")
        ]

    assert len(asked(without_zig, {})) == 1
    assert asked(stocked, {}) == []
    assert asked(without_zig, {"mode": "check"}) == []
    assert asked(without_zig, {"mode": "off"}) == []
    assert asked(without_zig, {}, CC="gcc") == []
    assert asked(without_zig, {}, MANYLINUX_SHIM_MODE="off") == []
    for hook in ("get_requires_for_build_sdist", "get_requires_for_build_editable"):
        shim, backend = both(workshop, without_zig, project, "setuptools.build_meta", {})
        assert getattr(shim.call, hook)() == getattr(backend.call, hook)()


@pytest.mark.parametrize("kind", PURE)
def test_sdist_is_the_real_backends(
    kind: str, workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    requires, real = PURE[kind]
    project = projects.pure(tmp_path / "project", requires, real)
    found = []
    for number, hooks in enumerate(both(workshop, without_zig, project, real, EPOCH)):
        out = tmp_path / str(number)
        out.mkdir()
        found.append(out / hooks.call.build_sdist(str(out)))
        assert [path.name for path in out.iterdir()] == [found[-1].name]
    assert found[0].name == found[1].name
    assert unpacked(found[0]) == unpacked(found[1])
    if kind == "flit":  # setuptools writes the time of day into its sdists
        assert found[0].read_bytes() == found[1].read_bytes()


def unpacked(sdist: Path) -> List[Tuple[str, int, bytes, bytes]]:
    with tarfile.open(sdist) as archive:
        rows = []
        for member in archive.getmembers():
            file = archive.extractfile(member)
            data = b"" if file is None else file.read()
            rows.append((member.name, member.mode, member.type, data))
        return sorted(rows)


def test_editable_wheel_is_the_real_backends(
    workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    project = projects.pure(tmp_path / "project", *PURE["flit"])
    built = []
    for number, hooks in enumerate(both(workshop, without_zig, project, PURE["flit"][1], EPOCH)):
        out = tmp_path / str(number)
        out.mkdir()
        built.append((out / hooks.call.build_editable(str(out))).read_bytes())
    assert built[0] == built[1]


def test_metadata_is_the_real_backends(
    workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    found = []
    for number, hooks in enumerate(
        both(workshop, without_zig, project, "setuptools.build_meta", EPOCH)
    ):
        out = tmp_path / str(number)
        out.mkdir()
        name = hooks.call.prepare_metadata_for_build_wheel(str(out), {"policy": "auto"})
        found.append({p.name: p.read_bytes() for p in (out / name).iterdir() if p.is_file()})
    assert found[0] == found[1]
    assert "METADATA" in found[0]


@pytest.mark.parametrize(
    "present",
    [(), *((name,) for name in OPTIONAL), OPTIONAL],
    ids=lambda present: "+".join(present) if len(present) < 2 else "all",
)
def test_optional_hooks_are_there_exactly_when_the_real_backend_has_them(
    present: Sequence[str], workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    functions = "".join(f"\ndef {name}(*args, **kwargs):\n    return []\n" for name in present)
    text = projects.pyproject([], "real", 'backend-path = ["."]')
    project = projects.write(
        tmp_path / "project", {"real.py": BACKEND + functions, "pyproject.toml": text}
    )
    ask = (
        f"import json, manylinux_shim as shim; names = {OPTIONAL!r};"
        "star = {}; exec('from manylinux_shim import *', star);"
        "found = [n for n in names if hasattr(shim, n)], [n for n in names if n in star];"
        "print(json.dumps(found))"
    )
    answer = workshop.run([str(without_zig), "-c", ask], project).passed().output
    # get_requires_for_build_wheel is where the shim asks for zig: it is always there.
    expected = sorted({*present, "get_requires_for_build_wheel"})
    assert [sorted(names) for names in json.loads(answer)] == [expected, expected]
    call = Hooks(workshop, without_zig, project).call
    for name in ("prepare_metadata_for_build_wheel", "prepare_metadata_for_build_editable"):
        if name not in present:
            with pytest.raises(HookMissing):
                getattr(call, name)(str(tmp_path), _allow_fallback=False)
    if "build_editable" not in present:
        with pytest.raises(HookMissing):
            call.build_editable(str(tmp_path))


def test_mode_off_gives_the_real_backends_wheel_byte_for_byte(
    workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    off = {**EPOCH, "MANYLINUX_SHIM_MODE": "off"}
    found = []
    for number, hooks in enumerate(
        both(workshop, without_zig, project, "setuptools.build_meta", off)
    ):
        out = tmp_path / str(number)
        out.mkdir()
        name = hooks.call.build_wheel(str(out))
        found.append((name, (out / name).read_bytes()))
        assert "manylinux-shim:" not in hooks.output
    assert found[0] == found[1]
    assert "-linux_" in found[0][0]


def test_mode_off_needs_no_compiler_of_ours_in_a_real_frontend(
    workshop: Workshop, without_zig: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    environment = {"MANYLINUX_SHIM_MODE": "off"}
    workshop.build(
        UV_BUILD_HERE, project, out, python=without_zig, environment=environment
    ).passed()
    wheel = wheels.only_wheel(out)
    assert "-linux_" in wheel.name
    (elf,) = wheels.elf_members(wheel).values()
    assert not any("zig" in comment for comment in wheels.comments(elf))
