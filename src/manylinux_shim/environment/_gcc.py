"""Another GCC than this machine's own: a cross compiler, or one that the user names.

In mode relink it builds for another architecture. The real backend gets what it gets
from zig: a directory of tools, the target's headers of Python, its sysconfig, and files
for configure, CMake and Meson.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture
from manylinux_shim._processes import run
from manylinux_shim.environment._cross_files import cross_files
from manylinux_shim.environment._emulator import find_emulator
from manylinux_shim.environment._fortran import FORTRAN_VARIABLES
from manylinux_shim.environment._tools import PYTHON_VARIABLE
from manylinux_shim.environment._variables import (
    archivers,
    compilers,
    prefix_variables,
    target_python,
    target_sysconfig,
)
from manylinux_shim.libraries import Prefix, directories, packages
from manylinux_shim.target_python import staged_headers
from manylinux_shim.zig import cache_root, make_once

_COMPILERS = {"cc": ("CC", "gcc"), "c++": ("CXX", "g++"), "fc": ("FC", "gfortran")}
"""Tool -> the variable by which a user names it, and what its name ends with in GCC."""

_BINUTILS = ("ar", "ranlib", "strip", "nm", "objcopy", "ld")

_SCRIPT = """#!/bin/sh
# {command} with Python's headers for {arch}.
count=$#
before=
for word do
  given=$word
  case "$word" in
{cases}
  esac
  set -- "$@" "$word"
  before=$given
