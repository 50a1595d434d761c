"""The runtime libraries that a link needs: libc++, libc++abi, compiler_rt; libunwind on musl.

zig builds them whole, for every libc version anew and on one core, before the
first link of a C++ file: nearly a minute. Here only what a link needs is compiled,
in few units, with zig's own commands, on all cores, while the project's own
sources still are, once for all libc versions of an architecture, and kept::

    <directory>/<layout>/commands.json              how zig compiles them
                        /sources/locale.cpp         what most programs need of that file
                        /objects/libcxx-strings.o   one unit of a library
                        /archives/runtime-<hash>.a  what one set of symbols needs
                        /stubs/<hash>.so            the same symbols, as of a shared library
                        /shared/<target>/libc++-<hash>.so.1   that library, where it is used
                        /links/<hash>               undefined symbols -> archive and stub

What comes out depends on the undefined symbols alone, never on what earlier
links have left in the cache. This module answers from the cache, in every link
of a C++ file, and so it imports next to nothing; ``_closure`` builds.
"""

# ruff: noqa: PTH100, PTH110, PTH123 - pathlib takes as long to import as all the rest

from __future__ import annotations

import os

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Collection, List, Optional

    from manylinux_shim.runtimes._ahead import ahead as ahead
    from manylinux_shim.runtimes._shared import VERSION as VERSION
    from manylinux_shim.runtimes._shared import shared_path as shared_path
    from manylinux_shim.runtimes._shared import shared_runtime as shared_runtime

__getattr__ = lazily(
    __name__, {"_ahead": ("ahead",), "_shared": ("VERSION", "shared_path", "shared_runtime")}
)

AHEAD_VARIABLE = "_MANYLINUX_SHIM_AHEAD"
"""A named pipe that takes the news of each C++ file compiled; ``_ahead`` listens."""
TWIN_MADE = "twin"
"""What that is told of each link that has a twin (``compiler._twin``); all else are paths of
objects."""

LAYOUT = "9"
"""Counts up when the same symbols would get other objects, so that old ones are not used."""


def _generation(zig_target: str) -> str:
    """What sets apart the objects for a glibc that ``oldest_target`` treats apart."""
    version = zig_target.rpartition("-")[2].split(".")[1:]
    return "-before-2.16" if version and [int(part) for part in version[:2]] < [2, 16] else ""


def place_of(directory: str, zig_target: str) -> str:
    """Where below ``directory`` the objects for ``zig_target`` are."""
    return f"{os.path.abspath(directory)}/{LAYOUT}{_generation(zig_target)}"


def runtime_inputs(
    zig: str, zig_target: str, directory: str, undefined: Collection[str], *, jobs: int = 0
) -> List[str]:
    """The linker inputs that define what runtime libraries provide of ``undefined``.

    Absolute paths: first an archive, which resolves those symbols and what they need in
    turn. Where C++ is among them there are others to take in its place: the stub of a
    shared library, and, if need be, an archive of what is not C++. Empty when no runtime
    library provides any.

    ``directory`` is this zig version's, architecture's and libc family's own; glibc
    versions that the same objects serve share them. ``jobs`` compilers run at once, as
    many as there are cores if it is 0. Raises ToolchainError when zig cannot build them
    or the disk cannot take them.
    """
    place = place_of(directory, zig_target)
    names = sorted(set(undefined))
    import zlib

    # A short hash that costs little: the symbols themselves stand in the file.
    question = " ".join(names)
    bits = question.encode("utf-8", "surrogateescape")
    link = f"{place}/links/{zlib.crc32(bits):08x}{zlib.adler32(bits):08x}"
    paths = _remembered(place, link, question)
    if paths is None:
        from manylinux_shim.runtimes._closure import build_archive, remember

        paths = build_archive(zig, zig_target, place, names, jobs)
        remember(link, [question, *paths])
    return [f"{place}/{path}" for path in paths[:3] if path]


def _remembered(place: str, link: str, question: str) -> Optional[List[str]]:
    """The files an earlier link got; None if there was none or some of them are gone."""
    try:
        with open(link, encoding="utf-8", errors="surrogateescape") as file:
            asked, *paths = file.read().split("\n")
    except OSError:
        return None
    whole = asked == question and all(os.path.exists(f"{place}/{path}") for path in paths)
    return paths if whole else None
