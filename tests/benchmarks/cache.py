"""A real package with ``cache = true``: five Pythons, an unchanged tree, and what a miss costs.

    python tests/benchmarks/cache.py [--runs N] [--only WHAT,...] [PACKAGE REQUIREMENT...]

Needs manylinux-shim[cli], ziglang, setuptools, wheel, pip, pkgconfig and uv in the
environment that runs it (and what another package requires), PyPI, and CPython 3.9 to 3.13 as the
tests find them. All but one of the package's C files see nothing of Python. It is small: what
each build costs that compiles nothing is much of what one costs that does. With
``blis cython numpy``, of which the kernels take minutes, it is little.

Five Pythons are built one after the other by a frontend (``five``), of which the first compiles,
and side by side and isolated by one call of ``manylinux-shim build`` (``call``). The other two are
``miss`` and ``unchanged``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Callable, List, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import line, pairs, processors_time, timed
from side_by_side import SHIM, fetched, run
from support.interpreters import find

PACKAGE = "brotli==1.2.1"
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
CACHED = SHIM + "cache = true\n"


class Builds:
    """Builds of copies of one tree: sysroots and headers are there, objects where kept."""

    def __init__(self, tree: Path, scratch: Path, *requires: str) -> None:
        self._tree = tree
        self._requires = requires
        self._scratch = scratch
        self._rooms = {python: self._room(python) for python in PYTHONS}

    def _room(self, python: str) -> str:
        """An environment of ``python`` like the one that runs this."""
        room = self._scratch / "environments" / python
        found = find(python)
        if found is None:
            raise SystemExit(f"no CPython {python} with headers")
        run(["uv", "venv", "-q", "-p", str(found.path), str(room)], self._scratch, dict(os.environ))
        needs = ["ziglang", "setuptools", "wheel", *self._requires]
        shim = str(Path(__file__).resolve().parents[2])
        install = ["uv", "pip", "install", "-q", "-p", str(room), shim, *needs]
        run(install, self._scratch, dict(os.environ))
        return str(room / "bin" / "python")

    def build(self, pyproject: str, *pythons: str) -> None:
        for python in pythons:
            copy = self._scratch / "copy"
            shutil.copytree(self._tree, copy)
            (copy / "pyproject.toml").write_text(pyproject)
            environment = {**os.environ, "MANYLINUX_SHIM_CACHE_DIR": str(self._scratch / "cache")}
            command = ["uv", "build", "--wheel", "--no-build-isolation", "-p", self._rooms[python]]
            try:
                run(command, copy, environment)
            finally:
                shutil.rmtree(copy)

    def prepare(self) -> None:
        """Have sysroots and the headers of each Python made, which is done once."""
        self.forget()
        small = self._scratch / "small"
        small.mkdir()
        setup = "from setuptools import *\nsetup(name='s', ext_modules=[Extension('s', ['s.c'])])\n"
        (small / "setup.py").write_text(setup)
        (small / "s.c").write_text("#include <Python.h>\nPyObject *PyInit_s(void) { return 0; }\n")
        self._tree, tree = small, self._tree
        self.build(CACHED, *PYTHONS)
        self._tree = tree

    def forget(self) -> None:
        shutil.rmtree(self._scratch / "cache" / "objects", ignore_errors=True)

    def each(self) -> List[float]:
        """Seconds for each Python in turn, with nothing kept before."""
        self.forget()
        return [timed(lambda python=python: self.build(CACHED, python)) for python in PYTHONS]  # type: ignore[misc]

    def forgetting(
        self, *pythons: str, one_call: bool = False, pyproject: str = CACHED
    ) -> Callable[[], None]:
        def build() -> None:
            self.forget()
            (self.in_one_call if one_call else self.build)(pyproject, *pythons)

        return build

    def in_one_call(self, pyproject: str, *pythons: str) -> None:
        """Build by ``manylinux-shim build``."""
        links = self._scratch / "links"
        if not links.exists():
            shim = ["uv", "build", "-q", "--wheel", "-o", str(links)]
            run(shim, Path(__file__).resolve().parents[2], dict(os.environ))
        copy = self._scratch / "copy"
        shutil.copytree(self._tree, copy)
        more = "".join(f', "{name}"' for name in self._requires)
        text = pyproject.replace('"setuptools"', f'"setuptools"{more}')
        (copy / "pyproject.toml").write_text(text)
        environment = {
            **os.environ,
            "MANYLINUX_SHIM_CACHE_DIR": str(self._scratch / "cache"),
            "UV_FIND_LINKS": str(links),
        }
        command = [sys.executable, "-m", "manylinux_shim", "build", str(copy)]
        command += ["--python", ",".join(pythons), "-o", str(self._scratch / "out")]
        try:
            run(command, self._scratch, environment)
        finally:
            shutil.rmtree(copy)


def main(runs: int, only: Sequence[str], package: str, *requires: str) -> None:
    with tempfile.TemporaryDirectory(prefix="cache-") as name:
        scratch = Path(name)
        builds = Builds(fetched(package, scratch), scratch, *requires)
        one = PYTHONS[2]
        builds.prepare()
        none, cold = lambda: builds.build(SHIM, one), builds.forgetting(one)
        if "miss" in only:
            times = pairs(cold, none, runs, 0, processors_time)
            line(f"{package}, all misses, of processors", *times, "no cache", "ratio at most 1.05")
        if "unchanged" in only:
            builds.build(CACHED, one)
            times = pairs(lambda: builds.build(CACHED, one), none, runs, 0)
            line(f"{package}, unchanged tree", *times, "no cache", "ratio at most 0.25")
        if "five" in only:
            rows = [builds.each() for _ in range(runs)]
            five, first = [sum(row) for row in rows], [row[0] for row in rows]
            line(f"{package}, five Pythons", five, first, "the first", "ratio at most 1.3")
        if "call" in only:
            calls = [builds.forgetting(*pythons, one_call=True) for pythons in (PYTHONS, [one])]
            builds.in_one_call(CACHED, *PYTHONS)  # frontends have what they install
            times = pairs(*calls, runs, 0)
            line(f"{package}, five Pythons in one call", *times, "one")
            without = builds.forgetting(*PYTHONS, one_call=True, pyproject=SHIM)
            times = pairs(calls[0], without, runs, 0)
            line(f"{package}, five Pythons in one call", *times, "no cache")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="miss,unchanged,five,call")
    parser.add_argument("package", nargs="*", default=[PACKAGE, "pkgconfig"])
    options = parser.parse_args()
    main(options.runs, options.only.split(","), *options.package)
