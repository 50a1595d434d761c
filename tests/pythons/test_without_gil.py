"""CPython without the GIL: its wheels are built, named and proven, here and for another machine."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Iterator, Tuple

import modules
import pytest
from from_source import roots
from support import wheels
from support.workshop import UV_BUILD_WHEEL, Workshop
from without_gil import without_gil, without_gil_there

pytestmark = [pytest.mark.slow, pytest.mark.foreign]

VERSION = "3.13"
TAG = "cp313-cp313t"
AARCH64 = "manylinux_2_17_aarch64.manylinux2014_aarch64"


@pytest.mark.parametrize("backend", modules.BACKENDS)
def test_wheel_is_built_for_this_machine(backend: str, workshop: Workshop, tmp_path: Path) -> None:
    python = without_gil(VERSION).path
    project = modules.project(tmp_path / "project", backend)
    out = tmp_path / "out"
    workshop.build(UV_BUILD_WHEEL, project, out, python=python).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"tiny-1.0-{TAG}-{wheels.lowest_tags()}.whl"
    wheels.check_manylinux(wheel)
    assert all(name.endswith(suffix("x86_64")) for name in wheels.elf_members(wheel))
    printed = workshop.try_wheel(wheel, tmp_path / "fresh", modules.USE, python=python)
    assert printed == modules.prints(gil=False)


def suffix(arch: str) -> str:
    return f".cpython-313t-{arch}-linux-gnu.so"


@pytest.fixture(scope="module")
def there() -> Iterator[Tuple[roots.Root, str]]:
    """A system of another architecture, and the Python without the GIL as it is called there."""
    system = roots.root(
        roots.System("arm64", "aarch64", "bookworm", "3.11", "aarch64"), roots.default_cache()
    )
    with system.place() as place:
        shutil.copytree(without_gil_there(VERSION, "aarch64"), place / "python", symlinks=True)
        yield system, f"{system.inside(place)}/python/bin/python{VERSION}t"


@pytest.mark.parametrize("backend", modules.BACKENDS)
def test_wheel_is_built_for_another_machine(
    backend: str, workshop: Workshop, there: Tuple[roots.Root, str], tmp_path: Path
) -> None:
    project = modules.project(tmp_path / "project", backend)
    out = tmp_path / "out"
    workshop.build(
        UV_BUILD_WHEEL,
        project,
        out,
        python=without_gil(VERSION).path,
        settings={"target": "aarch64"},
    ).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"tiny-1.0-{TAG}-{AARCH64}.whl"
    wheels.check_manylinux(wheel, AARCH64)
    assert all(name.endswith(suffix("aarch64")) for name in wheels.elf_members(wheel))
    system, python = there
    with system.place() as place:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
        code = f"import sys; sys.path.insert(0, {system.inside(place)!r})\n{modules.USE}"
        used = system.run([python, "-I", "-c", code])
    assert used.stdout == modules.prints(gil=False)
