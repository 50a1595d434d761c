"""Which reference of a file has to be bound to what, so that an older glibc can load it.

Decisions only: facts and tables in, a plan out.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple, Union

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.audit import (
    GLIBC_LIBRARIES,
    LIBRARY_OF_SONAME,
    OTHER_LIBRARIES,
    GlibcTable,
    SymbolVersion,
    VersionTriple,
    floor_of,
    glibc_version,
    version_floor,
    version_text,
)
from manylinux_shim.relink._libstdcxx import install
from manylinux_shim.relink._linkage import Linkage, Reference
from manylinux_shim.relink._older_names import OLDER_NAMES, OTHER_INTERFACES, SIZED_DELETE
from manylinux_shim.relink._selection import MISSING, Selection
from manylinux_shim.supply import UNDER_ANOTHER_NAME, can_supply, exported_name

NOTHING = Selection()

LIBC, LIBSTDCXX, LIBGCC = "libc.so.6", "libstdc++.so.6", "libgcc_s.so.1"
CXX_LIBRARY = "what GCC's libraries lack"
"""Stands in a plan for the library that a wheel gets with newer parts of libstdc++ and
libgcc, until that has its name."""
CXX_VERSION = "MANYLINUX_SHIM"
"""With the digest of the library's name, the version of its symbols: who asks for it gets them
from nobody else."""
_STATIC = 'Link the library statically: LDFLAGS="-static-libstdc++ -static-libgcc".'
_RELEASE = re.compile(r"GLIBC_[0-9.]+")


@dataclass(frozen=True)
class Binding:
    """What a reference is to be bound to; without a version, to whoever has the name."""

    version: Optional[str] = None
    library: Optional[str] = None
    name: Optional[str] = None
    """Another name than it has, for what goes by that one there."""
    exact: bool = False
    """Whether a definition of that name without any version will not do."""


@dataclass(frozen=True)
class Refusal:
    """A reference for which there is no truthful way to an older glibc."""

    what: str
    """``name@version``, and of which library."""
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class Plan:
    """What has to change in one file."""

    bindings: Mapping[int, Binding]
    """By the index of the symbol."""
    dropped: frozenset[Tuple[str, str]]
    """``(library, version)`` needs that no symbol is bound to any more."""
    supplied: Tuple[str, ...]
    """Names that the wheel's own library has to provide, as the catalogue has them."""
    refused: Tuple[Refusal, ...]

    @property
    def needs_newer_cxx(self) -> bool:
        """Whether symbols are bound to newer parts of libstdc++."""
        return any(binding.library == CXX_LIBRARY for binding in self.bindings.values())

    def with_cxx_library(self, soname: str, version: str) -> Plan:
        """The plan with the name of the library that has these parts, and their version in it."""
        bindings = {
            index: replace(binding, library=soname, version=version)
            if binding.library == CXX_LIBRARY
            else binding
            for index, binding in self.bindings.items()
        }
        return replace(self, bindings=bindings)

    def __bool__(self) -> bool:
        return bool(self.bindings or self.dropped or self.supplied)


def plan(
    linkage: Linkage,
    arch: Architecture,
    policy: Policy,
    table: GlibcTable,
    *,
    packed_relocations: bool,
    own: Sequence[str],
    provided: Callable[[str], bool],
    exclude: Sequence[str],
    newer: Selection = NOTHING,
    remedy: str = "",
) -> Plan:
    """The plan for a file.

    ``own`` are the needed libraries that the wheel itself brings, ``exclude`` patterns
    of those that another package does; neither is judged. ``provided`` says of a name
    whether a file of the wheel that is loaded with this one defines it. ``newer`` are the
    parts of libstdc++ that come along, ``remedy`` is for those that do not.
    """
    judge = _Judge(arch, policy, table, provided, newer, remedy)
    bindings: Dict[int, Binding] = {}
    supplied: Set[str] = set()
    refused: List[Refusal] = []
    for reference in linkage.references:
        library = reference.library
        if library is not None and (library in own or _matches(library, exclude)):
            continue
        decision = judge.decide(reference)
        if isinstance(decision, Refusal):
            refused.append(decision)
        elif decision is not None:
            if decision.version is None and not reference.weak:
                supplied.add(reference.name)
            # A name without a version stays as it is; the library is all it lacks.
            if reference.version is not None or decision.name is not None:
                bindings[reference.index] = decision
    for reference in linkage.copied:
        library, version = str(reference.library), str(reference.version)
        if library not in own and judge.is_above(library, version):
            refused.append(
                Refusal(
                    f"{reference.name}@{version}, {library}",
                    "the program has its own copy of this variable",
                    "Compile the program with -fPIE, and link it with -pie.",
                )
            )
    left = {
        (r.library, r.version)
        for r in linkage.references
        if r.library is not None and r.index not in bindings
    }
    moved = {(r.library, r.version) for r in linkage.references if r.index in bindings}
    dropped = set()
    for need in linkage.needs:
        key = (need.library, need.version)
        if key in left or not judge.is_above(*key):
            continue
        if need.library in own or _matches(need.library, exclude):
            continue
        # Markers such as GLIBC_ABI_DT_RELR speak of the file, not of a symbol.
        if key in moved or _RELEASE.fullmatch(need.version):
            dropped.add(key)
    if packed_relocations and floor_of(policy) < (2, 36, 0):
        refused.append(
            Refusal(
                "DT_RELR",
                "its relocations are packed, which a loader understands from glibc 2.36 on",
                "Link with -Wl,-z,nopack-relative-relocs.",
            )
        )
    return Plan(bindings, frozenset(dropped), tuple(sorted(supplied)), tuple(refused))


