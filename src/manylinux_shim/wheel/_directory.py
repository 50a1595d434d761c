"""What a wheel's central directory says, believed only where all else agrees.

The central directory says what the archive holds, every local header has to
say the same, and no byte belongs to two members: two readers of a file that
passes here see the same members with the same sizes.

The standard library's ``zipfile`` reads the directory too, but takes the local
headers as they come, finds a directory behind any garbage, and builds an
object per member that costs more than all the checks below.
"""

from __future__ import annotations

import re
import struct
from typing import Dict, List, NamedTuple, Set, Tuple

from manylinux_shim.wheel._format import (
    CENTRAL_HEADER,
    CENTRAL_MAGIC,
    DEFLATED,
    DESCRIPTOR_MAGIC,
    END,
    END_64,
    END_64_MAGIC,
    END_MAGIC,
    EXTRA_UNICODE_PATH,
    EXTRA_ZIP64,
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_UTF8,
    LOCAL_HEADER,
    LOCAL_MAGIC,
    LOCATOR_64,
    LOCATOR_64_MAGIC,
    MAX_16,
    MAX_32,
    MOST_IN_MEMBER,
    STORED,
    Member,
    Source,
)

# Far beyond any wheel, and few enough to be decided within a second.
MOST_MEMBERS = 100_000
MOST_IN_DIRECTORY = 16 * 2**20
MOST_EXTRA_FIELDS = 64
MOST_BETWEEN_MEMBERS = 2**20
# What the Python Package Index refuses as a decompression bomb, measured over
# the whole file; one member may be twice as dense.
RATIO_MATTERS_ABOVE = 64 * 2**20
MOST_RATIO = 50

_NEWEST_VERSION = 63  # 4.4.3
_UNREADABLE_FLAGS = FLAG_ENCRYPTED | 0x0020 | 0x0040 | 0x2000  # 4.4.4: bits 0, 5, 6 and 13
_FLAGS_THAT_AGREE = FLAG_ENCRYPTED | FLAG_DESCRIPTOR | FLAG_UTF8
# Nothing that denotes another place, or the same place twice: no absolute name,
# no drive, no backslash, no empty, "." or ".." component. Nor control
# characters, which terminals obey and RECORD could not always hold.
_UNSAFE_NAME = re.compile(r"[\\\x00-\x1f\x7f]|\A[A-Za-z]:|(?:\A|/)\.{0,2}(?:/|\Z)")
# A deflate stream cannot be denser than 258 bytes for two bits (RFC 1951, 3.2.5).
_DENSEST_DEFLATE = 1032


class _End(NamedTuple):
    """What the end of central directory record says, zip64 or not."""

    members: int
    size: int
    offset: int


class Directory(NamedTuple):
    """Every member of an archive, and where each one's data begin."""

    members: Tuple[Member, ...]
    """In the order of the central directory."""
    data_offsets: Dict[int, int]
    """In bytes from the start of the file, by the offset of the local header."""


def read_directory(source: Source) -> Directory:
    """What the archive holds, when all of it agrees.

    Raises WheelError for a file that is no ZIP archive, that is truncated or
    inconsistent, or that asks for more than any wheel needs. What is read and
    done is bounded by the size of the file.
    """
    end = _read_end(source)
    data = source.at(end.offset, end.size)
    members: List[Member] = []
    raw_names: List[bytes] = []
    names: Set[str] = set()
    place = 0
    for _ in range(end.members):
        member, raw_name, place = _read_member(source, data, place)
        key = member.name.rstrip("/")
        if key in names:
            raise source.error("the archive holds this name twice", member.name)
        names.add(key)
        members.append(member)
        raw_names.append(raw_name)
    if place != end.size:
        raise source.error("the central directory holds more than its members")
    _check_density(source, members)
    return Directory(tuple(members), _check_layout(source, members, raw_names, end.offset))


def _read_end(source: Source) -> _End:
    """Find and check the end of the central directory: 4.3.14 to 4.3.16."""
    if source.size < END.size:
        raise source.error("this is not a ZIP archive")
    place = source.size - END.size
    tail = source.at(place, END.size)
    if not (tail.startswith(END_MAGIC) and tail.endswith(b"\0\0")):
        # A comment follows the record. Only the last possible record counts, so
        # that no other reader can find another one.
        start = max(0, place - MAX_16)
        tail = source.at(start, source.size - start)
        found = tail.rfind(END_MAGIC, 0, len(tail) - END.size + len(END_MAGIC))
        if found < 0:
            raise source.error("this is not a ZIP archive, or its end is missing")
        tail = tail[found:]
        place = start + found
    _, disk, first_disk, here, members, size, offset, comment = END.unpack_from(tail)
    if comment != len(tail) - END.size:
        raise source.error("bytes follow the end of the archive, or some are missing")
    end = _End(members, size, offset)
    if place >= LOCATOR_64.size:
        locator = source.at(place - LOCATOR_64.size, LOCATOR_64.size)
        if locator.startswith(LOCATOR_64_MAGIC):
            place, end, here = _read_end_64(source, place - LOCATOR_64.size, locator, end)
    if disk or first_disk or here != end.members:
        raise source.error("it is one part of several, which a wheel never is")
    if end.offset + end.size != place:
        raise source.error("the central directory is not where the end record says")
    if end.members > MOST_MEMBERS or end.size > MOST_IN_DIRECTORY:
        raise source.error(
            f"its directory of {end.members} members in {end.size} bytes is beyond the"
            f" {MOST_MEMBERS} members in {MOST_IN_DIRECTORY} bytes that are read"
        )
    return end


