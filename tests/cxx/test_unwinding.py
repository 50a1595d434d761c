"""With glibc the system's own unwinder ends threads and carries exceptions, as with GCC."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from support import projects, unwinding, wheels
from support.interpreters import VERSIONS, Interpreter
from support.workshop import UV_BUILD_WHEEL, Workshop

RETHROWN = "import unwinding; print(unwinding.rethrown())"

FINISH = """
import sys, time, unwinding

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.05)

sys.slow = Slow()
unwinding.begin()
time.sleep(0.05)
"""
"""Python finishes slowly, and another thread wants the GIL while it does."""


@pytest.mark.parametrize("version", VERSIONS)
def test_threads_end_and_exceptions_pass_as_with_gcc(
    version: str,
    interpreter: Callable[[str], Interpreter],
    workshop: Workshop,
    tmp_path: Path,
    out: Path,
) -> None:
    python = interpreter(version).path
    project = projects.write(tmp_path / "project", unwinding.FILES)
    workshop.build(UV_BUILD_WHEEL, project, out, python=python).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    (elf,) = wheels.elf_members(wheel).values()
    assert "libgcc_s.so.1" in wheels.dynamic(elf)["DT_NEEDED"]
    inside = workshop.venv(tmp_path / "env", [wheel], python=python)
    assert workshop.use(inside, unwinding.USE) == unwinding.PRINTED
    assert workshop.use(inside, RETHROWN) == f"{unwinding.RETHROWN}\n"
    for _ in range(3):
        assert workshop.run([str(inside), "-c", FINISH], tmp_path).passed().output == ""


def test_same_sources_give_the_same_with_this_machines_gcc(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    """What the table above expects is what GCC does."""
    project = projects.write(tmp_path / "project", unwinding.FILES)
    settings = {"mode": "check"}
    workshop.build(UV_BUILD_WHEEL, project, out, python=stocked, settings=settings).passed()
    inside = workshop.venv(tmp_path / "env", [wheels.only_wheel(out)])
    assert workshop.use(inside, unwinding.USE) == unwinding.PRINTED
    assert workshop.use(inside, RETHROWN) == f"{unwinding.RETHROWN}\n"
