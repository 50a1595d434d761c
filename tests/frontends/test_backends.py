"""Every real backend that compiles, native and cross: a small project for each of them.

setuptools and maturin have tests of their own; so have the sample projects.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Sequence

import pytest
from support import projects, wheels
from support.workshop import ERROR, UV_BUILD_HERE, UV_BUILD_WHEEL, Workshop, base_python, contents

HERE = f"cp3{base_python().rpartition('.')[2]}"
MINOR = base_python().rpartition(".")[2]

_TINY = {name: text for name, text in projects.TINY_FILES.items() if name != "setup.py"}

_PROJECT = """
[project]
name = "tiny"
version = "1.0"
description = "The square of a text's length"
requires-python = ">=3.8"
"""

_COMPILE = """\
import os
import shlex
import subprocess
import sysconfig


def compile_extension():
    command = [*shlex.split({linker}), "-fPIC", "-I", sysconfig.get_path("include")]
    output = "tiny/_tiny" + sysconfig.get_config_var("EXT_SUFFIX")
    subprocess.run([*command, "tiny/_tiny.c", "-o", output, "-lm"], check=True)
"""
"""What build hooks do by hand, with what the environment or sysconfig says."""


@dataclass(frozen=True)
class Backend:
    """A real backend, and how a project tells it what to compile."""

    name: str
    requires: Sequence[str]
    backend: str
    files: Dict[str, str]
    tables: str = _PROJECT
    settings: str = ""
    targets: Sequence[str] = ("", "aarch64")
    """Architectures to build for, empty for this machine's."""

    def project(self, directory: Path) -> Path:
        text = projects.pyproject(self.requires, self.backend, self.settings) + self.tables
        return projects.write(directory, {**_TINY, **self.files, "pyproject.toml": text})


_HATCHLING = """
[tool.hatch.build.targets.wheel]
packages = ["tiny"]
exclude = ["*.c"]

[tool.hatch.build.targets.wheel.hooks.custom]
"""

_HATCH_BUILD = (
    _COMPILE.format(linker='sysconfig.get_config_var("LDSHARED")')
    + """

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compile(BuildHookInterface):
    def initialize(self, version, build_data):
        compile_extension()
        build_data["artifacts"].append("*.so")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
"""
)

_HATCH_CMAKE = """\
import os
import subprocess
import sysconfig

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compile(BuildHookInterface):
    def initialize(self, version, build_data):
        os.environ["SUFFIX"] = sysconfig.get_config_var("EXT_SUFFIX")
        subprocess.run(["cmake", "-S", ".", "-B", "build", "-G", "Ninja"], check=True)
        subprocess.run(["cmake", "--build", "build"], check=True)
        build_data["artifacts"].append("*.so")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
"""

_ASKS_FOR_EVERYTHING = """\
cmake_minimum_required(VERSION 3.18...4.1)
project(tiny LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development)
find_package(EXPAT)
if(CMAKE_CROSSCOMPILING AND EXPAT_FOUND)
  message(FATAL_ERROR "a library of this machine: ${EXPAT_LIBRARY}")
endif()
find_library(MATH m REQUIRED)
find_program(GIT git REQUIRED)
Python_add_library(_tiny MODULE WITH_SOABI tiny/_tiny.c)
target_link_libraries(_tiny PRIVATE ${MATH})
set_target_properties(_tiny PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_SOURCE_DIR}/tiny")
"""
"""What a project asks of CMake that tells it nothing of Python, and of FindPython too much."""

_ASKS_FOR_LITTLE = """\
cmake_minimum_required(VERSION 3.18...4.1)
project(tiny LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Development.Module)
find_package(Python3 REQUIRED COMPONENTS Development.Module)
cmake_policy(SET CMP0148 OLD)
find_package(PythonLibs REQUIRED)
foreach(suffix ".${Python_SOABI}.so" ".${Python3_SOABI}.so" "${PYTHON_MODULE_EXTENSION}")
  if(NOT suffix STREQUAL "$ENV{SUFFIX}")
    message(FATAL_ERROR "${suffix} is not the target's $ENV{SUFFIX}")
  endif()
endforeach()
Python_add_library(_tiny MODULE WITH_SOABI tiny/_tiny.c)
set_target_properties(_tiny PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_SOURCE_DIR}/tiny")
"""
"""The same of what asks for no interpreter, by all the names that Python has."""

_POETRY = """
[tool.poetry]
name = "tiny"
version = "1.0"
description = "The square of a text's length"
authors = []
include = [{ path = "tiny/*.so", format = "wheel" }]

[tool.poetry.dependencies]
python = ">=3.8"

[tool.poetry.build]
script = "build_extension.py"
"""

