"""Each build system finds a library that `libraries` brings by its own usual way."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Tuple

import pytest
from support import projects, wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

from manylinux_shim._platforms import Policy
from manylinux_shim.audit import audit_wheel

SQUEEZE_C = """\
#include <Python.h>
#include <lz4.h>
static PyObject *bound(PyObject *module, PyObject *size)
{
    return PyLong_FromLong(LZ4_compressBound(PyLong_AsLong(size)));
}
static PyMethodDef methods[] = {{"bound", bound, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "squeeze", NULL, -1, methods};
PyMODINIT_FUNC PyInit_squeeze(void) { return PyModule_Create(&module); }
"""

CMAKE_BY_PKG_CONFIG = """\
cmake_minimum_required(VERSION 3.18)
project(squeeze C)
find_package(Python REQUIRED COMPONENTS Development.Module)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
python_add_library(squeeze MODULE WITH_SOABI squeeze.c)
target_link_libraries(squeeze PRIVATE PkgConfig::LZ4)
install(TARGETS squeeze DESTINATION .)
"""

CMAKE_BY_ITSELF = """\
cmake_minimum_required(VERSION 3.18)
project(squeeze C)
find_package(Python REQUIRED COMPONENTS Development.Module)
find_path(LZ4_INCLUDE lz4.h REQUIRED)
find_library(LZ4_LIBRARY lz4 REQUIRED)
python_add_library(squeeze MODULE WITH_SOABI squeeze.c)
target_include_directories(squeeze PRIVATE ${LZ4_INCLUDE})
target_link_libraries(squeeze PRIVATE ${LZ4_LIBRARY})
install(TARGETS squeeze DESTINATION .)
"""

MESON = """\
project('squeeze', 'c', version: '1.0')
python = import('python').find_installation()
python.extension_module('squeeze', 'squeeze.c', dependencies: dependency('liblz4'), install: true)
"""

CARGO = """\
[package]
name = "squeeze"
version = "1.0.0"
edition = "2021"
[lib]
name = "squeeze"
crate-type = ["cdylib"]
[dependencies]
pyo3 = { version = "0.23", features = ["extension-module"] }
[build-dependencies]
pkg-config = "0.3"
"""

LIB_RS = """\
use pyo3::prelude::*;
extern "C" { fn LZ4_compressBound(size: i32) -> i32; }
#[pyfunction]
fn bound(size: i32) -> i32 { unsafe { LZ4_compressBound(size) } }
#[pymodule]
fn squeeze(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(bound, module)?)
}
"""

SETUP = """\
from setuptools import Extension, setup
setup(ext_modules=[Extension("squeeze", ["squeeze.c"], libraries=["lz4"])])
"""

SYSTEMS: Dict[str, Tuple[str, str, Dict[str, str]]] = {
    "setuptools": ("setuptools", "setuptools.build_meta", {"setup.py": SETUP}),
    "pkg-config in CMake": (
        "scikit-build-core",
        "scikit_build_core.build",
        {"CMakeLists.txt": CMAKE_BY_PKG_CONFIG},
    ),
    "CMake": ("scikit-build-core", "scikit_build_core.build", {"CMakeLists.txt": CMAKE_BY_ITSELF}),
    "Meson": ("meson-python", "mesonpy", {"meson.build": MESON}),
    "maturin": (
        "maturin",
        "maturin",
        {
            "Cargo.toml": CARGO,
            "build.rs": 'fn main() { pkg_config::probe_library("liblz4").unwrap(); }\n',
            "src/lib.rs": LIB_RS,
        },
    ),
}

PYPROJECT = """\
[build-system]
requires = ["manylinux-shim", "{requires}"]
build-backend = "manylinux_shim"
[project]
name = "squeeze"
version = "1.0.0"
[tool.manylinux-shim]
backend = "{backend}"
libraries = ["deb:liblz4-dev"]
"""


@pytest.mark.pypi
@pytest.mark.parametrize(
    ("system", "target"),
    [
        # Rust's standard library for another machine is not everywhere.
        pytest.param("maturin", "x86_64", marks=pytest.mark.slow),
        *((system, "aarch64") for system in SYSTEMS if system != "maturin"),
        *(
            pytest.param(system, "x86_64", marks=pytest.mark.slow)
            for system in SYSTEMS
            if system != "maturin"
        ),
    ],
)
def test_library_is_found_and_goes_into_the_wheel(
    system: str, target: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    requires, backend, files = SYSTEMS[system]
    text = PYPROJECT.format(requires=requires, backend=backend)
    own = {"pyproject.toml": text, "squeeze.c": SQUEEZE_C, **files}
    project = projects.write(tmp_path / "project", own)
    workshop.build(UV_BUILD_WHEEL, project, out, settings={"target": target}).passed()
    (wheel,) = out.glob("*.whl")
    assert audit_wheel(wheel).proves(Policy.parse("manylinux_2_17"))
    members = wheels.elf_members(wheel)
    assert [n.partition("-")[0] for n in members if ".libs/" in n] == ["squeeze.libs/liblz4"]
    if target == "x86_64":
        use = "import squeeze; print(squeeze.bound(1000))"
        assert workshop.try_wheel(wheel, tmp_path / "fresh", use) == "1019\n"
