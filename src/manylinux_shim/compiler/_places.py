"""Directories that are elsewhere in each build, and the names that what is in them keeps.

The project's directory, the environment that builds it and zig's own, and the one in which CMake
or Meson build, which as a rule has a name of chance: clang writes these names into objects
(``-ffile-prefix-map``), and what was compiled before is known by them.
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

_OF_BUILDS = ("CMakeFiles", "meson-private")
"""What CMake and Meson make first in the directory that they build in, and CMake in each one that
it makes for a check; Meson's checks have theirs in the latter."""

_MARK = "\1"
"""Around what stands for a directory; no path that is looked at has it."""


def places() -> List[Tuple[str, str]]:
    """The directories and their names, the outermost first."""
    return sorted(_all().items(), key=lambda pair: len(pair[0]))


def mapped() -> List[str]:
    """clang's arguments by which it writes the names. It takes none whose directory has a ``=``."""
    return [f"-ffile-prefix-map={old}={new}" for old, new in places() if "=" not in old]


def here() -> str:
    """The working directory as clang calls it: by PWD, if that is where it is. Raises OSError."""
    named = os.environ.get("PWD", "")
    try:
        if named.startswith("/") and os.path.samefile(named, "."):
            return named
    except OSError:
        pass  # there is none of that name
    return os.getcwd()


def _all() -> Dict[str, str]:
    lines = os.environ.get(PLACES_VARIABLE, "").splitlines()
    known = {old: new for old, _, new in (line.partition("\t") for line in lines)}
    try:
        at = here()
    except OSError:
        at = "/"  # it has been taken away: the compiler is to say so
    building = []
    while at not in known and at != "/":
        above = os.path.dirname(at)
        if above.endswith("/meson-private") or any(
            os.path.isdir(f"{at}/{name}") for name in _OF_BUILDS
        ):
            building.append(at)
        at = above
    for directory in reversed(building):
        if not set(directory) & set('\t\n"\\'):
            known[directory] = _name(directory, known)
    return known


def _name(directory: str, known: Dict[str, str]) -> str:
    """Of one that CMake or Meson build in.

    In another place it is as deep as before: Meson names sources by paths that lead out of it.
    """
    around = max((old for old in known if directory.startswith(f"{old}/")), key=len, default="")
    depth = directory[len(around) :].count("/") if around else 1
    return known.get(around, "") + "/build" * depth


class Places:
    """Paths with the same text in each build, and back. Of two places one may lie in the other."""

    def __init__(self) -> None:
        counts: Dict[str, int] = {}
        names: Dict[str, str] = {}
        for old, new in _all().items():
            counts[new] = counts.get(new, 0) + 1
            names[old] = f"{_MARK}{new}{_MARK}{counts[new]}{_MARK}"
        self._names = [(old, names[old]) for old, _ in reversed(places())]
        self._numbers = {old: number for number, old in enumerate(names)}

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

    def numbered(self, path: str) -> Optional[Tuple[int, str]]:
        """The place that ``path`` is in: its number, which is the same in each build, and itself.

        None where it is in none.
        """
        inside = (old for old, _ in self._names if path.startswith(f"{old}/"))
        return next(((self._numbers[old], old) for old in inside), None)

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