_PDM = """
[tool.pdm.build]
run-setuptools = true
custom-hook = "hook.py"
"""

_PDM_HOOK = """\
from setuptools import Extension


def pdm_build_update_setup_kwargs(context, kwargs):
    kwargs.update(ext_modules=[Extension("tiny._tiny", ["tiny/_tiny.c"])])
"""

_PY_BUILD_CMAKE = """
[tool.py-build-cmake.module]
directory = "."

[tool.py-build-cmake.cmake]
install_components = ["modules"]
"""

_CMAKE_LISTS = """\
cmake_minimum_required(VERSION 3.17...4.1)
project(tiny LANGUAGES C)
find_package(Python3 REQUIRED COMPONENTS Interpreter Development.Module)
Python3_add_library(_tiny MODULE WITH_SOABI tiny/_tiny.c)
target_link_libraries(_tiny PRIVATE m)
install(TARGETS _tiny COMPONENT modules DESTINATION tiny)
"""

_MESON_BUILD = """\
project('tiny', 'c', version: '1.0')
compiler = meson.get_compiler('c')
zlib = dependency('zlib', required: false)
libffi = dependency('libffi', required: false)
assert(not libffi.found(), 'a library that only this machine has')
assert(zlib.found() != meson.is_cross_build(), 'a library that every Linux has, if not cross')
assert(get_option('told') == 'by the user')
py = import('python').find_installation(pure: false)
math = compiler.find_library('m')
assert(compiler.has_function('pow', prefix: '#include <math.h>', dependencies: math))
py.extension_module('_tiny', 'tiny/_tiny.c', dependencies: math, subdir: 'tiny', install: true)
py.install_sources('tiny/__init__.py', subdir: 'tiny')
"""

_WRAPPER = """\
import mesonpy
from mesonpy import *


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("wrapped")
    return mesonpy.build_wheel(wheel_directory, config_settings, metadata_directory)
"""

BACKENDS = [
    Backend(
        "hatchling with a build hook",
        ["hatchling"],
        "hatchling.build",
        {"hatch_build.py": _HATCH_BUILD},
        _PROJECT + _HATCHLING,
    ),
    Backend(
        "hatchling that runs CMake",
        ["hatchling", "cmake", "ninja"],
        "hatchling.build",
        {"hatch_build.py": _HATCH_CMAKE, "CMakeLists.txt": _ASKS_FOR_EVERYTHING},
        _PROJECT + _HATCHLING,
        targets=("aarch64", "armv7l"),
    ),
    Backend(
        "hatchling that runs CMake without an interpreter",
        ["hatchling", "cmake<4", "ninja"],
        "hatchling.build",
        {"hatch_build.py": _HATCH_CMAKE, "CMakeLists.txt": _ASKS_FOR_LITTLE},
        _PROJECT + _HATCHLING,
        targets=("aarch64", "armv7l"),
    ),
    Backend(
        "poetry-core with a build script",
        ["poetry-core>=1.8,<2", "setuptools"],  # before 2, it tags by the host's own glibc
        "poetry.core.masonry.api",
        {
            "build_extension.py": _COMPILE.format(linker="os.environ['LDSHARED']")
            + '\n\nif __name__ == "__main__":\n    compile_extension()\n'
        },
        _POETRY,
    ),
    Backend(
        "pdm-backend with a build hook",
        ["pdm-backend", "setuptools"],
        "pdm.backend",
        {"hook.py": _PDM_HOOK},
        _PROJECT + _PDM,
    ),
    Backend(
        "py-build-cmake",
        ["py-build-cmake>=0.4"],
        "py_build_cmake.build",
        {
            "CMakeLists.txt": _CMAKE_LISTS,
            "tiny/__init__.py": '"""Tiny."""\n\n__version__ = "1.0"\n' + _TINY["tiny/__init__.py"],
        },
        _PROJECT + _PY_BUILD_CMAKE,
    ),
    Backend(
        "meson-python in a wrapper in the tree",
        ["meson-python>=0.15"],
        "wrapper",
        {
            "_build/wrapper.py": _WRAPPER,
            "meson.build": _MESON_BUILD,
            "meson_options.txt": "option('told', type: 'string')\n",
        },
        settings='backend-path = ["_build"]',
    ),
]
SETTINGS = {"meson-python in a wrapper in the tree": {"setup-args": "-Dtold=by the user"}}


