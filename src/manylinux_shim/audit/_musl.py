"""musl's symbols: zig's list of them, and the release that brought each.

musl has no symbol versions, so a name is all that can be asked for, and the
release in which it appeared decides on which systems it is.
"""

from __future__ import annotations

import re
from typing import FrozenSet, List, Tuple

from manylinux_shim._platforms import Architecture

# The macros of zig's libc.S that hold for each architecture, beside ARCH_<name>.
_FAMILIES = {
    "x86_64": ("ARCH_x86_64", "FAMILY_x86", "PTR64"),
    "i686": ("ARCH_i386", "FAMILY_x86", "TIME32"),
    "aarch64": ("ARCH_aarch64", "PTR64"),
    "armv7l": ("ARCH_arm", "TIME32"),
    "ppc64le": ("ARCH_powerpc64", "PTR64"),
    "s390x": ("ARCH_s390x", "PTR64"),
    "riscv64": ("ARCH_riscv64", "FAMILY_riscv", "PTR64"),
    "loongarch64": ("ARCH_loongarch64", "PTR64"),
}
_LABEL = re.compile(r"([A-Za-z_]\w*):")
_DEFINED = re.compile(r"(!?)defined\((\w+)\)")


def musl_symbols(text: str, arch: Architecture) -> FrozenSet[str]:
    """The symbols that zig's ``libc.S`` (``text``) defines on one architecture."""
    macros = _FAMILIES.get(arch.name, ())
    names: List[str] = []
    conditions: List[bool] = []
    for line in text.splitlines():
        if line.startswith("#"):
            _follow(line, macros, conditions)
        elif all(conditions):
            match = _LABEL.match(line)
            if match is not None:
                names.append(match[1])
    return frozenset(names)


def _follow(line: str, macros: Tuple[str, ...], conditions: List[bool]) -> None:
    """Take one preprocessor line into account."""
    if line.startswith("#ifdef"):
        conditions.append(line.split()[1] in macros)
    elif line.startswith("#ifndef"):
        conditions.append(line.split()[1] not in macros)
    elif line.startswith("#if "):
        # All conditions of the file are conjunctions.
        conditions.append(
            all((name in macros) != bool(negated) for negated, name in _DEFINED.findall(line))
        )
    elif line.startswith("#else") and conditions:
        conditions[-1] = not conditions[-1]
    elif line.startswith("#endif") and conditions:
        conditions.pop()


def musl_since(symbol: str, arch: Architecture) -> Tuple[int, int, int]:
    """The musl release that brought a symbol: the oldest supported for all before it."""
    release = _SINCE.get(symbol)
    if release is None and arch.bits == 32 and symbol.endswith(("_time64", "64")):
        release = None
    return release or OLDEST


OLDEST = (1, 1, 0)
_SINCE = {}
