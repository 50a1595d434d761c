"""Debian's PyPy: its wheels are built, named and proven, whatever builds them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import modules
import pytest
from support import wheels
from support.machine import need_program
from support.workshop import UV_BUILD_WHEEL, Workshop

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("backend", modules.BACKENDS)
def test_wheel_is_built_for_this_machine(backend: str, workshop: Workshop, tmp_path: Path) -> None:
    need_program("pypy3")
    python = Path(shutil.which("pypy3") or "")
    project = modules.project(tmp_path / "project", backend)
    out = tmp_path / "out"
    workshop.build(UV_BUILD_WHEEL, project, out, python=python).passed()
    wheel = wheels.only_wheel(out)
    assert re.match(r"tiny-1\.0-pp3\d+-pypy3\d+_pp\d+-manylinux_2_17_", wheel.name)
    wheels.check_manylinux(wheel)
    assert all(".pypy3" in name for name in wheels.elf_members(wheel))
    printed = workshop.try_wheel(wheel, tmp_path / "fresh", modules.USE, python=python)
    assert printed == modules.prints(gil=True)
