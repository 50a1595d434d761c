"""Flags of the environment come after those that every extension is compiled with."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import projects, wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

SETUP = """\
from setuptools import Extension, setup

setup(
    name="tiny",
    version="1.0",
    packages=["tiny"],
    ext_modules=[
        Extension("tiny._tiny", ["tiny/_tiny.c"]),
        Extension("tiny._plus", ["tiny/_plus.cpp"], extra_compile_args=["-DGIVEN=3"]),
    ],
)
"""

ASKS = """\
#if defined(NDEBUG) == defined(WITHOUT_NDEBUG)
#error "not after -DNDEBUG, which comes first"
#endif
#if __OPTIMIZE__ != 1
#error "not optimized"
#endif
"""

PLUS = """\
#include <Python.h>
#if GIVEN != 3
#error "the project's own come last"
#endif
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "tiny._plus"};
PyMODINIT_FUNC PyInit__plus(void) { return PyModule_Create(&definition); }
"""


OFF = "-UNDEBUG -DWITHOUT_NDEBUG -DGIVEN=2"


@pytest.mark.parametrize(
    ("setuptools", "flags", "jobs", "target"),
    [
        ("setuptools==72.1.0", OFF, "2", ""),
        ("setuptools", OFF, "2", ""),
        ("setuptools", "-DGIVEN=2", "1", ""),
        ("setuptools", "", "2", ""),
        ("setuptools", OFF, "1", "s390x"),
    ],
)
def test_flags_of_the_environment_come_after_every_extensions_own(
    setuptools: str, flags: str, jobs: str, target: str, workshop: Workshop, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project", [setuptools])
    sources = {"tiny/_tiny.c": ASKS + projects.TINY_C, "tiny/_plus.cpp": ASKS + PLUS}
    projects.write(project, {"setup.py": SETUP, **sources})
    environment = {"CFLAGS": flags, "CXXFLAGS": flags, "MANYLINUX_SHIM_JOBS": jobs}
    settings = {"target": target} if target else {}
    workshop.build(
        UV_BUILD_WHEEL,
        project,
        tmp_path / "out",
        settings=settings,
        environment=environment,
    ).passed()
    assert len(wheels.elf_members(wheels.only_wheel(tmp_path / "out"))) == 2
