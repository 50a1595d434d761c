"""Files that exchange C++ although each has a C++ runtime of its own."""

from __future__ import annotations

from typing import List, Sequence, Tuple

from manylinux_shim.audit._scope import Scope
from manylinux_shim.elf import ElfFacts

_THROWS = "__cxa_throw"


def exchanging(files: Sequence[ElfFacts]) -> List[Tuple[str, str]]:
    """Pairs of names: a file, and one that is loaded with it and whose C++ it calls.

    Only those are named of which each has a C++ runtime, be it GCC's or LLVM's, that the
    other does not see. What passes between files that Python code brings together is not
    seen from here.
    """
    alone = [f for f in files if f.cxx_runtime and _THROWS not in f.exports]
    if len(alone) < 2:
        return []
    scope = Scope(files)
    found = []
    for user in alone:
        wanted = [symbol.name for symbol in user.undefined if symbol.name.startswith("_Z")]
        near = scope.neighbours(user) if wanted else frozenset()
        found += [
            (user.name, library.name)
            for library in alone
            if library is not user
            and library.name in near
            and any(name in library.exports for name in wanted)
        ]
    return found
