"""Symbol versions that a file needs and defines: ``DT_VERNEED``, ``DT_VERDEF``.

Source: the Linux Standard Base 5, "Symbol Versioning".
"""

from __future__ import annotations

import struct
from typing import Dict, Iterable, List, NamedTuple, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.elf._image import Image, Strings

_VER_FLG_BASE, _VER_FLG_WEAK = 1, 2
_MOST_VERSIONS = 2**15  # an index has 15 bits


class VersionNeed(NamedTuple):
    """A version that a needed library must define: one ``Elf_Vernaux``."""

    library: str
    version: str
    weak: bool
    """``VER_FLG_WEAK``: the loader goes on without it."""


def _chain(image: Image, start: int, layout: struct.Struct) -> Iterable[Tuple[int, ...]]:
    """``(offset, field, ...)`` of version entries, each leading to the next by its last field.

    Loaders follow the chain and look at no count (glibc, elf/dl-version.c), so
    neither ``DT_VERNEEDNUM`` nor ``vn_cnt`` can hide an entry here.
    """
    at = start
    for _ in range(_MOST_VERSIONS):
        fields = layout.unpack_from(image.data, at)
        yield (at, *fields)
        # Unsigned steps go forward only, so no chain can be endless.
        if fields[-1] == 0:
            return
        at += fields[-1]


def version_needs(
    image: Image, last: Dict[int, int], strings: Strings
) -> Tuple[Tuple[VersionNeed, ...], Dict[int, VersionNeed]]:
    """``DT_VERNEED``: all needs, and those that symbols refer to by index."""
    if tags.DT_VERNEED not in last:
        return (), {}
    needs: List[VersionNeed] = []
    by_index: Dict[int, VersionNeed] = {}
    verneed = struct.Struct(image.order + "HHIII")
    vernaux = struct.Struct(image.order + "IHHII")
    start = image.offset(last[tags.DT_VERNEED], verneed.size)
    for at, _, _, file, aux, _ in _chain(image, start, verneed):
        library = strings.at(file)
        for _, _, flags, index, name, _ in _chain(image, at + aux, vernaux):
            need = VersionNeed(library, strings.at(name), bool(flags & _VER_FLG_WEAK))
            needs.append(need)
            by_index[index & 0x7FFF] = need
            if len(needs) > _MOST_VERSIONS:
                raise ElfError("it needs more versions than it can name")
    return tuple(needs), by_index


def version_definitions(image: Image, last: Dict[int, int], strings: Strings) -> Tuple[str, ...]:
    """``DT_VERDEF``: the names of all versions, the file's own base version left out."""
    return tuple(version_indexes(image, last, strings).values())


def version_indexes(image: Image, last: Dict[int, int], strings: Strings) -> Dict[int, str]:
    """``DT_VERDEF``: the same, by the index that symbols refer to them by."""
    if tags.DT_VERDEF not in last:
        return {}
    names = {}
    verdef = struct.Struct(image.order + "HHHHIII")
    verdaux = struct.Struct(image.order + "II")
    start = image.offset(last[tags.DT_VERDEF], verdef.size)
    for at, _, flags, index, _, _, aux, _ in _chain(image, start, verdef):
        # The first auxiliary entry is the version, the others are what it inherits.
        if not flags & _VER_FLG_BASE:
            names[index & 0x7FFF] = strings.at(verdaux.unpack_from(image.data, at + aux)[0])
    return names
