"""What ``PT_DYNAMIC`` points to: needed libraries, run paths, versions, symbols."""

from __future__ import annotations

import struct
from typing import List, NamedTuple, Optional, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.elf._dynsym import Exports, Undefined, read_symbols
from manylinux_shim.elf._image import Image, Segment, Strings
from manylinux_shim.elf._versions import VersionNeed, version_definitions, version_needs

_MOST_ENTRIES = 2**16


class Dynamic(NamedTuple):
    """The facts of a dynamic segment, under their names in ``ElfFacts``."""

    needed: Tuple[str, ...]
    soname: Optional[str]
    run_path: Tuple[str, ...]
    run_path_is_rpath: bool
    version_needs: Tuple[VersionNeed, ...]
    version_definitions: Tuple[str, ...]
    undefined: Tuple[Undefined, ...]
    text_relocations: bool
    relr: bool
    position_independent_program: bool
    no_open: bool
    extension_module: bool
    exports: Exports


def read_dynamic(image: Image, segment: Segment) -> Dynamic:
    """All facts of the dynamic segment; ElfError where it leads nowhere."""
    entries = dynamic_entries(image, segment)
    last = dict(entries)
    table = b""
    if tags.DT_STRTAB in last:
        # A string may not reach beyond the table, whatever lies behind it.
        size = min(last.get(tags.DT_STRSZ, 0), image.room(last[tags.DT_STRTAB]))
        start = image.offset(last[tags.DT_STRTAB], size)
        table = image.data[start : start + size]
    strings = Strings(table)
    needs, by_index = version_needs(image, last, strings)
    undefined, exports = read_symbols(image, last, table, by_index)
    # Of several of a kind, loaders take the last.
    run_path = last.get(tags.DT_RUNPATH, last.get(tags.DT_RPATH))
    return Dynamic(
        needed=tuple(strings.at(v) for t, v in entries if t in (tags.DT_NEEDED, tags.DT_FILTER)),
        soname=strings.at(last[tags.DT_SONAME]) if tags.DT_SONAME in last else None,
        run_path=tuple(strings.at(run_path).split(":")) if run_path is not None else (),
        run_path_is_rpath=tags.DT_RPATH in last and tags.DT_RUNPATH not in last,
        version_needs=needs,
        version_definitions=version_definitions(image, last, strings),
        undefined=undefined,
        text_relocations=tags.DT_TEXTREL in last
        or bool(last.get(tags.DT_FLAGS, 0) & tags.DF_TEXTREL),
        relr=last.get(tags.DT_RELRSZ, 0) > 0 and tags.DT_RELR in last,
        position_independent_program=bool(last.get(tags.DT_FLAGS_1, 0) & tags.DF_1_PIE),
        no_open=bool(last.get(tags.DT_FLAGS_1, 0) & tags.DF_1_NOOPEN),
        extension_module=b"\0PyInit_" in table,
        exports=exports,
    )


def dynamic_entries(image: Image, segment: Segment) -> List[Tuple[int, int]]:
    """The entries up to ``DT_NULL``, from where the loader finds them: ``p_vaddr``."""
    size = min(max(segment.filesz, segment.memsz), image.room(segment.vaddr))
    entry = struct.Struct(image.order + ("QQ" if image.bits == 64 else "II"))
    start = image.offset(segment.vaddr, entry.size)
    found: List[Tuple[int, int]] = []
    count = min(size // entry.size, _MOST_ENTRIES)
    for tag, value in entry.iter_unpack(image.data[start : start + count * entry.size]):
        if tag == 0:
            return found
        found.append((tag, value))
    raise ElfError("its dynamic segment has no end")