def _matches(library: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(library, pattern) for pattern in patterns)


def _supplied(name: str) -> Binding:
    exported = exported_name(name)
    return Binding(name=exported if exported != name else None)


class _Judge:
    """Decides on references, for one architecture and policy."""

    def __init__(
        self,
        arch: Architecture,
        policy: Policy,
        table: GlibcTable,
        provided: Callable[[str], bool],
        newer: Selection = NOTHING,
        remedy: str = "",
    ) -> None:
        self._provided = provided
        self._newer = newer
        self._remedy = remedy
        self._arch = arch
        self._policy = policy
        self._floor = floor_of(policy)
        self._table = table

    def is_above(self, library: str, version: str) -> bool:
        """Whether a version of a library that every system has is newer than the policy."""
        if self._is_glibc(library):
            release = glibc_version(version)
            return release is None or release > self._floor
        return library in OTHER_LIBRARIES and version_floor(version, self._arch) > self._floor

    def decide(self, reference: Reference) -> Optional[Union[Binding, Refusal]]:
        """None (it may stay), a Binding or a Refusal."""
        name, version, library = reference.name, reference.version, reference.library
        if version is None or library is None:
            return self._unversioned(reference)
        if (library == LIBSTDCXX and name in self._newer.exported) or (
            library == LIBGCC and name in self._newer.builtins
        ):
            return Binding(CXX_VERSION, CXX_LIBRARY, exact=True)
        if not self.is_above(library, version):
            return None
        if not self._is_glibc(library):
            return self._foreign(reference, library)
        if name not in UNDER_ANOTHER_NAME:
            # The weak one of a name that may be missing is told apart by its reader.
            older = self._newest_allowed(OLDER_NAMES.get(name, name), library)
            if older is not None and name not in OTHER_INTERFACES:
                version = f"GLIBC_{version_text(older.version)}"
                return Binding(version, older.library, OLDER_NAMES.get(name))
        if reference.weak:
            return Binding()
        if can_supply(name, self._arch.name):
            return _supplied(name)
        return self._refused(reference)

    def _unversioned(self, reference: Reference) -> Optional[Binding]:
        """A name that any library may have: supplied if glibc alone has it, and only later."""
        name = reference.name
        if reference.weak or not can_supply(name, self._arch.name) or self._provided(name):
            return None
        found = self._table.versions(self._arch, name)
        if not found or min(v.version for v in found) <= self._floor:
            return None
        return _supplied(name)

    def _newest_allowed(self, name: str, library: str) -> Optional[SymbolVersion]:
        """The newest definition that the policy's glibc has, in libc if that has it."""
        found = [
            definition
            for definition in self._table.versions(self._arch, name)
            if definition.version <= self._floor and self._is_glibc(definition.library)
        ]
        if not found:
            return None
        newest: VersionTriple = max(definition.version for definition in found)
        ranked = {LIBC: 0, library: 1}
        return min(
            (definition for definition in found if definition.version == newest),
            key=lambda definition: (ranked.get(definition.library, 2), definition.library),
        )

    def _is_glibc(self, library: str) -> bool:
        return (
            library in LIBRARY_OF_SONAME
            or library in GLIBC_LIBRARIES
            or library == self._arch.glibc_loader
        )

    def _refused(self, reference: Reference) -> Refusal:
        version = str(reference.version)
        why = f"glibc {self._policy.version} does not have it, and nothing can stand in for it"
        if reference.name in OTHER_INTERFACES:
            why = "its older version has another interface"
        elif glibc_version(version) is None:
            why = "no release of glibc promises this version"
        return Refusal(f"{reference.name}@{version}, {reference.library}", why)

    def _foreign(self, reference: Reference, library: str) -> Union[Binding, Refusal]:
        if library == LIBSTDCXX and reference.name in SIZED_DELETE:
            return Binding("GLIBCXX_3.4", library, SIZED_DELETE[reference.name])
        if reference.weak:
            return Binding()
        remedy = "Build with the compiler of an older system."
        why = f"{self._policy} promises an older {library}"
        if library == LIBSTDCXX:
            remedy = self._remedy or _STATIC
            reason = self._newer.refused.get(reference.name)
            why += f", and {reason}" if reason else ""
            if reason == MISSING:
                remedy = f"A newer GCC has it, with {reference.version}. {install(self._arch)}"
        elif library == LIBGCC:
            remedy = 'Link the library statically: LDFLAGS="-static-libgcc".'
        return Refusal(
            f"{reference.name}@{reference.version}, {library}",
            why,
            remedy,
        )
