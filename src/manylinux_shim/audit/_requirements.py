"""From one file's facts to what it asks of a libc and a policy, each with its floor.

Evaluated once, not once per policy: a symbol has one floor, and a policy either
reaches it or does not.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import Callable, FrozenSet, Iterable, List, Optional, Sequence, Set, Tuple

from manylinux_shim._platforms import Architecture
from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit._policies import (
    ALWAYS,
    BANNED,
    GLIBC_LIBRARIES,
    NAMESPACES,
    NEVER,
    OTHER_LIBRARIES,
    Floor,
    glibc_version,
    is_musl_libc,
    library_floor,
    musl_library_floor,
    version_floor,
)
from manylinux_shim.audit._scope import Scope, run_path_directory
from manylinux_shim.audit._symbols import LIBRARY_OF_SONAME, GlibcTable, MuslTable
from manylinux_shim.audit.reasons import Reason, Requirement
from manylinux_shim.elf import ElfFacts

# A module's own entry point is no part of the API, though it is spelled like it.
_PYTHON_API = re.compile(r"_?Py(?!Init_)")
# CPython is linked with these wherever they are libraries of their own (its configure
# script), so they are in every process that loads an extension.
_IN_EVERY_PYTHON = ("c", "m", "pthread", "dl", "util", "ld")
_IN_EVERY_PROGRAM = ("c", "ld")


# glibc's own libraries whose symbols zig's table does not have.
_NO_TABLE = ("libnsl.so.1", "libanl.so.1", "libmvec.so.1")


def libc_of(facts: ElfFacts, arch: Architecture) -> Optional[str]:
    """The family whose libc a file is linked with; None if it is with none."""
    glibc = set(GLIBC_LIBRARIES) | {arch.glibc_loader}
    interpreter = posixpath.basename(facts.interpreter or "")
    if glibc.intersection(facts.needed) or interpreter == arch.glibc_loader:
        return "manylinux"
    if any(is_musl_libc(s, arch) for s in facts.needed) or interpreter == arch.musl_loader:
        return "musllinux"
    return None


_SYSTEMS = ("/usr/", "/lib/", "/lib64/")


def strayed(facts: ElfFacts, scope: Scope, *, harmless: bool = False) -> List[str]:
    """Entries of the run path that lead out of the wheel; or only those that do no harm.

    That is a directory of the system's own, where no library of the wheel is looked for:
    the file needs none, or finds all of them in a directory before.
    """
    entries = [entry for entry in dict.fromkeys(facts.run_path) if entry]
    outside = [entry for entry in entries if run_path_directory(facts.name, entry) is None]
    first = next((at for at, entry in enumerate(entries) if entry not in outside), len(entries))
    own = [soname for soname in facts.needed if scope.unreachable(soname)]
    served = all(scope.library(facts, soname) for soname in own)
    return [
        entry
        for at, entry in enumerate(entries)
        if entry in outside
        and (served and entry.startswith(_SYSTEMS) and (not own or at > first)) is harmless
    ]


class Judge:
    """Evaluates the files of one wheel, all of one architecture."""

    def __init__(
        self,
        arch: Architecture,
        scope: Scope,
        files: Sequence[ElfFacts],
        glibc: GlibcTable,
        musl: MuslTable,
        exclude: Sequence[str],
    ) -> None:
        self.arch = arch
        self._scope = scope
        self._files = {facts.name: facts for facts in files}
        self._glibc = glibc
        self._musl = musl
        self._exclude = exclude

    def requirements(self, facts: ElfFacts) -> List[Requirement]:
        """Everything that ``facts`` asks for beyond what all policies allow."""
        libc = libc_of(facts, self.arch)
        always = tuple(self._of_the_file(facts))
        found: List[Requirement] = []
        for family, judge in (("manylinux", self._on_glibc), ("musllinux", self._on_musl)):
            found += [Requirement(family, NEVER, reason) for reason in always]
            if libc is not None and libc != family:
                found.append(why.wrong_libc(facts, family))
            else:
                found += judge(facts)
        return found

    def _of_the_file(self, facts: ElfFacts) -> Iterable[Reason]:
        """What no policy allows, whatever the libc."""
        for entry in strayed(facts, self._scope):
            yield why.run_path(facts, entry)
        # A program's own stack is set up by the kernel, which still allows it.
        if facts.executable_stack and not facts.executable:
            yield why.executable_stack(facts)
        if facts.isa_needed > 1:
            yield why.isa(facts)
        if facts.triplet not in (None, self.arch.triplet_gnu, self.arch.triplet_musl):
            yield why.suffix(facts, self.arch)

    def _on_glibc(self, facts: ElfFacts) -> List[Requirement]:
        found: List[Requirement] = []

        def add(floor: Floor, reason: Reason) -> None:
            if floor > ALWAYS:
                found.append(Requirement("manylinux", floor, reason))

        if facts.triplet == self.arch.triplet_musl:
            add(NEVER, why.musl_suffix(facts))
        if facts.relr:
            add((2, 36, 0), why.relr(facts))
        for soname in self._outside(facts):
            add(library_floor(soname, self.arch), self._library(facts, soname))
        self._versioned(facts, add)
        unversioned = {u.name for u in facts.undefined if u.version is None and not u.weak}
        table = self._glibc.of(self.arch)
        unresolved = self._unresolved(facts, unversioned)
        loaded = self._loaded(facts) if unresolved else ()
        for name in unresolved:
            if self._banned(facts, name, add):
                continue
            definitions = [d for d in table.get(name, ()) if d[0] in loaded]
            if definitions:
                floor = min(version for _, version in definitions)
                add(floor, why.symbol(facts, name, floor))
            else:
                add(NEVER, why.nobody_has(facts, name, "glibc"))
        return found

    def _loaded(self, facts: ElfFacts) -> FrozenSet[str]:
        """glibc's libraries that are there when ``facts`` is, by the table's names.

        A reference without a version binds to any of them, needed or not: the
        loader looks through all that the interpreter brought along.
        """
        already = _IN_EVERY_PROGRAM if facts.executable else _IN_EVERY_PYTHON
        together = (self._files[name] for name in self._scope.neighbours(facts))
        needed = {LIBRARY_OF_SONAME.get(soname, "") for f in together for soname in f.needed}
        return frozenset(already).union(needed)

    def _versioned(self, facts: ElfFacts, add: Callable[[Floor, Reason], None]) -> None:
        """Judge version needs, symbol by symbol where symbols use them."""
        table = self._glibc.of(self.arch)
        used: Set[Tuple[Optional[str], Optional[str]]] = set()
        for undefined in facts.undefined:
            name, version, library, weak = undefined
            if version is None or library is None or weak:
                continue
            used.add((library, version))
            own = self._own(facts, library)
            if own is not None:
                if name not in own.exports:
                    add(NEVER, why.not_in_own(facts, name, version, library))
                continue
            if self._outside_knowledge(facts, library, version):
                continue
            floor = self._version_floor(version, library)
            if floor < NEVER and library in GLIBC_LIBRARIES and library not in _NO_TABLE:
                release = glibc_version(version)
                if not any(triple == release for _, triple in table.get(name, ())):
                    add(NEVER, why.no_such_version(facts, name, version, library, self.arch))
                    continue
            self._banned(facts, name, add, library)
            add(floor, why.version(facts, name, version, library))
        for need in facts.version_needs:
            own = self._own(facts, need.library)
            if own is not None:
                definitions = own.version_definitions
                # A library without any versions is taken as having them all.
                if definitions and need.version not in definitions and not need.weak:
                    add(NEVER, why.not_in_own(facts, None, need.version, need.library))
            elif (need.library, need.version) in used or need.weak:
                continue
            elif not self._outside_knowledge(facts, need.library, need.version):
                floor = self._version_floor(need.version, need.library)
                add(floor, why.version(facts, None, need.version, need.library))

    @staticmethod
    def _banned(
        facts: ElfFacts, name: str, add: Callable[[Floor, Reason], None], library: str = ""
    ) -> bool:
        """Judge a symbol that not all builds of a library have; whether it is one."""
        for soname in (library,) if library else facts.needed:
            if name in BANNED.get(soname, {}):
                add(BANNED[soname][name], why.banned(facts, name, soname))
                return True
        return False

    def _version_floor(self, version: str, library: str) -> Floor:
        if library in OTHER_LIBRARIES:
            return version_floor(version, self.arch)
        return glibc_version(version) or NEVER

    def _on_musl(self, facts: ElfFacts) -> List[Requirement]:
        found: List[Requirement] = []

        def add(floor: Floor, reason: Reason) -> None:
            if floor > ALWAYS:
                found.append(Requirement("musllinux", floor, reason))

        if facts.relr:
            add((1, 2, 4), why.relr(facts))
        for soname in self._outside(facts):
            add(musl_library_floor(soname, self.arch), self._library(facts, soname))
        strong = {u.name for u in facts.undefined if not u.weak}
        table = self._musl.of(self.arch)
        for name in self._unresolved(facts, strong):
            if self._banned(facts, name, add):
                continue
            if name in table:
                floor = self._musl.since(name)
                add(floor, why.symbol(facts, name, floor))
            else:
                add(NEVER, why.nobody_has(facts, name, "musl"))
        return found

    def _outside(self, facts: ElfFacts) -> List[str]:
        """The needed libraries that the wheel has not and nobody vouches for."""
        return [
            soname
            for soname in dict.fromkeys(facts.needed)
            if self._own(facts, soname) is None and not self._excluded(soname)
        ]

    def _own(self, facts: ElfFacts, soname: str) -> Optional[ElfFacts]:
        if soname in GLIBC_LIBRARIES or soname == self.arch.glibc_loader:
            # Every process has these already, and takes them for the wheel's.
            return None
        return self._scope.library(facts, soname)

    def _excluded(self, soname: str) -> bool:
        return any(fnmatch.fnmatchcase(soname, pattern) for pattern in self._exclude)

    def _outside_knowledge(self, facts: ElfFacts, library: str, version: str) -> bool:
        """Whether a library's versions cannot be judged, and it is judged itself.

        A version of glibc's is one whatever library the need names: symbols
        bind to it by its name alone.
        """
        if self._excluded(library):
            return True
        if library_floor(library, self.arch) != NEVER:
            return False
        return library in facts.needed or glibc_version(version) is None

    def _unresolved(self, facts: ElfFacts, names: Set[str]) -> List[str]:
        """``names`` without what Python, the wheel and allowed libraries have."""
        if not facts.executable:
            names = {name for name in names if _PYTHON_API.match(name) is None}
        if not names:
            return []
        together = [self._files[name] for name in self._scope.neighbours(facts)]
        outside: Set[str] = set()
        for other in together:
            if names and len(other.exports):
                names = names - other.exports.names
            outside.update(self._outside(other))
            if any(self._excluded(soname) for soname in other.needed):
                return []
        spaces = [re.compile(NAMESPACES[soname]) for soname in outside if soname in NAMESPACES]
        banned = {name for soname in outside for name in BANNED.get(soname, {})}
        return sorted(
            name
            for name in names
            if name in banned or not any(space.match(name) for space in spaces)
        )

    def _library(self, facts: ElfFacts, soname: str) -> Reason:
        return why.library(facts, soname, self._scope.unreachable(soname))
