"""Archives as other tools write them are read; those that lie are refused."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict

import pytest
from small_wheels import Raw, by_hand, contents, deflated, noise, write, zipped

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel import Archive

HONEST: Dict[str, Callable[[], bytes]] = {
    "deflated": lambda: zipped(contents()),
    "stored": lambda: zipped(contents(), method=zipfile.ZIP_STORED),
    "data descriptors": lambda: zipped(contents(), stream=True),
    "stored with data descriptors": lambda: zipped(
        contents(), stream=True, method=zipfile.ZIP_STORED
    ),
    "zip64 data descriptors": lambda: zipped(contents(), stream=True, force_zip64=True),
    "zip64 in local headers": lambda: zipped(contents(), force_zip64=True),
    "directories": lambda: zipped(contents(), directories=["small/", "small-1.0.dist-info/"]),
    "comments": lambda: zipped(contents(), comment=b"of the archive", member_comment=b"mine"),
    "a comment that starts like a local header": lambda: zipped(contents(), comment=b"PK\3\4"),
    "extra fields": lambda: zipped(contents(), extra=struct.pack("<HHL", 0x5455, 4, 1)),
    "names beyond ASCII": lambda: zipped({**contents(), "small/données.txt": b"?"}),
    "no members": lambda: zipped({}),
    "padding": lambda: by_hand([Raw(b"a", after=b"\0" * 5), Raw(b"b")], gap=b"\0" * 9),
    "bytes before the first member": lambda: by_hand([Raw()], before=b"#!/bin/sh\n"),
    "another order": lambda: zipped(dict(reversed(list(contents().items())))),
    "zip64 in the directory": lambda: by_hand(
        [
            Raw(
                extra=struct.pack("<HHQQQ", 1, 24, 5, 5, 0),
                size=0xFFFFFFFF,
                packed=0xFFFFFFFF,
                offset=0xFFFFFFFF,
                local_extra=struct.pack("<HHQQ", 1, 16, 5, 5),
            )
        ]
    ),
}


@pytest.mark.parametrize("kind", HONEST)
def test_honest_archives_are_read_as_zipfile_reads_them(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, HONEST[kind]())
    with Archive(path) as archive, zipfile.ZipFile(path) as expected:
        assert [m.name for m in archive.members] == expected.namelist()
        for member, info in zip(archive.members, expected.infolist()):
            data = expected.read(info)
            assert archive.read(member) == data
            for count in (1, 4, 10_000):
                assert archive.head(member, count) == data[:count]
            assert (member.size, member.compressed_size) == (info.file_size, info.compress_size)
            assert (member.crc, member.compression) == (info.CRC, info.compress_type)
            assert (member.is_dir, member.external_attr) == (info.is_dir(), info.external_attr)
            assert archive.find(member.name) is member
    assert archive.find("missing") is None


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
@pytest.mark.parametrize("make", [bytes, noise])
def test_members_of_any_size_come_out_whole(
    size: int, make: Callable[[int], bytes], tmp_path: Path
) -> None:
    data = make(size)  # zeros end a stream with much output behind its last input
    path = write(tmp_path, zipped({"a": data}))
    with Archive(path) as archive:
        (member,) = archive.members
        assert archive.read(member) == data
        assert archive.head(member, 5000) == data[:5000]


def test_threads_may_read_one_archive(tmp_path: Path) -> None:
    members = {f"{n}": noise(50_000, n) for n in range(40)}
    with Archive(write(tmp_path, zipped(members))) as archive, ThreadPoolExecutor(4) as pool:
        assert dict(zip(members, pool.map(archive.read, archive.members))) == members


ZEROS = bytes(70 * 2**20)
FALSE_NAME = struct.pack("<HHB", 0x7075, 10, 1) + struct.pack("<L", zlib.crc32(b"a")) + b"other"
HOSTILE_STRUCTURE: Dict[str, Callable[[], bytes]] = {
    "empty file": lambda: b"",
    "not an archive": lambda: b"not an archive" * 100,
    "only the signature": lambda: b"PK\5\6",
    "truncated at the end": lambda: zipped(contents())[:-1],
    "truncated in the directory": lambda: zipped(contents())[:-100],
    "truncated in a member": lambda: zipped(contents())[:500],
    "start missing": lambda: zipped(contents())[10:],
    "trailing garbage": lambda: zipped(contents()) + b"\0",
    "an archive behind the archive": lambda: zipped(contents()) + zipped({"a": b""}),
    "an archive in the comment": lambda: zipped(contents(), comment=zipped({"a": b""})),
    "gap before the end record": lambda: by_hand([Raw()], offset=0),
    "directory too long": lambda: by_hand([Raw(), Raw(b"b")], count=1),
    "directory too short": lambda: by_hand([Raw()], count=2),
    "several disks": lambda: by_hand([Raw()], disk=1, first_disk=1),
    "some members elsewhere": lambda: by_hand([Raw()], here=0),
    "a newer format": lambda: by_hand([Raw(version=64)]),
    "member on another disk": lambda: by_hand([Raw(disk=1)]),
    "comment shorter than said": lambda: by_hand([Raw()], comment=5, tail=b"four"),
    "absolute name": lambda: by_hand([Raw(b"/etc/passwd")]),
    "parent": lambda: by_hand([Raw(b"a/../../b")]),
    "parent at the start": lambda: by_hand([Raw(b"../b")]),
    "parent at the end": lambda: by_hand([Raw(b"a/..")]),
    "parent as directory": lambda: by_hand([Raw(b"a/../", b"")]),
    "dot": lambda: by_hand([Raw(b"a/./b")]),
    "empty component": lambda: by_hand([Raw(b"a//b")]),
    "empty name": lambda: by_hand([Raw(b"")]),
    "drive": lambda: by_hand([Raw(b"C:/b")]),
    "line break": lambda: by_hand([Raw(b"a\nb")]),
    "terminal escape": lambda: by_hand([Raw(b"a\x1b[2J")]),
    "backslash": lambda: by_hand([Raw(b"a\\..\\b")]),
    "NUL": lambda: by_hand([Raw(b"a\0.py")]),
    "name that is not UTF-8": lambda: by_hand([Raw(b"\xff\xfe", flags=0x800)]),
    "name twice": lambda: by_hand([Raw(b"a"), Raw(b"a")]),
    "file and directory of one name": lambda: by_hand([Raw(b"a"), Raw(b"a/", b"")]),
    "second name in an extra field": lambda: by_hand([Raw(b"a", extra=FALSE_NAME)]),
    "directory with bytes": lambda: by_hand([Raw(b"a/")]),
    "encrypted": lambda: by_hand([Raw(flags=1)]),
    "strongly encrypted": lambda: by_hand([Raw(flags=0x41)]),
    "bzip2": lambda: zipped(contents(), method=zipfile.ZIP_BZIP2),
    "lzma": lambda: zipped(contents(), method=zipfile.ZIP_LZMA),
    "another local name": lambda: by_hand([Raw(b"a", local_name=b"b")]),
    "longer local name": lambda: by_hand([Raw(b"a", local_name=b"ab")]),
    "another local size": lambda: by_hand([Raw(local_size=4)]),
    "another local packed size": lambda: by_hand([Raw(local_packed=4)]),
    "another local checksum": lambda: by_hand([Raw(local_crc=4)]),
    "another local method": lambda: by_hand([Raw(local_method=8)]),
    "descriptor flag here only": lambda: by_hand([Raw(local_flags=8, local_size=0)]),
    "descriptor flag there only": lambda: by_hand([Raw(flags=8, local_flags=0)]),
    "descriptor missing": lambda: by_hand([Raw(flags=8)]),
    "descriptor lies": lambda: by_hand(
        [Raw(flags=8, after=struct.pack("<4sLLL", b"PK\7\x08", zlib.crc32(b"hello"), 5, 6))]
    ),
    "stored sizes differ": lambda: by_hand([Raw(size=6)]),
    "zip64 sizes missing": lambda: by_hand([Raw(size=0xFFFFFFFF, packed=0xFFFFFFFF)]),
    "zip64 field too short": lambda: by_hand(
        [Raw(size=0xFFFFFFFF, extra=struct.pack("<HHL", 1, 4, 0))]
    ),
    "too many extra fields": lambda: by_hand([Raw(extra=b"\0\0\0\0" * 500)]),
    "no local header there": lambda: by_hand([Raw(offset=3)]),
    "local header beyond the file": lambda: by_hand([Raw(offset=2**31)]),
    "two members in one place": lambda: by_hand([Raw(b"a"), Raw(b"a", offset=0)]),
    "overlap": lambda: by_hand([Raw(b"a", by_hand([Raw(b"b")])[:36]), Raw(b"b", offset=31)]),
    "data reaches into the directory": lambda: by_hand([Raw(size=90, packed=90)]),
    "hidden member": lambda: by_hand([Raw()], gap=by_hand([Raw(b"b")])[:36]),
    "hidden first member": lambda: by_hand([Raw()], before=by_hand([Raw(b"b")])[:36]),
    "much that belongs to nobody": lambda: by_hand([Raw()], gap=bytes(2**20 + 1)),
    "bomb by ratio": lambda: by_hand([deflated(ZEROS)]),
    "bomb in small pieces": lambda: by_hand(
        [deflated(ZEROS[: 2**23], name=b"%d" % n) for n in range(9)]
    ),
    "denser than deflate can be": lambda: by_hand([Raw(method=8, size=2**31)]),
    "more members than any wheel": lambda: by_hand([Raw()], count=0xFFFF),
}


@pytest.mark.parametrize("kind", HOSTILE_STRUCTURE)
def test_hostile_structure_is_refused_at_opening(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, HOSTILE_STRUCTURE[kind]())
    with pytest.raises(WheelError, match=path.name) as caught:
        Archive(path)
    assert caught.value.remedy


HOSTILE_CONTENT: Dict[str, Callable[[], Raw]] = {
    "more than declared": lambda: deflated(b"hello" * 99, size=494),
    "much more than declared": lambda: deflated(ZEROS, size=4000),
    "more than nothing": lambda: deflated(b"\x7fELF", size=0),
    "fewer than declared": lambda: deflated(b"hello", size=6),
    "wrong checksum": lambda: deflated(b"hello", crc=1),
    "no deflate stream": lambda: Raw(data=b"\xff" * 20, method=8, size=20),
    "stream that does not end": lambda: deflated(b"hello", data=deflated(b"hello").data[:-1]),
    "bytes behind the stream": lambda: deflated(b"hello", data=deflated(b"hello").data + b"x"),
    "a chunk behind the stream": lambda: deflated(
        b"hello", data=deflated(b"hello").data + bytes(2**20)
    ),
    "no stream at all": lambda: deflated(b"", data=b""),
    "stored, wrong checksum": lambda: Raw(crc=1),
}


@pytest.mark.parametrize("kind", HOSTILE_CONTENT)
def test_hostile_content_is_refused_at_reading(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, by_hand([HOSTILE_CONTENT[kind]()]))
    with Archive(path) as archive, pytest.raises(WheelError, match=r"a\.txt") as caught:
        archive.read(archive.members[0])
    assert caught.value.remedy


def test_a_member_that_declares_nothing_cannot_hide_an_elf_file(tmp_path: Path) -> None:
    path = write(tmp_path, by_hand([deflated(b"\x7fELF" + bytes(2000), size=0)]))
    with Archive(path) as archive, pytest.raises(WheelError, match="more bytes"):
        archive.head(archive.members[0], 4)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.whl"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "missing.whl", Path("nul\0.whl")):
        with pytest.raises(WheelError) as caught:
            Archive(path)
        assert caught.value.remedy


def many_members() -> bytes:
    # As many as two bytes count, under names as long as the directory may hold.
    return by_hand([Raw(b"d" * 195 + b"/%d" % n, b"") for n in range(0xFFFF)])


def large_member() -> bytes:
    # The densest that passes: the rest of the file lets the whole look honest.
    ballast = noise(8 * 2**20)
    return by_hand([Raw(b"ballast", ballast), deflated(bytes(64 * 2**20), name=b"large")])


def zip64_claims() -> bytes:
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2**60, 2**60, 2**62, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    return end + locator + by_hand([], count=0xFFFF, size=0xFFFFFFFF, offset=0xFFFFFFFF)


def endless_comment_search() -> bytes:
    return b"PK\5\6" * 100_000


def empty_blocks() -> bytes:
    # Two million deflate blocks that hold nothing.
    return by_hand([Raw(data=b"\0\0\0\xff\xff" * 2_000_000, method=8, size=5)])


def long_extra_fields() -> bytes:
    return by_hand([Raw(b"%d" % n, extra=b"\0\0\0\0" * 63) for n in range(30_000)])


EXPENSIVE = [
    many_members,
    large_member,
    zip64_claims,
    endless_comment_search,
    empty_blocks,
    long_extra_fields,
]
READ_ALL = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (512 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
from manylinux_shim._errors import WheelError
from manylinux_shim.wheel import Archive
try:
    with Archive(Path(sys.argv[1])) as archive:
        for member in archive.members:
            archive.head(member, 4)
            archive.read(member)
    print("read")
except WheelError:
    print("refused")
"""


