"""qemu-user, where it is on the path and has the target's libc to load programs with.

CMake and Meson may then run what they have built for another machine, and hear its own answers.
"""

from __future__ import annotations

import os
import shutil
from typing import Mapping, NamedTuple, Optional

from manylinux_shim._platforms import Architecture

VARIABLE = "MANYLINUX_SHIM_EMULATOR"
"""``off`` in it, or another word for it, lets nothing be emulated."""
_OFF = ("off", "false", "no", "0")
_PREFIX = "QEMU_LD_PREFIX"

_QEMU = {"i686": "i386", "armv7l": "arm"}
"""qemu's names of architectures, where they are not those of tags."""


class Emulator(NamedTuple):
    """What runs a program of the target's."""

    program: str
    """Path of qemu."""
    prefix: str
    """The directory in which it looks for the loader and the libraries."""


def find_emulator(
    arch: Architecture, family: str, environ: Mapping[str, str]
) -> Optional[Emulator]:
    """qemu for ``arch`` with a libc of ``family``; None without both, or where it is turned off.

    The libc is below ``QEMU_LD_PREFIX``, or where Debian's packages for cross compilers have it
    (``libc6-arm64-cross``).
    """
    if environ.get(VARIABLE, "").lower() in _OFF:
        return None
    name = f"qemu-{_QEMU.get(arch.name, arch.name)}"
    path = environ.get("PATH")
    program = shutil.which(name, path=path) or shutil.which(f"{name}-static", path=path)
    if program is None:
        return None
    loader = arch.glibc_loader if family == "manylinux" else arch.musl_loader
    for prefix in (environ.get(_PREFIX, ""), f"/usr/{arch.gcc_triplet}"):
        places = (f"{prefix}/{place}/{loader}" for place in ("lib", "lib64"))
        if prefix and any(map(os.path.exists, places)):
            return Emulator(program, prefix)
    return None