def _read_end_64(source: Source, place: int, locator: bytes, small: _End) -> Tuple[int, _End, int]:
    """The zip64 end record before the locator at ``place``: 4.3.14.

    Where it begins, what it says, and how many members this part holds. It may
    only add what the fields of ``small`` are too narrow for.
    """
    _, disk, offset, disks = LOCATOR_64.unpack(locator)
    if offset + END_64.size != place or disk or disks > 1:
        raise source.error("the zip64 end record is not where its locator says")
    magic, length, _, _, disk, first_disk, here, *values = END_64.unpack(
        source.at(offset, END_64.size)
    )
    end = _End(*values)
    agrees = all(
        narrow in (wide, limit) for narrow, wide, limit in zip(small, end, (MAX_16, MAX_32, MAX_32))
    )
    if magic != END_64_MAGIC or length != END_64.size - 12 or disk or first_disk or not agrees:
        raise source.error("the zip64 end record contradicts the end record")
    return offset, end, here


def _read_member(source: Source, directory: bytes, place: int) -> Tuple[Member, bytes, int]:
    """The member at ``place`` of the directory (4.3.12), its name as it stands there,
    and where the next member begins.
    """
    begin = place + CENTRAL_HEADER.size
    if begin > len(directory):
        raise source.error("the central directory ends within a member")
    (
        magic,
        made_by,
        version,
        flags,
        method,
        time,
        date,
        crc,
        packed,
        size,
        name_length,
        extra_length,
        comment_length,
        disk,
        _,
        attributes,
        offset,
    ) = CENTRAL_HEADER.unpack_from(directory, place)
    extra_begin = begin + name_length
    next_place = extra_begin + extra_length + comment_length
    if magic != CENTRAL_MAGIC or next_place > len(directory):
        raise source.error("the central directory is damaged")
    raw_name = directory[begin:extra_begin]
    name = _decode_name(source, raw_name, flags)
    if extra_length:
        extra = _fields(source, name, directory[extra_begin : extra_begin + extra_length])
        size, packed, offset = _widened(source, name, extra, (size, packed, offset))
        second_name = extra.get(EXTRA_UNICODE_PATH)
        if second_name is not None and second_name[5:] != name.encode():
            raise source.error("an extra field gives it a second name", name)
    if flags & _UNREADABLE_FLAGS:
        raise source.error("it is encrypted or patched, which a wheel's members never are", name)
    if version & 0xFF > _NEWEST_VERSION:
        raise source.error("installers do not know this version of the format", name)
    if method not in (STORED, DEFLATED) or disk:
        raise source.error("a wheel's members are stored or deflated, and in one file", name)
    if size > MOST_IN_MEMBER or size > packed * _DENSEST_DEFLATE:
        raise source.error(f"it claims to hold {size} bytes in {packed}", name)
    if (method == STORED and size != packed) or (name.endswith("/") and size):
        raise source.error(f"its sizes {size} and {packed} contradict each other", name)
    member = Member(
        name, size, packed, crc, method, offset, attributes, made_by, date << 16 | time, flags
    )
    return member, raw_name, next_place


def _decode_name(source: Source, raw: bytes, flags: int) -> str:
    """A member's name (appendix D), which must be relative and unambiguous."""
    try:
        name = raw.decode("utf-8" if flags & FLAG_UTF8 or raw.isascii() else "cp437")
    except UnicodeDecodeError:
        raise source.error("its name is not UTF-8", repr(raw)) from None
    if not is_safe(name):
        raise source.error("its name leads out of the wheel or is ambiguous", name)
    return name


def is_safe(name: str) -> bool:
    """Whether a member's name denotes a place in the wheel, and no other name does."""
    return not _UNSAFE_NAME.search(name[:-1] if name.endswith("/") else name)


