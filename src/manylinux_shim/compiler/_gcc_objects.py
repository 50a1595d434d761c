"""Objects that GCC has compiled from C++, in a link through zig: they want libstdc++.

A static library that somebody else has built is the usual case. What it asks of
the standard library has other names in LLVM's, and no link gives both.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterable, List, Mapping

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
