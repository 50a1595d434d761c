"""What PyPI wants of a wheel that is uploaded: its name, tags, metadata and archive."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from email.parser import BytesParser
from typing import Dict, List

from packaging.metadata import ExceptionGroup, Metadata
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

LARGEST = 100 * 1024 * 1024
"""Bytes of a file, unless a project was granted more."""

_BOMB = 64 * 1024 * 1024
_RATIO = 50

_MANYLINUX = "x86_64 i686 aarch64 armv7l ppc64 ppc64le s390x riscv64".split()
_MUSLLINUX = [arch for arch in _MANYLINUX if arch != "ppc64"]
_PLATFORMS = (
    r"any",
    r"win32|win_(amd64|arm64)",
    r"macosx_\d+_\d+_(x86_64|arm64|i386|intel|universal2|universal|fat|fat32|fat64|ppc|ppc64)",
    r"(manylinux1|manylinux2010)_(x86_64|i686)",
    r"manylinux2014_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)",
    rf"manylinux_\d+_\d+_({'|'.join(_MANYLINUX)})",
    rf"musllinux_\d+_\d+_({'|'.join(_MUSLLINUX)})",
    r"linux_armv[67]l",
)

_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")


class Refused(Exception):  # noqa: N818 - an answer, not a mishap
    """The upload is not taken; the reason."""


def check_wheel(name: str, content: bytes) -> Dict[str, str]:
    """Name, version and metadata version of a wheel that is in order; Refused with the reason."""
    try:
        project, version, _, tags = parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        raise Refused(f"{name} is not the name of a wheel: {error}") from None
    parts = name.split("-")
    if parts[0] != project.replace("-", "_") or parts[1] != str(version):
        raise Refused(f"{name}: name and version have to be normalized")
    for platform in sorted({tag.platform for tag in tags}):
        if not any(re.fullmatch(pattern, platform) for pattern in _PLATFORMS):
            raise Refused(f"{name}: unsupported platform tag '{platform}'")
    members = _members(name, content)
    info = f"{parts[0]}-{parts[1]}.dist-info"
    for member in ("WHEEL", "METADATA", "RECORD"):
        if f"{info}/{member}" not in members:
            raise Refused(f"{name}: {info}/{member} is missing")
    metadata = members[f"{info}/METADATA"]
    try:
        parsed = Metadata.from_email(metadata)
    except ExceptionGroup as errors:
        raise Refused(f"{name}: METADATA is wrong: {errors.exceptions}") from None
    if canonicalize_name(parsed.name) != project or parsed.version != version:
        raise Refused(f"{name}: METADATA is of {parsed.name} {parsed.version}")
    for file in parsed.license_files or ():
        if f"{info}/licenses/{file}" not in members:
            raise Refused(f"{name}: License-File {file} is missing")
    raw = BytesParser().parsebytes(metadata)
    return {
        "name": str(raw["Name"]),
        "version": str(raw["Version"]),
        "metadata_version": str(raw["Metadata-Version"]),
    }


def _members(name: str, content: bytes) -> Dict[str, bytes]:
    """Every member's bytes; Refused for an archive that two readers could read differently."""
    if len(content) > LARGEST:
        raise Refused(f"{name} is larger than {LARGEST} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > _BOMB and unpacked > _RATIO * len(content):
                raise Refused(f"{name} is a bomb")
            _check_layout(name, content, entries)
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, struct.error, NotImplementedError) as error:
        raise Refused(f"{name} is not an archive: {error}") from None


def _check_layout(name: str, content: bytes, entries: List[zipfile.ZipInfo]) -> None:
    """From the first byte to the last: members without gaps, the directory, its end."""
    end = len(content) - _END.size
    signature, _, _, _, count, size, start, comment = _END.unpack_from(content, end)
    if signature != b"PK\5\6" or comment:
        raise Refused(f"{name}: the archive does not end with its end record")
    if start + size != end or count != len(entries):
        raise Refused(f"{name}: the central directory is not where it should be")
    if len({entry.filename for entry in entries}) != len(entries):
        raise Refused(f"{name}: a member is there twice")
    at, place = start, 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f"{name}: {entry.filename} is neither stored nor deflated")
        if entry.comment:
            raise Refused(f"{name}: {entry.filename} has a comment")
        if entry.flag_bits & 8:
            raise Refused(f"{name}: {entry.filename} has a data descriptor")
        local = _LOCAL.unpack_from(content, place)
        if entry.header_offset != place or local[0] != b"PK\3\4":
            raise Refused(f"{name}: a gap before {entry.filename}")
        raw = content[place + _LOCAL.size : place + _LOCAL.size + local[9]]
        said = (local[2], local[3], local[6], local[7], local[8], raw)
        encoded = entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")
        sizes = (entry.CRC, entry.compress_size, entry.file_size)
        if said != (entry.flag_bits, entry.compress_type, *sizes, encoded):
            raise Refused(f"{name}: the headers of {entry.filename} differ")
        place += _LOCAL.size + local[9] + local[10] + entry.compress_size
    for _ in entries:
        fields = _CENTRAL.unpack_from(content, at)
        at += _CENTRAL.size + sum(fields[10:13])
    if place != start or at != end:
        raise Refused(f"{name}: a gap around the central directory")