done
shift "$count"
exec {command} "$@"{searched}
"""

# What lies in a package of this machine's Python, and in the target's wheel of it.
_IN_PACKAGE = """\
    -[IL]*/{site}/{name}/*|-isystem*/{site}/{name}/*|[!-]*/{site}/{name}/*)
      case "$word" in -isystem*) option=-isystem ;; -I*) option=-I ;; -L*) option=-L ;;
        *) option= ;; esac
      other={package}/{name}/${{word##*/{site}/{name}/}}
      case "$before" in -o|-MF) ;;
        *) if test -e "$other"; then word=$option$other; fi ;; esac ;;"""

_SECONDS = 60


def prepare_gcc(
    arch: Architecture, prefixes: Sequence[Prefix], notice: Callable[[str], None]
) -> Dict[str, str]:
    """The variables that make the real backend compile for ``arch`` with its GCC.

    ``prefixes`` have libraries for it, and are searched first.

    Raises ToolchainError, with the package to install, where there is none.
    """
    found = foreign_compilers(arch, os.environ)
    notice(f"{shlex.join(found['cc'])} compiles for {arch.name}")
    cache = cache_root(os.environ, notice)
    multiarch = arch.triplet("manylinux", sys.version_info[:2])
    host = sysconfig.get_config_var("MULTIARCH") or multiarch
    includes = staged_headers(cache, arch, host)
    tools = _tools(cache, arch, found, includes, prefixes)
    places = [f"/usr/lib/{arch.triplet_gnu}", f"/usr/{arch.gcc_triplet}/lib"]
    packages = [f"{place}/pkgconfig" for place in places]
    optional = {
        **archivers(tools),
        "STRIP": str(tools / "strip"),
        "PKG_CONFIG_LIBDIR": os.pathsep.join([*packages, "/usr/share/pkgconfig"]),
        "CMAKE_LIBRARY_PATH": os.pathsep.join(places),
    }
    sysroot = Path("/usr", arch.gcc_triplet)
    python = target_python(arch, "manylinux", multiarch, tools, includes)
    emulator = find_emulator(arch, "manylinux", os.environ)
    parts = (tools, sysroot, host)
    optional.update(cross_files(cache, arch, multiarch, *parts, os.environ, python, emulator))
    searched = prefix_variables(prefixes, {**optional, **os.environ})
    unset = {name: value for name, value in optional.items() if not os.environ.get(name)}
    named = compilers(tools)
    if "fc" in found:
        named.update(dict.fromkeys(FORTRAN_VARIABLES, str(tools / "fc")))
    where = target_sysconfig(cache, arch, multiarch, python)
    return {**unset, **searched, **named, **where, PYTHON_VARIABLE: sys.executable}


def foreign_compilers(arch: Architecture, environ: Mapping[str, str]) -> Dict[str, List[str]]:
    """Tool (``cc``, ``c++``, ``fc``) -> its command; at least ``cc`` is there.

    Raises ToolchainError, with the package to install or the variable to correct.
    """
    found: Dict[str, List[str]] = {}
    for tool, (variable, name) in _COMPILERS.items():
        given = environ.get(variable, "").strip()
        command = _words(variable, given) if given else [f"{arch.gcc_triplet}-{name}"]
        path = shutil.which(command[0])
        if path is None:
            if given:
                raise ToolchainError(
                    f"{variable} names {command[0]!r}, which is not on the path",
                    f"Correct or unset {variable}.",
                )
            continue
        if given:
            _check_machine(variable, command, arch)
        found[tool] = [path, *command[1:]]
    if "cc" not in found:
        raise ToolchainError(
            f"mode = relink needs a compiler for {arch.name}, and {arch.gcc_triplet}-gcc is not on"
            " the path",
            f"{install_gcc(arch)} Or name yours in CC, CXX and FC; or use mode zig.",
        )
    return found


def install_gcc(arch: Architecture) -> str:
    """How to get GCC for ``arch``."""
    triplet = arch.gcc_triplet.replace("_", "-")
    names = " ".join(f"{name}-{triplet}" for name in ("gcc", "g++", "gfortran"))
    return f"On Debian and Ubuntu: `apt install {names}`."


def _check_machine(variable: str, command: Sequence[str], arch: Architecture) -> None:
    try:
        said = run([*command, "-dumpmachine"], timeout=_SECONDS).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    names = {arch.name, arch.gcc_triplet.partition("-")[0], arch.zig, *arch.aliases}
    if said.partition("-")[0] not in names:
        raise ToolchainError(
            f"{variable}={shlex.join(command)} compiles for {said or 'nobody knows what'}, and"
            f" {arch.name} is to be built",
            f"Name a compiler for {arch.name}, or unset {variable}. {install_gcc(arch)}",
        )


def _words(variable: str, command: str) -> List[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise ToolchainError(
            f"{variable} is {command!r}, which is no command: {error}", f"Correct {variable}."
        ) from error


def _tools(
    cache: Path,
    arch: Architecture,
    found: Mapping[str, Sequence[str]],
    includes: Mapping[str, str],
    prefixes: Sequence[Prefix],
) -> Path:
    """The directory of tools, made if it is not in the cache yet."""
    cases = "\n".join(
        f"    {before}{shlex.quote(old)}) word={before}{shlex.quote(new)} ;;"
        for old, new in includes.items()
        for before in ("", "-I", "-isystem")
    )
    cases += "".join(
        "\n" + _IN_PACKAGE.format(site=site, name=path.name, package=shlex.quote(package))
        for package in packages(prefixes)
        for path in sorted(Path(package).iterdir())
        if path.is_dir() and re.fullmatch(r"\w+", path.name)
        for site in ("site-packages", "dist-packages")
    )
    searched = [f"-isystem {shlex.quote(d)}" for d in directories(p.include for p in prefixes)]
    searched += [f"-L{shlex.quote(d)}" for d in directories(p.lib for p in prefixes)]
    texts = {
        tool: _SCRIPT.format(
            command=shlex.join(command),
            arch=arch.name,
            cases=cases or "    *) ;;",
            searched="".join(f" {word}" for word in searched),
        )
        for tool, command in found.items()
    }
    for name in _BINUTILS:
        path = _binutil(found["cc"], name)
        if path is not None:
            texts[name] = f'#!/bin/sh\nexec {shlex.quote(path)} "$@"\n'
    digest = hashlib.sha256("\0".join(f"{k}\0{v}" for k, v in texts.items()).encode()).hexdigest()

    def make(staging: Path) -> None:
        for name, text in texts.items():
            (staging / name).write_text(text, encoding="utf-8", errors="surrogateescape")
            (staging / name).chmod(0o755)

    return make_once(cache / "tools" / f"gcc_{arch.name}-{digest[:16]}", make)


def _binutil(cc: Sequence[str], name: str) -> Optional[str]:
    """The program of that name that a compiler uses."""
    try:
        said = run([*cc, f"-print-prog-name={name}"], timeout=_SECONDS).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return shutil.which(said) if said else None
