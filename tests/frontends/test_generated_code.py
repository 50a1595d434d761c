"""Cython and cffi: the C code is made while the wheel is built."""

from __future__ import annotations

from pathlib import Path

from support import projects, wheels
from support.workshop import UV_BUILD, UV_BUILD_WHEEL, Workshop

CYTHON = {
    "setup.py": """\
        from Cython.Build import cythonize
        from setuptools import Extension, setup

        extensions = [Extension("heights.mean", ["heights/mean.pyx"])]
        setup(name="heights", version="1.0", packages=["heights"],
              ext_modules=cythonize(extensions, language_level=3))
        """,
    "MANIFEST.in": "include heights/*.pyx\n",
    "heights/__init__.py": "",
    "heights/mean.pyx": """\
        from libc.math cimport sqrt
        from libc.stdlib cimport free, malloc

        def spread(values):
            cdef Py_ssize_t i, n = len(values)
            cdef double *copy = <double *> malloc(n * sizeof(double))
            cdef double mean = 0, total = 0
            try:
                for i in range(n):
                    copy[i] = values[i]
                    mean += copy[i] / n
                for i in range(n):
                    total += (copy[i] - mean) ** 2
                return sqrt(total / n)
            finally:
                free(copy)
        """,
}

CFFI = {
    "setup.py": """\
        from setuptools import setup

        setup(
            name="clock",
            version="1.0",
            packages=["clock"],
            setup_requires=["cffi>=1.15"],
            install_requires=["cffi>=1.15"],
            cffi_modules=["build_clock.py:builder"],
        )
        """,
    "MANIFEST.in": "include build_clock.py\n",
    "clock/__init__.py": "",
    "build_clock.py": """\
        from cffi import FFI

        builder = FFI()
        builder.cdef("long seconds(void); int length(const char *);")
        builder.set_source(
            "clock._clock",
            '''
            #include <string.h>
            #include <time.h>

            static long seconds(void) {
                struct timespec now;
                return clock_gettime(CLOCK_REALTIME, &now) == 0 ? (long) now.tv_sec : -1;
            }
            static int length(const char *text) { return (int) strlen(text); }
            ''',
        )
        """,
}


def test_cython_extension(workshop: Workshop, tmp_path: Path, out: Path) -> None:
    text = projects.pyproject(["setuptools", "Cython>=3"])
    project = projects.write(tmp_path / "project", {**CYTHON, "pyproject.toml": text})
    workshop.build(UV_BUILD, project, out).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    code = "from heights import mean; print(mean.spread([1, 3]), mean.__file__[-3:])"
    assert workshop.try_wheel(wheel, tmp_path / "fresh", code) == "1.0 .so\n"


def test_cffi_extension_that_the_real_backend_asks_requirements_for(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "project", {**CFFI, "pyproject.toml": projects.pyproject()})
    workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    code = (
        "import time; from clock._clock import lib;"
        "print(abs(lib.seconds() - time.time()) < 60, lib.length(b'seven77'))"
    )
    assert workshop.try_wheel(wheel, tmp_path / "fresh", code) == "True 7\n"
