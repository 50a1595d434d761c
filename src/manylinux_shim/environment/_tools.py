"""The directory of tools that a build is given: ``cc``, ``c++``, ``ar``, ``ranlib``, ``ld``.

But for ``strip``, each is a script of three lines, a single file as Meson wants it, that starts the
driver with this build's configuration. The directory's name is the hash of the
configuration: the same build finds the same compiler at the same path again, as
CMake's and cargo's own caches expect.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import manylinux_shim
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.audit import GlibcTable, floor_of, newer_than_musl, version_text
from manylinux_shim.compiler import (
    LIBC_LIBRARIES,
    NEWER_TABLE,
    PLACES_VARIABLE,
    UNWINDER,
    ZIG_LIB_VARIABLE,
    ZIG_VARIABLE,
)
from manylinux_shim.environment._fortran import Fortran
from manylinux_shim.libraries import Prefix, directories, packages
from manylinux_shim.sysroot import ALWAYS_LINKED, Sysroot
from manylinux_shim.zig import Zig, make_once

NAMES = ("cc", "c++", "ar", "ranlib", "ld")

PYTHON_VARIABLE = "_MANYLINUX_SHIM_PYTHON"
ROOT_VARIABLE = "_MANYLINUX_SHIM_ROOT"

START = (
    f"import os, sys; sys.path.insert(0, os.environ['{ROOT_VARIABLE}']);"
    " from manylinux_shim.compiler._driver import main; sys.exit(main(sys.argv[1:]))"
)
"""What Python is given to run: an import, so that the driver's bytecode is kept."""

_SCRIPT = """#!/bin/sh
# A compiler of manylinux-shim, for {what}.
exec "${{{python}:?works inside of a build by manylinux-shim only}}" -I -S -c "{start}" \
"{configuration}" {tool} "$@"
"""

_STRIPPERS = ("strip", "llvm-strip")
_STRIPPER = """#!/bin/sh
# What manylinux-shim links is stripped as its settings say, and needs no machine's own strip.
from= to=
while [ $# -gt 0 ]; do
  case "$1" in
    -o) to=$2; shift ;;
    -o?*) to=${1#-o} ;;
    -[FIKNORj]) shift ;;
    -*) ;;
    *) from=$1 ;;
  esac
  shift
done
if [ -n "$from" ] && [ ! -e "$from" ]; then
  echo "strip: '$from': No such file" >&2
  exit 1
fi
if [ -n "$to" ]; then cp -p -- "$from" "$to"; fi
"""
"""CMake looks for one beside the compiler first, and installs by it. One of the machine's leaves
other bytes than another's, and knows its own architecture alone."""

_MUSL_LIBRARIES = (*LIBC_LIBRARIES, "crypt", "xnet")


def tools(
    cache: Path,
    arch: Architecture,
    policy: Policy,
    sysroot: Sysroot,
    runtimes: Path,
    *,
    multiarch: str,
    includes: Mapping[str, str],
    from_host: Iterable[str],
    fortran: Optional[Fortran] = None,
    prefixes: Sequence[Prefix] = (),
    native: bool,
    strip: Union[bool, str],
    supply: bool = False,
    debug_files: bool = False,
) -> Path:
    """The directory of tools for one configuration, made if it is not in the cache yet.

    ``includes`` maps directories of Python's headers to what stands in their
    place. ``native``: the host has the target's architecture and libc, and
    libraries that match ``from_host`` may be linked to. ``fortran`` compiles Fortran.
    ``supply``: what the target's glibc lacks is linked in.
    """
    lines: List[Tuple[str, str]] = [
        ("family", policy.family),
        ("multiarch", multiarch),
        ("architecture", arch.name),
        ("zig-target", arch.zig_target(policy)),
        ("sysroot", str(sysroot.directory)),
        ("runtimes", str(runtimes)),
        ("loader", sysroot.loader),
        ("native", str(int(native))),
        ("strip", strip if isinstance(strip, str) else str(int(strip))),
        ("debug-files", str(int(debug_files))),
        ("supply", str(int(supply))),
        ("x86", str(int(arch.zig in ("x86", "x86_64")))),
        *_each("cpu", arch.cpu_flags),
        *_each("c", sysroot.c_flags),
        *_each("cxx", sysroot.cxx_flags),
        *_each("link", sysroot.link_flags),
        *_each("library", (f"{k}\t{v}" for k, v in _libraries(sysroot, policy).items())),
        *_each("include", (f"{k}\t{v}" for k, v in includes.items())),
        *_each("host-include", host_directories("include", multiarch)),
        *_each("host-library", host_directories("lib", multiarch)),
        *_each("prefix-include", directories(p.include for p in prefixes)),
        *_each("prefix-library", directories(p.lib for p in prefixes)),
        *_each("package", packages(prefixes)),
        *_each("from-host", from_host),
        *_each("fortran", fortran.command if fortran else ()),
        ("compilers-libraries", fortran.libraries if fortran else ""),
    ]
    text = "".join(f"{key}\t{value}\n" for key, value in lines)
    # Whoever kept the cache from another version of the shim gets scripts of this one.
    whole = "".join((_SCRIPT, _STRIPPER, START, text))
    digest = hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    directory = cache / "tools" / f"{policy.name}_{arch.name}-{digest}"

    def make(staging: Path) -> None:
        configuration = directory / "configuration"
        (staging / "configuration").write_text(text, encoding="utf-8", errors="surrogateescape")
        for name in (*NAMES, *(("fc",) if fortran else ())):
            script = _SCRIPT.format(
                what=f"{policy.name}_{arch.name}",
                python=PYTHON_VARIABLE,
                start=START,
                configuration=configuration,
                tool=name,
            )
            (staging / name).write_text(script, encoding="utf-8")
            (staging / name).chmod(0o755)
        for name in _STRIPPERS:
            (staging / name).write_text(_STRIPPER, encoding="utf-8")
            (staging / name).chmod(0o755)
        newer = "\n".join(_newer_names(arch, policy))
        (staging / NEWER_TABLE).write_text(newer, encoding="utf-8")

    return make_once(directory, make)


