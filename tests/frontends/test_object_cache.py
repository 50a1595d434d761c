"""What was compiled before is not compiled again, and the wheel is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Mapping

import pytest
from support import projects, wheels
from support.interpreters import Interpreter
from support.workshop import PIP_WHEEL, UV_BUILD_WHEEL, Frontend, Workshop

SETUP = """\
from setuptools import Extension, setup

setup(
    name="tiny",
    version="1.0",
    packages=["tiny"],
    ext_modules=[Extension("tiny._tiny", ["tiny/_tiny.c", "tiny/more.c", "tiny/much.c"])],
)
"""
MORE = "#include <stdio.h>\nint %s(int x) { return printf(__FILE__) + x; }\n"

PROJECT = """
[project]
name = "asks"
version = "1.0"
requires-python = ">=3.8"
"""
MODULE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include "made.h"
const char *where(void);
static PyObject *ask(PyObject *m, PyObject *a) { return PyUnicode_FromString(where()); }
static PyMethodDef methods[] = {{"ask", ask, METH_NOARGS, MADE}, {0}};
static struct PyModuleDef asks = {PyModuleDef_HEAD_INIT, "asks", NULL, -1, methods};
PyMODINIT_FUNC PyInit_asks(void) { return PyModule_Create(&asks); }
"""
MADE = {
    "made.h.in": "#define MADE __FILE__\n",
    "made.c.in": "const char *where(void) { return __FILE__; }\n",
}
CMAKE = """
cmake_minimum_required(VERSION 3.17...4.1)
project(asks LANGUAGES C)
include(CheckCSourceCompiles)
check_c_source_compiles("int main(void) { return 0; }" COMPILES)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
configure_file(made.h.in made.h)
configure_file(made.c.in made.c)
python_add_library(asks MODULE WITH_SOABI src/asks.c "${CMAKE_CURRENT_BINARY_DIR}/made.c")
target_include_directories(asks PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
install(TARGETS asks DESTINATION .)
"""
MESON = """
project('asks', 'c', version: '1.0')
assert(meson.get_compiler('c').compiles('int main(void) { return 0; }'))
py = import('python').find_installation(pure: false)
header = configure_file(input: 'made.h.in', output: 'made.h', copy: true)
source = configure_file(input: 'made.c.in', output: 'made.c', copy: true)
py.extension_module('asks', 'src/asks.c', header, source, install: true)
"""
SYSTEMS = {
    "CMake": (["scikit-build-core"], "scikit_build_core.build", {"CMakeLists.txt": CMAKE}),
    "Meson": (["meson-python>=0.15"], "mesonpy", {"meson.build": MESON}),
}
"""What builds in a directory with a name of chance."""


class Builds:
    """Builds of one project, each in a directory of its own, with one cache."""

    def __init__(self, workshop: Workshop, tmp_path: Path, interpreter: Interpreter) -> None:
        self._workshop = workshop
        self._root = tmp_path
        self._python = interpreter.path
        self._count = 0
        self.cache = tmp_path / "cache"

    def build(
        self,
        frontend: Frontend = UV_BUILD_WHEEL,
        python: object = None,
        settings: Mapping[str, str] = {"cache": "true"},
        system: str = "",
        **more: str,
    ) -> tuple[bytes, Dict[str, int]]:
        """The wheel's bytes, and what came of its compiles."""
        self._count += 1
        room = self._root / str(self._count)
        project = self._project(room / "project", system)
        log = room / "log"
        environment = {
            "MANYLINUX_SHIM_CACHE_DIR": str(self.cache),
            "SOURCE_DATE_EPOCH": "1600000000",
            "MANYLINUX_SHIM_CACHE_LOG": str(log),
            **more,
        }
        base = python or self._python
        inside = self._workshop.frontends(base) if frontend is PIP_WHEEL else base  # type: ignore[arg-type]
        self._workshop.build(
            frontend,
            project,
            room / "out",
            python=inside,  # type: ignore[arg-type]
            settings=settings,
            environment=environment,
        ).passed()
        lines: List[str] = log.read_text().splitlines() if log.exists() else []
        said = [line.split()[0] for line in lines]
        counts = {name: said.count(name) for name in ("miss", "hit", "not")}
        return wheels.only_wheel(room / "out").read_bytes(), counts

    @staticmethod
    def _project(directory: Path, system: str) -> Path:
        if system:
            requires, backend, files = SYSTEMS[system]
            text = projects.pyproject(requires, backend) + PROJECT
            sources = {"pyproject.toml": text, "src/asks.c": MODULE, **MADE}
            return projects.write(directory, {**sources, **files})
        project = projects.tiny(directory, ["setuptools", "wheel"])
        files = {f"tiny/{name}.c": MORE % name for name in ("more", "much")}
        return projects.write(project, {"setup.py": SETUP, **files})


@pytest.fixture
def builds(workshop: Workshop, tmp_path: Path, interpreter: Callable[[str], Interpreter]) -> Builds:
    return Builds(workshop, tmp_path, interpreter("3.11"))


def test_second_build_compiles_nothing_and_no_cache_makes_the_same(builds: Builds) -> None:
    cold, first = builds.build()
    warm, second = builds.build()
    assert (first["miss"], first["hit"]) == (3, 0)
    assert (second["miss"], second["hit"]) == (0, 3)
    none, third = builds.build(settings={})
    assert sum(third.values()) == 0
    assert cold == warm == none


def test_another_python_compiles_what_sees_its_headers_alone(
    builds: Builds, interpreter: Callable[[str], Interpreter]
) -> None:
    builds.build()
    _, counts = builds.build(python=interpreter("3.12").path)
    assert (counts["miss"], counts["hit"]) == (1, 2)


def test_pip_and_uv_share_what_was_compiled(builds: Builds) -> None:
    one, _ = builds.build()
    other, counts = builds.build(PIP_WHEEL)
    assert counts["miss"] == 0
    assert one == other


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("strip", "flags"),
    [("true", "-flto=thin -O2"), ("false", "-g -O2")],
    ids=["optimized when linked", "debug information"],
)
def test_directory_that_cmake_and_meson_build_in_makes_no_difference(
    strip: str, flags: str, system: str, builds: Builds
) -> None:
    kept, none = {"cache": "true", "strip": strip}, {"strip": strip}
    cold, first = builds.build(settings=kept, system=system, CFLAGS=flags)
    warm, second = builds.build(settings=kept, system=system, CFLAGS=flags)
    again, _ = builds.build(settings=none, system=system, CFLAGS=flags)
    assert first["miss"] >= 3  # the two files and a check
    assert (second["miss"], second["hit"]) == (0, first["miss"] + first["hit"])
    assert cold == warm == again


def test_debug_information_is_of_this_build(builds: Builds) -> None:
    settings = {"cache": "true", "strip": "false"}
    made = [builds.build(settings=each)[0] for each in (settings, settings, {"strip": "false"})]
    assert made[1:] == made[:1] * 2
