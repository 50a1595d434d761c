"""Libraries of the machine that builds: few of them may be linked to."""

from __future__ import annotations

import os

from manylinux_shim.compiler._rules import LIBC_LIBRARIES, RUNTIME_LIBRARIES, UNWINDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from manylinux_shim.compiler._command import Command, Target

NO_OPENMP = "zig has no OpenMP runtime"

WAY_OUT = (
    'Build the project without it, or with `mode = "relink"`: GCC for the target compiles then,'
    " and its library goes into the wheel. An OpenMP runtime can be named, too:"
    ' `libraries = ["wheel:cmeel-libomp"]`.'
)

_OF_GCC = {
    "omp": NO_OPENMP,
    "gomp": NO_OPENMP,
    "gfortran": "zig has no Fortran compiler, and no runtime for it",
    "quadmath": "zig has no library for GCC's __float128",
}
"""What this toolchain cannot give at all, whatever the host has."""


COMPILERS = ("gfortran", "quadmath", "gomp")
"""Libraries that GCC brings for what it compiles: they go into the wheel."""


def take_from_host(command: Command, target: Target) -> None:
    """Replace ``-l`` of a library that may come from the host by its path there.

    The host's directories are not searched for anything else: a library that
    happens to be here would be missed wherever the wheel is installed.
    """
    if command.static:
        return
    own = [word[2:] for word in command.linker if word.startswith("-L")]
    dynamic = True
    for place, word in enumerate(command.linker):
        if word in ("-Bstatic", "-Bdynamic"):
            dynamic = word == "-Bdynamic"
        if not dynamic or not word.startswith("-l"):
            continue
        if word[2:] == "gomp" and any(os.path.exists(f"{d}/libomp.so") for d in own):
            # What clang compiles calls LLVM's runtime, which has GCC's functions as well.
            command.linker[place] = "-lomp"
            continue
        if word[2:] in COMPILERS and target.compilers_libraries:
            path = f"{target.compilers_libraries}/lib{word[2:]}.so"
            command.linker[place] = path if os.path.exists(path) else word
            continue
        if not target.native or not _may_come(word[2:], target):
            continue
        files = (f"lib{word[2:]}.so", f"lib{word[2:]}.a")
        if not any(os.path.exists(f"{d}/{name}") for d in own for name in files):
            found = (f"{d}/{files[0]}" for d in target.host_libraries)
            command.linker[place] = next(filter(os.path.exists, found), word)


def explanations(said: str, target: Target) -> Iterator[str]:
    """What to say of libraries that lld did not find and that the host, or GCC, has.

    Or that it found, and they are for the host, in a package of this machine's Python.
    """
    for package in dict.fromkeys(map(_foreign_package, said.splitlines())):
        if package:
            yield (
                f"what {package} brings for C is for this machine. Name the wheel that has it in"
                f' `libraries`: `libraries = ["wheel:{package}"]` takes the target\'s.'
            )
    for line in said.splitlines():
        name = line.partition("unable to find library -l")[2].strip()
        if name in _OF_GCC:
            yield f"{_OF_GCC[name]}. {WAY_OUT}"
            continue
        here = [d for d in target.host_libraries if os.path.exists(f"{d}/lib{name}.so")]
        if name and here:
            yield (
                f"{here[0]}/lib{name}.so is not used: systems that the wheel is for may not have"
                " it. Link it statically, or name it in `exclude` if another package provides it."
                + (" `repair = true` grafts it into the wheel." if target.native else "")
            )


def _foreign_package(line: str) -> str:
    """The package of this machine's Python whose file a line of lld's refuses, or nothing."""
    path, refused, _ = line.rpartition(" is incompatible with ")
    _, found, inside = path.rpartition("-packages/")  # site- or, on Debian, dist-
    return inside.partition("/")[0] if refused and found else ""


def _may_come(name: str, target: Target) -> bool:
    if name in (*LIBC_LIBRARIES, *RUNTIME_LIBRARIES, UNWINDER) or name in target.libraries:
        return False  # the target's own, whatever a pattern says
    if name.startswith("python") and name[6:7].isdigit():
        return False  # of the program that loads an extension
    library = f"lib{name}"
    if library in target.from_host:
        return True
    wild = [pattern for pattern in target.from_host if set("*?[") & set(pattern)]
    if not wild:
        return False
    from fnmatch import fnmatchcase

    return any(fnmatchcase(library, pattern) for pattern in wild)
