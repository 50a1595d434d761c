"""A reader of ZIP archives that accepts nothing but the plainest form.

Written from the specification alone (APPNOTE.TXT), sharing no line with the
code it judges: members follow each other from the first byte to the central
directory, which describes each exactly as its own local header does.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Dict, Tuple


def number(data: bytes, start: int, length: int) -> int:
    """The little-endian number in ``length`` bytes at ``start``."""
    assert start + length <= len(data), "a field lies beyond the end"
    return int.from_bytes(data[start : start + length], "little")


def read_strictly(path: Path) -> Dict[str, bytes]:
    """Every member's bytes, in file order; AssertionError for any liberty taken."""
    data = path.read_bytes()
    end = len(data) - 22
    assert data[end : end + 4] == b"PK\5\6", "no end record in the last 22 bytes"
    assert number(data, end + 4, 4) == 0, "several disks"
    assert number(data, end + 20, 2) == 0, "an archive comment"
    count, size, offset = _totals(data, end)
    members: Dict[str, bytes] = {}
    entry, place = offset, 0
    for _ in range(count):
        assert data[entry : entry + 4] == b"PK\1\2", "no central header"
        name_length = number(data, entry + 28, 2)
        extra_length = number(data, entry + 30, 2)
        raw_name = data[entry + 46 : entry + 46 + name_length]
        header_offset = number(data, entry + 42, 4)
        if extra_length:
            extra = data[entry + 46 + name_length : entry + 46 + name_length + extra_length]
            assert header_offset == 0xFFFFFFFF, "an extra field without need"
            assert extra[:4] == b"\x01\x00\x08\x00", "an extra field that is not zip64"
            assert extra_length == 12
            header_offset = number(extra, 4, 8)
        assert number(data, entry + 32, 2) == 0, "a comment"
        assert number(data, entry + 34, 2) == 0, "a disk number"
        assert header_offset == place, "a gap, an overlap, or another order"
        name, content, place = _local(data, place, raw_name, data[entry + 6 : entry + 30])
        assert name not in members, "a name twice"
        members[name] = content
        entry += 46 + name_length + extra_length
    assert place == offset, "a gap before the central directory"
    assert entry == offset + size, "a gap after the central directory"
    return members


def _totals(data: bytes, end: int) -> Tuple[int, int, int]:
    """Count, size and offset of the central directory, which touches the end records."""
    count, size, offset = (number(data, end + at, n) for at, n in ((10, 2), (12, 4), (16, 4)))
    assert number(data, end + 8, 2) == count
    if data[end - 20 : end - 16] == b"PK\6\7":
        assert count == 0xFFFF or 0xFFFFFFFF in (size, offset), "zip64 without need"
        record = end - 20 - 56
        assert number(data, end - 12, 8) == record, "the locator points elsewhere"
        assert data[record : record + 4] == b"PK\6\6"
        assert number(data, record + 4, 8) == 44
        assert number(data, record + 24, 8) == number(data, record + 32, 8)
        wide = [number(data, record + at, 8) for at in (32, 40, 48)]
        for narrow, value, limit in zip(
            (count, size, offset), wide, (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        ):
            assert narrow == min(value, limit)
        count, size, offset = wide
        end = record
    assert offset + size == end, "the central directory does not touch the end record"
    return count, size, offset


def _local(data: bytes, place: int, raw_name: bytes, described: bytes) -> Tuple[str, bytes, int]:
    """Name, bytes and end of the member at ``place``.

    ``described`` is what the central directory has from "version needed" to
    the length of the name; the local header has the same fields in this order.
    """
    assert data[place : place + 4] == b"PK\3\4", "no local header"
    assert data[place + 4 : place + 28] == described, "the local header says something else"
    assert number(data, place + 28, 2) == 0, "a local extra field"
    start = place + 30 + len(raw_name)
    assert data[place + 30 : start] == raw_name, "the local header has another name"
    version, flags, method = (number(described, at, 2) for at in (0, 2, 4))
    crc, packed, size = (number(described, at, 4) for at in (10, 14, 18))
    assert 0xFFFFFFFF not in (packed, size)
    assert flags in (0, 0x800), "a flag other than UTF-8, such as a data descriptor"
    assert method in (0, 8), "neither stored nor deflated"
    assert version == (20 if method else 10)
    name = raw_name.decode("utf-8" if flags else "ascii")
    raw = data[start : start + packed]
    assert len(raw) == packed
    if method:
        inflate = zlib.decompressobj(-15)
        content = inflate.decompress(raw)
        assert inflate.eof, "the deflate stream does not end"
        assert not inflate.unused_data, "the deflate stream ends early"
    else:
        content = raw
    assert len(content) == size, "another size"
    assert zlib.crc32(content) == crc, "another checksum"
    return name, content, start + packed
