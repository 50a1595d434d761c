"""From one file's facts to what it asks of a libc and a policy, each with its floor.

Evaluated once, not once per policy: a symbol has one floor, and a policy either
reaches it or does not.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import Callable, Dict, FrozenSet, Iterable, List, Optional, Sequence, Set, Tuple

from manylinux_shim._platforms import ARCHITECTURES, Architecture
from manylinux_shim.audit import _reasons as kinds
from manylinux_shim.audit._elf import ElfFacts
from manylinux_shim.audit._policies import (
    ALWAYS,
    BANNED,
    GLIBC_LIBRARIES,
    NAMESPACES,
    NEVER,
    Floor,
    glibc_version,
    is_musl_libc,
    library_floor,
    musl_library_floor,
    version_floor,
)
from manylinux_shim.audit._reasons import Reason, Requirement
from manylinux_shim.audit._scope import Scope, run_path_directory
from manylinux_shim.audit._symbols import GlibcTable, MuslTable

_PYTHON_API = re.compile(r"_?Py|_?PyPy|PyPy")
# Loaded into every process of CPython on glibc, whether an extension needs them or not.
_IN_EVERY_PYTHON = ("c", "m", "pthread", "dl", "util", "ld")

_LINK_OLDER = "Link against an older glibc (mode = \"zig\"), or claim the newer policy."
_OUTSIDE = (
    "Link it statically, bundle it in the wheel, or name it in `exclude` if another"
    " package provides it at run time."
)


def libc_of(facts: ElfFacts, arch: Architecture) -> Optional[str]:
    """The family whose libc a file is linked with; None if it is with none."""
    glibc = set(GLIBC_LIBRARIES) | {arch.glibc_loader}
    interpreter = posixpath.basename(facts.interpreter or "")
    if glibc.intersection(facts.needed) or interpreter == arch.glibc_loader:
        return "manylinux"
    if any(is_musl_libc(s, arch) for s in facts.needed) or interpreter == arch.musl_loader:
        return "musllinux"
    return None


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
        always = self._of_the_file(facts)
        found: List[Requirement] = []
        for family, judge in (("manylinux", self._on_glibc), ("musllinux", self._on_musl)):
            found += [Requirement(family, NEVER, reason) for reason in always]
            if libc is not None and libc != family:
                found.append(_wrong_libc(facts, family))
            else:
                found += judge(facts)
        return found

    def _of_the_file(self, facts: ElfFacts) -> List[Reason]:
        """What no policy allows, whatever the libc."""
        reasons = []
        for entry in dict.fromkeys(facts.run_path):
            if entry and run_path_directory(facts.name, entry) is None:
                reasons.append(
                    Reason(
                        None, facts.name, kinds.RUN_PATH, library=entry,
                        allowed="a run path that leads out of the wheel",
                        remedy="Link without -rpath, or with one that begins with $ORIGIN.",
                    )
                )  # fmt: skip
        if facts.executable_stack and not facts.executable:
            reasons.append(
                Reason(
                    None, facts.name, kinds.EXECUTABLE_STACK,
                    allowed="glibc 2.41 and later refuse to load what asks for an executable stack",
                    remedy="Link with -Wl,-z,noexecstack, and end assembler sources with"
                    " a .note.GNU-stack section.",
                )
            )  # fmt: skip
        if facts.isa_needed > 1:
            reasons.append(
                Reason(
                    None, facts.name, kinds.ISA, version=f"x86-64-v{facts.isa_needed}",
                    allowed="the tag promises every x86-64 processor, and its note asks for a newer",
                    remedy="Compile without -march, and choose faster code at run time.",
                )
            )  # fmt: skip
        reasons += self._suffix(facts)
        return reasons

    def _suffix(self, facts: ElfFacts) -> Iterable[Reason]:
        triplet = extension_triplet(facts.name)
        if triplet is None:
            return
        if triplet not in (self.arch.triplet_gnu, self.arch.triplet_musl):
            yield Reason(
                None, facts.name, kinds.SUFFIX, library=triplet,
                allowed=f"its name is for another platform than its code, which is {self.arch.name}",
                remedy="Tell the build the target's EXT_SUFFIX: no Python on it looks for this name.",
            )  # fmt: skip

    def _on_glibc(self, facts: ElfFacts) -> List[Requirement]:
        found: List[Requirement] = []

        def add(floor: Floor, reason: Reason) -> None:
            if floor > ALWAYS:
                found.append(Requirement("manylinux", floor, reason))

        if _names_musl(facts, self.arch):
            add(NEVER, _musl_suffix(facts))
        if facts.relr:
            add((2, 36, 0), _relr(facts))
        for soname in self._outside(facts):
            add(library_floor(soname, self.arch), self._library(facts, soname))
        self._versioned(facts, add)
        unversioned = {u.name for u in facts.undefined if u.version is None and not u.weak}
        table = self._glibc.of(self.arch)
        for name in self._unresolved(facts, unversioned):
            definitions = [d for d in table.get(name, ()) if d[0] in self._loaded(facts)]
            if definitions:
                floor = min(version for _, version in definitions)
                add(floor, _symbol(facts, name, floor))
            else:
                add(NEVER, _nobody_has(facts, name, "glibc"))
        return found

    def _loaded(self, facts: ElfFacts) -> Tuple[str, ...]:
        # The scope of a program is what it needs, but a reference without version
        # to a library that is not needed does not get past a program's linker.
        return _IN_EVERY_PYTHON + ("rt", "resolv")

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
                    add(NEVER, _not_in_own(facts, name, version, library))
                continue
            if self._outside_knowledge(library):
                continue
            floor = self._version_floor(version, library)
            if floor < NEVER and library in GLIBC_LIBRARIES and library not in _NO_TABLE:
                release = glibc_version(version)
                if not any(triple == release for _, triple in table.get(name, ())):
                    add(NEVER, _no_such_version(facts, name, version, library, self.arch))
                    continue
            if name in BANNED.get(library, ()):
                add(NEVER, _banned(facts, name, library))
            add(floor, _version(facts, name, version, library))
        for need in facts.version_needs:
            own = self._own(facts, need.library)
            if own is not None:
                definitions = own.version_definitions
                # A library without any versions is taken as having them all.
                if definitions and need.version not in definitions and not need.weak:
                    add(NEVER, _not_in_own(facts, None, need.version, need.library))
            elif (need.library, need.version) in used or need.weak:
                continue
            elif not self._outside_knowledge(need.library):
                floor = self._version_floor(need.version, need.library)
                add(floor, _version(facts, None, need.version, need.library))

    def _version_floor(self, version: str, library: str) -> Floor:
        if library in GLIBC_LIBRARIES or library == self.arch.glibc_loader:
            return glibc_version(version) or NEVER
        return version_floor(version, self.arch)

    def _on_musl(self, facts: ElfFacts) -> List[Requirement]:
        found: List[Requirement] = []

        def add(floor: Floor, reason: Reason) -> None:
            if floor > ALWAYS:
                found.append(Requirement("musllinux", floor, reason))

        if facts.relr:
            add((1, 2, 4), _relr(facts))
        for soname in self._outside(facts):
            add(musl_library_floor(soname, self.arch), self._library(facts, soname))
        strong = {u.name for u in facts.undefined if not u.weak}
        table = self._musl.of(self.arch)
        for name in self._unresolved(facts, strong):
            if name in table:
                floor = self._musl.since(name, self.arch)
                add(floor, _symbol(facts, name, floor))
            else:
                add(NEVER, _nobody_has(facts, name, "musl"))
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

    def _outside_knowledge(self, library: str) -> bool:
        """Whether a library's versions cannot be judged, and it is judged itself."""
        if self._excluded(library):
            return True
        return library_floor(library, self.arch) == NEVER

    def _unresolved(self, facts: ElfFacts, names: Set[str]) -> List[str]:
        """``names`` without what Python, the wheel and allowed libraries have."""
        if not facts.executable:
            names = {name for name in names if _PYTHON_API.match(name) is None}
        if not names:
            return []
        together = [self._files[name] for name in self._scope.neighbours(facts)]
        outside: Set[str] = set()
        for other in together:
            names = names - other.exports.names if len(other.exports) else names
            outside.update(self._outside(other))
            if any(self._excluded(soname) for soname in other.needed):
                return []
        spaces = [NAMESPACES[soname] for soname in outside if soname in NAMESPACES]
        banned: FrozenSet[str] = frozenset().union(*(BANNED.get(s, ()) for s in outside))
        return sorted(
            name
            for name in names
            if name in banned or not any(space.match(name) for space in spaces)
        )

    def _library(self, facts: ElfFacts, soname: str) -> Reason:
        hidden = self._scope.unreachable(soname)
        if soname.startswith("libpython"):
            remedy = "Do not link an extension with libpython: the interpreter has its symbols."
        elif hidden is not None:
            remedy = f"It is in the wheel as {hidden.name}: give a run path to it ($ORIGIN/...)."
        else:
            remedy = _OUTSIDE
        return Reason(
            None, facts.name, kinds.LIBRARY, library=soname,
            allowed="{policy} does not allow it outside the wheel", remedy=remedy,
        )  # fmt: skip


