"""The C++ library of one target as a shared library, for files that exchange C++.

LLVM's libc++ and libc++abi whole, with LLVM's own annotations of what others see; the
unwinder is the system's with glibc, and part of the library on musl. It is made once
for each zig and libc, on all cores.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import List, Sequence

from manylinux_shim.toolchain.runtimes import place_of
from manylinux_shim.toolchain.runtimes._closure import Builder
from manylinux_shim.toolchain.runtimes._objects import make_file, run

VERSION = "LIBCXX_1"
"""The version of every symbol: of libstdc++ some have the same name, and a loader that finds
that library first must not take its for ours."""

_FLAGS = (
    "-shared", "--strip-all", "--eh-frame-hdr", "--gc-sections", "--icf=safe", "--build-id=none",
    "--hash-style=gnu", "-z", "now", "-z", "relro", "-z", "noexecstack", "-z", "defs",
    # What is defined once is bound here; operators new and delete, which are weak, are the
    # program's to replace.
    "-Bsymbolic-non-weak",
)  # fmt: skip


def shared_runtime(
    zig: str,
    zig_target: str,
    directory: str,
    link_flags: Sequence[str],
    libraries: Sequence[str],
    *,
    jobs: int = 0,
) -> Path:
    """The shared library for ``zig_target``, made if it is not in ``directory`` yet.

    Its name is its soname and has a hash of what it is made of, so that two wheels in one
    process share it or have one each. ``directory`` is as for ``runtime_inputs``;
    ``link_flags`` and ``libraries`` are the sysroot's own. Raises ToolchainError.
    """
    place = Path(place_of(directory, zig_target))
    count = jobs or len(os.sched_getaffinity(0))
    with Builder(zig, zig_target, place, count, visible=True) as builder:
        objects = builder.everything()
        objects += builder.builtins([], objects)
    soname = f"libc++-{_digest(zig_target, objects, link_flags)}.so.1"

    def make(staging: Path, lock: int) -> None:
        script = staging.with_name(f".{soname}.making.map")
        script.write_text(f"{VERSION} {{ global: *; }};\n", encoding="utf-8")
        named = ["-soname", soname, "--version-script", str(script), "-o", str(staging)]
        inputs = [*map(str, objects), "--as-needed", *libraries]
        run([zig, "ld.lld", *link_flags, *_FLAGS, *named, *inputs], lock, what=soname)

    return make_file(place / "shared" / soname, make)


def _digest(zig_target: str, objects: List[Path], link_flags: Sequence[str]) -> str:
    found = hashlib.sha256("\0".join([zig_target, *link_flags, *_FLAGS]).encode())
    for path in objects:
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
