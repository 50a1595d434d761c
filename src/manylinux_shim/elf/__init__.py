"""ELF files, read without trust: what a loader reads of them, and where in the file it stands."""

from __future__ import annotations

from manylinux_shim.elf._archive import RelocatableObject, read_archive
from manylinux_shim.elf._definitions import Definition, definitions
from manylinux_shim.elf._dynamic import dynamic_entries
from manylinux_shim.elf._dynsym import gnu_hash_count, hash_count, symbol_count
from manylinux_shim.elf._elf import (
    EM_386,
    EM_X86_64,
    MAGIC,
    PT_DYNAMIC,
    PT_GNU_PROPERTY,
    PT_INTERP,
    PT_LOAD,
    ElfFacts,
    Header,
    read_elf,
    read_segments,
)
from manylinux_shim.elf._image import Image, Segment, Strings
from manylinux_shim.elf._notes import read_notes

__all__ = [
    "EM_386",
    "EM_X86_64",
    "MAGIC",
    "PT_DYNAMIC",
    "PT_GNU_PROPERTY",
    "PT_INTERP",
    "PT_LOAD",
    "Definition",
    "ElfFacts",
    "Header",
    "Image",
    "RelocatableObject",
    "Segment",
    "Strings",
    "definitions",
    "dynamic_entries",
    "gnu_hash_count",
    "hash_count",
    "read_archive",
    "read_elf",
    "read_notes",
    "read_segments",
    "symbol_count",
]