@pytest.mark.parametrize(
    ("backend", "target"),
    [
        pytest.param(
            backend,
            target,
            id=f"{backend.name}-{target or 'native'}",
            # Across, each has more to be told.
            marks=[pytest.mark.slow] * (not target and len(backend.targets) > 1),
        )
        for backend in BACKENDS
        for target in backend.targets
    ],
)
def test_extension_of_every_backend_becomes_a_proven_wheel(
    backend: Backend, target: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = backend.project(tmp_path / "project")
    settings = dict(SETTINGS.get(backend.name, {}))
    if target:
        settings["target"] = target
    workshop.build(UV_BUILD_WHEEL, project, out, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    machine = target or platform.machine()
    tags = wheels.lowest_tags() if not target else f"manylinux_2_17_{target}.manylinux2014_{target}"
    assert wheel.name == f"tiny-1.0-{HERE}-{HERE}-{tags}.whl"
    wheels.check_manylinux(wheel, tags)
    triplet = {"armv7l": "arm-linux-gnueabihf"}.get(machine, f"{machine}-linux-gnu")
    assert list(wheels.elf_members(wheel)) == [f"tiny/_tiny.cpython-3{MINOR}-{triplet}.so"]
    if not target:
        printed = workshop.try_wheel(wheel, tmp_path / "fresh", projects.TINY_USE)
        assert printed == projects.TINY_PRINTS


_FAILS_SILENTLY = """\
try:
    raise SystemExit("no compiler for this extension")
except SystemExit as error:
    print(error)
"""


def test_tag_that_poetry_put_on_a_wheel_whose_build_script_failed_is_refused(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    (poetry,) = (backend for backend in BACKENDS if backend.name.startswith("poetry"))
    project = poetry.project(tmp_path / "project")
    (project / "build_extension.py").write_text(_FAILS_SILENTLY)
    outcome = workshop.build(UV_BUILD_WHEEL, project, out)
    assert not outcome.ok
    (error,) = outcome.lines(ERROR)
    assert "no compiled file in it" in error
    assert [name for name in contents(out) if name != ".gitignore"] == []


_ASKS = """\
import json
import os
import platform
import subprocess
import sys
import sysconfig

from setuptools import Extension, setup

code = "import platform; print(platform.machine())"
child = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
said = {
    "machine": platform.machine(),
    "uname": [platform.uname().machine, os.uname().machine, os.uname()[4]],
    "system": [platform.system(), os.uname().sysname],
    "platform": sysconfig.get_platform(),
    "child": child.stdout.decode().strip(),
}
with open(os.environ["SAID"], "w") as file:
    json.dump(said, file)
setup(name="tiny", version="1.0", packages=["tiny"],
      ext_modules=[Extension("tiny._tiny", ["tiny/_tiny.c"])])
"""


@pytest.mark.parametrize("target", ["", "s390x"], ids=["native", "s390x"])
def test_setup_py_that_asks_what_machine_this_is_hears_the_target(
    target: str, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    (project / "setup.py").write_text(_ASKS)
    said = tmp_path / "said.json"
    here = workshop.use(stocked, "import platform; print(platform.machine())").strip()
    workshop.build(
        UV_BUILD_HERE, project, out, python=stocked,
        settings={"target": target} if target else {}, environment={"SAID": str(said)},
    ).passed()  # fmt: skip
    machine = target or here
    assert json.loads(said.read_text()) == {
        "machine": machine,
        "uname": [machine] * 3,
        "system": ["Linux", "Linux"],
        "platform": f"linux-{machine}",
        "child": here,
    }


_LIBSTDCXX = """\
#include <Python.h>
#include <stdexcept>

static PyObject *
answer(PyObject *, PyObject *text)
{
    try {
        throw std::runtime_error(std::to_string(PyObject_Length(text) * PyObject_Length(text)));
    } catch (const std::exception &error) {
        if (fprintf(stderr, "%s", "") < 0 || errno == EDOM) {
            abort();
        }
        return PyLong_FromString(error.what(), nullptr, 10);
    }
}

static PyMethodDef methods[] = {{"answer", answer, METH_O, ""}, {nullptr, nullptr, 0, nullptr}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "tiny._tiny", nullptr, 0, methods,
                                 nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC
PyInit__tiny()
{
    return PyModule_Create(&definition);
}
"""


def test_cpp_that_includes_no_more_than_libstdcxx_needs_compiles(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    (project / "tiny" / "_tiny.cpp").write_text(_LIBSTDCXX)
    # With the limited API of 3.11 and later Python.h includes no header of the C library's.
    macros = "define_macros=[('Py_LIMITED_API', '0x030b0000')], language='c++'"
    setup = projects.SETUP.replace('["tiny/_tiny.c"]', f'["tiny/_tiny.cpp"], {macros}')
    (project / "setup.py").write_text(setup)
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    wheel = wheels.only_wheel(out)
    assert workshop.try_wheel(wheel, tmp_path / "fresh", projects.TINY_USE) == projects.TINY_PRINTS
