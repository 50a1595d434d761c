"""A project with a module in C and one in C++, for each of the three usual build systems."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Tuple

from support import projects

_TINY_C = """\
#include <Python.h>
#include <math.h>

#if defined(PY_LITTLE_ENDIAN) && PY_LITTLE_ENDIAN != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#error "pyconfig.h is another machine's"
#endif

static PyObject *
square(PyObject *module, PyObject *number)
{
    (void)module;
    double value = PyFloat_AsDouble(number);
    return PyErr_Occurred() ? NULL : PyFloat_FromDouble(pow(value, 2.0));
}

static PyMethodDef methods[] = {
    {"square", square, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "tiny._tiny", NULL, 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__tiny(void)
{
    return PyModuleDef_Init(&definition);
}
"""

_PLUS_CPP = """\
#include <Python.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static PyObject *repeat(PyObject *, PyObject *number)
{
    try {
        long times = PyLong_AsLong(number);
        if (times > 3) {
            throw std::out_of_range("too many: " + std::to_string(times));
        }
        std::string all;
        std::mutex mutex;
        std::vector<std::thread> threads;
        for (long i = 0; i < times; ++i) {
            threads.emplace_back([&] {
                std::lock_guard<std::mutex> guard(mutex);
                all += "ab";
            });
        }
        for (auto &thread : threads) {
            thread.join();
        }
        return PyUnicode_FromString(all.c_str());
    } catch (const std::exception &error) {
        PyErr_SetString(PyExc_ValueError, error.what());
        return nullptr;
    }
}

static PyMethodDef methods[] = {
    {"repeat", repeat, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "tiny._plus", nullptr, 0, methods, slots, nullptr, nullptr, nullptr,
};

PyMODINIT_FUNC PyInit__plus(void)
{
    return PyModuleDef_Init(&definition);
}
"""

_SETUP = """\
from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension("tiny._tiny", ["tiny/_tiny.c"]),
        Extension("tiny._plus", ["tiny/_plus.cpp"], language="c++"),
    ],
)
"""

_CMAKE = """\
cmake_minimum_required(VERSION 3.18...4.1)
project(tiny LANGUAGES C CXX)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
find_package(Threads REQUIRED)
Python_add_library(_tiny MODULE WITH_SOABI tiny/_tiny.c)
Python_add_library(_plus MODULE WITH_SOABI tiny/_plus.cpp)
target_link_libraries(_tiny PRIVATE m)
target_link_libraries(_plus PRIVATE Threads::Threads)
install(TARGETS _tiny _plus DESTINATION tiny)
"""

_MESON = """\
project('tiny', 'c', 'cpp', version: '1.0')
py = import('python').find_installation(pure: false)
math = meson.get_compiler('c').find_library('m')
py.extension_module('_tiny', 'tiny/_tiny.c', dependencies: math, subdir: 'tiny', install: true)
py.extension_module('_plus', 'tiny/_plus.cpp', dependencies: dependency('threads'),
  subdir: 'tiny', install: true)
py.install_sources('tiny/__init__.py', subdir: 'tiny')
"""

_PROJECT = """
[project]
name = "tiny"
version = "1.0"
description = "A square, and a repetition"
requires-python = ">=3.8"
"""

_PACKAGES = """
[tool.setuptools]
packages = ["tiny"]
"""

BACKENDS: Dict[str, Tuple[Tuple[str, ...], str, str, Dict[str, str]]] = {
    "setuptools": (
        ("setuptools",),
        "setuptools.build_meta",
        _PROJECT + _PACKAGES,
        {"setup.py": _SETUP},
    ),
    "scikit-build-core": (
        ("scikit-build-core", "cmake", "ninja"),
        "scikit_build_core.build",
        _PROJECT,
        {"CMakeLists.txt": _CMAKE},
    ),
    "meson-python": (
        ("meson-python", "ninja"),
        "mesonpy",
        _PROJECT,
        {"meson.build": _MESON},
    ),
}
"""By backend: what it requires, its name, more of pyproject.toml, files of its own."""

USE = """
import sys
from tiny import _plus, _tiny

print(_tiny.square(5), _plus.repeat(2), getattr(sys, "_is_gil_enabled", lambda: True)())
try:
    _plus.repeat(4)
except ValueError as error:
    print(error)
"""
"""Uses both modules."""


def prints(*, gil: bool) -> str:
    """What that prints."""
    return f"25.0 abab {gil}\ntoo many: 4\n"


def project(directory: Path, backend: str) -> Path:
    """The project for a backend, in a new directory."""
    requires, name, more, files = BACKENDS[backend]
    text = projects.pyproject(requires, name, "require-native = true\n") + more
    return projects.write(
        directory,
        {
            "tiny/__init__.py": "",
            "tiny/_tiny.c": _TINY_C,
            "tiny/_plus.cpp": _PLUS_CPP,
            **files,
            "pyproject.toml": text,
        },
    )
