"""What configure, CMake and Meson read to know that they build for another machine.

Any backend may run any of them; they then have the same answers as Python's
sysconfig: the compiler, the system, and that nothing built can run.

Sources: cmake-toolchains(7), Meson's "Cross compilation" and "Machine files",
autoconf's "Site Configuration".
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from manylinux_shim._platforms import Architecture, host_architecture
from manylinux_shim.environment._backends import MESON_VARIABLE
from manylinux_shim.environment._emulator import Emulator
from manylinux_shim.environment._tools import PYTHON_VARIABLE, host_directories
from manylinux_shim.zig import make_once

# The libraries and packages of this machine are not the target's. A prefix that the
# project or its user names is searched as ever. FindPython starts the interpreter through
# the emulator (CMP0190), and wants a libpython even where nothing is linked to it; of an
# interpreter that it finds by itself it wants the target's word size, and pybind11's module
# of any. Who does not ask for the interpreter is told of it all the same where the headers are,
# and what modules are called: CMake unsets variables of those names, not what it has in its
# cache. What the project says goes first.
_CMAKE = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {arch.cmake})
set(CMAKE_C_COMPILER "{tools}/cc")
set(CMAKE_CXX_COMPILER "{tools}/c++")
set(CMAKE_AR "{tools}/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "{tools}/ranlib" CACHE FILEPATH "")
if(EXISTS "{tools}/fc")
  set(CMAKE_Fortran_COMPILER "{tools}/fc")
endif()
if(DEFINED CMAKE_CROSSCOMPILING_EMULATOR AND "${{CMAKE_CROSSCOMPILING_EMULATOR}}" STREQUAL "")
  # To CMake an empty one is an emulator, too: it would start what it compiled, by a shell.
  unset(CMAKE_CROSSCOMPILING_EMULATOR CACHE)
  set(MANYLINUX_SHIM_NO_EMULATOR TRUE CACHE INTERNAL "")
endif()
if(NOT MANYLINUX_SHIM_NO_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR "{directory}/run" CACHE FILEPATH "")
endif()
list(APPEND CMAKE_FIND_ROOT_PATH "{sysroot}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
list(APPEND CMAKE_IGNORE_PREFIX_PATH / /usr /usr/local)
list(APPEND CMAKE_IGNORE_PATH {ignored})
foreach(name Python Python3 PYTHON)
  set(${{name}}_EXECUTABLE "{directory}/python" CACHE FILEPATH "")
  set(${{name}}_LIBRARY "{directory}/{libpython}" CACHE FILEPATH "")
  set(${{name}}_INCLUDE_DIR "{headers}" CACHE PATH "")
  set(${{name}}_SOABI "{soabi}" CACHE STRING "")
endforeach()
set(PYTHON_MODULE_EXTENSION "{extension}" CACHE STRING "")
set(PYTHON_SIZEOF_VOID_P {word} CACHE STRING "")
"""

# autoconf reads it after the command line: a project's own --host wins.
_CONFIG_SITE = """\
if test "x$host_alias" = x; then
  host_alias={multiarch}
  cross_compiling=yes
fi
"""

# What is linked is stripped already. Meson takes none of the tools below `python` from the
# path in a cross build, unless they are named.
_MESON = """\
[constants]
tools = {tools}
directory = {directory}

[binaries]
c = tools / 'cc'
cpp = tools / 'c++'
ar = tools / 'ar'
ranlib = tools / 'ranlib'
strip = 'true'
python = directory / 'python'
cmake = 'cmake'
numpy-config = 'numpy-config'
pkg-config = {pkg_config}
{fortran}
{wrapper}

[properties]
needs_exe_wrapper = true
longdouble_format = {long_double}
cmake_toolchain_file = directory / 'toolchain.cmake'

[host_machine]
system = 'linux'
kernel = 'linux'
cpu_family = '{arch.meson}'
cpu = '{arch.name}'
endian = '{arch.byteorder}'
"""

# An exit code is an answer to CMake's try_run, and so is FAILED_TO_RUN, which `if` takes for
# true: there CMake itself has to end. cmTC_ and a number is its name for the program.
_EMULATOR = """\
#!/bin/sh
# What CMake starts programs with: those of this machine run.
said="manylinux-shim: $1 is built for {arch.name} and cannot run here"
case "$1" in */cmTC_*)
  {{
    echo "$said. It is CMake's try_run or check_*_source_runs: tell CMake the answer."
    echo "  -D<variable>=<answer> goes before a check_*_source_runs; with"
    echo "  -DCMAKE_CROSSCOMPILING_EMULATOR= CMake names all the variables that try_run wants."
  }} >>"/proc/$PPID/fd/2"
  kill "$PPID"
  exit 126 ;;
esac
if test "$(od -An -tx1 -j18 -N2 "$1" 2>/dev/null | tr -d ' \\n')" = {machine}; then
  echo "$said" >&2
  exit 126
fi
exec "$@"
"""

