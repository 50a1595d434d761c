"""What a library defines, with the versions of its symbols.

Source: the Linux Standard Base 5, "Symbol Versioning".
"""

from __future__ import annotations

import struct
from typing import List, NamedTuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.elf._dynamic import dynamic_entries
from manylinux_shim.elf._dynsym import symbol_count
from manylinux_shim.elf._elf import PT_DYNAMIC, PT_LOAD, Header, read_segments
from manylinux_shim.elf._image import Image, Strings
from manylinux_shim.elf._versions import version_indexes

_STB_LOCAL = 0
_STT_OBJECT, _STT_TLS = 1, 6


class Definition(NamedTuple):
    """A dynamic symbol that a library defines in one version."""

    name: str
    version: str
    type: int
    """``STT_...``."""
    size: int
    """Bytes, of a variable."""

    @property
    def is_data(self) -> bool:
        """Whether it is a variable, be it of a thread."""
        return self.type in (_STT_OBJECT, _STT_TLS)

    @property
    def is_thread_local(self) -> bool:
        """Whether every thread has its own."""
        return self.type == _STT_TLS


def definitions(data: bytes) -> List[Definition]:
    """Every versioned symbol that a shared library defines, hidden versions included.

    Raises ElfError for what cannot be read.
    """
    try:
        return _read(data)
    except (struct.error, IndexError, KeyError, OverflowError) as error:
        raise ElfError("its symbols cannot be read") from error


def _read(data: bytes) -> List[Definition]:
    bits, order = {1: 32, 2: 64}[data[4]], {1: "<", 2: ">"}[data[5]]
    layout = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")
    segments = read_segments(data, order, bits, Header(*struct.unpack_from(layout, data, 16)))
    image = Image(data, order, bits, tuple(s for s in segments if s.type == PT_LOAD))
    dynamic = next((segment for segment in segments if segment.type == PT_DYNAMIC), None)
    if dynamic is None:
        return []
    last = dict(dynamic_entries(image, dynamic))
    if tags.DT_VERDEF not in last or tags.DT_VERSYM not in last:
        return []
    start = image.offset(last[tags.DT_STRTAB], last[tags.DT_STRSZ])
    strings = Strings(data[start : start + last[tags.DT_STRSZ]])
    names = version_indexes(image, last, strings)
    count = symbol_count(image, last)
    versions = image.halves(image.offset(last[tags.DT_VERSYM], 2 * count), count)
    entry = struct.Struct(order + ("IBBHQQ" if bits == 64 else "IIIBBH"))
    info, section, size = (1, 3, 5) if bits == 64 else (3, 5, 2)
    start = image.offset(last[tags.DT_SYMTAB], count * entry.size)
    found = []
    table = data[start : start + count * entry.size]
    for number, fields in enumerate(entry.iter_unpack(table)):
        version = names.get(versions[number] & 0x7FFF)
        if version is None or fields[section] == 0 or fields[info] >> 4 == _STB_LOCAL:
            continue
        name = strings.at(fields[0])
        if name != version:  # the version's own symbol
            found.append(Definition(name, version, fields[info] & 15, fields[size]))
    return found
