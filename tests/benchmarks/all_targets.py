"""What it costs to build one C extension for every architecture.

    python tests/benchmarks/all_targets.py [RUNS]

Needs manylinux-shim, ziglang, setuptools, wheel and uv in the environment that runs
it, and gcc. Builds run two at a time, with caches that are empty, then with warm ones;
the real backend alone, with the host's own compiler, is what they are held against.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import List, Mapping, Sequence

from main_job import BARE, SHIM, project
from measure import line, timed

from manylinux_shim._platforms import ARCHITECTURES

WORKERS = 2


def build(source: Path, scratch: Path, options: Sequence[str], env: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        copy = Path(name) / "copy"
        shutil.copytree(source, copy)
        command = ["uv", "build", "-q", "--wheel", "--no-build-isolation", "-p", sys.executable]
        done = subprocess.run(
            [*command, *options],
            cwd=copy,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        if done.returncode != 0 or len(list(copy.glob("dist/*.whl"))) != 1:
            raise SystemExit(done.stdout)


def build_all(
    source: Path, scratch: Path, builds: Sequence[Sequence[str]], env: Mapping[str, str]
) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda options: build(source, scratch, options, env), builds))


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        shim, bare = project(scratch / "shim", SHIM), project(scratch / "bare", BARE)
        cache = scratch / "cache"
        environment = {**os.environ, "MANYLINUX_SHIM_CACHE_DIR": str(cache)}
        targets = [[f"-Ctarget={arch}"] for arch in ARCHITECTURES]
        plain: List[List[str]] = [[] for _ in ARCHITECTURES]
        cold, warm, alone = [], [], []
        for _ in range(runs):
            shutil.rmtree(cache, ignore_errors=True)
            cold.append(timed(lambda: build_all(shim, scratch, targets, environment)))
            warm.append(timed(lambda: build_all(shim, scratch, targets, environment)))
            alone.append(timed(lambda: build_all(bare, scratch, plain, environment)))
        number = len(targets)
        line(f"{number} targets, empty caches", cold, alone, "gcc", "at most 10 s in all")
        line(f"{number} targets, warm caches", warm, alone, "gcc")
        ours = [timed(partial(build, shim, scratch, each, environment)) for each in targets]
        theirs = [timed(partial(build, bare, scratch, each, environment)) for each in plain]
        line("one target, warm caches", ours, theirs, "gcc", "at most 1 s more")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