def _newer_names(arch: Architecture, policy: Policy) -> Iterable[str]:
    """The policy's libc, then what came later, each with the version that brought it."""
    if policy.family == "musllinux":
        yield f"musl {policy.version}"
        yield from (f"{name} {since}" for name, since in sorted(newer_than_musl(policy).items()))
        return
    table, floor = GlibcTable.load(), floor_of(policy)
    yield str(policy.version)
    for name, definitions in sorted(table.of(arch).items()):
        first = min(version for _, version in definitions)
        if first > floor:
            yield f"{name} {version_text(first)}"


def variables(zig: Zig, source: Path) -> Dict[str, str]:
    """What the tools read from the environment: the places that change from build to build."""
    return {
        PYTHON_VARIABLE: sys.executable,
        ROOT_VARIABLE: str(Path(manylinux_shim.__file__).resolve().parent.parent),
        ZIG_VARIABLE: str(zig.executable),
        ZIG_LIB_VARIABLE: str(zig.lib),
        PLACES_VARIABLE: "\n".join(f"{old}\t{new}" for old, new in _places(zig, source)),
    }


def _places(zig: Zig, source: Path) -> List[Tuple[str, str]]:
    """Directories that are elsewhere in each build, and names for what is in them.

    An environment is one of ``venv``, or of pip's, which has no interpreter of its own.
    """
    found = {str(zig.lib): "/zig", str(source): "."}
    libraries = [Path(entry) for entry in sys.path if entry.endswith("/site-packages")]
    prefixes = [str(path.parents[2]) for path in libraries if len(path.parents) > 3]
    for prefix in [sys.prefix, *prefixes]:
        if prefix not in (sys.base_prefix, "/usr", "/usr/local"):
            found.setdefault(prefix, "/environment")
    return [(old, new) for old, new in found.items() if not set(old) & set('\t\n"\\')]


def _each(key: str, values: Iterable[str]) -> Iterable[Tuple[str, str]]:
    return ((key, value) for value in values)


def _libraries(sysroot: Sysroot, policy: Policy) -> Dict[str, str]:
    """What ``-l`` finds: every part of musl is one library, glibc has several."""
    lib = sysroot.lib
    if policy.family == "musllinux":
        found = dict.fromkeys(_MUSL_LIBRARIES, lib / "libc.so")
    else:
        names = (*LIBC_LIBRARIES, UNWINDER)
        found = {n: lib / f"lib{n}.so" for n in names if (lib / f"lib{n}.so").exists()}
    found["crt1"] = next((lib / n for n in ("Scrt1.o", "crt1.o") if (lib / n).is_file()), lib)
    if (lib / ALWAYS_LINKED).is_file():
        found["always"] = lib / ALWAYS_LINKED
    return {name: str(path) for name, path in found.items()}


def host_directories(kind: str, multiarch: str) -> List[str]:
    """Where this host keeps headers or libraries, most particular first."""
    names = [f"/usr/{kind}/{multiarch}", f"/usr/{kind}"]
    if kind == "lib":
        names = [f"/usr/lib/{multiarch}", f"/lib/{multiarch}", "/usr/lib64", "/lib64"]
        names += ["/usr/lib", "/lib"]
    return [f"/usr/local/{kind}", *names]
