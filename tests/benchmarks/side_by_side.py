"""Real packages of many C files, through the shim on all cores and by gcc, and 32 cores.

    python tests/benchmarks/side_by_side.py [RUNS]

Needs manylinux-shim, ziglang, setuptools, wheel, pip and uv in the environment that
runs it, gcc, and PyPI. 32 cores are simulated by a compiler that sleeps.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Callable, Dict

from measure import line, pairs

PACKAGES = (
    ("pycryptodome==4.4.0", "40 extensions and more", "0.60"),
    ("brotli==1.2.1", "30 files in one extension", "0.55"),
)
SHIM = """
[build-system]
requires = ["manylinux-shim", "setuptools"]
build-backend = "manylinux_shim"
[tool.manylinux-shim]
backend = "setuptools.build_meta:__legacy__"
"""
BARE = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta:__legacy__"
"""
CORES, SECONDS = 32, 1.0
SETUP = f"""
from setuptools import Extension, setup
few = [Extension(f"few.m{{n}}", [f"m{{n}}_{{k}}.c" for k in range(16)]) for n in range(4)]
many = [Extension(f"many.m{{n}}", [f"n{{n}}.c"]) for n in range({2 * CORES})]
setup(name="sleeps", version="1.0", ext_modules=few + many)
"""
SLEEPS = f"""#!/bin/sh
while [ $# -gt 1 ] && [ "$1" != -o ]; do shift; done
echo + >> "$AT_WORK"
sleep {SECONDS}
echo - >> "$AT_WORK"
exec gcc -shared -nostdlib -x c /dev/null -o "$2"
"""


def fetched(requirement: str, scratch: Path) -> Path:
    place = scratch / requirement
    run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation",
         "--no-binary", ":all:", "-d", str(place), requirement], scratch, dict(os.environ),
    )  # fmt: skip
    (archive,) = place.iterdir()
    with tarfile.open(archive) as file:
        file.extractall(place / "tree")
    (tree,) = (place / "tree").iterdir()
    return tree


def run(command: list[str], cwd: Path, environment: Dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout.decode())


def building(tree: Path, pyproject: str, scratch: Path, **more: str) -> Callable[[], None]:
    """Build a copy of ``tree``, with an empty cache of the shim."""

    def build() -> None:
        copy, cache = scratch / "copy", scratch / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(tree, copy)
        (copy / "pyproject.toml").write_text(pyproject)
        environment = {**os.environ, "MANYLINUX_SHIM_CACHE_DIR": str(cache), **more}
        command = ["uv", "build", "--wheel", "--no-build-isolation", "-p", sys.executable]
        try:
            run(command, copy, environment)
        finally:
            shutil.rmtree(copy)

    return build


def simulated(scratch: Path) -> None:
    """Print how many of the cores were busy, on average, until the last compile began."""
    tree, compiler, log = scratch / "sleeps", scratch / "compiler", scratch / "log"
    tree.mkdir()
    compiler.write_text(SLEEPS)
    compiler.chmod(0o755)
    (tree / "setup.py").write_text(SETUP)
    names = [f"m{n}_{k}.c" for n in range(4) for k in range(16)]
    for name in [*names, *(f"n{n}.c" for n in range(2 * CORES))]:
        (tree / name).write_text("")
    tools = {"CC": str(compiler), "LDSHARED": f"{compiler} -shared", "AT_WORK": str(log)}
    building(tree, SHIM, scratch, MANYLINUX_SHIM_JOBS=str(CORES), **tools)()
    busy = most = 0
    for sign in log.read_text().split():
        busy += 1 if sign == "+" else -1
        most = max(most, busy)
    print(f"{CORES} cores simulated: {most} busy at once  (aim: 28)")


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as name:
        scratch = Path(name)
        for requirement, what, aim in PACKAGES:
            tree = fetched(requirement, scratch)
            ours = building(tree, SHIM, scratch)
            peer = building(tree, BARE, scratch)
            times = pairs(ours, peer, runs, warm_up=0)
            line(f"{requirement}, {what}", *times, "gcc", f"ratio at most {aim}")
        simulated(scratch)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
