"""Every supported Python, and setuptools from the oldest to the newest on them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Callable

import pytest
from support import projects, wheels
from support.interpreters import DEBIAN, MATRIX, Interpreter
from support.machine import need_program
from support.workshop import UV_BUILD_WHEEL, Workshop

SETUP = """\
from setuptools import Extension, setup

setup(
    name="tiny",
    version="1.0",
    packages=["tiny"],
    ext_modules=[
        Extension("tiny._tiny", ["tiny/_tiny.c"]),
        Extension("tiny._plus", ["tiny/_plus.cpp"], language="c++"),
    ],
)
"""

PLUS = """\
#include <Python.h>
#include <stdexcept>
#include <string>
#include <vector>

static PyObject *repeat(PyObject *, PyObject *number)
{
    try {
        long times = PyLong_AsLong(number);
        std::vector<std::string> parts(static_cast<std::size_t>(times), "ab");
        std::string all;
        for (const auto &part : parts) {
            all += part;
        }
        if (times > 3) {
            throw std::out_of_range("too many: " + std::to_string(times));
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

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "tiny._plus", nullptr, 0, methods, nullptr, nullptr, nullptr, nullptr,
};

PyMODINIT_FUNC PyInit__plus(void)
{
    return PyModule_Create(&definition);
}
"""

USE = """
import tiny
from tiny import _plus

print(tiny.answer("abcde"), _plus.repeat(2))
try:
    _plus.repeat(4)
except ValueError as error:
    print(error)
"""

CASES = [
    ("3.8", "setuptools==42.0.2"),
    ("3.8", "setuptools"),
    ("3.9", "setuptools==58.0.4"),
    ("3.9", "setuptools"),
    ("3.10", "setuptools==62.6.0"),
    ("3.10", "setuptools"),
    ("3.11", "setuptools==72.1.0"),
    ("3.11", "setuptools"),
    ("3.12", "setuptools==75.3.2"),
    ("3.12", "setuptools"),
    ("3.13", "setuptools"),
    (DEBIAN, "setuptools==65.5.0"),
    (DEBIAN, "setuptools"),
]
QUICK = [
    ("3.8", "setuptools==42.0.2"),
    ("3.9", "setuptools"),
    ("3.11", "setuptools==72.1.0"),
    ("3.13", "setuptools"),
    (DEBIAN, "setuptools"),
]
"""The ends, the middle and Debian's: the others take another minute."""


def test_every_python_of_the_matrix_is_built_for() -> None:
    assert {name for name, _ in CASES} == set(MATRIX)


@pytest.mark.parametrize(
    ("name", "setuptools"),
    [pytest.param(*case, marks=[pytest.mark.slow] * (case not in QUICK)) for case in CASES],
)
def test_extensions_in_c_and_cpp_build_for_this_python(
    name: str,
    setuptools: str,
    workshop: Workshop,
    interpreter: Callable[[str], Interpreter],
    tmp_path: Path,
    out: Path,
) -> None:
    python = interpreter(name)
    requires = [setuptools, "wheel"]
    if name == DEBIAN:
        # A newer Debian's Python has no use for what its elder came with.
        requires = [f"{setuptools}; python_version < '3.12'", "setuptools", "wheel"]
    project = projects.tiny(tmp_path / "project", requires)
    projects.write(project, {"setup.py": SETUP, "tiny/_plus.cpp": PLUS})
    workshop.build(UV_BUILD_WHEEL, project, out, python=python.path).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"tiny-1.0-{python.tag}-{python.tag}-{wheels.lowest_tags()}.whl"
    wheels.check_manylinux(wheel)
    elves = wheels.elf_members(wheel)
    assert len(elves) == 2
    for elf in elves.values():
        dynamic = wheels.dynamic(elf)
        assert not dynamic["DT_RPATH"] + dynamic["DT_RUNPATH"], "a path of this machine"
        assert not [soname for soname in dynamic["DT_NEEDED"] if "python" in soname]
        assert b".debug_info" not in elf
    printed = workshop.try_wheel(wheel, tmp_path / "fresh", USE, python=python.path)
    assert printed == "25 abab\ntoo many: 4\n"


def test_extensions_in_c_and_cpp_build_for_pypy(workshop: Workshop, tmp_path: Path) -> None:
    need_program("pypy3")
    python = Path(shutil.which("pypy3") or "")
    project = projects.tiny(tmp_path / "project", ["setuptools", "wheel"])
    projects.write(project, {"setup.py": SETUP, "tiny/_plus.cpp": PLUS})
    workshop.build(UV_BUILD_WHEEL, project, tmp_path / "out", python=python).passed()
    wheel = wheels.only_wheel(tmp_path / "out")
    assert re.match(r"tiny-1\.0-pp3\d+-pypy3\d+_pp\d+-manylinux_2_17_", wheel.name)
    wheels.check_manylinux(wheel)
    printed = workshop.try_wheel(wheel, tmp_path / "fresh", USE, python=python)
    assert printed == "25 abab\ntoo many: 4\n"

    refused = workshop.build(
        UV_BUILD_WHEEL,
        project,
        tmp_path / "none",
        python=python,
        environment={"MANYLINUX_SHIM_TARGET": "s390x"},
    )
    assert not refused.ok
    assert "error: this Python is pypy" in refused.output
    assert not list((tmp_path / "none").glob("*.whl"))
