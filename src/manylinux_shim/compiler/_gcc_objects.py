"""What GCC has compiled from C++, in a link through zig: it speaks of libstdc++'s types.

A static library that somebody else has built asks for names that LLVM's has not; a shared
one lacks those functions that take or return types of LLVM's. No link gives both.
"""

from __future__ import annotations

import os
import re
from typing import Callable, Dict, Iterable, List, Mapping, Sequence

_FOR_GCC = re.compile(
    # libstdc++'s namespaces for its newer strings and its extensions...
    r"_Z.*(St7__cxx11|9__gnu_cxx)"
    # ...and what is directly in std (Itanium C++ ABI, 5.1.5 and 5.1.6), where LLVM has "std::__1".
    r"|_Z(GV|GR|T[CISTVW]|Th\w*?_|Tv\w*?_)?(N[KVrRO]*)?(St(?!3__1)|S[adios])"
)
_OF_LLVM = re.compile(r"_Z.*NSt3__1")
_LLVMS_OWN = re.compile(r"_Z(GV|GR|T[CISTVW])?(N[KVrRO]*)?(St3__1|St)")
"""Functions that exchange LLVM's types, and those that it has itself."""
_NEEDS = b"\0libstdc++.so.6\0"
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


def other_library(
    missing: Iterable[str], linker: Sequence[str], demangled: Callable[[], Mapping[str, str]]
) -> str:
    """Why a link lacks functions that a shared library of GCC's has for other types; else empty.

    ``linker`` are the link's words, in which the libraries are looked for.
    """
    names = [n for n in missing if _OF_LLVM.match(n) and not _LLVMS_OWN.match(n)]
    found = _libraries_of_gcc(linker) if names else []
    if not found:
        return ""
    spelled = demangled()
    listed = ", ".join(spelled.get(name, name) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"{', '.join(found)}: GCC compiled this with its C++ library, libstdc++, whose types are"
        f" others than those of LLVM's libc++, which zig links: {listed}{more} is not in it."
        " Compile the library from its source with this toolchain (`before-all`), or build with"
        ' `mode = "relink"`: GCC for the target compiles then, and links its own.'
    )


def _libraries_of_gcc(linker: Sequence[str]) -> List[str]:
    """The shared libraries among what is linked that need libstdc++."""
    directories = [word[2:] for word in linker if word.startswith("-L")]
    found: Dict[str, None] = {}
    for word in linker:
        names = [word]
        if word.startswith("-l"):
            names = [f"{directory}/lib{word[2:]}.so" for directory in directories]
        path = next((name for name in names if ".so" in name and os.path.isfile(name)), "")
        if path:
            with open(path, "rb") as file:
                if _NEEDS in file.read():
                    found.setdefault(os.path.basename(os.path.realpath(path)))
    return list(found)


def _found_in(places: Iterable[str]) -> List[str]:
    found: Dict[str, None] = {}
    for text in places:
        for item, archive in _PLACE.findall(text):
            found.setdefault((archive or item).rpartition("/")[2])
    return list(found)
