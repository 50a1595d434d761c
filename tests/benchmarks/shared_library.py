"""The shared C++ library on a fresh machine, against what ``zig c++`` compiles for its first link.

    python tests/benchmarks/shared_library.py [RUNS]

Needs manylinux-shim and ziglang in the environment that runs it. Every run starts from an
empty cache, zig's own included. Prints the library's size as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from measure import line, pairs

from manylinux_shim._platforms import host_architecture, lowest_policy
from manylinux_shim.compiler import LIBC_LIBRARIES, UNWINDER
from manylinux_shim.runtimes import shared_runtime
from manylinux_shim.sysroot import sysroot
from manylinux_shim.zig import find_zig


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    zig, host = find_zig(), host_architecture()
    assert host is not None
    policy = lowest_policy(host)
    target = host.zig_target(policy)
    with tempfile.TemporaryDirectory(prefix="shared-library-") as name:
        scratch = Path(name)
        root = sysroot(zig, host, policy, scratch / "sysroot")
        names = (root.lib / f"lib{each}.so" for each in (*LIBC_LIBRARIES, UNWINDER))
        libraries = [str(path) for path in names if path.exists()]
        source = scratch / "a.cpp"
        source.write_text("#include <iostream>\nvoid f() { std::cout << 1; }\n")

        def ours() -> Path:
            shutil.rmtree(scratch / "ours", ignore_errors=True)
            directory = str(scratch / "ours")
            return shared_runtime(
                str(zig.executable), target, directory, root.link_flags, libraries
            )

        def theirs() -> None:
            shutil.rmtree(scratch / "theirs", ignore_errors=True)
            caches = {f"ZIG_{k}_CACHE_DIR": str(scratch / "theirs") for k in ("GLOBAL", "LOCAL")}
            command = [str(zig.executable), "c++", "-target", target, "-O2", "-shared", "-fPIC"]
            subprocess.run(
                [*command, str(source), "-o", str(scratch / "a.so")],
                env={**os.environ, **caches},
                check=True,
            )

        mine, peer = pairs(ours, theirs, runs, warm_up=0)
        line("shared C++ library, cold", mine, peer, "zig c++", "less than zig c++")
        data = next((scratch / "ours").rglob("libc++-*.so.1")).read_bytes()
        print(f"size: {len(data)} bytes, {len(zlib.compress(data, 9))} compressed")


if __name__ == "__main__":
    main()
