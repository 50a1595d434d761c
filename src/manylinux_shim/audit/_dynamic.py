"""What ``PT_DYNAMIC`` points to: needed libraries, versions, symbols.

Tables are read whole, as arrays of numbers: a library may have a hundred
thousand symbols, of which only the undefined ones are looked at by name.
"""

from __future__ import annotations

import struct
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim.audit._image import Image, Segment

# d_tag
DT_NEEDED, DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB = 1, 2, 4, 5, 6
DT_RELA, DT_RELASZ, DT_STRSZ, DT_SONAME, DT_RPATH = 7, 8, 10, 14, 15
DT_REL, DT_RELSZ, DT_PLTREL, DT_TEXTREL, DT_JMPREL = 17, 18, 20, 22, 23
DT_RUNPATH, DT_FLAGS, DT_RELRSZ, DT_RELR = 29, 30, 35, 36
DT_GNU_HASH, DT_VERSYM, DT_RELACOUNT, DT_RELCOUNT = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFF9, 0x6FFFFFFA
DT_FLAGS_1, DT_VERDEF, DT_VERDEFNUM = 0x6FFFFFFB, 0x6FFFFFFC, 0x6FFFFFFD
DT_VERNEED, DT_VERNEEDNUM, DT_FILTER = 0x6FFFFFFE, 0x6FFFFFFF, 0x7FFFFFFF
DF_TEXTREL, DF_1_PIE = 4, 0x08000000
VER_FLG_BASE, VER_FLG_WEAK = 1, 2
STB_LOCAL, STB_WEAK = 0, 2

# Bounds that no real file comes near: the largest string table of a wheel on
# PyPI is some 30 MB, and a version index has 15 bits.
_MOST_TEXT = 2**26
_MOST_NAME = 2**16
_MOST_VERSIONS = 2**15
_MOST_ENTRIES = 2**16


class VersionNeed(NamedTuple):
    """A version that a needed library must define: one ``Elf_Vernaux``."""

    library: str
    version: str
    weak: bool
    """``VER_FLG_WEAK``: the loader goes on without it."""


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
            strings = Strings(self._strings)
            self._names = frozenset(map(strings.at, self._offsets))
        return self._names

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, name: str) -> bool:
        return bool(self._offsets) and name in self.names


class Strings:
    """A string table, with a bound on what is taken out of it."""

    def __init__(self, table: bytes) -> None:
        self._table = table
        self._left = _MOST_TEXT

    def at(self, offset: int) -> str:
        """The string at ``offset``; ElfError if it has no end."""
        end = self._table.find(b"\0", offset, offset + _MOST_NAME)
        if end < 0:
            raise ElfError("one of its strings has no end")
        self._left -= end - offset
        if self._left < 0:
            raise ElfError("its strings overlap to more than any file has")
        return self._table[offset:end].decode("utf-8", "backslashreplace")


class Dynamic(NamedTuple):
    """The facts of a dynamic segment, under their names in ``ElfFacts``."""

    needed: Tuple[str, ...]
    soname: Optional[str]
    run_path: Tuple[str, ...]
    version_needs: Tuple[VersionNeed, ...]
    version_definitions: Tuple[str, ...]
    undefined: Tuple[Undefined, ...]
    text_relocations: bool
    relr: bool
    position_independent_program: bool
    extension_module: bool
    exports: Exports


def read_dynamic(image: Image, segment: Segment) -> Dynamic:
    """All facts of the dynamic segment; ElfError where it leads nowhere."""
    entries = _entries(image, segment)
    last = dict(entries)
    table = b""
    if DT_STRTAB in last:
        # A string may not reach beyond the table, whatever lies behind it.
        size = min(last.get(DT_STRSZ, 0), image.room(last[DT_STRTAB]))
        start = image.offset(last[DT_STRTAB], size)
        table = image.data[start : start + size]
    strings = Strings(table)
    needs, by_index = _version_needs(image, last, strings)
    undefined, exports = _symbols(image, last, table, by_index)
    run_path = [value for tag, value in entries if tag == DT_RUNPATH]
    run_path = run_path or [value for tag, value in entries if tag == DT_RPATH]
    return Dynamic(
        needed=tuple(strings.at(v) for t, v in entries if t in (DT_NEEDED, DT_FILTER)),
        soname=strings.at(last[DT_SONAME]) if DT_SONAME in last else None,
        run_path=tuple(
            part for value in run_path for part in strings.at(value).split(":") if run_path
        ),
        version_needs=needs,
        version_definitions=_version_definitions(image, last, strings),
        undefined=undefined,
        text_relocations=DT_TEXTREL in last or bool(last.get(DT_FLAGS, 0) & DF_TEXTREL),
        relr=last.get(DT_RELRSZ, 0) > 0 and DT_RELR in last,
        position_independent_program=bool(last.get(DT_FLAGS_1, 0) & DF_1_PIE),
        extension_module=b"\0PyInit_" in table,
        exports=exports,
    )


