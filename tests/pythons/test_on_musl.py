"""Wheels for musl in a real CPython of musl's: built, proven, tried and used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable

import pytest
from on_musl import VERSION, on_musl
from support import sdists, wheels
from support.interpreters import Interpreter
from support.workshop import UV_BUILD_WHEEL, Workshop

pytestmark = [pytest.mark.slow, pytest.mark.foreign]

TAG = f"cp{VERSION.replace('.', '')}"

USES = {
    "markupsafe==3.0.3": "import markupsafe._speedups as s; print(s._escape_inner('<&>'))",
    # C++, with exceptions.
    "kiwisolver==1.4.9": """\
import kiwisolver as k
x = k.Variable("x"); s = k.Solver(); s.addConstraint(x >= 3)
try: s.addConstraint(x <= 2)
except k.UnsatisfiableConstraint: print("refused")
print(s.hasConstraint(x >= 3))
""",
    "wrapt==1.17.3": "import wrapt._wrappers as w; print(w.ObjectProxy([1, 2])[1])",
}
PRINTS = {
    "markupsafe==3.0.3": "&lt;&amp;&gt;\n",
    "kiwisolver==1.4.9": "refused\nFalse\n",
    "wrapt==1.17.3": "2\n",
}


@pytest.mark.parametrize("requirement", USES)
def test_sdist_of_the_index_becomes_a_wheel_that_works_there(
    requirement: str,
    workshop: Workshop,
    interpreter: Callable[[str], Interpreter],
    tmp_path: Path,
    out: Path,
) -> None:
    project = sdists.fetch(requirement, tmp_path / "sdist", workshop)
    sdists.adopt(project)
    settings = {"policy": "musllinux_1_2", "require-native": "true"}
    python = interpreter(VERSION).path
    workshop.build(UV_BUILD_WHEEL, project, out, python=python, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    assert f"-{TAG}-{TAG}-musllinux_1_" in wheel.name
    there = on_musl()
    attempt = [sys.executable, "-m", "manylinux_shim", "try", str(wheel), "--python", str(there)]
    tried = workshop.run([*attempt, "--", "python", "-c", USES[requirement]], tmp_path).passed()
    assert PRINTS[requirement] in tried.output
    assert "with musl" in tried.output
