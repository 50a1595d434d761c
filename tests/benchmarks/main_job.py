"""What the shim costs: an empty cache, a warm one, the driver, and the hooks by themselves.

    python tests/benchmarks/main_job.py [RUNS]

Needs manylinux-shim, ziglang, setuptools, wheel and uv in the environment that
runs it, and gcc. Prints ours, the peer's and how they compare.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from measure import line, pairs

from manylinux_shim._platforms import host_architecture, lowest_policy
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig._zig import find_zig

SOURCE = """
#include <Python.h>
#include <math.h>
static PyObject *cube(PyObject *self, PyObject *x) {
    (void)self; return PyFloat_FromDouble(pow(PyFloat_AsDouble(x), 3));
}
static PyMethodDef methods[] = {{"cube", cube, METH_O, 0}, {0, 0, 0, 0}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "cube", 0, -1, methods, 0, 0, 0, 0};
PyMODINIT_FUNC PyInit_cube(void) { return PyModule_Create(&definition); }
"""
SETUP = """
from setuptools import Extension, setup
setup(name="cube", version="1.0", ext_modules=[Extension("cube", ["cube.c"])])
"""
SHIM = """
[build-system]
requires = ["manylinux-shim", "setuptools"]
build-backend = "manylinux_shim"
[tool.manylinux-shim]
backend = "setuptools.build_meta"
"""
BARE = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""
HOOK = "import {0} as backend; print(backend.get_requires_for_build_wheel())"


def project(directory: Path, pyproject: str) -> Path:
    directory.mkdir(parents=True)
    (directory / "cube.c").write_text(SOURCE)
    (directory / "setup.py").write_text(SETUP)
    (directory / "pyproject.toml").write_text(pyproject)
    return directory


def run(command: List[str], cwd: Path, environment: Dict[str, str]) -> None:
    subprocess.run(
        command, cwd=cwd, env=environment, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def build(source: Path, scratch: Path, environment: Dict[str, str]) -> None:
    copy = scratch / "copy"
    shutil.copytree(source, copy)
    try:
        command = ["uv", "build", "--wheel", "--no-build-isolation", "-p", sys.executable]
        run(command, copy, environment)
    finally:
        shutil.rmtree(copy)


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        shim, bare = project(scratch / "shim", SHIM), project(scratch / "bare", BARE)
        cache = scratch / "cache"
        environment = {**os.environ, "MANYLINUX_SHIM_CACHE_DIR": str(cache)}

        def cold() -> None:
            shutil.rmtree(cache, ignore_errors=True)
            build(shim, scratch, environment)

        def host() -> None:
            build(bare, scratch, environment)

        line("C extension, empty cache", *pairs(cold, host, runs), "gcc", "at most 2 s more")
        ours = pairs(lambda: build(shim, scratch, environment), host, runs)
        line("C extension, warm cache", *ours, "gcc", "at most 0.3 s more")

        arch = host_architecture()
        if arch is None:
            raise SystemExit("not a Linux that has platform tags")
        os.environ.update(environment)
        tools = {
            **environment,
            **prepare(find_zig(), arch, lowest_policy(arch), scratch, notice=print),
        }
        zig = str(find_zig().executable)
        (scratch / "a.c").write_text("int f(int x) { return x + 1; }\n")
        compiled = pairs(
            lambda: run([tools["CC"], "-O2", "-c", "a.c", "-o", "a.o"], scratch, tools),
            lambda: run([zig, "clang", "-O2", "-c", "a.c", "-o", "b.o"], scratch, tools),
            4 * runs,
        )
        line("driver, one compilation", *compiled, "zig clang", "at most 0.020 s more")
        linked = pairs(
            lambda: run([tools["CC"], "-shared", "a.o", "-o", "a.so"], scratch, tools),
            lambda: run([zig, "ld.lld", "-shared", "a.o", "-o", "b.so"], scratch, tools),
            4 * runs,
        )
        line("driver, one link", *linked, "zig ld.lld", "at most 0.020 s more")
        hooks = pairs(
            lambda: run([sys.executable, "-c", HOOK.format("manylinux_shim")], shim, environment),
            lambda: run(
                [sys.executable, "-c", HOOK.format("setuptools.build_meta")], bare, environment
            ),
            2 * runs,
        )
        line("import and get_requires", *hooks, "setuptools", "at most 0.060 s more")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
