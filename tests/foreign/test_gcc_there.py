"""What GCC's compilers made, on a system older than they are and on another architecture."""

from __future__ import annotations

from typing import Dict, Iterator

import pytest
import roots
from bench import Bench, Project, bench_of, each, sdist, written
from support import projects, sboms, wheels

pytestmark = pytest.mark.foreign

RELINK = {"mode": "relink"}

FORTRAN: Dict[str, str] = {
    "pyproject.toml": projects.pyproject(["meson-python", "ninja"], backend="mesonpy")
    + '[project]\nname = "series"\nversion = "1.0"\n',
    "meson.build": """\
project('series', 'c', 'fortran', version: '1.0')
py = import('python').find_installation(pure: false)
sources = ['series.c', 'sums.f90']
py.extension_module('series', sources, dependencies: py.dependency(), install: true)
""",
    "sums.f90": """\
subroutine describe(terms, text, length) bind(c)
  use iso_c_binding
  integer(c_int), value :: terms, length
  character(kind=c_char), intent(out) :: text(length)
  character(len=40) :: line
  integer :: i
  write(line, '(A,F8.5,A,I0)') 'sum ', sum([(1.0d0 / i**2, i = 1, terms)]), ' of ', terms
  do i = 1, length
    text(i) = line(i:i)
  end do
end subroutine
""",
    "series.c": """\
#include <Python.h>
void describe(int, char *, int);
static PyObject *call(PyObject *module, PyObject *terms)
{
    char text[40];
    describe((int)PyLong_AsLong(terms), text, 40);
    return PyUnicode_FromStringAndSize(text, 40);
}
static PyMethodDef methods[] = {{"describe", call, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "series", NULL, -1, methods};
PyMODINIT_FUNC PyInit_series(void) { return PyModule_Create(&module); }
""",
}
FORTRAN_IN_CMAKE: Dict[str, str] = {
    **{name: text for name, text in FORTRAN.items() if name != "meson.build"},
    "pyproject.toml": projects.pyproject(["scikit-build-core"], backend="scikit_build_core.build")
    + '[project]\nname = "series"\nversion = "1.0"\n',
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.18)
project(series C Fortran)
find_package(Python REQUIRED COMPONENTS Development.Module)
python_add_library(series MODULE WITH_SOABI series.c sums.f90)
install(TARGETS series DESTINATION .)
""",
}
DESCRIBES = "import series; print(series.describe(1000).strip())"
DESCRIBED = "sum  1.64393 of 1000\n"

OPENMP: Dict[str, str] = {
    "pyproject.toml": projects.pyproject(["setuptools"]),
    "setup.py": """\
from setuptools import Extension, setup
flags = ["-fopenmp"]
extension = Extension("teams", ["teams.c"], extra_compile_args=flags, extra_link_args=flags)
setup(name="teams", version="1.0", ext_modules=[extension])
""",
    "teams.c": """\
#include <Python.h>
#include <omp.h>
static PyObject *call(PyObject *module, PyObject *ignored)
{
    int members = 0;
    omp_set_num_threads(3);
#pragma omp parallel reduction(+ : members)
    members += 1;
    return PyLong_FromLong(members);
}
static PyMethodDef methods[] = {{"members", call, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "teams", NULL, -1, methods};
PyMODINIT_FUNC PyInit_teams(void) { return PyModule_Create(&module); }
""",
}

PROJECTS = (
    Project(
        "Fortran through Meson, linked by zig",
        written("series", FORTRAN),
        DESCRIBES,
        DESCRIBED,
    ),
    Project(
        "Fortran through CMake, linked by zig",
        written("series", FORTRAN_IN_CMAKE),
        DESCRIBES,
        DESCRIBED,
    ),
    Project("OpenMP", written("teams", OPENMP), "import teams; print(teams.members())", "3\n",
            settings=RELINK),
    Project(
        "kiwisolver",
        sdist("kiwisolver==1.4.7"),
        "import kiwisolver as k\n"
        "x, y = k.Variable('x'), k.Variable('y'); s = k.Solver()\n"
        "for c in (x + y == 10, x - y == 4): s.addConstraint(c)\n"
        "s.updateVariables()\n"
        "print(x.value(), y.value())\n"
        "try: s.addConstraint(x == 8)\n"
        "except k.UnsatisfiableConstraint: print('unsatisfiable')",
        "7.0 3.0\nunsatisfiable\n",
        settings=RELINK,
    ),
)  # fmt: skip
GCC_LINKS_FORTRAN = Project(
    "Fortran through Meson, linked by GCC",
    written("series", FORTRAN),
    DESCRIBES,
    DESCRIBED,
    settings=RELINK,
)
BRINGS = {
    "Fortran through Meson, linked by zig": "libgfortran",
    "Fortran through CMake, linked by zig": "libgfortran",
    "OpenMP": "libgomp",
    "kiwisolver": "libmanylinux_shim_cxx",
}


@pytest.fixture(scope="module", params=[pytest.param("amd64", marks=pytest.mark.slow), "arm64"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    system = roots.SYSTEMS[request.param]
    with bench_of(request, system, PROJECTS) as bench:
        yield bench


@pytest.mark.parametrize("project", each(PROJECTS))
def test_wheel_brings_its_compilers_library_and_works_there(bench: Bench, project: Project) -> None:
    bench.check_tag(project)
    wheel = bench.wheel(project)
    assert any(BRINGS[project.name] in name for name in wheels.elf_members(wheel))
    assert any(c.get("purl", "").startswith("pkg:deb/") for c in sboms.own(wheel)["components"]), (
        sboms.own(wheel)
    )
    assert bench.use(project) == project.prints


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("amd64", marks=pytest.mark.slow), "arm64"])
def test_fortran_that_gcc_links_works_there(name: str, request: pytest.FixtureRequest) -> None:
    system = roots.SYSTEMS[name]
    with bench_of(request, system, (), [GCC_LINKS_FORTRAN]) as bench:
        bench.check_tag(GCC_LINKS_FORTRAN)
        assert bench.use(GCC_LINKS_FORTRAN) == DESCRIBED
