"""CMake and Meson run what they have built for another machine, where qemu can."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict

import pytest
import roots
from support import projects, wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.environment._emulator import Emulator, find_emulator

pytestmark = pytest.mark.foreign

PROJECT = """
[project]
name = "asks"
version = "1.0"
description = "Asks the machine that it is built for"
requires-python = ">=3.8"
"""
PROGRAM = r"""
#include <stdio.h>
int main(void)
{
#ifdef __aarch64__
    return puts("there") < 0;
#else
    return 3;
#endif
}
"""
MODULE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "asks", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_asks(void) { return PyModule_Create(&definition); }
"""
CMAKE = """
cmake_minimum_required(VERSION 3.17...4.1)
project(asks LANGUAGES C)
include(CheckCSourceRuns)
file(READ "${CMAKE_CURRENT_SOURCE_DIR}/program.c" PROGRAM)
check_c_source_runs("${PROGRAM}" RUNS)
if(NOT RUNS)
  message(FATAL_ERROR "it did not run")
endif()
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
python_add_library(asks MODULE WITH_SOABI asks.c)
install(TARGETS asks DESTINATION .)
"""
MESON = """
project('asks', 'c', version: '1.0')
found = meson.get_compiler('c').run(files('program.c'))
assert(found.returncode() == 0 and found.stdout() == 'there\\n')
py = import('python').find_installation(pure: false)
py.extension_module('asks', 'asks.c', install: true)
"""
SYSTEMS = {
    "CMake": (["scikit-build-core"], "scikit_build_core.build", {"CMakeLists.txt": CMAKE}),
    "Meson": (["meson-python>=0.15"], "mesonpy", {"meson.build": MESON}),
}


@pytest.fixture
def surroundings(tmp_path: Path) -> Dict[str, str]:
    """Variables of a machine that has qemu-aarch64, and a libc for it."""
    root = roots.root(roots.SYSTEMS["arm64"], roots.default_cache())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "qemu-aarch64").symlink_to(root.directory / "usr/bin/qemu-aarch64")
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    return {"QEMU_LD_PREFIX": str(root.directory), "PATH": path}


@pytest.mark.parametrize("name", SYSTEMS)
def test_program_of_a_check_runs_there(
    name: str, surroundings: Dict[str, str], workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    requires, backend, files = SYSTEMS[name]
    pyproject = projects.pyproject(requires, backend) + PROJECT
    sources = {"pyproject.toml": pyproject, "program.c": PROGRAM, "asks.c": MODULE}
    project = projects.write(tmp_path / "project", {**sources, **files})
    settings = {"target": "aarch64"}
    on = {**surroundings, "MANYLINUX_SHIM_EMULATOR": "on"}
    done = workshop.build(UV_BUILD_WHEEL, project, out, settings=settings, environment=on)
    done.passed()
    assert "CMake and Meson may run what they build, by " in done.output
    assert wheels.only_wheel(out).name.endswith("_aarch64.whl")
    off = {**surroundings, "MANYLINUX_SHIM_EMULATOR": "off"}
    failed = workshop.build(UV_BUILD_WHEEL, project, out, settings=settings, environment=off)
    assert not failed.ok


def test_emulator_needs_both_and_leave(surroundings: Dict[str, str]) -> None:
    arch = ARCHITECTURES["aarch64"]
    found = find_emulator(arch, "manylinux", surroundings)
    assert isinstance(found, Emulator)
    assert found.prefix == surroundings["QEMU_LD_PREFIX"]
    assert Path(found.program).name == "qemu-aarch64"
    off = {**surroundings, "MANYLINUX_SHIM_EMULATOR": "0"}
    assert find_emulator(arch, "manylinux", off) is None
    assert find_emulator(arch, "manylinux", {**surroundings, "PATH": "/nowhere"}) is None
    assert find_emulator(ARCHITECTURES["s390x"], "manylinux", surroundings) is None
    assert find_emulator(arch, "musllinux", surroundings) is None
