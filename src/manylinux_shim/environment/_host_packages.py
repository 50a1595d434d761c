"""pkg-config and CMake, shown only those libraries of this machine that a wheel may need.

What pkg-config finds, build systems link to: CMake's and Meson's dependencies,
setup.py scripts, cargo's ``-sys`` crates. A library that only this machine has
would cost the wheel its tag, while the project could often do without it, or
has its own copy. ``PKG_CONFIG_PATH`` stays the user's.

Source: pkg-config(1), pc(5).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, Tuple

from manylinux_shim.compiler import LIBC_LIBRARIES
from manylinux_shim.environment._tools import host_directories
from manylinux_shim.zig import make_once

_LIBS = re.compile(r"^Libs[ \t]*:(.*)$", re.MULTILINE)
_NO_LIBRARY = ("-L", "-pthread", "-Wl,")


@dataclass(frozen=True)
class HostPackages:
    """Two directories of links to what this machine has."""

    pkg_config: Path
    """Files of pkg-config."""
    libraries: Path
    """Libraries under the names that ``-l`` asks for."""


def host_packages(
    cache: Path, multiarch: str, from_host: Collection[str], *, native: bool
) -> HostPackages:
    """What may be found of this machine's libraries, which have the triplet ``multiarch``.

    In a ``native`` build that is what links to nothing but ``from_host``, patterns such
    as ``libz``; else nothing.
    """
    found: Dict[str, Path] = {}
    if native:
        places = host_directories("lib", multiarch)
        directories = [f"{place}/pkgconfig" for place in places]
        directories += ["/usr/local/share/pkgconfig", "/usr/share/pkgconfig"]
        found.update(_packages(directories, from_host))
        found.update(_libraries(places, from_host))
    text = "\0".join(f"{name}\0{path}" for name, path in found.items())
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def make(staging: Path) -> None:
        (staging / "pkgconfig").mkdir()
        (staging / "lib").mkdir()
        for name, path in found.items():
            (staging / name).symlink_to(path)

    directory = make_once(cache / "host" / digest, make)
    return HostPackages(directory / "pkgconfig", directory / "lib")


def links_only_to(text: str, allowed: Collection[str]) -> bool:
    """Whether a package's file names no library but ``allowed`` ones and the libc's.

    What it requires of other packages is for pkg-config to find, or not to find.
    """
    match = _LIBS.search(text)
    words = match[1].split() if match else []
    return all(
        word.startswith(_NO_LIBRARY) or (word.startswith("-l") and _may_come(word[2:], allowed))
        for word in words
    )


def _may_come(name: str, allowed: Collection[str]) -> bool:
    return name in LIBC_LIBRARIES or any(fnmatchcase(f"lib{name}", p) for p in allowed)


def _packages(directories: Iterable[str], allowed: Collection[str]) -> Iterator[Tuple[str, Path]]:
    """Names below the directory of links, and the files that they lead to."""
    seen = set()
    for directory in directories:
        for path in sorted(Path(directory).glob("*.pc")):
            if path.name in seen:
                continue
            seen.add(path.name)
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if links_only_to(text, allowed):
                yield f"pkgconfig/{path.name}", path


def _libraries(directories: Iterable[str], allowed: Collection[str]) -> Iterator[Tuple[str, Path]]:
    for directory in reversed(list(directories)):  # the first one wins
        for pattern in allowed:
            for path in sorted(Path(directory).glob(f"{pattern}.so")):
                yield f"lib/{path.name}", path
