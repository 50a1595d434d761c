"""What zig's own libraries put into what is linked with them, and under which licence.

Source of the licences: the files in zig's ``lib`` directory (``libcxx/LICENSE.TXT``
and its two neighbours, ``libc/musl/COPYRIGHT``, the heads of the files in
``libc/glibc``) and zig's own ``LICENSE``, which covers its compiler_rt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, Optional, Tuple

import manylinux_shim
from manylinux_shim.sbom._links import Link

_LLVM = "Apache-2.0 WITH LLVM-exception"
_LIBC = "LGPL-2.1-or-later WITH GCC-exception-2.0-note"
_IN_ZIG = "part of zig"


@dataclass(frozen=True)
class Part:
    """One library that may be linked in statically."""

    name: str
    licence: str
    description: str


PARTS: Dict[str, Part] = {
    "libcxx": Part("libc++", _LLVM, f"LLVM's C++ standard library, {_IN_ZIG}"),
    "libcxxabi": Part("libc++abi", _LLVM, f"LLVM's C++ runtime, {_IN_ZIG}"),
    "libunwind": Part("libunwind", _LLVM, f"LLVM's unwinder, {_IN_ZIG}"),
    "compiler_rt": Part("compiler_rt", "MIT", "zig's compiler runtime"),
    "processor": Part("manylinux-shim", "MIT", "tells processors apart, made by manylinux-shim"),
    "zigc": Part("zigc", "MIT", "the part of libc that zig has written anew"),
    "musl": Part("musl", "MIT", f"the C library, {_IN_ZIG}"),
    "glibc": Part("glibc", _LIBC, f"its static part, libc_nonshared.a, {_IN_ZIG}"),
    # csu/init.c, four bytes of it, comes without the exception.
    "glibc-start": Part(
        "glibc start files", f"({_LIBC}) AND LGPL-2.1-or-later", f"what starts a program, {_IN_ZIG}"
    ),
}
"""By the name that ``parts_of`` gives them."""

_ARCHIVE = re.compile(
    r"/zig-[^/]+/(?:"
    r"runtimes-[^/]+/[^/]+/archives/runtime-\w+\.a\((?:.*/)?(?P<runtime>\w+)-[^/]*\)"
    r"|[^/]+-static/lib(?P<static>\w+)\.a\(.*\)"
    r"|[^/]+/lib/lib(?P<shared>c_nonshared)\.a\(.*\)"
    r")"
)
_START = re.compile(r"/zig-[^/]+/([^/]+?)(?:-static)?(?:/lib)?/(?:S|r)?crt1\.o")
_OF_ARCHIVE = {"c": "musl", "c_nonshared": "glibc"}


def parts_of(links: Iterable[Link]) -> FrozenSet[str]:
    """Names in ``PARTS`` of all that these links took out of our toolchain's libraries."""
    found = set()
    for link in links:
        for text in link.extracted:
            match = _ARCHIVE.search(text)
            if match is not None:
                name = str(match["runtime"] or match["static"] or match["shared"])
                found.add(_OF_ARCHIVE.get(name, name))
        for text in link.inputs:
            start = _START.search(text)
            if start is not None:
                found.add("musl" if "musl" in start[1] else "glibc-start")
    return frozenset(found & set(PARTS))


def shared_parts(family: str) -> Tuple[str, ...]:
    """Names in ``PARTS`` of what the shared library of C++ is made of; libunwind: on musl."""
    unwinder = ("libunwind",) if family == "musllinux" else ()
    return ("libcxx", "libcxxabi", *unwinder, "compiler_rt")


def version_of(part: str, zig_lib: Path, zig_version: str) -> str:
    """The version of a part, as its own sources say; empty where they do not."""
    if part in ("compiler_rt", "zigc"):
        return zig_version
    if part == "processor":
        return manylinux_shim.__version__
    if part in ("libcxx", "libcxxabi", "libunwind"):
        # "22.1.8" is 220108; the three are released together.
        number = _search(zig_lib / "libcxx/include/__config", r"_LIBCPP_VERSION +(\d{6})\b")
        return ".".join(str(int(number[at : at + 2])) for at in (0, 2, 4)) if number else ""
    if part == "musl":
        return _search(zig_lib / "libc/musl/src/internal/version.h", r'VERSION +"([^"]+)"') or ""
    return ""


def _search(path: Path, pattern: str) -> Optional[str]:
    try:
        match = re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return match[1] if match else None
