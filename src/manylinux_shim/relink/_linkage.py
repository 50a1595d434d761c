"""How one ELF file is linked, with the place of everything that may have to change.

What the auditor's facts say by name, this says by index and offset: symbols, version
needs, the dynamic segment, its strings. Sources as there (``audit/_elf.py``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import (
    PT_DYNAMIC,
    PT_LOAD,
    Header,
    Image,
    Segment,
    Strings,
    dynamic_entries,
    read_segments,
    symbol_count,
)
from manylinux_shim.elf import dynamic_tags as tags

VERNEED_SIZE = 16
"""Bytes of an ``Elf_Verneed`` and of an ``Elf_Vernaux``, which are the same."""
VER_NDX_GLOBAL = 1
DT_VERSYM, DT_DEBUG = tags.DT_VERSYM, 21

_STB_LOCAL, _STB_WEAK = 0, 2
_SHT_GNU_VERNEED = 0x6FFFFFFE


@dataclass(frozen=True)
class Reference:
    """An undefined symbol and the version that it is bound to."""

    index: int
    """In the table of dynamic symbols."""
    name: str
    version: Optional[str]
    library: Optional[str]
    weak: bool


@dataclass(frozen=True)
class Need:
    """One version need, as the file has it."""

    library: str
    version: str
    flags: int
    index: int
    """What symbols refer to it by."""
    exact: bool = False
    """Whether a definition without any version will not do (bit 15 of ``vna_other``)."""


@dataclass(frozen=True)
class Linkage:
    """The dynamic segment of a file, taken apart."""

    image: Image
    header: Header
    segments: Tuple[Segment, ...]
    dynamic: Segment
    entries: Tuple[Tuple[int, int], ...]
    """``(d_tag, d_val)`` up to ``DT_NULL``."""
    strings: bytes
    """``DT_STRTAB``, ``DT_STRSZ`` bytes of it."""
    references: Tuple[Reference, ...]
    copied: Tuple[Reference, ...]
    """Variables of libraries that a program has its own copy of: defined, with a version need."""
    needs: Tuple[Need, ...]
    """In the order of the file, libraries together."""
    version_room: int
    """Bytes at ``DT_VERNEED`` that its entries take."""
    highest_index: int
    """The highest index that a version has, needed or defined; at least 1."""

    @property
    def last(self) -> Dict[int, int]:
        """Tag -> value; the last of several."""
        return dict(self.entries)

    @property
    def slots(self) -> int:
        """How many entries the dynamic segment has room for, ``DT_NULL`` included."""
        size = min(self.dynamic.filesz, self.image.room(self.dynamic.vaddr))
        return size // (self.image.bits // 4)

    def text(self, offset: int) -> str:
        """A string of the table."""
        return Strings(self.strings).at(offset)

    def find_string(self, text: str) -> Optional[int]:
        """Where the table has ``text``, be it as the end of another string."""
        at = self.strings.find(text.encode() + b"\0")
        return at if at >= 0 else None

    @property
    def needed(self) -> Tuple[str, ...]:
        """``DT_NEEDED``, in order."""
        return tuple(self.text(v) for t, v in self.entries if t == tags.DT_NEEDED)


def read_linkage(data: bytes) -> Optional[Linkage]:
    """The linkage of an ELF file that the auditor can read; None if nothing links it.

    Raises ElfError where it is not laid out as every linker does.
    """
    try:
        return _read(data)
    except (struct.error, IndexError, OverflowError) as error:
        raise ElfError("it is cut short or points beyond its end") from error


def _read(data: bytes) -> Optional[Linkage]:
    bits = {1: 32, 2: 64}[data[4]]
    order = {1: "<", 2: ">"}[data[5]]
    layout = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")
    header = Header(*struct.unpack_from(layout, data, 16))
    segments = read_segments(data, order, bits, header)
    image = Image(data, order, bits, tuple(s for s in segments if s.type == PT_LOAD))
    dynamic = next((segment for segment in segments if segment.type == PT_DYNAMIC), None)
    if dynamic is None or not any(segment.filesz for segment in image.loads):
        return None
    # The same bytes by their address and by their offset, or there are two truths.
    if image.offset(dynamic.vaddr, dynamic.filesz or 1) != dynamic.offset:
        raise ElfError("its dynamic segment is not where its program header says")
    entries = dynamic_entries(image, dynamic)
    last = dict(entries)
    strings = b""
    if tags.DT_STRTAB in last:
        size = last.get(tags.DT_STRSZ, 0)
        start = image.offset(last[tags.DT_STRTAB], size)
        strings = data[start : start + size]
    table = Strings(strings)
    needs, room = _needs(image, last, table)
    highest = max([1, *(need.index for need in needs), *_defined(image, last)])
    references, copied = _references(image, last, table, needs)
    return Linkage(
        image=image,
        header=header,
        segments=segments,
        dynamic=dynamic,
        entries=tuple(entries),
        strings=strings,
        references=tuple(references),
        copied=tuple(copied),
        needs=needs,
        version_room=room,
        highest_index=highest,
    )


def _needs(image: Image, last: Dict[int, int], strings: Strings) -> Tuple[Tuple[Need, ...], int]:
    """All version needs, and the bytes from the first that hold nothing else."""
    if tags.DT_VERNEED not in last:
        return (), 0
    verneed = struct.Struct(image.order + "HHIII")
    vernaux = struct.Struct(image.order + "IHHII")
    start = at = image.offset(last[tags.DT_VERNEED], VERNEED_SIZE)
    needs: List[Need] = []
    places: List[int] = []
    for _ in range(last.get(tags.DT_VERNEEDNUM, 0)):
        _, count, file, aux, following = verneed.unpack_from(image.data, at)
        places.append(at)
        place = at + aux
        for _ in range(count):
            _, flags, index, name, step = vernaux.unpack_from(image.data, place)
            places.append(place)
            exact = bool(index & 0x8000)
            needs.append(Need(strings.at(file), strings.at(name), flags, index & 0x7FFF, exact))
            if step == 0:
                break
            place += step
        if following == 0:
            break
        at += following
    dense = sorted(places) == list(range(start, start + VERNEED_SIZE * len(places), VERNEED_SIZE))
    indexes = [need.index for need in needs]
    if len(set(indexes)) != len(indexes):
        raise ElfError("two of the versions that it needs have one index")
    return tuple(needs), VERNEED_SIZE * len(places) if dense else 0


def _defined(image: Image, last: Dict[int, int]) -> List[int]:
    """The indexes of the versions that the file defines."""
    if tags.DT_VERDEF not in last:
        return []
    verdef = struct.Struct(image.order + "HHHHIII")
    at = image.offset(last[tags.DT_VERDEF], verdef.size)
    found = []
    for _ in range(last.get(tags.DT_VERDEFNUM, 0)):
        _, _, index, _, _, _, following = verdef.unpack_from(image.data, at)
        found.append(index & 0x7FFF)
        if following == 0:
            break
        at += following
    return found


def symbol_size(bits: int) -> int:
    """Bytes of an ``Elf_Sym``."""
    return 24 if bits == 64 else 16


def _references(
    image: Image, last: Dict[int, int], strings: Strings, needs: Tuple[Need, ...]
) -> Tuple[List[Reference], List[Reference]]:
    """Undefined symbols, and defined ones that have the version of another library."""
    if tags.DT_SYMTAB not in last:
        return [], []
    by_index = {need.index: need for need in needs}
    count = symbol_count(image, last)
    size = symbol_size(image.bits)
    start = image.offset(last[tags.DT_SYMTAB], count * size) if count else 0
    versions: List[int] = []
    if tags.DT_VERSYM in last and count:
        versions = image.halves(image.offset(last[tags.DT_VERSYM], 2 * count), count)
    layout = struct.Struct(image.order + ("IBBHQQ" if image.bits == 64 else "IIIBBH"))
    info, section = (1, 3) if image.bits == 64 else (3, 5)
    found: List[Reference] = []
    copied: List[Reference] = []
    symbols = layout.iter_unpack(image.data[start : start + count * size])
    for number, fields in enumerate(symbols):
        binding = fields[info] >> 4
        need = by_index.get(versions[number] & 0x7FFF) if versions else None
        undefined = fields[section] == 0
        if not fields[0] or binding == _STB_LOCAL or not (undefined or need):
            continue
        reference = Reference(
            number,
            strings.at(fields[0]),
            need.version if need else None,
            need.library if need else None,
            binding == _STB_WEAK,
        )
        (found if undefined else copied).append(reference)
    return found, copied


def version_section(linkage: Linkage) -> Optional[int]:
    """Where the section header of the version needs is, which other tools go by."""
    return section_of_type(linkage, _SHT_GNU_VERNEED)


def section_of_type(linkage: Linkage, wanted: int) -> Optional[int]:
    """The offset of the first section header of a type; None where there is none."""
    return next((at for at, kind, _ in _sections(linkage) if kind == wanted), None)


def section_at(linkage: Linkage, address: int) -> Optional[int]:
    """The offset of the header of the section at an address; None where there is none."""
    return next((at for at, _, start in _sections(linkage) if start == address), None)


def _sections(linkage: Linkage) -> Iterator[Tuple[int, int, int]]:
    """Of each section the offset of its header, its type and its address."""
    data, header = linkage.image.data, linkage.header
    size, layout = (64, "IIQQ") if linkage.image.bits == 64 else (40, "IIII")
    if header.shentsize != size or header.shoff + size * header.shnum > len(data):
        return
    for number in range(header.shnum):
        at = header.shoff + size * number
        _, kind, _, address = struct.unpack_from(linkage.image.order + layout, data, at)
        yield at, kind, address
