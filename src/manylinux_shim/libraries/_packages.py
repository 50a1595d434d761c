"""The line to add for a header or a library that is not there: which package would bring it.

Asked of dpkg, apt-file and apt after a build has failed; where they are not, or do not
know, nobody does.
"""

from __future__ import annotations

import re
import shutil
from typing import List, NamedTuple, Optional

from manylinux_shim._processes import answer


class Found(NamedTuple):
    """A package for developers."""

    package: str
    certain: bool
    """Whether it is known to have what was asked for, or is just called like it."""


def package_of_header(header: str) -> Optional[Found]:
    """The package with a header, as a source names it (``libpq-fe.h``, ``apr-1/apr.h``)."""
    package = _owner(f"*/{header}", "/include/") or _listed(f"/include/(.*/)?{re.escape(header)}$")
    if package:
        return Found(package, certain=True)
    # A library's header is often called like it, or lies in a directory that is.
    return _called_like(re.split(r"[/.]", header)[0])


def package_of_library(name: str) -> Optional[Found]:
    """The package with a library, as a linker's ``-l`` names it."""
    file = f"lib{name}.so"
    package = _owner(f"*/{file}", "/lib") or _listed(f"/lib/(.*/)?{re.escape(file)}$")
    return Found(package, certain=True) if package else _called_like(name)


def _owner(pattern: str, part: str) -> str:
    """Of the installed packages the one for developers that has a file."""
    for line in _lines("dpkg-query", "-S", pattern):
        packages, _, path = line.partition(": ")
        name = packages.split(",")[0].partition(":")[0]
        if _is_for_developers(name) and part in path:
            return name
    return ""


def _listed(pattern: str) -> str:
    """The first of all packages that has a file, where the lists of their files are here."""
    packages = (
        line.partition(": ")[0] for line in _lines("apt-file", "search", "--regexp", pattern)
    )
    return next(filter(_is_for_developers, packages), "")


def _is_for_developers(package: str) -> bool:
    return package.endswith("-dev") and not package.startswith(("libc6", "linux-libc", "libgcc-"))


def _called_like(name: str) -> Optional[Found]:
    """The one package for developers whose name is a library's, with or without its version."""
    stem = (name[3:] if name.startswith("lib") else name).lower()
    for text in dict.fromkeys((stem, stem.rstrip("0123456789.-"))):
        if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]*", text):
            continue
        pattern = f"^lib{re.escape(text)}[0-9.]*-dev$"
        found = [line.split(" ")[0] for line in _lines("apt-cache", "search", "-n", pattern)]
        exact = f"lib{text}-dev"
        if exact in found or len(found) == 1:
            return Found(exact if exact in found else found[0], certain=False)
    return None


def _lines(program: str, *arguments: str) -> List[str]:
    if shutil.which(program) is None:
        return []
    return (answer([program, *arguments]) or "").splitlines()
