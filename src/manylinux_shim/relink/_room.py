"""Room in a file for longer tables, made by patchelf.

patchelf moves and lengthens the string table and the dynamic segment when it adds a
needed library. So it is told to add one whose name is as long as the room that is
wanted, and the entry that names it is taken out again: what stays is the room.
"""

from __future__ import annotations

import struct
from typing import Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.relink._linkage import read_linkage
from manylinux_shim.relink._patchelf import patched

_FILL = "~"
_LEAST = 64


def with_room(data: bytes, size: int, entries: int) -> Tuple[bytes, str]:
    """``data`` with ``size`` bytes of room in its string table, and the string that fills it.

    The dynamic segment has room for ``entries`` more entries. Raises ToolchainError
    without a usable patchelf, ElfError for a file that patchelf cannot lengthen.
    """
    # A name that no string of the file contains, nor is contained in. patchelf appends names in
    # their order: what lies behind the last one can be cut off the table.
    marker = f"{_FILL * max(size, _LEAST)}room"
    # A name of kilobytes is fine as an argument, megabytes are not (execve(2)).
    if len(marker) > 2**16:
        raise ElfError("it needs more versions than any real file has")
    more = [f"entry{_FILL}{number}" for number in range(1, entries)]
    options = [part for name in (marker, *more) for part in ("--add-needed", name)]
    grown = patched(data, options)
    return _without_needed(grown, (marker, *more)), marker


def _without_needed(data: bytes, names: Tuple[str, ...]) -> bytes:
    """The file without the entries that name these libraries."""
    linkage = read_linkage(data)
    if linkage is None:
        raise ElfError("patchelf took its dynamic segment away")
    wanted = set(names)
    kept = [
        (tag, value)
        for tag, value in linkage.entries
        if tag != tags.DT_NEEDED or linkage.text(value) not in wanted
    ]
    if len(kept) != len(linkage.entries) - len(names):
        raise ElfError("patchelf did not do what it was told to")
    entry = struct.Struct(linkage.image.order + ("QQ" if linkage.image.bits == 64 else "II"))
    size = linkage.slots * entry.size
    packed = b"".join(entry.pack(*item) for item in kept)
    at = linkage.dynamic.offset
    return data[:at] + packed + bytes(size - len(packed)) + data[at + size :]
