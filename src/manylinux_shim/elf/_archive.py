"""A static library: its members, and of each object its sections, symbols and references.

Sources: "Archive" in the manual of GNU ar (ar(5)), the generic ABI's chapter 4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Collection, Dict, Iterator, List, Mapping, NamedTuple, Tuple

from manylinux_shim._errors import ElfError

_MAGIC, _HEADER = b"!<arch>\n", 60
_ET_REL = 1
_SHT_SYMTAB, _SHT_RELA, _SHT_REL, _SHT_SYMTAB_SHNDX = 2, 4, 9, 18
_SHF_WRITE, _SHF_ALLOC = 1, 2
_STB_LOCAL, _STB_GLOBAL, _STB_WEAK = 0, 1, 2
_VISIBILITY = 3
_SHN_LORESERVE, _SHN_XINDEX = 0xFF00, 0xFFFF


def read_archive(data: bytes) -> Mapping[str, bytes]:
    """Member -> its bytes, in the order of the archive; the last of several of one name.

    Raises ElfError for what is no archive, or for one that is cut short.
    """
    if not data.startswith(_MAGIC):
        raise ElfError("it is no static library")
    members: Dict[str, bytes] = {}
    names = b""
    at = len(_MAGIC)
    while at < len(data):
        head, start = data[at : at + _HEADER], at + _HEADER
        try:
            size = int(head[48:58])
            name = head[:16].rstrip()
            if name[:1] == b"/" and name[1:].isdigit():
                place = int(name[1:])
                name = names[place : names.index(b"\n", place)]
        except ValueError as error:
            raise ElfError("it is no static library that can be read") from error
        body = data[start : start + size]
        if len(body) != size:
            raise ElfError("it is a static library that is cut short")
        if name == b"//":
            names = body
        elif name not in (b"/", b"/SYM64/"):
            members[name.rstrip(b"/").decode("utf-8", "replace")] = body
        at = start + size + size % 2
    return members


class Section(NamedTuple):
    """A section of an object."""

    name: str
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int

    @property
    def is_allocated(self) -> bool:
        """Whether it is in memory when the program runs."""
        return bool(self.flags & _SHF_ALLOC)

    @property
    def is_writable(self) -> bool:
        """Whether it may be written to then."""
        return bool(self.flags & _SHF_WRITE)


class Symbol(NamedTuple):
    """A symbol of an object."""

    number: int
    """In the table of symbols."""
    name: str
    binding: int
    type: int
    section: int
    """The index of its section; 0 if it is undefined or is in none."""
    defined: bool

    @property
    def is_global(self) -> bool:
        """Whether other objects see it."""
        return self.binding != _STB_LOCAL

    @property
    def is_weak(self) -> bool:
        """Whether another definition takes its place, or nobody needs to have it."""
        return self.binding == _STB_WEAK


@dataclass(frozen=True)
class RelocatableObject:
    """An object file, as a compiler made it.

    Raises ElfError, at the first look, for a file that is none or that cannot be read.
    """

    data: bytes

    @cached_property
    def sections(self) -> Tuple[Section, ...]:
        """All sections; the first is the empty one."""
        try:
            return tuple(self._read_sections())
        except (struct.error, IndexError, ValueError) as error:
            raise ElfError("its sections cannot be read") from error

    @cached_property
    def symbols(self) -> Tuple[Symbol, ...]:
        """All symbols, local ones first."""
        try:
            return tuple(self._read_symbols())
        except (struct.error, IndexError, ValueError) as error:
            raise ElfError("its symbols cannot be read") from error

    @cached_property
    def references(self) -> Mapping[int, Tuple[int, ...]]:
        """Section -> the symbols, by index, that its relocations name."""
        found: Dict[int, Dict[int, None]] = {}
        layouts = {_SHT_RELA: "QQq", _SHT_REL: "QQ"}
        if self._bits == 32:
            layouts = {_SHT_RELA: "IIi", _SHT_REL: "II"}
        for section in self.sections:
            layout = layouts.get(section.type)
            if layout is None:
                continue
            entry = struct.Struct(self._order + layout)
            table = self.data[section.offset : section.offset + section.size]
            shift = 32 if self._bits == 64 else 8
            mine = found.setdefault(section.info, {})
            for fields in entry.iter_unpack(table[: len(table) - len(table) % entry.size]):
                mine[fields[1] >> shift] = None
        return {number: tuple(symbols) for number, symbols in found.items()}

    def without_definitions(self, names: Collection[str]) -> bytes:
        """The object with ``names`` undefined: who links it takes them from elsewhere."""
        changed = bytearray(self.data)
        table = next((s for s in self.sections if s.type == _SHT_SYMTAB), self.sections[0])
        for symbol in self.symbols:
            if not symbol.defined or not symbol.is_global or symbol.name not in names:
                continue
            at = table.offset + self._symbol.size * symbol.number
            fields = list(self._symbol.unpack_from(changed, at))
            info, section, value, size = self._places
            fields[info] = _STB_GLOBAL << 4 | fields[info] & 15
            fields[section] = fields[value] = fields[size] = 0
            self._symbol.pack_into(changed, at, *fields)
        return bytes(changed)

    def with_visible(self, names: Collection[str]) -> bytes:
        """The object with the default visibility for ``names`` that it defines."""
        changed = bytearray(self.data)
        table = next((s for s in self.sections if s.type == _SHT_SYMTAB), self.sections[0])
        other = 5 if self._bits == 64 else 13
        for symbol in self.symbols:
            if symbol.defined and symbol.is_global and symbol.name in names:
                changed[table.offset + self._symbol.size * symbol.number + other] &= ~_VISIBILITY
        return bytes(changed)

    @property
    def _bits(self) -> int:
        return 64 if self.data[4] == 2 else 32

    @property
    def _order(self) -> str:
        return ">" if self.data[5] == 2 else "<"

    @property
    def _symbol(self) -> struct.Struct:
        return struct.Struct(self._order + ("IBBHQQ" if self._bits == 64 else "IIIBBH"))

    @property
    def _places(self) -> Tuple[int, int, int, int]:
        """Where ``st_info``, ``st_shndx``, ``st_value`` and ``st_size`` stand."""
        return (1, 3, 4, 5) if self._bits == 64 else (3, 5, 1, 2)

    def _read_sections(self) -> Iterator[Section]:
        if self.data[:4] != b"\x7fELF":
            raise ElfError("it is no object file")
        layout = "HHIQQQIHHHHHH" if self._bits == 64 else "HHIIIIIHHHHHH"
        header = struct.unpack_from(self._order + layout, self.data, 16)
        if header[0] != _ET_REL:
            raise ElfError("it is no object file")
        start, size, count, names = header[5], header[10], header[11], header[12]
        entry = struct.Struct(self._order + ("IIQQQQIIQQ" if self._bits == 64 else "10I"))
        if start and not count:  # more than fit into the header
            count = entry.unpack_from(self.data, start)[5]
        if names == _SHN_XINDEX:
            names = entry.unpack_from(self.data, start)[6]
        rows = [entry.unpack_from(self.data, start + size * number) for number in range(count)]
        for name, kind, flags, _, offset, length, link, info, *_ in rows:
            text = self._text(rows[names][4] + name)
            yield Section(text, kind, flags, offset, length, link, info)

    def _read_symbols(self) -> Iterator[Symbol]:
        more: List[int] = []
        for section in self.sections:
            if section.type == _SHT_SYMTAB_SHNDX:
                layout = f"{self._order}{section.size // 4}I"
                more = list(struct.unpack_from(layout, self.data, section.offset))
        info, place, _, _ = self._places
        for section in self.sections:
            if section.type != _SHT_SYMTAB:
                continue
            strings = self.sections[section.link].offset
            table = self.data[section.offset : section.offset + section.size]
            for index, fields in enumerate(self._symbol.iter_unpack(table)):
                number = fields[place]
                defined = number != 0
                if number == _SHN_XINDEX:
                    number = more[index]
                elif number >= _SHN_LORESERVE:
                    number = 0
                name = self._text(strings + fields[0])
                yield Symbol(index, name, fields[info] >> 4, fields[info] & 15, number, defined)

    def _text(self, at: int) -> str:
        return self.data[at : self.data.index(b"\0", at)].decode("utf-8", "replace")
