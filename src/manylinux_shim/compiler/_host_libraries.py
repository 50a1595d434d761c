"""Libraries of the machine that builds: few of them may be linked to."""

from __future__ import annotations

import os
import re
from typing import Callable, Dict, Iterable, List, Mapping

from manylinux_shim.compiler._rules import LIBC_LIBRARIES, RUNTIME_LIBRARIES, UNWINDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from manylinux_shim.compiler._command import Command, Target


_OF_GCC = {
    "omp": "zig has no OpenMP runtime",
    "gomp": "zig has no OpenMP runtime",
    "gfortran": "zig has no Fortran compiler, and no runtime for it",
    "quadmath": "zig has no library for GCC's __float128",
}
"""What this toolchain cannot give at all, whatever the host has."""


def take_from_host(command: Command, target: Target) -> None:
    """Replace ``-l`` of a library that may come from the host by its path there.

    The host's directories are not searched for anything else: a library that
    happens to be here would be missed wherever the wheel is installed.
    """
    if not target.native or command.static:
        return
    own = [word[2:] for word in command.linker if word.startswith("-L")]
    dynamic = True
    for place, word in enumerate(command.linker):
        if word in ("-Bstatic", "-Bdynamic"):
            dynamic = word == "-Bdynamic"
        if not dynamic or not word.startswith("-l") or not _may_come(word[2:], target):
            continue
        files = (f"lib{word[2:]}.so", f"lib{word[2:]}.a")
        if not any(os.path.exists(f"{d}/{name}") for d in own for name in files):
            found = (f"{d}/{files[0]}" for d in target.host_libraries)
            command.linker[place] = next(filter(os.path.exists, found), word)


def explanations(said: str, target: Target) -> Iterator[str]:
    """What to say of libraries that lld did not find and that the host, or GCC, has."""
    for line in said.splitlines():
        name = line.partition("unable to find library -l")[2].strip()
        if name in _OF_GCC:
            yield (
                f'{_OF_GCC[name]}. Build the project without it; or with `mode = "relink"`, by this'
                ' machine\'s compiler; or with `mode = "check"` in a manylinux container.'
            )
            continue
        here = [d for d in target.host_libraries if os.path.exists(f"{d}/lib{name}.so")]
        if name and here:
            yield (
                f"{here[0]}/lib{name}.so is not used: systems that the wheel is for may not have"
                " it. Link it statically, or name it in `exclude` if another package provides it."
                + (" `repair = true` grafts it into the wheel." if target.native else "")
            )


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


_FOR_GCC = re.compile(
    # libstdc++'s namespaces for its newer strings and its extensions...
    r"_Z.*(St7__cxx11|9__gnu_cxx)"
    # ...and what is directly in std (Itanium C++ ABI, 5.1.5 and 5.1.6), where LLVM has "std::__1".
    r"|_Z(GV|GR|T[CISTVW]|Th\w*?_|Tv\w*?_)?(N[KVrRO]*)?(St(?!3__1)|S[adios])"
)
_MOST_NAMED = 3
_PLACE = re.compile(r"^>>> +(\S+):\(.*?\)(?: in archive (.+))?$", re.MULTILINE)


def refusal(missing: Mapping[str, str], demangled: Callable[[], Mapping[str, str]]) -> str:
    """Why a link lacks what only libstdc++ has; empty if it lacks nothing of that.

    ``missing`` maps undefined symbols to lld's lines on where they are needed;
    ``demangled`` gives those that lld knows by another spelling.
    """
    names = [name for name in missing if _FOR_GCC.match(name)]
    if not names:
        return ""
    spelled = demangled()
    listed = [spelled.get(name, name) for name in names[:_MOST_NAMED]]
    more = f" and {len(names) - len(listed)} more" if len(names) > len(listed) else ""
    found = _found_in(missing[name] for name in names)
    return (
        f"{', '.join(found) or 'what is linked'} was compiled by GCC and needs its C++ library,"
        f" libstdc++: {', '.join(listed)}{more}. zig links LLVM's libc++, which has none of it."
        " Compile it from its source in this build, or build with"
        ' `mode = "relink"`: that takes this machine\'s GCC, and its library.'
    )


def _found_in(places: Iterable[str]) -> List[str]:
    found: Dict[str, None] = {}
    for text in places:
        for item, archive in _PLACE.findall(text):
            found.setdefault((archive or item).rpartition("/")[2])
    return list(found)
