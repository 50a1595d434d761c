"""The records of a ZIP file, and a member as they describe it.

Source: APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT;
the section numbers here and in the rest of this room are its.
"""

from __future__ import annotations

import os
import stat
import struct
import threading
from pathlib import Path
from typing import NamedTuple, Optional

from manylinux_shim._errors import WheelError

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


_DAMAGED = "The file is damaged or made to mislead: build or download the wheel again."


class Source:
    """A regular file that is open for reading at any place, from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Opening a pipe would wait for a writer; a directory has no bytes.
            if not stat.S_ISREG(path.stat().st_mode):
                raise WheelError(f"{path} is not a regular file", "Name a wheel file.")
            self.file = path.open("rb", buffering=0)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = getattr(error, "strerror", None) or error
            raise WheelError(
                f"cannot open {path}: {reason}", "Check the path and its permissions."
            ) from error
        self.size = self.file.seek(0, os.SEEK_END)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def at(self, offset: int, count: int) -> bytes:
        """``count`` bytes (few: one call reads them) from ``offset``.

        Raises WheelError where the file has fewer, or cannot be read.
        """
        if offset + count <= self.size:
            try:
                with self._lock:
                    self.file.seek(offset)
                    data = self.file.read(count)
            except OSError as error:
                raise WheelError(
                    f"cannot read {self.path}: {error.strerror}", "Check the disk it is on."
                ) from error
            if len(data) == count:
                return data
        raise self.error(f"{count} bytes are missing at offset {offset}: the file is truncated")

    def error(self, problem: str, name: Optional[str] = None) -> WheelError:
        """A WheelError that names the file, the member if there is one, and the remedy."""
        where = f"{self.path}: member {name!r}" if name is not None else str(self.path)
        return WheelError(f"{where}: {problem}", _DAMAGED)
