"""A real package with ``cache = true``: five Pythons, an unchanged tree, and what a miss costs.

    python tests/benchmarks/cache.py [RUNS [PACKAGE REQUIREMENT...]]

Needs manylinux-shim[cli], ziglang, setuptools, wheel, pip, pkgconfig and uv in the
environment that runs it, PyPI, and CPython 3.9 to 3.13 as the tests find them. All but one of the
package's C files see nothing of Python. It is small: what each build costs that compiles
nothing is much of what one costs that does. With ``blis cython numpy``, of which the kernels take
minutes, it is little.

Five Pythons are built twice: by one call of ``manylinux-shim build``, side by side and isolated,
and one after the other by a frontend.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import line, pairs, processors_time
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

    def forgetting(
        self, *pythons: str, one_call: bool = False, pyproject: str = CACHED
    ) -> Callable[[], None]:
        def build() -> None:
            shutil.rmtree(self._scratch / "cache" / "objects", ignore_errors=True)
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


def main(runs: int, package: str, *requires: str) -> None:
    with tempfile.TemporaryDirectory(prefix="cache-") as name:
        scratch = Path(name)
        builds = Builds(fetched(package, scratch), scratch, *requires)
        one = PYTHONS[2]
        builds.build(CACHED, *PYTHONS)  # what is made once
        none, cold = lambda: builds.build(SHIM, one), builds.forgetting(one)
        times = pairs(cold, none, runs, 0, processors_time)
        line(f"{package}, all misses, of processors", *times, "no cache", "ratio at most 1.05")
        warm = lambda: builds.build(CACHED, one)  # noqa: E731
        times = pairs(warm, none, runs, 0)
        line(f"{package}, unchanged tree", *times, "no cache", "ratio at most 0.25")
        calls = [builds.forgetting(*pythons, one_call=True) for pythons in (PYTHONS, [one])]
        calls[0]()  # frontends have what they install
        times = pairs(*calls, runs, 0)
        line(f"{package}, five Pythons in one call", *times, "one", "ratio at most 1.3")
        without = builds.forgetting(*PYTHONS, one_call=True, pyproject=SHIM)
        times = pairs(calls[0], without, runs, 0)
        line(f"{package}, five Pythons in one call", *times, "no cache")
        five = builds.forgetting(*PYTHONS)
        for what, clock in (("", time.perf_counter), (", of processors", processors_time)):
            times = pairs(five, cold, runs, 0, clock)
            line(f"{package}, five Pythons{what}", *times, "one", "ratio at most 1.3")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, *(sys.argv[2:] or (PACKAGE, "pkgconfig")))
