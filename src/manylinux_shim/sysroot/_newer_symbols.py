"""Stubs of an older glibc than zig makes any for.

zig links for glibc 2.19 and later on ppc64le, where the policies begin with 2.17. What is
newer than the policy is hidden in the stubs: a weak symbol of theirs would be bound to it,
and the wheel could not be proven.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, List

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection

from manylinux_shim._platforms import Version

# System V ABI, chapter 4; "GNU symbol versioning" of the Linux Standard Base 5.
_STB_WEAK, _SHN_UNDEF, _VER_NDX_GLOBAL = 2, 0, 1
_INDEX = 0x7FFF


def hide_newer(directory: Path, newest: Version) -> None:
    """Hide from linkers what the stubs in ``directory`` have of later versions than ``newest``."""
    for path in directory.glob("*.so*"):
        if not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
            path.write_bytes(_without_newer(path, newest))


def _without_newer(path: Path, newest: Version) -> bytes:
    """The stub with those symbols as weak ones that it wants, not has."""
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        elf: Any = ELFFile(file)
        definitions = elf.get_section_by_name(".gnu.version_d")
        indexes = elf.get_section_by_name(".gnu.version")
        symbols = elf.get_section_by_name(".dynsym")
        if not isinstance(definitions, GNUVerDefSection):
            return bytes(data)
        names = {d["vd_ndx"]: next(iter(aux)).name for d, aux in definitions.iter_versions()}
        versions, table = indexes["sh_offset"], symbols["sh_offset"]
        size = symbols["sh_entsize"]
        order, info, section = "<" if elf.little_endian else ">", 4, 6
        if elf.elfclass == 32:
            info, section = 12, 14
        hidden = {index for index, name in names.items() if _is_newer(name, newest)}
        for number in range(symbols.num_symbols()):
            version = versions + 2 * number
            if struct.unpack_from(order + "H", data, version)[0] & _INDEX in hidden:
                entry = table + size * number
                data[entry + info] = _STB_WEAK << 4 | data[entry + info] & 15
                struct.pack_into(order + "H", data, entry + section, _SHN_UNDEF)
                struct.pack_into(order + "H", data, version, _VER_NDX_GLOBAL)
    return bytes(data)


def _is_newer(version: str, newest: Version) -> bool:
    name, _, number = version.partition("_")
    parts: List[str] = number.split(".")
    return name == "GLIBC" and number[:1].isdigit() and Version(*map(int, parts[:2])) > newest
