"""What an earlier build left in the tree must not get into this one's wheel.

setuptools takes an object file that is newer than its source, whoever compiled
it and for which libc. Nothing is deleted: the objects are made to look old, so
that they are compiled again.
"""

from __future__ import annotations

import os
from pathlib import Path

_COMPILED = (".o", ".a", ".so", ".lo", ".obj")


def outdate(project: Path) -> None:
    """Make every object and library below ``build`` look older than its sources."""
    for directory, _, names in os.walk(project / "build"):
        for name in names:
            if name.endswith(_COMPILED):
                os.utime(Path(directory) / name, (0, 0))
