"""The target's Python, derived from the host's: ``pyconfig.h`` and sysconfig.

CPython's ``configure`` finds the same on every Linux, but for word sizes, byte
order, the processor's assembler and the names of things. Those differences are
one table here, held against Debian's packages for each architecture.
"""

from __future__ import annotations

import importlib
import re
import sysconfig
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from manylinux_shim._platforms import Architecture

_LONG_DOUBLE = {"i686": 12, "armv7l": 8}
_MAX_ALIGN = {"armv7l": 8, "s390x": 8}
_LONG_DOUBLE_MUSL = {**_LONG_DOUBLE, "ppc64le": 8}
_WIDE_INTEGERS = ("HAVE_GCC_UINT128_T", "HAVE___UINT128_T")
_PERF_TRAMPOLINE = ("aarch64", "x86_64")
_UNSIGNED_WCHAR = ("aarch64", "armv7l")
_TRIPLET = re.compile(r"-[a-z0-9_]+-linux-[a-z0-9]+(?=\.so$|$)")
_FLAGS = "-DNDEBUG -O3 -Wall"
_HOST_FLAGS = (
    "BASECFLAGS",
    "CONFIGURE_CFLAGS",
    "CONFIGURE_LDFLAGS",
    "EXTRA_CFLAGS",
    "LDFLAGS",
    "PY_CFLAGS",
    "PY_CORE_LDFLAGS",
    "PY_LDFLAGS",
)
"""How the host's Python was compiled; some of it is for its processor only."""
_BIG_ENDIAN = ("DOUBLE_IS_BIG_ENDIAN_IEEE754", "FLOAT_WORDS_BIGENDIAN", "WORDS_BIGENDIAN")
_WORDS = (
    "ALIGNOF_LONG",
    "ALIGNOF_SIZE_T",
    "SIZEOF_LONG",
    "SIZEOF_PTHREAD_T",
    "SIZEOF_SIZE_T",
    "SIZEOF_UINTPTR_T",
    "SIZEOF_VOID_P",
)


def pyconfig_values(arch: Architecture, family: str = "manylinux") -> Dict[str, Optional[int]]:
    """What ``pyconfig.h`` has on ``arch`` where architectures and libcs differ.

    None stands for "not defined". ``SIZEOF_TIME_T`` of 32-bit architectures is
    that of glibc's default, 32-bit ``time_t``; musl has no other than 64 bits.
    """
    word = arch.bits // 8
    musl = family == "musllinux"
    long_double = _LONG_DOUBLE_MUSL if musl else _LONG_DOUBLE
    little, big = (None, 1) if arch.big_endian else (1, None)
    return {
        **dict.fromkeys(_WORDS, word),
        **dict.fromkeys(_WIDE_INTEGERS, 1 if word == 8 else None),
        **dict.fromkeys(_BIG_ENDIAN, big),
        "DOUBLE_IS_LITTLE_ENDIAN_IEEE754": little,
        "ALIGNOF_MAX_ALIGN_T": _MAX_ALIGN.get(arch.name, 16),
        "SIZEOF_LONG_DOUBLE": long_double.get(arch.name, 16),
        "SIZEOF_TIME_T": 8 if musl else word,
        "HAVE_GCC_ASM_FOR_X64": 1 if arch.name == "x86_64" else None,
        "HAVE_GCC_ASM_FOR_X87": 1 if arch.zig in ("x86", "x86_64") else None,
        "HAVE_LARGEFILE_SUPPORT": 1 if word == 4 else None,
        "HAVE_USABLE_WCHAR_T": 1 if arch.name in _UNSIGNED_WCHAR else None,
        "PY_HAVE_PERF_TRAMPOLINE": 1 if arch.name in _PERF_TRAMPOLINE else None,
        "X87_DOUBLE_ROUNDING": 1 if arch.name == "i686" else None,
    }


def pyconfig(text: str, arch: Architecture, family: str = "manylinux") -> str:
    """The host's ``pyconfig.h`` as it is on ``arch``; what it does not mention stays out."""
    for name, value in pyconfig_values(arch, family).items():
        line = f"#define {name} {value}" if value is not None else f"/* #undef {name} */"
        text = re.sub(
            rf"^(?:# *define {name}\b.*|/\* *# *undef {name} *\*/)$",
            line,
            text,
            flags=re.MULTILINE,
        )
    return text


def sysconfig_variables(
    host: Mapping[str, Any],
    arch: Architecture,
    multiarch: str,
    tools: Path,
    headers: str,
    family: str = "manylinux",
) -> Dict[str, Any]:
    """The build-time variables of the target's Python, from those of the host's.

    Names and sizes are the target's; the paths of tools and headers are of this
    machine, for the build that is going on.
    """
    soabi = _for_target(str(host.get("SOABI") or ""), multiarch)
    suffix = _for_target(str(host.get("EXT_SUFFIX") or ".so"), multiarch)
    sizes = {k: v or 0 for k, v in pyconfig_values(arch, family).items() if k in host}
    return {
        **host,
        **sizes,
        **own_tools(tools),
        "CONFINCLUDEPY": headers,
        "EXT_SUFFIX": suffix,
        "HOST_GNU_TYPE": multiarch,
        "INCLUDEPY": headers,
        "LIBDIR": "/usr/lib",
        "LIBPL": "/usr/lib",
        "MULTIARCH": multiarch,
        "Py_ENABLE_SHARED": 0,
        "SO": suffix,
        "SOABI": soabi,
    }


def own_tools(tools: Path) -> Dict[str, str]:
    """Those of the variables that say what compiles, and how: the same for every Python.

    A wheel's code does not depend on how the Python was compiled that builds it.
    """
    cc, cxx = str(tools / "cc"), str(tools / "c++")
    return {
        **dict.fromkeys(_HOST_FLAGS, ""),
        "AR": str(tools / "ar"),
        "BLDSHARED": f"{cc} -shared",
        "CC": cc,
        "CCSHARED": "-fPIC",
        "CFLAGS": f"{_FLAGS} -fwrapv",
        "CXX": cxx,
        "LDCXXSHARED": f"{cxx} -shared",
        "LDSHARED": f"{cc} -shared",
        "LINKCC": cc,
        "MAINCC": cc,
        "OPT": _FLAGS,
        "RANLIB": str(tools / "ranlib"),
    }


def host_module() -> str:
    """The name of the module with the host's own build-time variables."""
    # The name is CPython's own affair, and PyPy's; its module is the one documented
    # place where all of them are (bpo-13150), so there is no other way to them.
    get_name = getattr(sysconfig, "_get_sysconfigdata_name", None)
    return get_name() if get_name is not None else "_sysconfigdata"


def host_variables() -> Dict[str, Any]:
    """The host's own build-time variables, as its ``_sysconfigdata`` module has them."""
    return dict(importlib.import_module(host_module()).build_time_vars)


def _for_target(name: str, multiarch: str) -> str:
    """``.cpython-311-x86_64-linux-gnu.so`` with the target's triplet."""
    return _TRIPLET.sub(f"-{multiarch}", name)
