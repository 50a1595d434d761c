"""From one file's facts to what it asks of a libc and a policy, each with its floor.

Evaluated once, not once per policy: a symbol has one floor, and a policy either
reaches it or does not.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import Callable, FrozenSet, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from manylinux_shim._platforms import Architecture
from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit._policies import (
    ALWAYS,
    BANNED,
    GLIBC_LIBRARIES,
    LIBGCC_OF_GLIBC,
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
from manylinux_shim.audit._scope import Scope, run_path_between, run_path_directory
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


def loaders(arch: Architecture) -> Tuple[str, str]:
    """The paths of glibc's and of musl's loader, which a program has to name."""
    directory = "/lib64" if arch.name in _LIB64 else "/lib"
    return f"{directory}/{arch.glibc_loader}", f"/lib/{arch.musl_loader}"


FAMILIES = ("manylinux", "musllinux")
_LIB64 = ("x86_64", "ppc64le", "loongarch64")
"""Where glibc's loader is in ``/lib64``, and not in ``/lib`` (the ABI's supplements)."""
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


def _library(facts: ElfFacts, soname: str, scope: Scope) -> Reason:
    """Against a library that the wheel has not, or has where the loader does not look."""
    hidden = scope.unreachable(soname)
    if hidden is None:
        return why.library(facts, soname)
    way = run_path_between(facts.name, hidden.name)
    return why.hidden_library(facts, soname, hidden, way, scope.missed_from(facts, soname))


class Judge:
    """Evaluates the files of one wheel, all of one architecture."""

    def __init__(
        self,
        arch: Architecture,
        files: Sequence[ElfFacts],
        glibc: GlibcTable,
        musl: MuslTable,
        exclude: Sequence[str],
    ) -> None:
        self.arch = arch
        self._scopes = {family: Scope(files, family) for family in FAMILIES}
        self._files = {facts.name: facts for facts in files}
        self._glibc = glibc
        self._musl = musl
        self._exclude = exclude

    def scope(self, family: str) -> Scope:
        """Who finds what under the loader of a family's libc."""
        return self._scopes[family]

    def requirements(self, facts: ElfFacts) -> List[Requirement]:
        """Everything that ``facts`` asks for beyond what all policies allow."""
        libc = libc_of(facts, self.arch)
        found: List[Requirement] = []
        if facts.executable and facts.interpreter not in (None, *loaders(self.arch)):
            found += [Requirement(family, NEVER, why.no_loader(facts)) for family in FAMILIES]
        for family, judge in zip(FAMILIES, (self._on_glibc, self._on_musl)):
            always = self._of_the_file(facts, self._scopes[family])
            found += [Requirement(family, NEVER, reason) for reason in always]
            if libc is not None and libc != family:
                found.append(why.wrong_libc(facts, family))
            else:
                found += judge(facts, self._scopes[family])
        return list(dict.fromkeys(found))

    def _of_the_file(self, facts: ElfFacts, scope: Scope) -> Iterable[Reason]:
        """What no policy allows, whatever the libc."""
        for entry in strayed(facts, scope):
            yield why.run_path(facts, entry)
        # A program's own stack is set up by the kernel, which still allows it.
        if facts.executable_stack and not facts.executable:
            yield why.executable_stack(facts)
        if facts.isa_needed > 1:
            yield why.isa(facts)
        if facts.triplet not in (None, self.arch.triplet_gnu, self.arch.triplet_musl):
            yield why.suffix(facts, self.arch)

    def _on_glibc(self, facts: ElfFacts, scope: Scope) -> List[Requirement]:
        found: List[Requirement] = []

        def add(floor: Floor, reason: Reason) -> None:
            if floor > ALWAYS:
                found.append(Requirement("manylinux", floor, reason))

        if facts.triplet == self.arch.triplet_musl:
            add(NEVER, why.musl_suffix(facts))
        if facts.relr:
            add((2, 36, 0), why.relr(facts))
        for soname in self._outside(facts, scope):
            add(library_floor(soname, self.arch), _library(facts, soname, scope))
        self._versioned(facts, scope, add)
        unversioned = {u.name for u in facts.undefined if u.version is None and not u.weak}
        table = self._glibc.of(self.arch)
        for name, together in self._unresolved(facts, unversioned, scope):
            if self._banned(facts, name, add):
                continue
            loaded = self._loaded(facts, together)
            definitions = [d for d in table.get(name, ()) if d[0] in loaded]
            if definitions:
                floor = min(version for _, version in definitions)
                add(floor, why.symbol(facts, name, floor))
            else:
                add(NEVER, why.nobody_has(facts, name, "glibc"))
        return found

    def _loaded(self, facts: ElfFacts, together: FrozenSet[str]) -> FrozenSet[str]:
        """glibc's libraries that are there with the files of one process, by the table's names.

        A reference without a version binds to any of them, needed or not: the
        loader looks through all that the interpreter brought along.
        """
        already = _IN_EVERY_PROGRAM if facts.executable else _IN_EVERY_PYTHON
        files = (self._files[name] for name in together)
        needed = {LIBRARY_OF_SONAME.get(soname, "") for f in files for soname in f.needed}
        return frozenset(already).union(needed)

    def _versioned(
        self, facts: ElfFacts, scope: Scope, add: Callable[[Floor, Reason], None]
    ) -> None:
        """Judge version needs, symbol by symbol where symbols use them."""
        table = self._glibc.of(self.arch)
        used: Set[Tuple[Optional[str], Optional[str]]] = set()
        for undefined in facts.undefined:
            name, version, library, weak = undefined
            if version is None or library is None or weak:
                continue
            used.add((library, version))
            own = self._own(facts, library, scope)
            if own:
                if any(name not in file.exports for file in own):
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
            own = self._own(facts, need.library, scope)
            if own:
                # A library without any versions is taken as having them all.
                known = [f.version_definitions for f in own if f.version_definitions]
                if any(need.version not in versions for versions in known) and not need.weak:
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
        if library == "libgcc_s.so.1" and version == LIBGCC_OF_GLIBC.get(self.arch.name):
            return ALWAYS
        if library in OTHER_LIBRARIES:
            return version_floor(version, self.arch)
        return glibc_version(version) or NEVER

    def _on_musl(self, facts: ElfFacts, scope: Scope) -> List[Requirement]:
        found: List[Requirement] = []

        def add(floor: Floor, reason: Reason) -> None:
            if floor > ALWAYS:
                found.append(Requirement("musllinux", floor, reason))

        if facts.relr:
            add((1, 2, 4), why.relr(facts))
        for soname in self._outside(facts, scope):
            add(musl_library_floor(soname, self.arch), _library(facts, soname, scope))
        strong = {u.name for u in facts.undefined if not u.weak}
        table = self._musl.of(self.arch)
        for name, _ in self._unresolved(facts, strong, scope):
            if self._banned(facts, name, add):
                continue
            if name in table:
                floor = self._musl.since(name)
                add(floor, why.symbol(facts, name, floor))
            else:
                add(NEVER, why.nobody_has(facts, name, "musl"))
        return found

    def _outside(self, facts: ElfFacts, scope: Scope) -> List[str]:
        """The needed libraries that the wheel has not and nobody vouches for."""
        return [
            soname
            for soname in dict.fromkeys(facts.needed)
            if not self._own(facts, soname, scope) and not self._excluded(soname)
        ]

    def _own(self, facts: ElfFacts, soname: str, scope: Scope) -> Tuple[ElfFacts, ...]:
        if soname in GLIBC_LIBRARIES or soname == self.arch.glibc_loader:
            # Every process has these already, and takes them for the wheel's.
            return ()
        return scope.libraries(facts, soname)

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

    def _unresolved(
        self, facts: ElfFacts, names: Set[str], scope: Scope
    ) -> Iterator[Tuple[str, FrozenSet[str]]]:
        """``names`` that neither Python, the wheel nor allowed libraries have.

        Each with the files of a process in which it is so, as often as there are such.
        """
        if not facts.executable:
            names = {name for name in names if _PYTHON_API.match(name) is None}
        if not names:
            return
        loads = scope.loads(facts)
        names = self._left(names, frozenset.intersection(*loads), scope)
        for together in loads if names else ():
            for name in sorted(self._left(names, together, scope)):
                yield name, together

    def _left(self, names: Set[str], together: FrozenSet[str], scope: Scope) -> Set[str]:
        """Those of ``names`` that neither ``together`` nor what they need may have."""
        outside: Set[str] = set()
        for other in (self._files[name] for name in together):
            if names and len(other.exports):
                names = names - other.exports.names
            outside.update(self._outside(other, scope))
            if any(self._excluded(soname) for soname in other.needed):
                return set()
        spaces = [re.compile(NAMESPACES[soname]) for soname in outside if soname in NAMESPACES]
        banned = {name for soname in outside for name in BANNED.get(soname, {})}
        return {
            name
            for name in names
            if name in banned or not any(space.match(name) for space in spaces)
        }
