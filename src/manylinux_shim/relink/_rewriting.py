"""Writing a plan into a file: in place where it has the room, else in room made for it."""

from __future__ import annotations

import struct
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.relink._linkage import (
    VER_NDX_GLOBAL,
    VERNEED_SIZE,
    Linkage,
    Need,
    read_linkage,
    section_at,
    symbol_size,
    version_section,
)
from manylinux_shim.relink._references import Binding, Plan

MakeRoom = Callable[[bytes, int, int], Tuple[bytes, str]]
"""``(file, bytes, entries)`` -> the file with so much more room in its string table and its
dynamic segment, and the string that fills the room."""

_MOST_INDEXES = 0x7FFF


class Additions(NamedTuple):
    """What a file gets beyond its plan."""

    needed: Tuple[str, ...] = ()
    """Libraries for the end of ``DT_NEEDED``."""
    run_path: str = ""
    """An entry for the end of the run path."""


def rewritten(data: bytes, plan: Plan, more: Additions, make_room: MakeRoom) -> bytes:
    """The file with ``plan`` and ``more`` in it; raises ElfError where that cannot be."""
    linkage = read_linkage(data)
    if linkage is None:
        raise ElfError("it has no dynamic segment to change")
    try:
        needs = _new_needs(linkage, plan)
        layout = _Layout(linkage, plan, needs, more, "")
        if not layout.fits:
            grown, marker = make_room(data, layout.bytes_missing, layout.entries_missing)
            linkage = read_linkage(grown)
            if linkage is None:
                raise ElfError("it lost its dynamic segment")
            layout = _Layout(linkage, plan, needs, more, marker)
            if not layout.fits:
                raise ElfError("the room that was made in it is too small")
        return _Writer(linkage, plan, layout).run()
    except (struct.error, IndexError, OverflowError) as error:
        raise ElfError("one of its tables lies beyond its end") from error


def _new_needs(linkage: Linkage, plan: Plan) -> Tuple[Need, ...]:
    """The version needs after the change, libraries together in the order of the file."""
    kept = [n for n in linkage.needs if (n.library, n.version) not in plan.dropped]
    have = {(need.library, need.version) for need in kept}
    highest = linkage.highest_index
    for index in sorted(plan.bindings):
        binding = plan.bindings[index]
        if binding.version is None or binding.library is None:
            continue
        if (binding.library, binding.version) not in have:
            have.add((binding.library, binding.version))
            highest += 1
            kept.append(Need(binding.library, binding.version, 0, highest, binding.exact))
    if highest > _MOST_INDEXES:
        raise ElfError("it needs more versions than it can name")
    order = {library: n for n, library in enumerate(dict.fromkeys(n.library for n in kept))}
    return tuple(sorted(kept, key=lambda need: order[need.library]))


def needed_libraries(plan: Plan, needed: Sequence[str]) -> Tuple[str, ...]:
    """The libraries that a plan's bindings name and that the file does not need so far."""
    named = (b.library for b in plan.bindings.values() if b.library is not None)
    # In the order of their names, so that the same input gives the same bytes.
    return tuple(sorted(set(named) - set(needed)))


