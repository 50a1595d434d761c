"""Python's own headers, staged so that they fit the target's libc.

Debian's ``pyconfig.h`` includes another one by a path below ``/usr/include``,
which a compiler for another libc must not search; ``Python.h`` up to 3.8
includes ``<crypt.h>``, which zig's glibc does not have. So the headers are
copied once, with a ``pyconfig.h`` that stands for itself.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sysconfig
from pathlib import Path
from typing import Dict, Optional

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture
from manylinux_shim.target_python._variables import pyconfig
from manylinux_shim.zig import make_once

_WRAPPED = re.compile(r"^\s*#\s*include\s*<(?P<path>[^>]*pyconfig\.h)>", re.MULTILINE)
_UNAVAILABLE = ("HAVE_CRYPT_H", "HAVE_CRYPT_R")
_LAYOUT = 1


def staged_headers(
    cache: Path, arch: Architecture, multiarch: str, family: str = "manylinux"
) -> Dict[str, str]:
    """Directories of this Python's headers -> what stands in their place for ``arch``.

    ``family`` is the libc's: sizes of time and of long double depend on it.
    ``multiarch`` is the host's own triplet. Raises ToolchainError, with the
    package to install, when there are none.
    """
    directory = Path(sysconfig.get_path("include"))
    platform_directory = Path(sysconfig.get_path("platinclude"))
    if not (directory / "Python.h").is_file():
        version = sysconfig.get_python_version()
        raise ToolchainError(
            f"the headers of Python {version} are not in {directory}",
            f"Install them: python{version}-dev on Debian and Ubuntu, python{version}-devel on"
            " Fedora, RHEL and SUSE; Pythons of uv, pyenv and conda bring them along.",
        )
    configured = _pyconfig(platform_directory, multiarch) or _pyconfig(directory, multiarch)
    if configured is None:
        return {}
    configured = pyconfig(configured, arch, family)
    key = hashlib.sha256(f"{directory}\0{_LAYOUT}\0{configured}".encode())
    key.update((directory / "patchlevel.h").read_bytes())
    staged = cache / "headers" / f"{directory.name}-{key.hexdigest()[:16]}"

    def make(staging: Path) -> None:
        shutil.copytree(directory, staging / "include", symlinks=False)
        (staging / "include" / "pyconfig.h").write_text(configured, encoding="utf-8")

    make_once(staged, make)
    replacement = str(staged / "include")
    return {str(directory): replacement, str(platform_directory): replacement}


def _pyconfig(directory: Path, multiarch: str) -> Optional[str]:
    """``pyconfig.h`` that stands for itself, without what zig's glibc lacks."""
    path = directory / "pyconfig.h"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    for match in _WRAPPED.finditer(text):
        if multiarch not in match["path"]:
            continue
        for root in (directory.parent, directory.parent.parent):
            if (root / match["path"]).is_file():
                text = (root / match["path"]).read_text(encoding="utf-8")
                break
    for name in _UNAVAILABLE:
        text = re.sub(rf"^#define {name} .*$", f"/* #undef {name} */", text, flags=re.MULTILINE)
    return text
