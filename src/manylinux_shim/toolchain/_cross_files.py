"""What configure, CMake and Meson read to know that they build for another machine.

A setuptools build may run any of them; they then have the same answers as
Python's sysconfig: the compiler, the system, and that nothing built can run.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Dict

from manylinux_shim._platforms import Architecture
from manylinux_shim.toolchain._cache import make_once

_CMAKE = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {arch.cmake})
set(CMAKE_C_COMPILER "{tools}/cc")
set(CMAKE_CXX_COMPILER "{tools}/c++")
set(CMAKE_AR "{tools}/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "{tools}/ranlib" CACHE FILEPATH "")
set(CMAKE_FIND_ROOT_PATH "{sysroot}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
"""

# autoconf reads it after the command line: a project's own --host wins.
_CONFIG_SITE = """\
if test "x$host_alias" = x; then
  host_alias={multiarch}
  cross_compiling=yes
fi
"""


def cross_files(
    cache: Path, arch: Architecture, multiarch: str, tools: Path, sysroot: Path
) -> Dict[str, str]:
    """The variables that name the files, made if they are not in the cache yet."""
    values = {"arch": arch, "multiarch": multiarch, "tools": tools, "sysroot": sysroot}
    texts = {
        "toolchain.cmake": _CMAKE.format(**values),
        "config.site": _CONFIG_SITE.format(**values),
    }
    digest = hashlib.sha256("\0".join(texts.values()).encode("utf-8", "surrogateescape"))
    directory = cache / "cross" / f"{multiarch}-{digest.hexdigest()[:16]}"

    def make(staging: Path) -> None:
        for name, text in texts.items():
            (staging / name).write_text(text, encoding="utf-8", errors="surrogateescape")

    make_once(directory, make)
    return {
        "CMAKE_TOOLCHAIN_FILE": str(directory / "toolchain.cmake"),
        "CONFIG_SITE": str(directory / "config.site"),
    }