class _Layout:
    """Where the new tables go, and what room is missing for them."""

    def __init__(
        self,
        linkage: Linkage,
        plan: Plan,
        needs: Tuple[Need, ...],
        more: Additions,
        marker: str,
    ) -> None:
        self.needs = needs
        self._linkage = linkage
        self._strings: Dict[str, int] = {}
        self.room_at = linkage.find_string(marker) if marker else None
        self.room_size = len(marker)
        self.written: List[Tuple[int, bytes]] = []
        """``(offset in the string table, bytes)`` to write."""
        self.bytes_missing = 0
        libraries = dict.fromkeys(need.library for need in needs)
        self.version_size = VERNEED_SIZE * (len(libraries) + len(needs))
        self.versions_at: Optional[int] = None
        """Address of the version needs, where they move."""
        self.strings_size = len(linkage.strings)
        """Bytes of the string table: what moves behind it is no part of it, or whoever makes the
        table longer another time takes it for strings."""
        free = self.room_at or 0
        texts = [*libraries, *(need.version for need in needs), *more.needed]
        texts += [b.name for _, b in sorted(plan.bindings.items()) if b.name is not None]
        self.run_path_tag, run_path = _run_path(linkage, more.run_path)
        texts += [run_path] if run_path else []
        for text in dict.fromkeys(texts):
            found = linkage.find_string(text)
            if found is None:
                self.bytes_missing += len(text.encode()) + 1
                self.written.append((free, text.encode() + b"\0"))
                found = free
                free += len(text.encode()) + 1
            self._strings[text] = found
        if self.version_size > linkage.version_room:
            start = linkage.last.get(tags.DT_STRTAB, 0)
            self.strings_size = free
            free += -(start + free) % 8
            self.versions_at = start + free
            free += self.version_size
            # The start's alignment is known only where the room is.
            self.bytes_missing += self.version_size + 8
        self.entries = self._new_entries(more, run_path)
        self.entries_missing = max(0, len(self.entries) + 1 - linkage.slots)
        end = (self.room_at or 0) + self.room_size
        self.fits = self.entries_missing == 0 and (
            self.bytes_missing == 0 or (self.room_at is not None and free <= end + 1)
        )

    def string(self, text: str) -> int:
        """The offset of a string in the table, there or yet to be written."""
        return self._strings[text]

    def _new_entries(self, more: Additions, run_path: str) -> List[Tuple[int, int]]:
        linkage = self._linkage
        entries = list(linkage.entries)
        fresh = [(tags.DT_NEEDED, self._strings[name]) for name in more.needed]
        places = [n for n, (tag, _) in enumerate(entries) if tag == tags.DT_NEEDED]
        place = places[-1] + 1 if places else 0
        entries[place:place] = fresh
        if run_path:
            value = self._strings[run_path]
            tag = self.run_path_tag
            if any(t == tag for t, _ in entries):
                entries = [(t, value if t == tag else v) for t, v in entries]
            else:
                entries.insert(place + len(fresh), (tag, value))
        if self.needs:
            count = len({need.library for need in self.needs})
            entries = [(t, count if t == tags.DT_VERNEEDNUM else v) for t, v in entries]
            if self.versions_at is not None:
                moved = {tags.DT_VERNEED: self.versions_at, tags.DT_STRSZ: self.strings_size}
                entries = [(t, moved.get(t, v)) for t, v in entries]
        else:
            gone = (tags.DT_VERNEED, tags.DT_VERNEEDNUM)
            entries = [entry for entry in entries if entry[0] not in gone]
        return entries


def _run_path(linkage: Linkage, entry: str) -> Tuple[int, str]:
    """The tag and the text of the run path with ``entry`` at its end; no text if it stays.

    A file without one gets ``DT_RPATH``: unlike ``DT_RUNPATH`` it takes no effect from
    the run paths of those that load the file (ld.so(8)), on which it may rely.
    """
    last = linkage.last
    tag = tags.DT_RUNPATH if tags.DT_RUNPATH in last else tags.DT_RPATH
    if not entry:
        return tag, ""
    have = linkage.text(last[tag]) if tag in last else ""
    if entry in have.split(":"):
        return tag, ""
    return tag, f"{have}:{entry}" if have else entry


