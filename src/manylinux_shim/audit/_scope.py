"""A wheel's files among each other: who finds which library, and where from.

A loader finds a needed library in the run paths of the file that needs it, or
of one that brought that file along, or has it already because one of those
needs it too. Whatever Python code loads by hand cannot be seen from here.

Source: ld.so(8), "Rpath token expansion" and the search order before it.
"""

from __future__ import annotations

import posixpath
import re
from typing import Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from manylinux_shim.elf import ElfFacts

# How many libraries may lead to each other's run paths; loaders have no such bound,
# but two are many, and a wheel made to keep us busy would have thousands.
_MOST_ROUNDS = 16
_SITE = "lib/python/site-packages"
_SITE_SPELLED = re.compile(r"^lib(64)?/python[0-9.]+t?/(site|dist)-packages(?=/|$)")
_SCHEMES = {"purelib": _SITE, "platlib": _SITE, "data": "", "scripts": "bin", "headers": "include"}
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")


def installed_path(member: str) -> str:
    """Where an installer puts a member, relative to the environment's prefix.

    Source: the binary distribution format, "The .data directory".
    """
    top, _, rest = member.partition("/")
    if top.endswith(".data"):
        scheme, _, path = rest.partition("/")
        if scheme in _SCHEMES:
            return posixpath.join(_SCHEMES[scheme], path)
    return posixpath.join(_SITE, member)


def run_path_directory(member: str, entry: str) -> Optional[str]:
    """The directory that a run path entry of ``member`` means, as ``installed_path`` has it.

    None if it leads out of what a wheel installs: an absolute or relative
    directory, or one above ``site-packages``.
    """
    place = posixpath.dirname(installed_path(member))
    if not entry.startswith("/"):
        match = _ORIGIN.match(entry)
        if match is None or (entry[match.end() :] and entry[match.end()] != "/"):
            return None
        path = posixpath.normpath(f"{place}/{entry[match.end() :]}")
        path = _SITE_SPELLED.sub(_SITE, path)
        inside_site = (place + "/").startswith(_SITE + "/")
        root = _SITE if inside_site else ""
        if path.split("/")[0] != ".." and (not root or (path + "/").startswith(root + "/")):
            return path
    return None


def library_place(distribution: str, member: str, soname: str) -> Tuple[str, str]:
    """The member that a library of ours becomes for a file, and the run path from there to it.

    A program in ``scripts`` is installed where only the environment's own directories
    have a known place beside it, so its library goes into that of data.
    """
    directory = f"{distribution}.libs"
    top, _, rest = member.partition("/")
    if top.endswith(".data") and rest.split("/")[0] in ("scripts", "data"):
        directory = f"{top}/data/lib/{directory}"
    library = f"{directory}/{soname}"
    start = posixpath.dirname(installed_path(member))
    way = posixpath.relpath(posixpath.dirname(installed_path(library)), start)
    return library, "$ORIGIN" if way == "." else f"$ORIGIN/{way}"


class Scope:
    """What the files of one architecture in a wheel are to each other."""

    def __init__(self, files: Sequence[ElfFacts]) -> None:
        self._by_path: Dict[str, ElfFacts] = {installed_path(f.name): f for f in files}
        self._paths = {f.name: path for path, f in self._by_path.items()}
        self._run_paths: Dict[str, Tuple[str, ...]] = {}
        for f in files:
            found = (run_path_directory(f.name, entry) for entry in f.run_path)
            self._run_paths[f.name] = tuple(d for d in found if d is not None)
        self._by_soname: Dict[str, List[ElfFacts]] = {}
        for f in files:
            for soname in {f.soname, posixpath.basename(f.name)} - {None}:
                self._by_soname.setdefault(str(soname), []).append(f)
        self._above: Dict[str, Set[str]] = {f.name: set() for f in files}
        self._below: Dict[str, Set[str]] = {f.name: set() for f in files}
        self._found: Dict[Tuple[str, str], ElfFacts] = {}
        self._link(files)

    def _link(self, files: Sequence[ElfFacts]) -> None:
        """Find every needed library, until the run paths of those above show no more."""
        missing = [(f, s) for f in files for s in f.needed if s in self._by_soname]
        for _ in range(_MOST_ROUNDS):
            left = []
            for f, soname in missing:
                library = self._search(f, soname)
                if library is None:
                    left.append((f, soname))
                elif library.name != f.name:
                    self._found[f.name, soname] = library
                    self._above[library.name].add(f.name)
                    self._below[f.name].add(library.name)
            if len(left) == len(missing):
                return
            missing = left

    def _search(self, f: ElfFacts, soname: str) -> Optional[ElfFacts]:
        if f.soname == soname:
            return f
        for name in (f.name, *sorted(self._reach(f.name, self._above))):
            for directory in self._run_paths[name]:
                library = self._by_path.get(posixpath.join(directory, soname))
                if library is not None:
                    return library
        return None

    @staticmethod
    def _reach(name: str, edges: Dict[str, Set[str]]) -> Set[str]:
        """All that ``edges`` lead to from ``name``, itself left out."""
        found: Set[str] = set()
        todo = [name]
        while todo:
            for other in edges[todo.pop()]:
                if other not in found:
                    found.add(other)
                    todo.append(other)
        return found - {name}

    def library(self, f: ElfFacts, soname: str) -> Optional[ElfFacts]:
        """The wheel's own file that the loader finds for ``soname``, needed by ``f``."""
        return self._found.get((f.name, soname))

    def unreachable(self, soname: str) -> Optional[ElfFacts]:
        """A file of the wheel that bears this name, found by no run path."""
        files = self._by_soname.get(soname)
        return files[0] if files else None

    def neighbours(self, f: ElfFacts) -> FrozenSet[str]:
        """Names of the files that are loaded together with ``f``, itself included.

        Those are what it needs, what needs it, and what that needs.
        """
        together = {f.name} | self._reach(f.name, self._above)
        for name in tuple(together):
            together |= self._reach(name, self._below)
        return frozenset(together)


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