@pytest.mark.long
@pytest.mark.parametrize("make", EXPENSIVE, ids=lambda make: make.__name__)
def test_expensive_input_is_decided_within_512_megabytes(
    make: Callable[[], bytes], tmp_path: Path
) -> None:
    path = write(tmp_path, make())
    # The address space is limited, and so, against an endless loop, is the time.
    run = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout in ("read\n", "refused\n")


@pytest.mark.long
def test_a_member_beyond_the_memory_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    size = 600 * 2**20
    data = by_hand([Raw(b"a", b"", size=size, packed=size)], offset=31 + size)
    path = tmp_path / "small.whl"
    with path.open("wb") as file:
        file.write(data[:31])
        file.seek(size, os.SEEK_CUR)  # a hole: it takes no disk
        file.write(data[31:])
    run = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "refused\n", "")


PEAK = """
import resource, sys
from pathlib import Path
from manylinux_shim.wheel import Archive
with Archive(Path(sys.argv[1])) as archive:
    archive.members[0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = len(archive.read(archive.members[0]))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 - size)
"""


@pytest.mark.long
def test_reading_a_large_member_takes_its_size_and_little_more(tmp_path: Path) -> None:
    data = noise(2**20) * 32
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("large", data)
    path = write(tmp_path, output.getvalue())
    run = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 8 * 2**20


