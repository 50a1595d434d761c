"""A file that is open for reading at any place."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Optional

from manylinux_shim._errors import WheelError

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
