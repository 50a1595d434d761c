"""A libstdc++.so.6 that ends where an older one does: a stand-in for what no machine has any more.

A copy of this machine's, in which symbols of newer versions are nobody else's (a loader looks
at no local symbol) and the newer versions have no name that anybody could ask for.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Callable

from elftools.elf.elffile import ELFFile

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.audit import floor_of, version_floor

NAME = "libstdc++.so.6"


def older_libstdcxx(newer: Path, arch: Architecture, policy: Policy, directory: Path) -> Path:
    """``directory`` with the stand-in for ``policy`` in it, for ``LD_LIBRARY_PATH``."""
    data = bytearray(newer.read_bytes())
    floor = floor_of(policy)

    def is_newer(version: str) -> bool:
        known = version.startswith(("GLIBCXX_", "CXXABI_"))
        return known and version_floor(version, arch) > floor

    with newer.open("rb") as file:
        hide(ELFFile(file), data, is_newer)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / NAME).write_bytes(data)
    return directory


def hide(elf: ELFFile, data: bytearray, is_newer: Callable[[str], bool]) -> None:
    order = "<" if elf.little_endian else ">"
    indexes = {}
    verdef = elf.get_section_by_name(".gnu.version_d")
    at = verdef["sh_offset"]
    for version, names in verdef.iter_versions():
        name = next(iter(names)).name
        indexes[version["vd_ndx"]] = name
        if is_newer(name):
            struct.pack_into(order + "I", data, at + 8, 0)  # vd_hash
        at += version["vd_next"]
    symbols = elf.get_section_by_name(".dynsym")
    versions = elf.get_section_by_name(".gnu.version")
    size, info = symbols["sh_entsize"], 4 if elf.elfclass == 64 else 12
    for number, symbol in enumerate(symbols.iter_symbols()):
        at = versions["sh_offset"] + 2 * number
        index = struct.unpack_from(order + "H", data, at)[0] & 0x7FFF
        if symbol["st_shndx"] != "SHN_UNDEF" and is_newer(indexes.get(index, "")):
            place = symbols["sh_offset"] + size * number + info
            data[place] &= 15  # STB_LOCAL
