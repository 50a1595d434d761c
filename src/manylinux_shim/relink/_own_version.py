"""A library whose symbols have a version that no other library has, and files bound to it.

A name alone is anybody's: where Python itself has an older zlib loaded, half of what a file
calls would be served by that one and half by the wheel's own. With a version of its own
each reference has one answer.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Collection, List, NamedTuple

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import definitions, read_elf, symbol_count
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.relink._comparison import verify
from manylinux_shim.relink._linkage import Linkage, read_linkage, symbol_size
from manylinux_shim.relink._references import Binding, Plan
from manylinux_shim.relink._rewriting import Additions, rewritten, version_hash
from manylinux_shim.relink._room import with_room

_DT_SYMBOLIC = 16
_BASE, _HIDDEN = 1, 0x8000  # VER_FLG_BASE, and the bit that hides a version


class OwnVersion(NamedTuple):
    """A library after the change."""

    data: bytes
    version: str
    """The one version of all its symbols."""
    names: Collection[str]
    """The symbols."""


class _Verdef(NamedTuple):
    at: int
    number: int
    name: int
    """Offset in the string table."""


def with_own_version(data: bytes) -> OwnVersion:
    """``data``, a shared library with versions, with one version of its own for all it defines.

    The version's name is made of the library's bytes and takes the place of one that it has.
    Raises ElfError for a library without versions, or with two of one symbol.
    """
    try:
        return _with_own_version(data)
    except (struct.error, IndexError, OverflowError) as error:
        raise ElfError("one of its tables lies beyond its end") from error


def _with_own_version(data: bytes) -> OwnVersion:
    linkage = read_linkage(data)
    if linkage is None or tags.DT_VERDEF not in linkage.last:
        raise ElfError("it has no versions of its symbols")
    image, last = linkage.image, linkage.last
    known = [each.name for each in definitions(data)]
    if len(set(known)) != len(known):
        raise ElfError("it has several versions of one symbol")
    place = next((each for each in _verdefs(linkage) if each.number > _BASE), None)
    if place is None:
        raise ElfError("it has no versions of its symbols")
    former = linkage.text(place.name).encode()
    version = ("Z" + hashlib.sha256(data).hexdigest())[: len(former)]
    changed = bytearray(data)

    def put(at: int, piece: bytes) -> None:
        changed[at : at + len(piece)] = piece

    put(image.offset(last[tags.DT_STRTAB] + place.name, len(former)), version.encode())
    put(place.at + 8, struct.pack(image.order + "I", version_hash(version)))
    count, size = symbol_count(image, last), symbol_size(image.bits)
    versions = image.offset(last[tags.DT_VERSYM], 2 * count)
    symbols = image.offset(last[tags.DT_SYMTAB], size * count)
    section = 6 if image.bits == 64 else 14
    for number in range(count):
        (has,) = struct.unpack_from(image.order + "H", data, versions + 2 * number)
        (defined,) = struct.unpack_from(image.order + "H", data, symbols + size * number + section)
        if defined and has & ~_HIDDEN:
            put(versions + 2 * number, struct.pack(image.order + "H", place.number))
    return OwnVersion(_symbolic(bytes(changed)), version, read_elf("", data).exports.names)


def _symbolic(data: bytes) -> bytes:
    """The library with ``DT_SYMBOLIC``: what it calls of its own is its own."""
    linkage = read_linkage(data)
    if linkage is not None and len(linkage.entries) + 2 > linkage.slots:
        data, _ = with_room(data, 0, 1)
        linkage = read_linkage(data)
    if linkage is None:
        raise ElfError("it lost its dynamic segment")
    entry = struct.Struct(linkage.image.order + ("QQ" if linkage.image.bits == 64 else "II"))
    table = b"".join(entry.pack(*each) for each in (*linkage.entries, (_DT_SYMBOLIC, 0)))
    at = linkage.dynamic.offset
    return data[:at] + table + data[at + len(table) :]


def _verdefs(linkage: Linkage) -> List[_Verdef]:
    image, last = linkage.image, linkage.last
    verdef = struct.Struct(image.order + "HHHHIII")
    at = image.offset(last[tags.DT_VERDEF], verdef.size)
    found = []
    for _ in range(last.get(tags.DT_VERDEFNUM, 0)):
        _, _, index, _, _, aux, following = verdef.unpack_from(image.data, at)
        (name,) = struct.unpack_from(image.order + "I", image.data, at + aux)
        found.append(_Verdef(at, index & ~_HIDDEN, name))
        if following == 0:
            break
        at += following
    return found


def bound_to(name: str, data: bytes, soname: str, library: OwnVersion) -> bytes:
    """The file ``name``, which needs ``soname``, with all that it calls of ``library`` bound to it.

    Raises ElfError where the file cannot be changed.
    """
    linkage = read_linkage(data)
    if linkage is None or tags.DT_VERSYM not in linkage.last:
        return data  # it asks for names alone, and cannot do otherwise
    wanted = {
        reference.index: Binding(library.version, soname, exact=True)
        for reference in linkage.references
        if reference.library == soname
        or (reference.library is None and reference.name in library.names)
    }
    dropped = frozenset((n.library, n.version) for n in linkage.needs if n.library == soname)
    plan = Plan(wanted, dropped, (), ())
    try:
        after = rewritten(data, plan, Additions(), with_room)
    except ElfError as error:
        raise ElfError(f"{name}: it cannot be bound to {soname}: {error.message}") from error
    verify(name, data, after, plan, Additions())
    return after
