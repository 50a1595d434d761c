"""Directories that are elsewhere in each build, and the names that what is in them keeps.

The project's directory, the environment that builds it and zig's own: clang writes these names
into objects (``-ffile-prefix-map``), and what was compiled before is known by them.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

PLACES_VARIABLE = "_MANYLINUX_SHIM_PLACES"
"""``old<TAB>new`` lines."""
OBJECTS_VARIABLE = "_MANYLINUX_SHIM_OBJECTS"
"""The directory with what was compiled before; not set where nothing is kept."""

_MARK = "\1"
"""Around what stands for a directory; no path that is looked at has it."""


def places() -> List[Tuple[str, str]]:
    """The directories and their names, the outermost first."""
    lines = os.environ.get(PLACES_VARIABLE, "").splitlines()
    pairs = [line.partition("\t") for line in lines]
    return sorted(((old, new) for old, _, new in pairs), key=lambda pair: len(pair[0]))


class Places:
    """Paths with the same text in each build, and back. Of two places one may lie in the other."""

    def __init__(self) -> None:
        counts: Dict[str, int] = {}
        names: Dict[str, str] = {}
        for line in os.environ.get(PLACES_VARIABLE, "").splitlines():
            old, _, new = line.partition("\t")
            counts[new] = counts.get(new, 0) + 1
            names[old] = f"{_MARK}{new}{_MARK}{counts[new]}{_MARK}"
        self._names = [(old, names[old]) for old, _ in reversed(places())]

    def hide(self, path: str) -> str:
        """``path`` as it is called in every build."""
        for old, name in self._names:
            if path == old or path.startswith(f"{old}/"):
                return name + path[len(old) :]
        return path

    def show(self, path: str) -> Optional[str]:
        """The path of this build; None where it has no such place."""
        for old, name in self._names:
            if path.startswith(name):
                return old + path[len(name) :]
        return None if path.startswith(_MARK) else path

    def hidden_in(self, text: str) -> str:
        """What a compiler said, as it would say it in every build."""
        for old, name in self._names:
            text = text.replace(old, name)
        return text

    def shown_in(self, text: str) -> str:
        for old, name in self._names:
            text = text.replace(name, old)
        return text

    def named_in(self, data: bytes) -> bool:
        """Whether it tells of one of the directories."""
        return any(os.fsencode(old) in data for old, _ in self._names)
