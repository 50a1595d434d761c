"""What an earlier build left in the tree must not get into this one's wheel.

setuptools takes an object file that is newer than its source, whoever compiled
it and for which libc. Nothing is deleted: objects of another toolchain are made
to look old, so that they are compiled again.
"""

from __future__ import annotations

import os
from pathlib import Path

_MARK = ".manylinux-shim"
_COMPILED = (".o", ".a", ".so", ".lo", ".obj")


def outdate(project: Path, toolchain: str) -> None:
    """Make the objects below ``build`` look old if another toolchain compiled them.

    ``toolchain`` is any text that tells toolchains apart.
    """
    build = project / "build"
    mark = build / _MARK
    if not build.is_dir() or (mark.is_file() and mark.read_text(encoding="utf-8") == toolchain):
        return
    for directory, _, names in os.walk(build):
        for name in names:
            if name.endswith(_COMPILED):
                os.utime(Path(directory) / name, (0, 0))


def remember(project: Path, toolchain: str) -> None:
    """Note which toolchain the objects below ``build`` come from, if there are any."""
    build = project / "build"
    if build.is_dir():
        (build / _MARK).write_text(toolchain, encoding="utf-8")
