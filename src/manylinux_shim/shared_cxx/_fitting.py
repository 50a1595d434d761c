"""A twin made to fit the place of the file in the wheel: its run path, its sections."""

from __future__ import annotations

import io
import struct
from typing import List, NamedTuple

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from manylinux_shim._errors import ElfError
from manylinux_shim.compiler import ROOM

_SHF_ALLOC = 2
_SHT_NOBITS = 8
_NAMES = ".shstrtab"


def with_run_path(data: bytes, run_path: str) -> bytes:
    """``data`` with ``run_path`` where its linker left room for one.

    Raises ElfError where there is none, or too little.
    """
    text = run_path.encode("utf-8", "surrogateescape")
    room = ROOM.encode()
    at = data.find(room + b"\0")
    if at < 0 or len(text) > len(room):
        raise ElfError(
            f"its run path would be {len(text)} bytes long",
            f"There is room for {len(room)}: link it with a shorter one (-rpath).",
        )
    return data[:at] + text.ljust(len(room), b"\0") + data[at + len(room) :]


class _Section(NamedTuple):
    """``Elf_Shdr`` (System V ABI, chapter 4), and what it is called."""

    title: str
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int

    @property
    def loaded(self) -> bool:
        return bool(self.flags & _SHF_ALLOC)


def with_sections_of(data: bytes, other: bytes) -> bytes:
    """``data``, as lld wrote it, without symbols and debug information that ``other`` has not.

    What is loaded stays, byte for byte. Raises ElfError for a file that cannot be read.
    """
    try:
        wanted = {section.title for section in _sections(other)} | {_NAMES}
        sections = _sections(data)
        kept = [s for s in sections if s.loaded or not s.type or s.title in wanted]
        return data if len(kept) == len(sections) else _written(data, sections, kept)
    except (ELFError, struct.error, LookupError, UnicodeDecodeError) as error:
        raise ElfError(
            f"its sections cannot be read: {error}", "Build it anew: it may be truncated."
        ) from error


def _sections(data: bytes) -> List[_Section]:
    elf = ELFFile(io.BytesIO(data))
    start, size, count = elf["e_shoff"], elf["e_shentsize"], elf.num_sections()
    layout = _layout(data)
    rows = [layout.unpack_from(data, start + number * size) for number in range(count)]
    return [_Section(elf.get_section(number).name, *row) for number, row in enumerate(rows)]


def _written(data: bytes, sections: List[_Section], kept: List[_Section]) -> bytes:
    """The file with ``kept`` alone; what is loaded comes first, where it was."""
    loaded = [s for s in kept if s.loaded]
    end = max(s.offset + (0 if s.type == _SHT_NOBITS else s.size) for s in loaded)
    new = bytearray(data[:end])
    place = {sections.index(s): number for number, s in enumerate(kept)}
    titles = b"\0"
    at = {"": 0}
    for section in kept:
        at.setdefault(section.title, len(titles))
        titles += section.title.encode() + b"\0"
    headers = []
    for section in kept:
        section = section._replace(name=at[section.title])
        if section.type and not section.loaded:
            body = data[section.offset : section.offset + section.size]
            body = titles if section.title == _NAMES else body
            new += bytes(-len(new) % max(section.alignment, 1))
            link = place.get(section.link, 0)
            section = section._replace(offset=len(new), size=len(body), link=link)
            new += body
        headers.append(section)
    layout = _layout(data)
    new += bytes(-len(new) % 8)
    order, wide = ("<" if data[5] == 1 else ">"), data[4] == 2
    struct.pack_into(order + ("Q" if wide else "I"), new, 40 if wide else 32, len(new))
    names = next(number for number, s in enumerate(kept) if s.title == _NAMES)
    struct.pack_into(order + "HH", new, 60 if wide else 48, len(kept), names)
    return bytes(new) + b"".join(layout.pack(*section[1:]) for section in headers)


def _layout(data: bytes) -> struct.Struct:
    return struct.Struct(("<" if data[5] == 1 else ">") + ("IIQQQQIIQQ" if data[4] == 2 else "10I"))