_NO_TABLE = ("libnsl.so.1", "libanl.so.1", "libmvec.so.1")
_SUFFIX = re.compile(
    r"\.(?:cpython-\d+[a-z]*|pypy\d+-pp\d+|graalpy\w+(?:-\w+)?)-([a-z0-9_]+-linux-[a-z0-9]+)\.so$"
)


def extension_triplet(member: str) -> Optional[str]:
    """The multiarch triplet in an extension module's name; None if it has none."""
    match = _SUFFIX.search(posixpath.basename(member))
    return match[1] if match is not None else None


def _names_musl(facts: ElfFacts, arch: Architecture) -> bool:
    return extension_triplet(facts.name) == arch.triplet_musl


def _wrong_libc(facts: ElfFacts, family: str) -> Requirement:
    other = "musl" if family == "manylinux" else "glibc"
    return Requirement(
        family, NEVER,
        Reason(
            None, facts.name, kinds.LIBC,
            allowed=f"it is linked with {other}, which {family} systems do not have",
            remedy=f"Build the whole wheel for one libc: {family} wheels are another build.",
        ),
    )  # fmt: skip


def _musl_suffix(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.SUFFIX, library=extension_triplet(facts.name),
        allowed="its name is one that only a Python on musl looks for",
        remedy="Tell the build the target's EXT_SUFFIX.",
    )  # fmt: skip


