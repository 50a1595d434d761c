"""A wheel's files among each other: who finds which library, and where from.

A process begins with one file: with a module that Python opens, with a program, or with a
library that nothing in the wheel needs, as Python code opens it by ctypes. From there on
every needed library is looked for in the order in which loaders do, and a library is found
only if it is in every process that needs it. Whatever Python code loads by hand before
cannot be seen from here.

Sources: ld.so(8), "Rpath token expansion" and the search order before it, and
``_dl_map_object`` in glibc's ``elf/dl-load.c``: a library that is loaded already serves by
its ``DT_SONAME`` and by any name under which it was found; then the ``DT_RPATH`` of the file
and of those that brought it along, unless the file has a ``DT_RUNPATH``; then that.
``load_library`` in musl's ``ldso/dynlink.c``: a library that is loaded already serves by the
name under which it was found alone; a run path of either kind is handed down, and one with
any other token than ``$ORIGIN`` is left out.
"""

from __future__ import annotations

import posixpath
import re
from typing import Dict, FrozenSet, Iterator, List, Optional, Sequence, Set, Tuple

from manylinux_shim._errors import WheelError
from manylinux_shim.audit._interpreters import is_module
from manylinux_shim.audit._policies import OTHER_LIBRARIES
from manylinux_shim.elf import ElfFacts

_MOST_STEPS = 5_000_000
"""Directories to look into for one wheel: the largest known take some thousands, and one
that is made to keep us busy would take millions."""
_SITE = "lib/python/site-packages"
_SITE_SPELLED = re.compile(r"^lib(64)?/python[0-9.]+t?/(site|dist)-packages(?=/|$)")
_SCHEMES = {"purelib": _SITE, "platlib": _SITE, "data": "", "scripts": "bin", "headers": "include"}
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")
_OTHER_TOKEN = re.compile(r"\$(?!ORIGIN|\{ORIGIN\})")


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
    return library, _way(member, library)


def run_path_between(member: str, library: str) -> Optional[str]:
    """The run path from a member's place to a library's; None if their ways part.

    The environment's own directories have a known place beside each other, and
    ``site-packages`` has none among them.
    """
    ends = [(installed_path(file) + "/").startswith(_SITE + "/") for file in (member, library)]
    return _way(member, library) if ends[0] is ends[1] else None


def _way(member: str, library: str) -> str:
    start = posixpath.dirname(installed_path(member))
    way = posixpath.relpath(posixpath.dirname(installed_path(library)), start)
    return "$ORIGIN" if way == "." else f"$ORIGIN/{way}"


class Scope:
    """What the files of one architecture in a wheel are to each other, for one libc's loader."""

    def __init__(self, files: Sequence[ElfFacts], family: str = "manylinux") -> None:
        self._glibc = family == "manylinux"
        self._by_path: Dict[str, ElfFacts] = {installed_path(f.name): f for f in files}
        self._directories = {f.name: tuple(self._run_path(f)) for f in files}
        self._by_soname: Dict[str, List[ElfFacts]] = {}
        for f in files:
            for soname in {f.soname, posixpath.basename(f.name)} - {None}:
                self._by_soname.setdefault(str(soname), []).append(f)
        self._found: Dict[Tuple[str, str], Dict[str, ElfFacts]] = {}
        self._missing: Dict[Tuple[str, str], str] = {}
        self._loads: Dict[str, Set[FrozenSet[str]]] = {f.name: set() for f in files}
        self._steps = 0
        needed = {s for f in files for s in f.needed}
        alone = [f for f in files if not needed & {f.soname, posixpath.basename(f.name)}]
        begins = {f.name for f in alone} | {f.name for f in files if is_module(f) or f.executable}
        # Those that need each other in a ring, and that nothing else needs, come last.
        for f in sorted(files, key=lambda f: f.name not in begins):
            if f.name in begins or not self._loads[f.name]:
                self._begin(f)

    def _run_path(self, f: ElfFacts) -> Iterator[str]:
        """The directories of the wheel in the run path of ``f``."""
        if not self._glibc and any(_OTHER_TOKEN.search(entry) for entry in f.run_path):
            return
        for entry in f.run_path:
            directory = run_path_directory(f.name, entry)
            if directory is not None:
                yield directory

    def _begin(self, root: ElfFacts) -> None:
        """Load ``root`` into a process that has nothing of the wheel, and all that it needs."""
        # By name, what serves it; None for a library of the system.
        names: Dict[str, Optional[ElfFacts]] = {}
        if self._glibc and root.soname is not None:
            names[root.soname] = root
        loaders: Dict[str, Optional[ElfFacts]] = {root.name: None}
        queue = [root]
        for f in queue:
            for soname in f.needed:
                if soname not in self._by_soname:
                    continue
                library = names[soname] if soname in names else self._search(f, soname, loaders)
                if library is None:
                    self._missing.setdefault((f.name, soname), root.name)
                    if self._glibc and soname in OTHER_LIBRARIES:
                        names[soname] = None
                    continue
                self._found.setdefault((f.name, soname), {})[library.name] = library
                names.setdefault(soname, library)
                if library.name not in loaders:
                    loaders[library.name] = f
                    queue.append(library)
                    if self._glibc and library.soname is not None:
                        names.setdefault(library.soname, library)
        together = frozenset(loaders)
        for name in together:
            self._loads[name].add(together)

    def _search(
        self, f: ElfFacts, soname: str, loaders: Dict[str, Optional[ElfFacts]]
    ) -> Optional[ElfFacts]:
        """What ``f`` finds for ``soname`` on the run paths that serve it."""
        above: Optional[ElfFacts] = f
        handed_down = not self._glibc or not f.run_path or f.run_path_is_rpath
        while above is not None:
            if above is f or not self._glibc or above.run_path_is_rpath:
                for directory in self._directories[above.name]:
                    self._step()
                    library = self._by_path.get(posixpath.join(directory, soname))
                    if library is not None:
                        return library
            self._step()
            above = loaders[above.name] if handed_down else None
        return None

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise WheelError(
                "the libraries of this wheel need each other in too many ways to follow",
                "Put fewer directories into their run paths.",
            )

    def library(self, f: ElfFacts, soname: str) -> Optional[ElfFacts]:
        """The wheel's own file that is found for ``soname``, needed by ``f``, in every process."""
        found = self.libraries(f, soname)
        return found[0] if found else None

    def libraries(self, f: ElfFacts, soname: str) -> Tuple[ElfFacts, ...]:
        """The same, and whatever else is found in processes that begin otherwise."""
        if (f.name, soname) in self._missing:
            return ()
        return tuple(self._found.get((f.name, soname), {}).values())

    def missed_from(self, f: ElfFacts, soname: str) -> Optional[str]:
        """The file with which a process begins in which ``f`` does not find ``soname``."""
        return self._missing.get((f.name, soname))

    def named(self, soname: str) -> Tuple[ElfFacts, ...]:
        """The files of the wheel that bear this name, found or not."""
        return tuple(self._by_soname.get(soname, ()))

    def unreachable(self, soname: str) -> Optional[ElfFacts]:
        """A file of the wheel that bears this name, found by no run path."""
        files = self._by_soname.get(soname)
        return files[0] if files else None

    def loads(self, f: ElfFacts) -> Tuple[FrozenSet[str], ...]:
        """Names of the files that are loaded together, for each process that has ``f``."""
        return tuple(sorted(self._loads[f.name], key=sorted))

    def neighbours(self, f: ElfFacts) -> FrozenSet[str]:
        """Names of the files that are loaded together with ``f`` in any, itself included."""
        return frozenset().union(*self._loads[f.name])


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
