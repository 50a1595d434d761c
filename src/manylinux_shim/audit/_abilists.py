"""zig's ``lib/libc/glibc/abilists``: which symbol at which version each glibc has.

All numbers are little-endian: a ``u8`` count of libraries, each a C string; a
``u8`` count of versions, each three ``u8``; a ``u8`` count of targets, each a C
string; then the inclusions of functions and those of objects, each with a
``u16`` count before. zig up to 0.13 has its inclusions in a form of their own.

Source: zig's own reader of the file, ``src/libs/glibc.zig``.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Tuple

from manylinux_shim._errors import ToolchainError

VersionTriple = Tuple[int, int, int]
_FIRST_WITH_ULEB128 = (2, 40, 0)
"""zig 0.13 ends at glibc 2.39 and is the last with sets of a fixed size, 0.14 begins the other."""

Symbols = Dict[str, List[Tuple[str, VersionTriple]]]
"""Name -> every ``(library, version)`` under which it exists."""


class Header(NamedTuple):
    """The lists that the inclusions refer to by index."""

    libraries: Tuple[str, ...]
    """``c`` for ``libc.so.6``; the order differs from one zig to the next."""
    versions: Tuple[VersionTriple, ...]
    """Ascending."""
    targets: Tuple[str, ...]
    """``x86_64-linux-gnu`` and so on."""
    end: int
    """The offset of the inclusions."""


def read_header(data: bytes) -> Header:
    """The lists at the head of an abilists file; ToolchainError if it is none."""
    try:
        libraries, at = _strings(data, 0)
        count, at = data[at], at + 1
        versions = tuple((data[i], data[i + 1], data[i + 2]) for i in range(at, at + 3 * count, 3))
        targets, at = _strings(data, at + 3 * count)
    except (IndexError, ValueError) as error:
        raise _broken() from error
    return Header(libraries, versions, targets, at)


def read_symbols(data: bytes, target: str) -> Symbols:
    """All symbols of one target; none if the file does not know it.

    Raises ToolchainError where the file is not an abilists file.
    """
    header = read_header(data)
    if target not in header.targets:
        return {}
    read = _old_inclusions if header.versions[-1] < _FIRST_WITH_ULEB128 else _inclusions
    symbols: Symbols = {}
    try:
        at = read(data, header, header.end, header.targets.index(target), False, symbols)
        read(data, header, at, header.targets.index(target), True, symbols)
    except (IndexError, ValueError) as error:
        raise _broken() from error
    return symbols


def _strings(data: bytes, at: int) -> Tuple[Tuple[str, ...], int]:
    count, at = data[at], at + 1
    found = []
    for _ in range(count):
        end = data.index(0, at)
        found.append(data[at:end].decode())
        at = end + 1
    return tuple(found), at


def _inclusions(
    data: bytes, header: Header, at: int, target: int, objects: bool, symbols: Symbols
) -> int:
    """Read one section into ``symbols``; the offset behind it."""
    count, at = int.from_bytes(data[at : at + 2], "little"), at + 2
    name = ""
    last = True
    for _ in range(count):
        if last:
            end = data.index(0, at)
            name, at = data[at:end].decode(), end + 1
        targets, at = _uleb128(data, at)
        if objects:
            _, at = _uleb128(data, at)
        library, at = data[at], at + 1
        last = bool(library & 0x80)
        at = _versions(data, header, at, targets >> target & 1, name, library & 0x7F, symbols)
    return at


def _old_inclusions(
    data: bytes, header: Header, at: int, target: int, objects: bool, symbols: Symbols
) -> int:
    """As ``_inclusions``, for zig 0.13: ``u32`` of targets, bit 31 marks the last."""
    count, at = int.from_bytes(data[at : at + 2], "little"), at + 2
    name = ""
    last = True
    for _ in range(count):
        if last:
            end = data.index(0, at)
            name, at = data[at:end].decode(), end + 1
        targets, at = int.from_bytes(data[at : at + 4], "little"), at + 4
        last = bool(targets >> 31)
        at += 2 if objects else 0
        library, at = data[at], at + 1
        at = _versions(data, header, at, targets >> target & 1, name, library, symbols)
    return at


def _versions(
    data: bytes, header: Header, at: int, wanted: int, name: str, library: int, symbols: Symbols
) -> int:
    """Read one inclusion's versions, up to the one whose bit 7 is set."""
    while True:
        index, at = data[at], at + 1
        if wanted:
            symbols.setdefault(name, []).append(
                (header.libraries[library], header.versions[index & 0x7F])
            )
        if index & 0x80:
            return at


def _uleb128(data: bytes, at: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _broken() -> ToolchainError:
    return ToolchainError(
        "zig's table of glibc symbols (lib/libc/glibc/abilists) cannot be read",
        "Install ziglang anew; versions 0.13 to 0.17 are known to work.",
    )
