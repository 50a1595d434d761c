"""Where in a wheel a list of contents stands: PEP 770, ``*.dist-info/sboms/``."""

from __future__ import annotations

from typing import Collection, Tuple

_STEM = "manylinux-shim"
_SUFFIX = ".cdx.json"
"""What CycloneDX recommends for its JSON files."""


def member_name(dist_info: str, members: Collection[str]) -> Tuple[str, Tuple[str, ...]]:
    """The name of our own list, and the names of those that are there already.

    Never one that is taken: a backend that wraps the shim, or that the shim wraps,
    may have written its own.
    """
    directory = f"{dist_info}/sboms/"
    inside = (name for name in members if name.startswith(directory) and not name.endswith("/"))
    there = tuple(sorted(inside))
    number, name = 1, f"{directory}{_STEM}{_SUFFIX}"
    while name in there:
        number += 1
        name = f"{directory}{_STEM}-{number}{_SUFFIX}"
    return name, there