def _fields(source: Source, name: str, extra: bytes) -> Dict[int, bytes]:
    """Extra fields by their id (4.5.1), the first of each; a malformed rest is left out."""
    fields: Dict[int, bytes] = {}
    place = 0
    for _ in range(MOST_EXTRA_FIELDS):
        if place + 4 > len(extra):
            return fields
        key, length = struct.unpack_from("<HH", extra, place)
        fields.setdefault(key, extra[place + 4 : place + 4 + length])
        place += 4 + length
    raise source.error("it has too many extra fields", name)


def _widened(
    source: Source, name: str, extra: Dict[int, bytes], values: Tuple[int, ...]
) -> Tuple[int, ...]:
    """``values``, those that did not fit into 32 bits taken from the zip64 field: 4.5.3."""
    if MAX_32 not in values:
        return values
    wide = extra.get(EXTRA_ZIP64, b"")
    widened: List[int] = []
    for value in values:
        if value == MAX_32:
            if len(wide) < 8:
                raise source.error("its zip64 sizes are missing", name)
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        widened.append(value)
    return tuple(widened)


def _check_density(source: Source, members: List[Member]) -> None:
    """Raise WheelError for a decompression bomb, by the package index's own rule."""
    total = sum(member.size for member in members)
    if total > max(RATIO_MATTERS_ABOVE, MOST_RATIO * source.size):
        raise source.error(f"{source.size} bytes claim to hold {total}: a decompression bomb")
    for member in members:
        if member.size > max(RATIO_MATTERS_ABOVE, 2 * MOST_RATIO * member.compressed_size):
            raise source.error(f"it claims to hold {member.size} bytes: a bomb", member.name)


def _check_layout(
    source: Source, members: List[Member], raw_names: List[bytes], directory: int
) -> Dict[int, int]:
    """Where each member's data begins, by the offset of its local header.

    No byte is in two members. Between them are data descriptors and, from old
    tools, a little padding, which is read over and never written; a local
    header in it would be a member to readers that do not look at the directory.
    """
    data_offsets: Dict[int, int] = {}
    place = padding = 0
    in_file = sorted(zip(members, raw_names), key=lambda pair: pair[0].header_offset)
    for member, raw_name in in_file:
        start = member.header_offset
        if start < place:
            raise source.error("it overlaps another member", member.name)
        if start > place:
            padding += start - place
            _check_padding(source, place, start, padding)
        data_offsets[start] = _check_local(source, member, raw_name)
        place = data_offsets[start] + member.compressed_size
        if place > directory:
            raise source.error("it overlaps the central directory", member.name)
        if member.flags & FLAG_DESCRIPTOR:
            place += _descriptor_size(source, member, place, directory)
    if place < directory:
        _check_padding(source, place, directory, padding + directory - place)
    return data_offsets


def _check_local(source: Source, member: Member, raw_name: bytes) -> int:
    """Offset of the member's data, after its local header (4.3.7) has said the same."""
    name_offset = member.header_offset + LOCAL_HEADER.size
    extra_offset = name_offset + len(raw_name)
    header = source.at(member.header_offset, extra_offset - member.header_offset)
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = (
        LOCAL_HEADER.unpack_from(header)
    )
    if magic != LOCAL_MAGIC or name_length != len(raw_name) or not header.endswith(raw_name):
        raise source.error("its local header is not there, or bears another name", member.name)
    if MAX_32 in (size, packed):
        extra = _fields(source, member.name, source.at(extra_offset, extra_length))
        size, packed = _widened(source, member.name, extra, (size, packed))
    known = (member.crc, member.size, member.compressed_size)
    found = (crc, size, packed)
    # With a data descriptor the values follow the data (4.4.4, bit 3) and are
    # zero here, unless they were known already.
    same = found == known or (
        member.flags & FLAG_DESCRIPTOR
        and all(value in (0, expected) for value, expected in zip(found, known))
    )
    if not same or method != member.compression or (flags ^ member.flags) & _FLAGS_THAT_AGREE:
        raise source.error("its local header differs from the central directory", member.name)
    return extra_offset + int(extra_length)


def _descriptor_size(source: Source, member: Member, start: int, end: int) -> int:
    """Length of the data descriptor at ``start``, in any of its four forms: 4.3.9."""
    found = source.at(start, min(end - start, 24))
    for form in ("<LLL", "<LQQ"):
        plain = struct.pack(form, member.crc, member.compressed_size, member.size)
        for descriptor in (DESCRIPTOR_MAGIC + plain, plain):
            if found.startswith(descriptor):
                return len(descriptor)
    raise source.error("its data descriptor differs from the central directory", member.name)


def _check_padding(source: Source, start: int, end: int, total: int) -> None:
    if total > MOST_BETWEEN_MEMBERS or LOCAL_MAGIC in source.at(start, end - start):
        raise source.error(f"its bytes from {start} to {end} belong to no member")
