"""What was compiled before: where it is kept, told to the compiler, and brought down."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable, Dict

from manylinux_shim._errors import ToolchainError
from manylinux_shim.compiler import IDENTITY_VARIABLE, LAYOUT, OBJECTS_VARIABLE, bring_down
from manylinux_shim.zig import OBJECTS, Zig

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}


def shrink_objects(cache: Path, size: str) -> None:
    """Bring what was compiled down to ``size``, such as ``500M``, the oldest first.

    What a version with another layout has left goes at once. Raises ToolchainError for what is
    no size.
    """
    number, unit = (size[:-1], size[-1:].lower()) if not size[-1:].isdigit() else (size, "")
    if unit not in _UNITS or not number.isdecimal():
        raise ToolchainError(
            f"what was compiled could not be brought down to {size!r}, which is no size",
            "A size is a number with k, M, G or T behind it.",
        )
    directory = cache / OBJECTS
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.name != LAYOUT and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    bound = int(number) * _UNITS[unit]
    bring_down([str(directory)], bound, bound)


def cached_objects(zig: Zig, cache: Path, notice: Callable[[str], None]) -> Dict[str, str]:
    """Variables by which the compiler keeps objects; none where it cannot."""
    directory = cache / OBJECTS
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        notice(f"nothing is kept: {directory} cannot be made ({error.strerror})")
        return {}
    return {
        OBJECTS_VARIABLE: str(directory),
        # Of two with one version, one may be of a distribution, with another LLVM.
        IDENTITY_VARIABLE: f"zig {zig.version} {zig.executable.stat().st_size}",
    }
