"""Writing a wheel anew, without compressing again what did not change.

The result keeps every rule that the Python Package Index checks at upload:
stored or deflated members only, each described alike by its local header and
the central directory, in the order of the file, without data descriptors,
gaps, extra fields (zip64 offsets aside), comments, or bytes before or after.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
import zlib
from pathlib import Path
from typing import BinaryIO, Collection, Iterator, List, Mapping, Optional, Tuple

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel._archive import Archive
from manylinux_shim.wheel._directory import is_safe
from manylinux_shim.wheel._format import (
    CENTRAL_HEADER,
    CENTRAL_MAGIC,
    DEFLATED,
    END,
    END_64,
    END_64_MAGIC,
    END_MAGIC,
    EXTRA_ZIP64,
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
)

_BUFFER = 2**20
_UNIX = 3 << 8
_REGULAR_0644 = 0o100644 << 16
_SHARED_LIBRARY = re.compile(r"\.so(\.\d+)*$")
_MIDNIGHT_1980 = 1 << 21 | 1 << 16  # the earliest date that MS-DOS has
_1980 = 315532800
_END_OF_2107 = 4354819199
_VERSION = {STORED: 10, DEFLATED: 20}  # 4.4.3: version needed to extract
_VERSION_64 = 45


def rewrite(
    archive: Archive,
    destination: Path,
    *,
    changed: Mapping[str, bytes] = {},
    added: Mapping[str, bytes] = {},
    removed: Collection[str] = (),
    epoch: Optional[int] = None,
) -> None:
    """Write ``archive`` to ``destination`` with some members changed, added or removed.

    What does not change is copied as it is compressed. The order stays, except
    that ``*.dist-info`` comes last and RECORD at the very end, as the wheel
    specification recommends; what is added stands before it, in the mapping's
    order. Entries of directories are dropped: a wheel's installer makes the
    directories that files need, and RECORD names none. Changed members keep
    date and attributes; added ones take the date of the archive's last member
    and mode 0644, so that the same input gives the same bytes. With ``epoch``,
    in seconds since 1970 (UTC), every member bears that date instead, and mode 0755 or
    0644, whatever the umask of whoever built it.

    The file appears under its name only when it is complete, with the
    permissions that the umask gives; ``destination`` may be the archive itself.

    Raises WheelError, and leaves no file, if it cannot be written, if a changed
    or removed member does not exist, or an added one does.
    """
    _check_names(archive, changed, added, removed)
    with _appearing(destination) as file:
        entries: List[Member] = []
        for member in _in_order(archive, added, removed):
            if epoch is not None:
                member = member._replace(
                    date_time=_dos_time(epoch), external_attr=_plain_mode(member)
                )
            data = changed.get(member.name, added.get(member.name))
            if data is None:
                entries.append(_begin(file, member))
                for piece in archive.raw(member):
                    file.write(piece)
            else:
                member, packed = _compress(member, data)
                entries.append(_begin(file, member))
                file.write(packed)
        _end(file, entries)


def _plain_mode(member: Member) -> int:
    """The attributes with 0755 for what its owner may execute, 0644 for all other files.

    Shared libraries are 0755, as linkers leave them: CMake installs them so, or as Debian's policy
    has it, depending on the system and on whether it builds for another one.
    """
    mode = member.external_attr >> 16
    if member.made_by >> 8 != _UNIX >> 8 or not stat.S_ISREG(mode):
        return member.external_attr
    plain = 0o755 if mode & stat.S_IXUSR or _SHARED_LIBRARY.search(member.name) else 0o644
    return (stat.S_IFREG | plain) << 16 | member.external_attr & 0xFFFF


def _dos_time(epoch: int) -> int:
    """Seconds since 1970 as MS-DOS has date and time: in steps of 2 s, from 1980 to 2107."""
    year, month, day, hour, minute, second, *_ = time.gmtime(min(max(epoch, _1980), _END_OF_2107))
    date = (year - 1980) << 9 | month << 5 | day
    return date << 16 | hour << 11 | minute << 5 | second // 2


def _check_names(
    archive: Archive,
    changed: Mapping[str, bytes],
    added: Mapping[str, bytes],
    removed: Collection[str],
) -> None:
    missing = [name for name in (*changed, *removed) if archive.find(name) is None]
    wrong = [name for name in added if archive.find(name) is not None or not is_safe(name)]
    for name in missing + wrong:
        raise WheelError(
            f"{archive.path}: member {name!r} cannot be {'added' if name in wrong else 'changed'}",
            "Change members that are there, and add those that are not, under relative names.",
        )


def _in_order(
    archive: Archive, added: Mapping[str, bytes], removed: Collection[str]
) -> List[Member]:
    """The members of the new archive; the added ones are described, but for their data."""
    date_time = archive.members[-1].date_time if archive.members else _MIDNIGHT_1980
    fresh = (
        Member(name, 0, 0, 0, DEFLATED, 0, _REGULAR_0644, _UNIX, date_time, 0) for name in added
    )
    kept = (m for m in archive.members if not m.is_dir and m.name not in removed)
    return sorted((*kept, *fresh), key=lambda member: _rank(member.name))


def _rank(name: str) -> int:
    """Package first, then ``*.dist-info``, its RECORD last: PEP 427, "Archive format"."""
    directory, _, rest = name.partition("/")
    if not directory.endswith(".dist-info") or not rest:
        return 0
    return 2 if rest == "RECORD" else 1


def _compress(member: Member, data: bytes) -> Tuple[Member, bytes]:
    """The member with ``data`` in it, and the data as it is to be written."""
    if len(data) > MOST_IN_MEMBER:
        raise WheelError(
            f"{member.name} would have {len(data)} bytes",
            "A wheel's member holds at most 4 GiB: split the file, or strip it.",
        )
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = deflate.compress(data) + deflate.flush()
    method = DEFLATED
    if len(packed) >= len(data):
        packed, method = data, STORED
    member = member._replace(
        size=len(data), compressed_size=len(packed), crc=zlib.crc32(data), compression=method
    )
    return member, packed


def _begin(file: BinaryIO, member: Member) -> Member:
    """Write the member's local header; the member as it stands in the new file."""
    name = member.name.encode()
    member = member._replace(header_offset=file.tell(), flags=0 if name.isascii() else FLAG_UTF8)
    file.write(
        LOCAL_HEADER.pack(
            LOCAL_MAGIC,
            _VERSION[member.compression],
            member.flags,
            member.compression,
            member.date_time & MAX_16,
            member.date_time >> 16,
            member.crc,
            member.compressed_size,
            member.size,
            len(name),
            0,
        )
        + name
    )
    return member