def test_members_beyond_4_gigabytes_are_found(tmp_path: Path) -> None:
    path = tmp_path / "small.whl"
    entries = b""
    with path.open("wb") as file:
        # The first member is a hole in the file, so it takes no disk.
        for name, data, hole in ((b"a", b"", 0xFFFFFF00), (b"b", noise(4096), 0), (b"c", b"c", 0)):
            place, size = file.tell(), hole or len(data)
            fields = (0, 0, 0, 33, zlib.crc32(data), size, size, 1)
            file.write(struct.pack("<4s5H3L2H", b"PK\3\4", 10, *fields, 0) + name + data)
            file.seek(hole, os.SEEK_CUR)
            large = place > 0xFFFFFFFF
            extra = struct.pack("<HHQ", 1, 8, place) if large else b""
            entries += struct.pack(
                "<4s6H3L5H2L",
                b"PK\1\2",
                *(45, 45, *fields, len(extra), 0, 0, 0, 0),
                0xFFFFFFFF if large else place,
            )
            entries += name + extra
        offset = file.tell()
        values = (44, 45, 45, 0, 0, 3, 3, len(entries), offset)
        file.write(entries + struct.pack("<4sQ2H2L4Q", b"PK\6\6", *values))
        file.write(struct.pack("<4sLQL", b"PK\6\7", 0, offset + len(entries), 1))
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(entries), 0xFFFFFFFF, 0))
    with Archive(path) as archive, zipfile.ZipFile(path) as expected:
        for member in archive.members[1:]:
            assert archive.read(member) == expected.read(member.name)
        assert archive.members[2].header_offset > 0xFFFFFFFF