def _entries(image: Image, segment: Segment) -> List[Tuple[int, int]]:
    """The entries up to ``DT_NULL``, from where the loader finds them: ``p_vaddr``."""
    size = min(max(segment.filesz, segment.memsz), image.room(segment.vaddr))
    entry = struct.Struct(image.order + ("QQ" if image.bits == 64 else "II"))
    start = image.offset(segment.vaddr, entry.size)
    found = []
    for tag, value in entry.iter_unpack(
        image.data[start : start + min(size, _MOST_ENTRIES * entry.size) // entry.size * entry.size]
    ):
        if tag == 0:
            return found
        found.append((tag, value))
    raise ElfError("its dynamic segment has no end")


def _chain(image: Image, start: int, count: int, layout: struct.Struct) -> Iterable[Tuple[int, ...]]:
    """``(offset, field, ...)`` of version entries, each leading to the next by its last field."""
    at = start
    for _ in range(min(count, _MOST_VERSIONS)):
        fields = layout.unpack_from(image.data, at)
        yield (at, *fields)
        # Unsigned steps go forward only, so no chain can be endless.
        if fields[-1] == 0:
            return
        at += fields[-1]


def _version_needs(
    image: Image, last: Dict[int, int], strings: Strings
) -> Tuple[Tuple[VersionNeed, ...], Dict[int, VersionNeed]]:
    """``DT_VERNEED``: all needs, and those that symbols refer to by index."""
    if DT_VERNEED not in last:
        return (), {}
    needs: List[VersionNeed] = []
    by_index: Dict[int, VersionNeed] = {}
    verneed = struct.Struct(image.order + "HHIII")
    vernaux = struct.Struct(image.order + "IHHII")
    start = image.offset(last[DT_VERNEED], verneed.size)
    for at, _, count, file, aux, _ in _chain(
        image, start, last.get(DT_VERNEEDNUM, _MOST_VERSIONS), verneed
    ):
        library = strings.at(file)
        for _, _, flags, index, name, _ in _chain(image, at + aux, count, vernaux):
            need = VersionNeed(library, strings.at(name), bool(flags & VER_FLG_WEAK))
            needs.append(need)
            by_index[index & 0x7FFF] = need
            if len(needs) > _MOST_VERSIONS:
                raise ElfError("it needs more versions than it can name")
    return tuple(needs), by_index


def _version_definitions(
    image: Image, last: Dict[int, int], strings: Strings
) -> Tuple[str, ...]:
    """``DT_VERDEF``: the names of all versions, the file's own base version left out."""
    if DT_VERDEF not in last:
        return ()
    names = []
    verdef = struct.Struct(image.order + "HHHHIII")
    verdaux = struct.Struct(image.order + "II")
    start = image.offset(last[DT_VERDEF], verdef.size)
    for at, _, flags, _, count, _, aux, _ in _chain(
        image, start, last.get(DT_VERDEFNUM, _MOST_VERSIONS), verdef
    ):
        # The first auxiliary entry is the version, the others are what it inherits.
        if count and not flags & VER_FLG_BASE:
            names.append(strings.at(verdaux.unpack_from(image.data, at + aux)[0]))
    return tuple(names)


def _symbols(
    image: Image, last: Dict[int, int], table: bytes, by_index: Dict[int, VersionNeed]
) -> Tuple[Tuple[Undefined, ...], Exports]:
    """The undefined symbols, and the defined ones by reference."""
    if DT_SYMTAB not in last:
        return (), Exports()
    width = 6 if image.bits == 64 else 4
    room = image.room(last[DT_SYMTAB]) // (4 * width)
    count = _symbol_count(image, last, width)
    if count > room:
        raise ElfError(f"it claims {count} symbols and has room for {room}")
    start = image.offset(last[DT_SYMTAB]) if count else 0
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
        if binding == STB_LOCAL or not names[i]:
            continue
        need = by_index.get(versions[i] & 0x7FFF) if versions else None
        found.append(
            Undefined(
                strings.at(names[i]),
                need.version if need else None,
                need.library if need else None,
                binding == STB_WEAK,
            )
        )
    exports = [
        name
        for name, kind in zip(names, kinds)
        if kind & section and kind >> bind_shift & 15 != STB_LOCAL
    ]
    return tuple(found), Exports(table, exports) if exports else Exports()


def _symbol_versions(image: Image, last: Dict[int, int], count: int) -> List[int]:
    if DT_VERSYM not in last or not count:
        return []
    return image.halves(image.offset(last[DT_VERSYM], 2 * count), count)


def _symbol_count(image: Image, last: Dict[int, int], width: int) -> int:
    """How many dynamic symbols there are; only section headers would say it directly.

    ``DT_HASH`` has the number, ``DT_GNU_HASH`` leads to the last exported
    symbol, and relocations name those that the loader will look up: the
    greatest of all is right even where one of them lies.
    """
    counts = [0]
    if DT_HASH in last:
        entry = 8 if image.bits == 64 and _has_wide_hash(image, last) else 4
        start = image.offset(last[DT_HASH], 2 * entry)
        counts.append(struct.unpack_from(image.order + "IQ"[entry // 8], image.data, start + entry)[0])
    if DT_GNU_HASH in last:
        counts.append(_gnu_hash_count(image, last[DT_GNU_HASH]))
    relocations = _relocation_tables(last)
    for vaddr, size, with_addend, skipped in relocations:
        counts.append(_relocated_count(image, vaddr, size, with_addend, skipped))
    return max(counts)


def _has_wide_hash(image: Image, last: Dict[int, int]) -> bool:
    """Whether ``DT_HASH`` has 64-bit entries, as on s390x alone of all that tags know."""
    return image.order == ">" and image.bits == 64 and DT_HASH in last and image.data[18:20] == b"\0\x16"


def _gnu_hash_count(image: Image, vaddr: int) -> int:
    """One more than the index of the last symbol that ``DT_GNU_HASH`` reaches."""
    start = image.offset(vaddr, 16)
    buckets, first, bloom, _ = struct.unpack_from(image.order + "4I", image.data, start)
    at = start + 16 + bloom * (image.bits // 8)
    room = image.room(vaddr) // 4
    if buckets > room or bloom > room:
        raise ElfError("its hash table is larger than the file")
    last = max(image.words(at, buckets), default=0)
    if last < first or last == 0:
        return first
    at += 4 * buckets
    end = min(len(image.data), start + image.room(vaddr))
    word = struct.Struct(image.order + "I")
    place = at + 4 * (last - first)
    while place + 4 <= end:
        if word.unpack_from(image.data, place)[0] & 1:
            return first + (place - at) // 4 + 1
        place += 4
    raise ElfError("its hash table has no end")


def _relocation_tables(last: Dict[int, int]) -> List[Tuple[int, int, bool, int]]:
    """Address, size, whether with addends, and how many leading entries name no symbol."""
    tables = []
    if DT_RELA in last:
        tables.append((last[DT_RELA], last.get(DT_RELASZ, 0), True, last.get(DT_RELACOUNT, 0)))
    if DT_REL in last:
        tables.append((last[DT_REL], last.get(DT_RELSZ, 0), False, last.get(DT_RELCOUNT, 0)))
    if DT_JMPREL in last:
        with_addend = last.get(DT_PLTREL) == DT_RELA
        tables.append((last[DT_JMPREL], last.get(DT_PLTRELSZ, 0), with_addend, 0))
    return tables


def _relocated_count(
    image: Image, vaddr: int, size: int, with_addend: bool, skipped: int
) -> int:
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
