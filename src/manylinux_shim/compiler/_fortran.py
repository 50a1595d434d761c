"""The tool ``fc``: GCC's Fortran compiler compiles, and this toolchain links.

zig has no Fortran compiler. An object file asks for no version of any library, so that of
another compiler is as good as clang's; what decides on the versions is the link.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence, Tuple

SUFFIXES = (
    ".f", ".for", ".ftn", ".fpp", ".f77", ".f90", ".f95", ".f03", ".f08",
    ".F", ".FOR", ".FTN", ".FPP", ".F77", ".F90", ".F95", ".F03", ".F08",
)  # fmt: skip

_LINKS_NOTHING = frozenset(("-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-v", "-V", "-###"))
_QUESTIONS = ("-print-", "--print-", "-dump", "--version", "--help", "--target-help")
_WITH_VALUE = ("-o", "-I", "-L", "-l", "-J", "-x", "-include", "-isystem", "-Xlinker", "-T", "-u")
_FOR_COMPILING = ("-J", "-std=", "-ffixed", "-ffree", "-fdefault", "-fimplicit", "-cpp", "-nocpp")
_FOR_LINKING = ("-l", "-L", "-Wl,", "-shared", "-static")


def compiles_only(words: Sequence[str]) -> bool:
    """Whether a call of the Fortran compiler is none that links."""
    return any(word in _LINKS_NOTHING or word.startswith(_QUESTIONS) for word in words)


def link_words(words: Sequence[str], libraries: str) -> Tuple[List[str], List[Tuple[int, str]]]:
    """The words for this toolchain's own link, and the sources among them, by their place.

    ``libraries`` is the directory of the Fortran compiler's own libraries.
    """
    kept: List[str] = []
    sources: List[Tuple[int, str]] = []
    skip = False
    for number, word in enumerate(words):
        if skip:
            skip = False
            continue
        if word in ("-J", "-x"):
            skip = True
        elif word.startswith("-fopenmp"):
            kept.append("-lgomp")
        elif word.startswith(("-static-lib", *_FOR_COMPILING)):
            continue
        else:
            following = number > 0 and words[number - 1] in _WITH_VALUE
            if word.endswith(SUFFIXES) and word[:1] != "-" and not following:
                sources.append((len(kept), word))
            kept.append(word)
    # Where the machine has no libquadmath of GCC's, its Fortran does not need it.
    quadmath = os.path.exists(f"{libraries}/libquadmath.so")
    return [
        *kept, f"-L{libraries}", "-lgfortran", *(["-lquadmath"] if quadmath else []), "-lm",
    ], sources  # fmt: skip


def options(words: Sequence[str], sources: Sequence[Tuple[int, str]]) -> List[str]:
    """What a call that compiles and links says of compiling."""
    named = {path for _, path in sources}
    found: List[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-L", "-l", "-Xlinker", "-T", "-u"):
            skip = True
        elif word not in named and not word.startswith(_FOR_LINKING):
            found += [word] if word[:1] == "-" or not word.endswith((".o", ".a", ".so")) else []
    return found