_EMULATED = """\
#!/bin/sh
# What CMake and Meson start programs with: qemu runs those of {arch.name}, with its own libc.
if test "$(od -An -tx1 -j18 -N2 "$1" 2>/dev/null | tr -d ' \\n')" = {machine}; then
  QEMU_LD_PREFIX="{emulator.prefix}" exec "{emulator.program}" "$@"
fi
exec "$@"
"""

# Build isolation moves the interpreter from build to build; this path stays.
_PYTHON = """\
#!/bin/sh
exec "${interpreter}" "$@"
"""

_EMPTY_ARCHIVE = "!<arch>\n"


def cross_files(
    cache: Path,
    arch: Architecture,
    multiarch: str,
    tools: Path,
    sysroot: Path,
    host_multiarch: str,
    environ: Mapping[str, str],
    python: Mapping[str, Any],
    emulator: Optional[Emulator] = None,
) -> Dict[str, str]:
    """The variables that name the files, made if they are not in the cache yet.

    ``host_multiarch`` is this machine's own triplet. The Meson file names the
    pkg-config of ``environ``. ``python`` are the build-time variables of the target's Python.
    What CMake and Meson have built runs by ``emulator``, if there is one.
    """
    libpython = "libpython{}.{}{}.a".format(*sys.version_info[:2], sys.abiflags)
    values: Dict[str, Any] = {
        "arch": arch,
        "multiarch": multiarch,
        "tools": tools,
        "sysroot": sysroot,
        "libpython": libpython,
        "headers": python["INCLUDEPY"],
        "soabi": python["SOABI"],
        "extension": python["EXT_SUFFIX"],
        "word": arch.bits // 8,
        "machine": _machine(arch) if arch is not host_architecture() else "none",
        "ignored": " ".join(host_directories("lib", host_multiarch)),
        "pkg_config": (environ.get("PKG_CONFIG") or "pkg-config").split(),
        "interpreter": PYTHON_VARIABLE,
        "long_double": _long_double(arch, multiarch),
        "fortran": "fortran = tools / 'fc'" if (tools / "fc").exists() else "",
        "wrapper": "exe_wrapper = directory / 'run'" if emulator is not None else "",
        "emulator": emulator,
    }
    templates = {
        "toolchain.cmake": _CMAKE,
        "config.site": _CONFIG_SITE,
        "meson.ini": _MESON,
        "run": _EMULATOR if emulator is None else _EMULATED,
        "python": _PYTHON,
        libpython: _EMPTY_ARCHIVE,
    }
    before = "\0".join([*templates.values(), *map(str, values.values())])
    digest = hashlib.sha256(before.encode("utf-8", "surrogateescape"))
    directory = cache / "cross" / f"{multiarch}-{digest.hexdigest()[:16]}"

    def make(staging: Path) -> None:
        filled = {**values, "directory": directory}
        as_they_are = ("arch", "fortran", "wrapper", "emulator")
        for_meson = {n: _meson(value) for n, value in filled.items() if n not in as_they_are}
        for name, template in templates.items():
            more = for_meson if template is _MESON else {}
            text = template.format(**{**filled, **more})
            (staging / name).write_text(text, encoding="utf-8", errors="surrogateescape")
        for name in ("run", "python"):
            (staging / name).chmod(0o755)

    make_once(directory, make)
    return {
        "CMAKE_TOOLCHAIN_FILE": str(directory / "toolchain.cmake"),
        "CONFIG_SITE": str(directory / "config.site"),
        MESON_VARIABLE: str(directory / "meson.ini"),
    }


def _long_double(arch: Architecture, multiarch: str) -> str:
    """The format of C's ``long double``, by the name that numpy's Meson files give it.

    They run a program to find it out, unless a machine file has it as a property. The
    formats are those of the architectures' ELF ABI supplements; musl has ``double``'s on
    ppc64le.
    """
    if arch.name in ("x86_64", "i686"):
        return f"INTEL_EXTENDED_{16 if arch.bits == 64 else 12}_BYTES_LE"
    if arch.name == "ppc64le":
        return "IEEE_DOUBLE_LE" if "musl" in multiarch else "IBM_DOUBLE_DOUBLE_LE"
    kind = "IEEE_QUAD" if arch.bits == 64 else "IEEE_DOUBLE"
    return f"{kind}_{'BE' if arch.big_endian else 'LE'}"


def _machine(arch: Architecture) -> str:
    """``e_machine`` of the ELF header, as ``od -tx1`` prints its two bytes."""
    return arch.machine.to_bytes(2, "big" if arch.big_endian else "little").hex()


def _meson(value: object) -> str:
    """A string, or an array of strings, as Meson's machine files have them."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_meson, value)) + "]"
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
