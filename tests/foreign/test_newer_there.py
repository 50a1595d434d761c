"""Functions that the target's glibc lacks, linked in, on its own systems."""

from __future__ import annotations

import pytest
import roots
from compilers import Compilers
from support.newer import USES

from manylinux_shim._platforms import ARCHITECTURES

pytestmark = pytest.mark.foreign


ALWAYS = ("arm64", "armhf")
SYSTEMS = [
    pytest.param(system, id=name, marks=() if name in ALWAYS else pytest.mark.slow)
    for name, system in roots.SYSTEMS.items()
    if name != "loong64"  # whose first glibc, 2.36, has most of them
]


@pytest.mark.parametrize("system", SYSTEMS)
def test_newer_functions_work_there(system: roots.System, compilers: Compilers) -> None:
    root = roots.root(system, roots.default_cache())
    source = "#define _GNU_SOURCE\n" + USES.replace("__GLIBC_PREREQ", "0 &&")
    with root.place() as place:
        compiler = compilers.compiler(ARCHITECTURES[system.arch], "manylinux")
        program = compiler.make("uses.c", source, place)
        done = root.run([root.inside(program)])
    assert (done.returncode, done.stdout) == (0, "")
