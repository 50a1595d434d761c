"""Holding a changed file against what it was: all that was not meant to change is the same.

Nothing is believed because a tool (patchelf, or this package) did it. The segments that a
loader maps are compared byte by byte, but for the tables that had to move, which
are compared where they are now.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Dict, Iterator, List, NamedTuple, Sequence

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import (
    PT_DYNAMIC,
    PT_GNU_PROPERTY,
    PT_INTERP,
    PT_LOAD,
    ElfFacts,
    Image,
    Segment,
    gnu_hash_count,
    hash_count,
    read_elf,
    read_notes,
    symbol_count,
)
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.relink._linkage import Linkage, read_linkage, symbol_size
from manylinux_shim.relink._references import Plan
from manylinux_shim.relink._rewriting import Additions

_PT_NULL, _PT_NOTE, _PT_PHDR = 0, 4, 6
_MOST_PADDING = 64
_MOVED_SEGMENTS = (PT_INTERP, _PT_NOTE, PT_GNU_PROPERTY)
_MAY_CHANGE = (
    tags.DT_NEEDED, tags.DT_STRTAB, tags.DT_STRSZ, tags.DT_VERNEED, tags.DT_VERNEEDNUM,
    tags.DT_RPATH, tags.DT_RUNPATH, tags.DT_SONAME, tags.DT_FILTER, 0x7FFFFFFD,
)  # fmt: skip
# Tables whose address may be another, their contents not: patchelf moves them.
_MOVABLE = (
    tags.DT_HASH, tags.DT_GNU_HASH, tags.DT_SYMTAB, tags.DT_VERSYM, tags.DT_VERDEF,
    tags.DT_RELA, tags.DT_REL, tags.DT_JMPREL,
)  # fmt: skip


class _Range(NamedTuple):
    """Bytes at an address."""

    start: int
    end: int


def verify(name: str, before: bytes, after: bytes, plan: Plan, more: Additions) -> ElfFacts:
    """The facts of ``after``, if it is ``before`` with the plan carried out and no more.

    Raises ElfError that says what is not as it should be.
    """
    old_facts, facts = read_elf(name, before), read_elf(name, after)
    _compare_facts(old_facts, facts, plan, more)
    old, new = read_linkage(before), read_linkage(after)
    if old is None or new is None:
        raise ElfError(f"{name}: it lost its dynamic segment")
    try:
        _compare_references(old, new, plan, more)
        _compare_entries(old, new)
        _compare_memory(old, new, plan)
    except ElfError as error:
        raise ElfError(
            f"{name}: linking it again would damage it: {error.message}", _REMEDY
        ) from error
    except (struct.error, IndexError) as error:
        raise ElfError(f"{name}: linking it again would cut it short", _REMEDY) from error
    return facts


_REMEDY = "Build it for the older glibc: mode zig, or on a system that has it."


def _compare_facts(old: ElfFacts, new: ElfFacts, plan: Plan, more: Additions) -> None:
    same = (
        "bits", "big_endian", "machine", "flags", "type", "interpreter", "dynamic", "soname",
        "version_definitions", "executable_stack", "text_relocations", "relr",
        "position_independent_program", "extension_module", "isa_needed", "isa_used", "arm",
    )  # fmt: skip
    for field in same:
        if getattr(old, field) != getattr(new, field):
            raise ElfError(f"{old.name}: linking it again would change its {field}", _REMEDY)
    extra = (more.run_path,) if more.run_path and more.run_path not in old.run_path else ()
    if new.run_path != old.run_path + extra:
        raise ElfError(f"{old.name}: it would have another run path than planned", _REMEDY)
    if old.exports.names != new.exports.names:
        raise ElfError(f"{old.name}: it would define other symbols", _REMEDY)
    if any((need.library, need.version) in plan.dropped for need in new.version_needs):
        raise ElfError(f"{old.name}: it would still need a newer version", _REMEDY)


def _compare_references(old: Linkage, new: Linkage, plan: Plan, more: Additions) -> None:
    if new.needed != (*old.needed, *more.needed):
        raise ElfError("it would need other libraries than planned")
    expected = []
    for reference in old.references:
        binding = plan.bindings.get(reference.index)
        if binding is None:
            expected.append(reference)
            continue
        expected.append(
            replace(
                reference,
                name=binding.name or reference.name,
                version=binding.version,
                library=binding.library,
            )
        )
    if tuple(expected) != new.references or old.copied != new.copied:
        raise ElfError("a symbol would be bound to something else than planned")


def _compare_entries(old: Linkage, new: Linkage) -> None:
    ignored = (*_MAY_CHANGE, *_MOVABLE)
    before = [entry for entry in old.entries if entry[0] not in ignored]
    after = [entry for entry in new.entries if entry[0] not in ignored]
    if before != after:
        raise ElfError("another entry of its dynamic segment changed")
    if {t for t, _ in old.entries if t in _MOVABLE} != {t for t, _ in new.entries if t in _MOVABLE}:
        raise ElfError("a table of its dynamic segment is gone")


def _compare_memory(old: Linkage, new: Linkage, plan: Plan) -> None:
    """All bytes that are mapped, but for the tables that were to change."""
    changing = [*_changing(old, plan), *_over_filler(old, new)]
    for tag, size in _sizes(old).items():
        start, moved_to = old.last[tag], new.last[tag]
        if start == moved_to:
            continue
        changing.append(_Range(start, start + size))
        if tag == tags.DT_SYMTAB:
            _compare_symbols(old, new, size)
        elif tag != tags.DT_VERSYM:
            _compare_bytes(old.image, start, new.image, moved_to, size)
    changing += _moved_segments(old, new)
    if tags.DT_SYMTAB in old.last and old.last[tags.DT_SYMTAB] == new.last[tags.DT_SYMTAB]:
        size = _sizes(old)[tags.DT_SYMTAB]
        start = old.last[tags.DT_SYMTAB]
        changing.append(_Range(start, start + size))
        _compare_symbols(old, new, size)
    for load in old.image.loads:
        whole = _Range(load.vaddr, load.vaddr + load.filesz)
        for part in _without(whole, changing):
            if _is_padding(old.image, whole, part):
                continue
            _compare_mapping(part, load.flags, new)
            _compare_bytes(old.image, part.start, new.image, part.start, part.end - part.start)
        if load.memsz > load.filesz:
            _compare_mapping(_Range(whole.end, load.vaddr + load.memsz), load.flags, new)


def _is_padding(image: Image, whole: _Range, part: _Range) -> bool:
    """Whether these are the zeros between two tables that moved, which go with them."""
    size = part.end - part.start
    if size >= _MOST_PADDING or part.start == whole.start:
        return False
    start = image.offset(part.start, size)
    return not image.data[start : start + size].strip(b"\0")


def _changing(old: Linkage, plan: Plan) -> Iterator[_Range]:
    """Places that the plan itself writes to, or that only describe the file."""
    last = old.last
    header = 64 if old.image.bits == 64 else 52
    phentsize = 56 if old.image.bits == 64 else 32
    # patchelf leaves the section headers, which are no loader's concern, in a segment.
    sections = old.header.shentsize * old.header.shnum
    tables = ((0, header), (old.header.phoff, phentsize * old.header.phnum))
    for offset, size in (*tables, (old.header.shoff, sections)):
        for load in old.image.loads:
            if load.offset <= offset < load.offset + load.filesz:
                start = load.vaddr + offset - load.offset
                yield _Range(start, start + size)
    yield _Range(old.dynamic.vaddr, old.dynamic.vaddr + old.dynamic.filesz)
    if tags.DT_STRTAB in last:
        yield _Range(last[tags.DT_STRTAB], last[tags.DT_STRTAB] + last.get(tags.DT_STRSZ, 0))
    if tags.DT_VERNEED in last:
        yield _Range(last[tags.DT_VERNEED], last[tags.DT_VERNEED] + old.version_room)
    if tags.DT_VERSYM in last and plan.bindings:
        start = last[tags.DT_VERSYM]
        for number in plan.bindings:
            yield _Range(start + 2 * number, start + 2 * number + 2)


def _over_filler(old: Linkage, new: Linkage) -> Iterator[_Range]:
    """Where a longer table of program headers lies over nothing.

    patchelf fills with "Z" what it has moved tables away from, and when it runs on
    the file again, takes that place.
    """
    phentsize = 56 if old.image.bits == 64 else 32
    start = old.header.phoff + phentsize * old.header.phnum
    end = new.header.phoff + phentsize * new.header.phnum
    if end > start and not old.image.data[start:end].strip(b"Z\0"):
        for load in old.image.loads:
            if load.offset <= start and end <= load.offset + load.filesz:
                yield _Range(load.vaddr + start - load.offset, load.vaddr + end - load.offset)


def _sizes(linkage: Linkage) -> Dict[int, int]:
    """Bytes of the tables that may move."""
    last, image = linkage.last, linkage.image
    found: Dict[int, int] = {}
    count = symbol_count(image, last)
    if tags.DT_SYMTAB in last:
        found[tags.DT_SYMTAB] = count * symbol_size(image.bits)
    if tags.DT_VERSYM in last:
        found[tags.DT_VERSYM] = 2 * count
    for table, size in (
        (tags.DT_RELA, tags.DT_RELASZ),
        (tags.DT_REL, tags.DT_RELSZ),
        (tags.DT_JMPREL, tags.DT_PLTRELSZ),
    ):
        if table in last:
            found[table] = last.get(size, 0)
    if tags.DT_HASH in last:
        start = image.offset(last[tags.DT_HASH], 8)
        buckets, chains = image.words(start, 2)
        wide = chains != hash_count(image, last[tags.DT_HASH])
        if wide:
            buckets, chains = image.words(start, 4)[1::2]
        found[tags.DT_HASH] = (2 + buckets + chains) * (8 if wide else 4)
    if tags.DT_GNU_HASH in last:
        start = image.offset(last[tags.DT_GNU_HASH], 16)
        buckets, first, bloom, _ = image.words(start, 4)
        symbols = max(gnu_hash_count(image, last[tags.DT_GNU_HASH]) - first, 0)
        found[tags.DT_GNU_HASH] = 16 + bloom * (image.bits // 8) + 4 * (buckets + symbols)
    if tags.DT_VERDEF in last:
        found[tags.DT_VERDEF] = _definitions_size(image, last)
    return found


def _definitions_size(image: Image, last: Dict[int, int]) -> int:
    """Bytes from the first version definition to the end of the last."""
    verdef = struct.Struct(image.order + "HHHHIII")
    start = at = end = image.offset(last[tags.DT_VERDEF], verdef.size)
    for _ in range(last.get(tags.DT_VERDEFNUM, 0)):
        _, _, _, count, _, aux, following = verdef.unpack_from(image.data, at)
        end = max(end, at + aux + 8 * count)
        if following == 0:
            break
        at += following
    return end - start


def _compare_symbols(old: Linkage, new: Linkage, size: int) -> None:
    """Symbols, but for the numbers of sections, and names that were shortened.

    Which section a symbol is in says nothing to a loader, but whether it is in one does.
    """
    one = old.image.offset(old.last[tags.DT_SYMTAB], size) if size else 0
    other = new.image.offset(new.last[tags.DT_SYMTAB], size) if size else 0
    layout = struct.Struct(old.image.order + ("IBBHQQ" if old.image.bits == 64 else "IIIBBH"))
    section = 3 if old.image.bits == 64 else 5
    before, after = old.image.data[one : one + size], new.image.data[other : other + size]
    if before == after:
        return
    for mine, theirs in zip(layout.iter_unpack(before), layout.iter_unpack(after)):
        if mine == theirs:
            continue
        a, b = list(mine), list(theirs)
        number_a, number_b = a.pop(section), b.pop(section)
        defined = number_a != 0 and number_b != 0
        reserved = number_a >= 0xFF00 or number_b >= 0xFF00
        # Names were compared as texts; where they stand in the table does not matter.
        if a[1:] != b[1:] or (number_a != number_b and (reserved or not defined)):
            raise ElfError("a symbol changed")
        if old.text(a[0]) != new.text(b[0]) and number_a != 0:
            raise ElfError("a symbol has another name")


def _moved_segments(old: Linkage, new: Linkage) -> List[_Range]:
    """Small segments that patchelf moves (notes, the loader's name), compared where they are."""
    kinds = (PT_LOAD, PT_DYNAMIC, _PT_PHDR, _PT_NULL)
    before = [segment for segment in old.segments if segment.type not in kinds]
    after = [segment for segment in new.segments if segment.type not in kinds]
    if {segment.type for segment in before} != {segment.type for segment in after}:
        raise ElfError("a program header came or went")
    found: List[_Range] = []
    for kind in dict.fromkeys(segment.type for segment in before):
        mine = sorted((s for s in before if s.type == kind), key=lambda s: s.vaddr)
        theirs = sorted((s for s in after if s.type == kind), key=lambda s: s.vaddr)
        if [s._replace(offset=0) for s in mine] == [s._replace(offset=0) for s in theirs]:
            continue  # what lies in a mapped segment is compared with that
        if kind not in _MOVED_SEGMENTS or _contents(old, mine) != _contents(new, theirs):
            raise ElfError("a program header changed")
        found += [_Range(s.vaddr, s.vaddr + s.filesz) for s in mine]
    return found


def _contents(linkage: Linkage, segments: Sequence[Segment]) -> List[object]:
    """What is in segments, in any order: patchelf takes those of several notes apart."""
    image = linkage.image
    found: List[object] = []
    for segment in segments:
        data = image.data[segment.offset : segment.offset + segment.filesz]
        found += [data] if segment.type == PT_INTERP else read_notes(data, image.order, image.bits)
    return sorted(found, key=repr)


def _compare_bytes(one: Image, start: int, other: Image, at: int, size: int) -> None:
    if size <= 0:
        return
    here, there = one.offset(start, size), other.offset(at, size)
    if one.data[here : here + size] != other.data[there : there + size]:
        raise ElfError(f"the {size} bytes at address 0x{start:x} changed")


def _compare_mapping(part: _Range, flags: int, new: Linkage) -> None:
    """Whether the same addresses are mapped with the same permissions."""
    for load in new.image.loads:
        inside = load.vaddr <= part.start and part.end <= load.vaddr + load.memsz
        if inside and load.flags == flags:
            return
    raise ElfError(f"what is at address 0x{part.start:x} is no longer mapped as it was")


def _without(whole: _Range, holes: List[_Range]) -> Iterator[_Range]:
    """What is left of a range."""
    at = whole.start
    for hole in sorted(holes):
        if hole.end <= at or hole.start >= whole.end:
            continue
        if hole.start > at:
            yield _Range(at, hole.start)
        at = max(at, hole.end)
    if at < whole.end:
        yield _Range(at, whole.end)
