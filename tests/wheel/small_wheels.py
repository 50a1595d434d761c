"""Small wheels, honest and hostile, made by the tests."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

NAME = "small-1.0-cp311-cp311-linux_x86_64.whl"
INFO = "small-1.0.dist-info"
WHEEL = b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"
METADATA = b"Metadata-Version: 2.1\nName: small\nVersion: 1.0\n"
PACKAGE = {
    "small/__init__.py": b"",
    "small/text.py": b"word = 'hello'\n" * 40,
    "small/_native.so": b"\x7fELF" + bytes(range(256)) * 8,
}


def digest(data: bytes) -> str:
    """A hash as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def record_of(members: Mapping[str, bytes], own: str) -> bytes:
    """A true RECORD of ``members``."""
    lines = [f"{name},{digest(data)},{len(data)}\n" for name, data in members.items()]
    return "".join([*lines, f"{own},,\n"]).encode()


def contents(info: str = INFO, **more: bytes) -> Dict[str, bytes]:
    """The members of a small honest wheel."""
    members = {**PACKAGE, f"{info}/METADATA": METADATA, f"{info}/WHEEL": WHEEL}
    return {**members, f"{info}/RECORD": record_of(members, f"{info}/RECORD")}


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, always the same ones."""
    return random.Random(seed).getrandbits(size * 8 + 8).to_bytes(size + 1, "little")[:size]


class _Stream(io.BytesIO):
    """What cannot be sought in, so that ``zipfile`` writes data descriptors."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


def zipped(
    members: Mapping[str, bytes],
    *,
    method: int = zipfile.ZIP_DEFLATED,
    stream: bool = False,
    directories: Sequence[str] = (),
    comment: bytes = b"",
    member_comment: bytes = b"",
    extra: bytes = b"",
    force_zip64: bool = False,
) -> bytes:
    """An archive by the standard library."""
    output = _Stream() if stream else io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        archive.comment = comment
        for name in directories:
            archive.writestr(zipfile.ZipInfo(name), b"")
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2021, 3, 4, 5, 6, 8))
            info.compress_type = method
            info.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            info.comment, info.extra = member_comment, extra
            with archive.open(info, "w", force_zip64=force_zip64) as file:
                file.write(data)
    return output.getvalue()


def files_in(directory: Path) -> List[str]:
    """The names of what is in a directory."""
    return sorted(path.name for path in directory.iterdir())


def write(directory: Path, data: bytes, name: str = NAME) -> Path:
    """A file of these bytes."""
    path = directory / name
    path.write_bytes(data)
    return path


class Raw(NamedTuple):
    """A member described field by field, so that each field can lie."""

    name: bytes = b"a.txt"
    data: bytes = b"hello"
    """As it stands in the file."""
    method: int = 0
    flags: int = 0
    crc: Optional[int] = None
    size: Optional[int] = None
    packed: Optional[int] = None
    disk: int = 0
    version: int = 20
    extra: bytes = b""
    local_name: Optional[bytes] = None
    local_method: Optional[int] = None
    local_flags: Optional[int] = None
    local_crc: Optional[int] = None
    local_size: Optional[int] = None
    local_packed: Optional[int] = None
    local_extra: bytes = b""
    after: bytes = b""
    """Bytes behind the data: a descriptor or padding."""
    offset: Optional[int] = None
    """What the directory says of its place."""


def deflated(data: bytes, /, **fields: object) -> Raw:
    """A member that holds ``data`` deflated, with some fields changed."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(data) + deflate.flush()
    honest = Raw(data=packed, method=8, size=len(data), crc=zlib.crc32(data))
    return honest._replace(**fields)  # type: ignore[arg-type]


def by_hand(
    members: Sequence[Raw], *, before: bytes = b"", gap: bytes = b"", tail: bytes = b"", **end: int
) -> bytes:
    """An archive written field by field, its end record's fields changed by ``end``."""

    def known(value: Optional[int], otherwise: int) -> int:
        return otherwise if value is None else value

    body, directory = bytearray(before), bytearray()
    for m in members:
        crc = known(m.crc, zlib.crc32(m.data))
        size, packed = known(m.size, len(m.data)), known(m.packed, len(m.data))
        local_name = m.name if m.local_name is None else m.local_name
        offset = known(m.offset, len(body))
        body += struct.pack(
            "<4s5H3L2H",
            b"PK\3\4",
            20,
            known(m.local_flags, m.flags),
            known(m.local_method, m.method),
            0,
            33,
            known(m.local_crc, crc),
            known(m.local_packed, packed),
            known(m.local_size, size),
            len(local_name),
            len(m.local_extra),
        )
        body += local_name + m.local_extra + m.data + m.after
        directory += struct.pack(
            "<4s6H3L5H2L",
            b"PK\1\2",
            20,
            m.version,
            m.flags,
            m.method,
            0,
            33,
            crc,
            packed,
            size,
            len(m.name),
            len(m.extra),
            0,
            m.disk,
            0,
            0,
            offset,
        )
        directory += m.name + m.extra
    body += gap
    fields: List[int] = [
        end.get("disk", 0),
        end.get("first_disk", 0),
        end.get("here", end.get("count", len(members))),
        end.get("count", len(members)),
        end.get("size", len(directory)),
        end.get("offset", len(body)),
        end.get("comment", 0),
    ]
    return bytes(body + directory) + struct.pack("<4s4H2LH", b"PK\5\6", *fields) + tail
