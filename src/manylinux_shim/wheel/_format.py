"""The records of a ZIP file, and a member as they describe it.

Source: APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT;
the section numbers here and in the rest of this room are its.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

STORED, DEFLATED = 0, 8
FLAG_ENCRYPTED, FLAG_DESCRIPTOR, FLAG_UTF8 = 0x0001, 0x0008, 0x0800

LOCAL_HEADER = struct.Struct("<4s5H3L2H")  # 4.3.7
CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")  # 4.3.12
END = struct.Struct("<4s4H2LH")  # 4.3.16
END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
LOCATOR_64 = struct.Struct("<4sLQL")  # 4.3.15
LOCAL_MAGIC, CENTRAL_MAGIC, END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END_64_MAGIC, LOCATOR_64_MAGIC, DESCRIPTOR_MAGIC = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF
EXTRA_ZIP64 = 0x0001  # 4.5.3
EXTRA_UNICODE_PATH = 0x7075  # 4.6.9

MOST_IN_MEMBER = 2**32 - 2
"""Bytes in one member; the largest size that a header holds without zip64."""


class Member(NamedTuple):
    """One entry of the central directory, whose local header says the same."""

    name: str
    size: int
    """In bytes, inflated."""
    compressed_size: int
    """In bytes, as it stands in the file."""
    crc: int
    compression: int
    """0 (stored) or 8 (deflated)."""
    header_offset: int
    """Of the local header, in bytes from the start of the file."""
    external_attr: int
    """The Unix mode stands in the upper 16 bits."""
    made_by: int
    """Upper byte: the system whose attributes these are; 3 is Unix."""
    date_time: int
    """As MS-DOS has it: the date in the upper 16 bits, the time in the lower."""
    flags: int

    @property
    def is_dir(self) -> bool:
        """Whether this is the entry of a directory, which holds no bytes."""
        return self.name.endswith("/")
