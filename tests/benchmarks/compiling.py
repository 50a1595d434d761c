"""A project of 200 C files, compiled and linked through the driver and by ``zig cc`` itself.

    python tests/benchmarks/compiling.py [RUNS]

Needs manylinux-shim and ziglang in the environment that runs it. Both have what they
make once already; every file is another one in every run, because zig keeps objects.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Sequence

from measure import line, pairs

from manylinux_shim._platforms import host_architecture, lowest_policy
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig._zig import find_zig

FILES, WORKERS = 200, 2
SOURCE = """
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int order(const void *a, const void *b) {{ return *(int *)a - *(int *)b + {run} * 0; }}
double f{number}(const char *text, size_t n) {{
    int *counts = calloc(256, sizeof *counts);
    double sum = {run};
    for (size_t i = 0; i < n; ++i) counts[(unsigned char)text[i]]++;
    qsort(counts, 256, sizeof *counts, order);
    for (int i = 0; i < 256; ++i) sum += pow(counts[i], 1.5) * sin({number} + i);
    char buffer[64];
    snprintf(buffer, sizeof buffer, "%zu %f", strlen(text), sum);
    free(counts);
    return atof(buffer);
}}
"""
FLAGS = ("-O2", "-fPIC")


class Job:
    """One way of compiling it all."""

    def __init__(
        self, directory: Path, compiler: Sequence[str], environment: Dict[str, str]
    ) -> None:
        directory.mkdir()
        self._directory = directory
        self._compiler = list(compiler)
        self._environment = environment
        self._run = 0

    def __call__(self) -> None:
        self._run += 1
        names = []
        for number in range(FILES):
            name = f"f{number}"
            text = SOURCE.format(number=number, run=self._run)
            (self._directory / f"{name}.c").write_text(text, encoding="utf-8")
            names.append(name)
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda n: self._call([*FLAGS, "-c", f"{n}.c", "-o", f"{n}.o"]), names))
        self._call(["-shared", "-o", "all.so", *(f"{name}.o" for name in names), "-lm"])

    def _call(self, arguments: List[str]) -> None:
        command = [*self._compiler, *arguments]
        subprocess.run(command, cwd=self._directory, env=self._environment, check=True)


def main(runs: int) -> None:
    zig, host = find_zig(), host_architecture()
    if host is None:
        raise SystemExit("not a Linux that has platform tags")
    policy = lowest_policy(host)
    with tempfile.TemporaryDirectory(prefix="compiling-") as name:
        scratch = Path(name)
        os.environ["MANYLINUX_SHIM_CACHE_DIR"] = str(scratch / "cache")
        tools = {**os.environ, **prepare(zig, host, policy, scratch, notice=print)}
        ours = Job(scratch / "ours", [tools["CC"]], tools)
        caches = {f"ZIG_{kind}_CACHE_DIR": str(scratch / "zig") for kind in ("GLOBAL", "LOCAL")}
        direct = [str(zig.executable), "cc", "-target", host.zig_target(policy)]
        peer = Job(scratch / "peer", [*direct, "-fno-sanitize=all"], {**os.environ, **caches})
        line(f"{FILES} C files", *pairs(ours, peer, runs), "zig cc", "ratio at most 1.05")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
