"""What an earlier build left in the tree must not get into this one's wheel.

setuptools takes an object file that is newer than its source, whoever compiled
it and for which libc; and it packs all that stands in ``build/lib*``, the
extension of another libc or architecture included.
"""

from __future__ import annotations

import os
from pathlib import Path

_COMPILED = (".o", ".a", ".so", ".lo", ".obj")


def outdate(project: Path) -> None:
    """Have everything below ``build`` that was compiled be compiled again.

    Objects are made to look older than their sources; extensions in ``build/lib*``
    go, as setuptools copies or links there anew whatever belongs into the wheel.
    """
    build = project / "build"
    for directory, _, names in os.walk(build):
        top = Path(directory).relative_to(build).parts[:1]
        packed = bool(top) and top[0].split(".")[0] == "lib"
        for name in names:
            if packed and name.endswith(".so"):
                (Path(directory) / name).unlink()
            elif name.endswith(_COMPILED):
                os.utime(Path(directory) / name, (0, 0))
