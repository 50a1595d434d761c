"""Libraries that a line in the settings brings, on an old system and another architecture."""

from __future__ import annotations

import zlib
from typing import Dict, Iterator

import pytest
import roots
from bench import Bench, Project, bench_of, each, sdist, written
from support import projects, sboms, wheels
from test_gcc_there import OPENMP

pytestmark = [pytest.mark.foreign, pytest.mark.pypi]

BUILDS_ITS_OWN: Dict[str, str] = {
    "pyproject.toml": projects.pyproject(
        ["setuptools"], settings='before-all = "sh build.sh"\nbefore-all-inputs = ["count/*"]'
    ),
    "setup.py": """\
from setuptools import Extension, setup
extension = Extension("counts", ["counts.c"], libraries=["count"])
setup(name="counts", version="1.0", ext_modules=[extension])
""",
    "build.sh": """\
set -e
$CC -O2 -fPIC -shared -Wl,-soname,libcount.so.3 count/count.c -o "$PREFIX/lib/libcount.so.3"
ln -s libcount.so.3 "$PREFIX/lib/libcount.so"
cp count/count.h "$PREFIX/include/"
echo "for $TARGET, $POLICY, $HOST_TRIPLET"
""",
    "count/count.c": """\
#include "count.h"
int count(const char *text)
{
    int found = 0;
    while (*text++)
        found++;
    return found;
}
""",
    "count/count.h": "int count(const char *);\n",
    "counts.c": """\
#include <Python.h>
#include <count.h>
static PyObject *call(PyObject *module, PyObject *text)
{
    return PyLong_FromLong(count(PyUnicode_AsUTF8(text)));
}
static PyMethodDef methods[] = {{"count", call, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "counts", NULL, -1, methods};
PyMODINIT_FUNC PyInit_counts(void) { return PyModule_Create(&module); }
""",
}

# numpy's static library is among the files of the package that the build's Python has.
HALVES: Dict[str, str] = {
    "pyproject.toml": projects.pyproject(["setuptools", "numpy==2.0.2"]),
    "setup.py": """\
import os
import numpy
from setuptools import Extension, setup
include = numpy.get_include()
library = os.path.join(include, "..", "lib", "libnpymath.a")
extension = Extension("halves", ["halves.c"], include_dirs=[include], extra_objects=[library])
setup(name="halves", version="1.0", ext_modules=[extension])
""",
    "halves.c": """\
#include <Python.h>
#include <numpy/halffloat.h>
static PyObject *value(PyObject *module, PyObject *bits)
{
    return PyFloat_FromDouble(npy_half_to_double(PyLong_AsLong(bits)));
}
static PyMethodDef methods[] = {{"value", value, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "halves", NULL, -1, methods};
PyMODINIT_FUNC PyInit_halves(void) { return PyModule_Create(&module); }
""",
}

# Debian 11's own zlib, which its Python has loaded, is older than what libpng was built with.
PICTURES: Dict[str, str] = {
    "pyproject.toml": projects.pyproject(["setuptools"]),
    "setup.py": """\
from setuptools import Extension, setup
extension = Extension("pictures", ["pictures.c"], libraries=["png16", "z"])
setup(name="pictures", version="1.0", ext_modules=[extension])
""",
    "pictures.c": """\
#include <Python.h>
#include <png.h>
#include <string.h>
#include <zlib.h>
static PyObject *packed(PyObject *module, PyObject *size)
{
    unsigned width = PyLong_AsUnsignedLong(size), at;
    char *pixels = calloc(width, width), *again = malloc(width * width);
    png_alloc_size_t room = 1 << 20;
    void *file = malloc(room);
    png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = width};
    for (at = 0; at < width * width; at++)
        pixels[at] = at % 251;
    png_image_write_to_memory(&image, file, &room, 0, pixels, width, NULL);
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    png_image_begin_read_from_memory(&image, file, room);
    image.format = PNG_FORMAT_GRAY;
    png_image_finish_read(&image, NULL, again, width, NULL);
    int same = image.warning_or_error == 0 && memcmp(pixels, again, width * width) == 0;
    unsigned long sum = crc32_z(0, (void *)pixels, 3);
    free(pixels), free(again), free(file);
    return Py_BuildValue("sik", zlibVersion(), same, sum);
}
static PyMethodDef methods[] = {{"packed", packed, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "pictures", NULL, -1, methods};
PyMODINIT_FUNC PyInit_pictures(void) { return PyModule_Create(&module); }
""",
}

PROJECTS = (
    Project(
        "PyYAML",
        sdist("pyyaml==6.0.2"),
        "import yaml\n"
        "print(yaml.load('{a: [1, 2]}', Loader=yaml.CSafeLoader), yaml.__with_libyaml__)",
        "{'a': [1, 2]} True\n",
        settings={"libraries": "deb:libyaml-dev"},
    ),
    Project(
        "OpenMP",
        written("teams", OPENMP),
        # There is no /proc there, by which LLVM's runtime would bind its threads.
        "import os; os.environ['KMP_AFFINITY'] = 'disabled'\nimport teams; print(teams.members())",
        "3\n",
        settings={"libraries": "wheel:cmeel-libomp==21.1.8"},
    ),
    Project(
        "newer zlib",
        written("pictures", PICTURES),
        "import pictures, zlib\nversion, *rest = pictures.packed(50)\n"
        "print(rest, version > zlib.ZLIB_RUNTIME_VERSION)",
        f"[1, {zlib.crc32(bytes(range(3)))}] True\n",
        settings={"libraries": "deb:libpng-dev"},
    ),
    Project(
        "before-all",
        written("counts", BUILDS_ITS_OWN),
        "import counts; print(counts.count('four'))",
        "4\n",
    ),
)
STATIC = Project(
    "package of Python",
    written("halves", HALVES),
    "import halves; print(halves.value(0x3e00))",
    "1.5\n",
    settings={"libraries": "wheel:numpy==2.0.2"},
)
BRINGS = {
    "PyYAML": ("libyaml", "libyaml-0-2", "pkg:deb/debian/libyaml-0-2@"),
    "OpenMP": ("libomp", "cmeel-libomp", "pkg:pypi/cmeel-libomp@21.1.8"),
    "newer zlib": ("libz-", "zlib1g", "pkg:deb/debian/zlib1g@"),
    "before-all": ("libcount", "libcount.so.3", ""),
}


@pytest.fixture(scope="module", params=[pytest.param("amd64", marks=pytest.mark.slow), "arm64"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    system = roots.SYSTEMS[request.param]
    with bench_of(request, system, PROJECTS, [STATIC]) as bench:
        yield bench


@pytest.mark.parametrize("project", each(PROJECTS))
def test_library_goes_into_the_wheel_and_works_there(bench: Bench, project: Project) -> None:
    bench.check_tag(project)
    wheel = bench.wheel(project)
    file, name, purl = BRINGS[project.name]
    assert any(file in member for member in wheels.elf_members(wheel))
    component = sboms.components(sboms.own(wheel))[name]
    assert str(component.get("purl", "")).startswith(purl)
    assert bool(component.get("purl")) is bool(purl)
    # What was built here has no package to tell which one it is.
    assert [each["alg"] for each in component.get("hashes", [])] == ([] if purl else ["SHA-256"])
    assert bench.use(project) == project.prints


def test_files_of_a_python_package_are_the_targets(bench: Bench) -> None:
    bench.check_tag(STATIC)
    assert bench.use(STATIC) == STATIC.prints