def version_hash(name: str) -> int:
    """``vna_hash``: the generic ABI's hash of a name, "Hash Table" in chapter 5."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value


class _Writer:
    """Puts everything into a copy of the file."""

    def __init__(self, linkage: Linkage, plan: Plan, layout: _Layout) -> None:
        self._linkage = linkage
        self._plan = plan
        self._layout = layout
        self._data = bytearray(linkage.image.data)
        self._order = linkage.image.order

    def run(self) -> bytes:
        """The new file."""
        image, last = self._linkage.image, self._linkage.last
        if self._layout.written or self._layout.room_at is not None:
            start = image.offset(last[tags.DT_STRTAB], len(self._linkage.strings))
            if self._layout.room_at is not None:
                # Nothing of the marker is left, so that the result says only what it needs.
                self._put(start + self._layout.room_at, bytes(self._layout.room_size))
            for place, text in self._layout.written:
                self._put(start + place, text)
        if self._layout.needs or self._linkage.needs:
            self._put_needs()
        self._put_bindings()
        self._put_entries()
        return bytes(self._data)

    def _put(self, at: int, piece: bytes) -> None:
        if at < 0 or at + len(piece) > len(self._data):
            raise ElfError("one of its tables lies beyond its end")
        self._data[at : at + len(piece)] = piece

    def _put_needs(self) -> None:
        layout, linkage = self._layout, self._linkage
        if not layout.needs:
            return
        address = layout.versions_at
        moved = address is not None
        address = address if address is not None else linkage.last[tags.DT_VERNEED]
        size = layout.version_size if moved else linkage.version_room
        offset = linkage.image.offset(address, size)
        table = self._table()
        self._put(offset, table + bytes(size - len(table)))
        section = version_section(linkage)
        if section is not None:
            self._put_section(section, address, offset, len(table))
        strings = section_at(linkage, linkage.last[tags.DT_STRTAB])
        if moved and strings is not None:
            word, at = ("Q", 32) if linkage.image.bits == 64 else ("I", 20)
            self._put(strings + at, struct.pack(self._order + word, layout.strings_size))

    def _table(self) -> bytes:
        libraries = list(dict.fromkeys(need.library for need in self._layout.needs))
        verneed = struct.Struct(self._order + "HHIII")
        vernaux = struct.Struct(self._order + "IHHII")
        table = b""
        for library in libraries:
            own = [need for need in self._layout.needs if need.library == library]
            length = VERNEED_SIZE * (1 + len(own))
            following = 0 if library == libraries[-1] else length
            name = self._layout.string(library)
            table += verneed.pack(1, len(own), name, VERNEED_SIZE, following)
            for need in own:
                step = 0 if need is own[-1] else VERNEED_SIZE
                name = self._layout.string(need.version)
                index = need.index | (0x8000 if need.exact else 0)
                table += vernaux.pack(version_hash(need.version), need.flags, index, name, step)
        return table

    def _put_section(self, at: int, address: int, offset: int, size: int) -> None:
        """``sh_addr``, ``sh_offset``, ``sh_size`` and ``sh_info`` of the version needs."""
        word, start, step = ("Q", 16, 8) if self._linkage.image.bits == 64 else ("I", 12, 4)
        count = len({need.library for need in self._layout.needs})
        self._put(at + start, struct.pack(self._order + 3 * word, address, offset, size))
        self._put(at + start + 3 * step + 4, struct.pack(self._order + "I", count))

    def _put_bindings(self) -> None:
        image, last = self._linkage.image, self._linkage.last
        indexes = {(need.library, need.version): need.index for need in self._layout.needs}
        half, word = struct.Struct(self._order + "H"), struct.Struct(self._order + "I")
        for number, binding in self._plan.bindings.items():
            if tags.DT_VERSYM in last:
                place = image.offset(last[tags.DT_VERSYM] + 2 * number, 2)
                self._put(place, half.pack(_index(binding, indexes)))
            if binding.name is not None:
                size = symbol_size(image.bits)
                place = image.offset(last[tags.DT_SYMTAB] + size * number, size)
                self._put(place, word.pack(self._layout.string(binding.name)))

    def _put_entries(self) -> None:
        linkage = self._linkage
        entry = struct.Struct(self._order + ("QQ" if linkage.image.bits == 64 else "II"))
        packed = b"".join(entry.pack(*item) for item in self._layout.entries)
        size = linkage.slots * entry.size
        if len(packed) + entry.size > size:
            raise ElfError("its dynamic segment has no room left")
        self._put(linkage.dynamic.offset, packed + bytes(size - len(packed)))


def _index(binding: Binding, indexes: Dict[Tuple[str, str], int]) -> int:
    if binding.version is None or binding.library is None:
        return VER_NDX_GLOBAL
    return indexes[binding.library, binding.version]