def _relr(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.RELR, version="DT_RELR",
        allowed="packed relocations, which the loader of {libc} does not know",
        remedy="Link with -Wl,-z,nopack-relative-relocs, or claim the newer policy.",
    )  # fmt: skip


def _symbol(facts: ElfFacts, name: str, floor: Floor) -> Reason:
    since = ".".join(map(str, floor if floor[2] else floor[:2]))
    return Reason(
        None, facts.name, kinds.SYMBOL, name,
        allowed=f"{{policy}} allows {{libc}}, and it is there since {since}",
        remedy="Do without the function, or claim the newer policy.",
    )  # fmt: skip


def _nobody_has(facts: ElfFacts, name: str, libc: str) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL, name,
        allowed=f"neither Python, {libc}, the wheel nor an allowed library that it needs has it",
        remedy="Link the library that defines it (or bundle it and name it when linking).",
    )  # fmt: skip


def _not_in_own(facts: ElfFacts, name: Optional[str], version: str, library: str) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL_VERSION, name, version, library,
        allowed="the wheel brings this library along, and that one does not have it",
        remedy="Bundle the library that this file was linked with.",
    )  # fmt: skip


def _no_such_version(
    facts: ElfFacts, name: str, version: str, library: str, arch: Architecture
) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL, name, version, library,
        allowed=f"no glibc for {arch.name} has this symbol at this version",
        remedy="Link against a glibc for this architecture, not one of a distribution's own.",
    )  # fmt: skip


def _banned(facts: ElfFacts, name: str, library: str) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL, name, None, library,
        allowed="it is internal to the library, and not every build of that has it",
        remedy="Use the library's public functions, or link it statically.",
    )  # fmt: skip


def _version(facts: ElfFacts, name: Optional[str], version: str, library: str) -> Reason:
    prefix = version.split("_", 1)[0]
    allowed = "{policy} allows {libc}" if prefix == "GLIBC" else "{policy} has no " + version
    return Reason(
        None, facts.name, kinds.SYMBOL_VERSION, name, version, library,
        allowed=allowed, remedy=_LINK_OLDER,
    )  # fmt: skip
