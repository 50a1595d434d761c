"""Libraries that a wheel's own files need: found where the wheel is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import projects, wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

SETUP = r'''
import os

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class WithLibraries(build_ext):
    """Libraries of its own, as a project links that knows nothing of run paths."""

    def build_extension(self, extension):
        package = os.path.join(self.build_lib, "own")
        for name, place, needed in (("far", "lib/far", []), ("near", "lib", ["far"])):
            directory = os.path.join(package, place)
            objects = self.compiler.compile([f"{name}.c"], output_dir=self.build_temp)
            self.compiler.link_shared_object(
                objects, os.path.join(directory, f"lib{name}.so"), libraries=needed,
                library_dirs=[os.path.join(package, "lib", "far")],
                extra_postargs=[f"-Wl,-soname,lib{name}.so"],
            )
        extension.library_dirs.append(os.path.join(package, "lib"))
        super().build_extension(extension)


setup(
    name="own", version="1.0", packages=["own"], cmdclass={"build_ext": WithLibraries},
    ext_modules=[Extension("own._own", ["own.c"], libraries=["near"], extra_link_args=[RPATH])],
)
'''

OWN_C = """
#include <Python.h>
int near_by(void);
static PyObject *call(PyObject *self, PyObject *args) { return PyLong_FromLong(near_by()); }
static PyMethodDef methods[] = {{"call", call, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_own", "", -1, methods};
PyMODINIT_FUNC PyInit__own(void) { return PyModule_Create(&module); }
"""


@pytest.mark.parametrize("given", ["", "-Wl,-rpath,/opt/python/lib"], ids=["none", "outside"])
def test_libraries_that_need_each_other_are_found_without_a_run_path_of_the_project(
    workshop: Workshop, tmp_path: Path, given: str
) -> None:
    files = {
        "pyproject.toml": projects.pyproject(),
        "setup.py": SETUP.replace("[RPATH]", repr([given] if given else [])),
        "own/__init__.py": "from own._own import call",
        "own.c": OWN_C,
        "near.c": "int far_away(void); int near_by(void) { return far_away() + 1; }",
        "far.c": "int far_away(void) { return 41; }",
    }
    project = projects.write(tmp_path / "project", files)
    workshop.build(UV_BUILD_WHEEL, project, tmp_path / "out").passed()
    wheel = wheels.only_wheel(tmp_path / "out")
    wheels.check_manylinux(wheel)
    code = "import own; print(own.call())"
    assert workshop.try_wheel(wheel, tmp_path / "env", code) == "42\n"
    found = {n.rpartition("/")[2]: wheels.dynamic(e) for n, e in wheels.elf_members(wheel).items()}
    assert found["libnear.so"]["DT_RUNPATH"] == ["$ORIGIN/far"]
    assert not found["libfar.so"].get("DT_RUNPATH")