def central_entry(member: Member) -> bytes:
    """The member's entry in the central directory, with a zip64 field where it needs one."""
    name = member.name.encode()
    offset, extra, version = member.header_offset, b"", _VERSION[member.compression]
    if offset >= MAX_32:
        extra = EXTRA_ZIP64.to_bytes(2, "little") + b"\x08\x00" + offset.to_bytes(8, "little")
        offset, version = MAX_32, _VERSION_64
    header = CENTRAL_HEADER.pack(
        CENTRAL_MAGIC,
        # Which system's attributes these are stays; the version of the
        # specification is the one that was needed to write this.
        (member.made_by & 0xFF00) | version,
        version,
        member.flags,
        member.compression,
        member.date_time & MAX_16,
        member.date_time >> 16,
        member.crc,
        member.compressed_size,
        member.size,
        len(name),
        len(extra),
        0,
        0,
        0,
        member.external_attr,
        offset,
    )
    return header + name + extra


def end_records(count: int, size: int, offset: int) -> bytes:
    """What follows a central directory of ``count`` members in ``size`` bytes at ``offset``."""
    records = b""
    if count >= MAX_16 or size >= MAX_32 or offset >= MAX_32:
        version = _VERSION_64
        records = END_64.pack(
            END_64_MAGIC, END_64.size - 12, version, version, 0, 0, count, count, size, offset
        ) + LOCATOR_64.pack(LOCATOR_64_MAGIC, 0, offset + size, 1)
    short = min(count, MAX_16)
    return records + END.pack(
        END_MAGIC, 0, 0, short, short, min(size, MAX_32), min(offset, MAX_32), 0
    )


def _end(file: BinaryIO, entries: List[Member]) -> None:
    """Write the central directory and its end."""
    offset = file.tell()
    for member in entries:
        file.write(central_entry(member))
    file.write(end_records(len(entries), file.tell() - offset, offset))


@contextlib.contextmanager
def _appearing(destination: Path) -> Iterator[BinaryIO]:
    """A file that gets the name ``destination`` if all goes well, and else is gone."""
    # The name says nothing of the destination's, which may be as long as a
    # name can be.
    temporary = destination.with_name(f".manylinux-shim-{os.urandom(8).hex()}")
    try:
        try:
            with temporary.open("xb", buffering=_BUFFER) as file:
                yield file
            temporary.replace(destination)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise WheelError(
            f"cannot write {destination}: {error.strerror or error}",
            "Make sure that its directory exists, can be written and has space left.",
        ) from error
