"""The dynamic symbol table: undefined symbols with their versions, defined ones on demand.

Tables are read whole, as arrays of numbers: a library may have a hundred
thousand symbols, of which only the undefined ones are looked at by name.
"""

from __future__ import annotations

import contextlib
import struct
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.elf._image import Image, Strings
from manylinux_shim.elf._versions import VersionNeed

_STB_LOCAL, _STB_WEAK = 0, 2


class Undefined(NamedTuple):
    """A dynamic symbol that somebody else must define."""

    name: str
    version: Optional[str]
    library: Optional[str]
    """The library that the version need names; not where the loader looks alone."""
    weak: bool
    """``STB_WEAK``: the loader goes on without it."""


class Exports:
    """The names that a file defines; only looked up when somebody asks.

    Keeps the string table and where in it the names are, for a set of a
    hundred thousand names is made in vain for most libraries.
    """

    __slots__ = ("_names", "_offsets", "_strings")

    def __init__(self, strings: bytes = b"", offsets: Iterable[int] = ()) -> None:
        self._strings = strings
        self._offsets: Tuple[int, ...] = tuple(offsets)
        self._names: Optional[FrozenSet[str]] = None

    @property
    def names(self) -> FrozenSet[str]:
        """All defined dynamic symbols' names."""
        if self._names is None:
            try:
                self._names = frozenset(map(Strings(self._strings).at, self._offsets))
            except ElfError:
                self._names = frozenset(self._readable_names())
        return self._names

    def _readable_names(self) -> Iterable[str]:
        strings = Strings(self._strings)
        for offset in self._offsets:
            # What has no readable name can provide nothing to anybody.
            with contextlib.suppress(ElfError):
                yield strings.at(offset)

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, name: str) -> bool:
        return bool(self._offsets) and name in self.names


def read_symbols(
    image: Image, last: Dict[int, int], table: bytes, by_index: Dict[int, VersionNeed]
) -> Tuple[Tuple[Undefined, ...], Exports]:
    """The undefined symbols, and the defined ones by reference."""
    if tags.DT_SYMTAB not in last:
        return (), Exports()
    width = 6 if image.bits == 64 else 4
    room = image.room(last[tags.DT_SYMTAB]) // (4 * width)
    count = symbol_count(image, last)
    if count > room:
        raise ElfError(f"it claims {count} symbols and has room for {room}")
    start = image.offset(last[tags.DT_SYMTAB]) if count else 0
    words = image.words(start, count * width)
    names = words[0::width]
    # st_info, st_other and st_shndx share a word: the second of six, the last of four.
    kinds = words[1 if width == 6 else 3 :: width]
    if image.order == "<":
        undefined = [i for i, kind in enumerate(kinds) if kind < 0x10000]
        bind_shift, section = 4, 0xFFFF0000
    else:
        undefined = [i for i, kind in enumerate(kinds) if not kind & 0xFFFF]
        bind_shift, section = 28, 0xFFFF
    versions = _symbol_versions(image, last, count)
    strings = Strings(table)
    found = []
    for i in undefined:
        binding = kinds[i] >> bind_shift & 15
        if binding == _STB_LOCAL or not names[i]:
            continue
        need = by_index.get(versions[i] & 0x7FFF) if versions else None
        found.append(
            Undefined(
                strings.at(names[i]),
                need.version if need else None,
                need.library if need else None,
                binding == _STB_WEAK,
            )
        )
    exports = [
        name
        for name, kind in zip(names, kinds)
        if kind & section and kind >> bind_shift & 15 != _STB_LOCAL
    ]
    return tuple(found), Exports(table, exports) if exports else Exports()


def _symbol_versions(image: Image, last: Dict[int, int], count: int) -> List[int]:
    if tags.DT_VERSYM not in last or not count:
        return []
    return image.halves(image.offset(last[tags.DT_VERSYM], 2 * count), count)


def symbol_count(image: Image, last: Dict[int, int]) -> int:
    """How many dynamic symbols there are; only section headers would say it directly.

    ``DT_HASH`` has the number, ``DT_GNU_HASH`` leads to the last exported
    symbol, and relocations name those that the loader will look up: the
    greatest of all is right even where one of them lies.
    """
    counts = [0]
    if tags.DT_HASH in last:
        counts.append(hash_count(image, last[tags.DT_HASH]))
    if tags.DT_GNU_HASH in last:
        counts.append(gnu_hash_count(image, last[tags.DT_GNU_HASH]))
    for vaddr, size, with_addend, skipped in _relocation_tables(last):
        counts.append(_relocated_count(image, vaddr, size, with_addend, skipped))
    return max(counts)


def hash_count(image: Image, vaddr: int) -> int:
    """``nchain``: the number of symbols, as ``DT_HASH`` has it."""
    words = image.words(image.offset(vaddr, 8), 2)
    # s390x alone of all that tags know has 64-bit entries, but not from every linker:
    # the upper half of a 64-bit count is zero, the first of two 32-bit counts never.
    if image.bits == 64 and image.order == ">" and words[0] == 0:
        return image.words(image.offset(vaddr, 16), 4)[3]
    return words[1]


def gnu_hash_count(image: Image, vaddr: int) -> int:
    """One more than the index of the last symbol that ``DT_GNU_HASH`` reaches.

    Raises ElfError for a table that is larger than the file.
    """
    start = image.offset(vaddr, 16)
    fields: Tuple[int, ...] = struct.unpack_from(image.order + "4I", image.data, start)
    buckets, first, bloom, _ = fields
    at = start + 16 + bloom * (image.bits // 8)
    room = image.room(vaddr) // 4
    if buckets > room or bloom > room:
        raise ElfError("its hash table is larger than the file")
    last: int = max(image.words(at, buckets), default=0)
    if last < first or last == 0:
        return first
    at += 4 * buckets
    end = min(len(image.data), start + image.room(vaddr))
    word = struct.Struct(image.order + "I")
    for place in range(at + 4 * (last - first), end - 3, 4):
        if word.unpack_from(image.data, place)[0] & 1:
            return first + (place - at) // 4 + 1
    raise ElfError("its hash table has no end")


def _relocation_tables(last: Dict[int, int]) -> Iterable[Tuple[int, int, bool, int]]:
    """Address, size, whether with addends, and how many leading entries name no symbol."""
    if tags.DT_RELA in last:
        size, relative = last.get(tags.DT_RELASZ, 0), last.get(tags.DT_RELACOUNT, 0)
        yield last[tags.DT_RELA], size, True, relative
    if tags.DT_REL in last:
        size, relative = last.get(tags.DT_RELSZ, 0), last.get(tags.DT_RELCOUNT, 0)
        yield last[tags.DT_REL], size, False, relative
    if tags.DT_JMPREL in last:
        with_addend = last.get(tags.DT_PLTREL) == tags.DT_RELA
        yield last[tags.DT_JMPREL], last.get(tags.DT_PLTRELSZ, 0), with_addend, 0


def _relocated_count(image: Image, vaddr: int, size: int, with_addend: bool, skipped: int) -> int:
    """One more than the highest symbol index of a relocation table."""
    width = (3 if with_addend else 2) * (image.bits // 32)
    count = size // (4 * width)
    if not count:
        return 0
    start = image.offset(vaddr, count * 4 * width)
    skipped = min(skipped, count)
    words = image.words(start + skipped * 4 * width, (count - skipped) * width)
    if image.bits == 64:
        # r_info's upper half: the second word of it, or the first where big-endian.
        return max(words[3 if image.order == "<" else 2 :: width], default=0) + 1
    return (max(words[1::width], default=0) >> 8) + 1
