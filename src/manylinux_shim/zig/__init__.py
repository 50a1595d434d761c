"""zig: where it is, which version it is, and the cache of what is made with it."""

from __future__ import annotations

from manylinux_shim.zig._cache import OBJECTS, cache_root, entries, make_once, remove
from manylinux_shim.zig._zig import REQUIREMENT, Zig, find_zig, usable_zig

__all__ = [
    "OBJECTS",
    "REQUIREMENT",
    "Zig",
    "cache_root",
    "entries",
    "find_zig",
    "make_once",
    "remove",
    "usable_zig",
]
