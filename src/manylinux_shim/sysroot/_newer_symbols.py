"""Stubs of an older libc than zig makes any for.

zig links for glibc 2.19 and later on ppc64le, where the policies begin with 2.17, and for the
newest musl it knows, where the policies name the first of a series. What is newer than the policy
is hidden in the stubs: a weak symbol of theirs would be bound to it, a check of a build system
would find it there, and the wheel could not be proven.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Callable, List

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection

from manylinux_shim._platforms import Policy, Version
from manylinux_shim.audit import newer_than_musl

# System V ABI, chapter 4; "GNU symbol versioning" of the Linux Standard Base 5.
_STB_WEAK, _SHN_UNDEF, _VER_NDX_GLOBAL = 2, 0, 1
_INDEX = 0x7FFF


def hide_newer(directory: Path, policy: Policy) -> None:
    """Hide from linkers what the stubs in ``directory`` have of later libcs than the policy's."""
    for path in directory.glob("*.so*"):
        if not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
            path.write_bytes(_without_newer(path, policy))


def _without_newer(path: Path, policy: Policy) -> bytes:
    """The stub with those symbols as weak ones that it wants, not has."""
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        elf: Any = ELFFile(file)
        definitions = elf.get_section_by_name(".gnu.version_d")
        indexes = elf.get_section_by_name(".gnu.version")
        symbols = elf.get_section_by_name(".dynsym")
        order, info, section = "<" if elf.little_endian else ">", 4, 6
        if elf.elfclass == 32:
            info, section = 12, 14
        hidden: Callable[[int], bool]
        if isinstance(definitions, GNUVerDefSection):
            names = {d["vd_ndx"]: next(iter(aux)).name for d, aux in definitions.iter_versions()}
            newer = {at for at, name in names.items() if _is_newer(name, policy.version)}

            def hidden(number: int) -> bool:
                at = indexes["sh_offset"] + 2 * number
                return struct.unpack_from(order + "H", data, at)[0] & _INDEX in newer

        elif policy.family == "musllinux":
            newer_names = newer_than_musl(policy)

            def hidden(number: int) -> bool:
                return symbols.get_symbol(number).name in newer_names

        else:
            return bytes(data)
        for number in filter(hidden, range(symbols.num_symbols())):
            entry = symbols["sh_offset"] + symbols["sh_entsize"] * number
            data[entry + info] = _STB_WEAK << 4 | data[entry + info] & 15
            struct.pack_into(order + "H", data, entry + section, _SHN_UNDEF)
            if indexes is not None:
                at = indexes["sh_offset"] + 2 * number
                struct.pack_into(order + "H", data, at, _VER_NDX_GLOBAL)
    return bytes(data)


def _is_newer(version: str, newest: Version) -> bool:
    name, _, number = version.partition("_")
    parts: List[str] = number.split(".")
    return name == "GLIBC" and number[:1].isdigit() and Version(*map(int, parts[:2])) > newest
