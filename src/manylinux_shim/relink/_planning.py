"""What has to change in a wheel: a plan for each of its files, and what all of them share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import ElfError, PolicyError
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.audit import (
    GLIBC_LIBRARIES,
    GlibcTable,
    Scope,
    floor_of,
    libc_of,
    run_path_directory,
    version_floor,
)
from manylinux_shim.elf import ElfFacts, read_elf
from manylinux_shim.relink._libstdcxx import Libstdcxx, find_libstdcxx, install
from manylinux_shim.relink._linkage import Linkage, read_linkage
from manylinux_shim.relink._older_names import SIZED_DELETE
from manylinux_shim.relink._references import LIBGCC, LIBSTDCXX, NOTHING, Plan, Refusal, plan
from manylinux_shim.relink._selection import CHANGED, CHANGED_IN, Selection

_MOST_NAMED = 20
"""Refusals that an error lists; the rest is counted."""


class File(NamedTuple):
    """An ELF file of the wheel that has to change."""

    facts: ElfFacts
    data: bytes
    needed: Tuple[str, ...]
    plan: Plan


@dataclass(frozen=True)
class Changes:
    """All that has to change in a wheel."""

    files: Tuple[File, ...]
    newer: Selection = NOTHING
    """The parts of libstdc++ and libgcc that come along."""
    gcc: Optional[Libstdcxx] = None
    """Where those come from."""


class _Read(NamedTuple):
    """A file as it is."""

    facts: ElfFacts
    data: bytes
    linkage: Linkage
    own: Sequence[str]
    """The libraries it needs that the wheel brings."""
    strayed: bool
    """Whether its run path was taken out."""


def planned(
    wheel: Path,
    contents: Mapping[str, bytes],
    native: Sequence[ElfFacts],
    arch: Architecture,
    policy: Policy,
    exclude: Sequence[str],
    prefixes: Sequence[Path],
) -> Changes:
    """What has to change; PolicyError that names all for which there is no way.

    GCC's libraries are looked for below ``prefixes``, too.
    """
    scope = Scope(native)
    by_name = {facts.name: facts for facts in native}
    read = [
        found
        for facts in native
        if facts.dynamic and libc_of(facts, arch) != "musllinux"
        for found in _read(facts, contents[facts.name], scope, arch)
    ]
    gcc, newer, remedy = _newer_cxx(read, arch, policy, prefixes)
    table = GlibcTable.load()
    files: List[File] = []
    refused: List[Tuple[str, Refusal]] = []
    for file in read:
        found = plan(
            file.linkage,
            arch,
            policy,
            table,
            packed_relocations=file.facts.relr,
            own=file.own,
            provided=_provider([by_name[n] for n in scope.neighbours(by_name[file.facts.name])]),
            exclude=exclude,
            newer=newer,
            remedy=remedy,
        )
        refused += [(file.facts.name, refusal) for refusal in found.refused]
        if found or file.strayed:
            files.append(File(file.facts, file.data, file.linkage.needed, found))
    if refused:
        raise PolicyError(_refusal(wheel, policy, refused), _remedy(refused))
    return Changes(tuple(files), newer, gcc)


def _read(facts: ElfFacts, data: bytes, scope: Scope, arch: Architecture) -> List[_Read]:
    own = [s for s in facts.needed if scope.library(facts, s) and not _of_glibc(s, arch)]
    strayed = _strays(facts)
    if strayed:
        from manylinux_shim.relink._run_path import without_run_path

        data = without_run_path(data)
        facts = read_elf(facts.name, data)
    try:
        linkage = read_linkage(data)
    except ElfError as error:
        raise ElfError(f"{facts.name}: {error.message}", error.remedy) from error
    return [] if linkage is None else [_Read(facts, data, linkage, own, strayed)]


def _newer_cxx(
    files: Sequence[_Read], arch: Architecture, policy: Policy, prefixes: Sequence[Path]
) -> Tuple[Optional[Libstdcxx], Selection, str]:
    """What comes along of GCC's libraries, from which, and the remedy for what does not."""
    floor = floor_of(policy)
    changed = CHANGED if version_floor(CHANGED_IN, arch) > floor else {}
    asked: Dict[str, None] = {}
    newer: Dict[str, None] = {}
    builtins: Dict[str, None] = {}
    for file in files:
        for reference in file.linkage.references:
            name, version = reference.name, reference.version
            above = version is not None and version_floor(version, arch) > floor
            if above and reference.library == LIBGCC and LIBGCC not in file.own:
                builtins[name] = None
            if reference.library != LIBSTDCXX or version is None or LIBSTDCXX in file.own:
                continue
            if name in SIZED_DELETE:
                continue
            if name in changed or above:
                newer[name] = None
            elif version.startswith("GLIBCXX_"):
                asked[name] = None
    # What changed its shape matters to those alone who know the new one.
    if all(name in changed for name in newer):
        newer = {}
    if not newer and not builtins:
        return None, NOTHING, ""
    gcc = find_libstdcxx(arch, prefixes)
    if gcc is None:
        return None, NOTHING, install(arch)
    selection = NOTHING
    if newer:
        selection = gcc.library.select(sorted(newer), sorted(asked), gcc.older(arch, policy))
    there = frozenset(name for name in builtins if gcc.builtin(name) is not None)
    return gcc, replace(selection, builtins=there), ""


def _provider(files: Sequence[ElfFacts]) -> Callable[[str], bool]:
    return lambda name: any(name in facts.exports for facts in files)


def _strays(facts: ElfFacts) -> bool:
    """Whether the run path leads out of the wheel, to the machine that built it, and only there."""
    found = [run_path_directory(facts.name, entry) for entry in facts.run_path if entry]
    return bool(found) and all(directory is None for directory in found)


def _of_glibc(soname: str, arch: Architecture) -> bool:
    return soname in GLIBC_LIBRARIES or soname == arch.glibc_loader


def _refusal(wheel: Path, policy: Policy, refused: Sequence[Tuple[str, Refusal]]) -> str:
    lines = [f"{wheel.name} cannot be linked again for {policy}:"]
    for member, refusal in refused[:_MOST_NAMED]:
        lines.append(f"  {member}, {refusal.what}: {refusal.why}")
    if len(refused) > _MOST_NAMED:
        lines.append(f"  and {len(refused) - _MOST_NAMED} more")
    return "\n".join(lines)


def _remedy(refused: Sequence[Tuple[str, Refusal]]) -> str:
    remedies = dict.fromkeys(refusal.remedy for _, refusal in refused if refusal.remedy)
    if any(not refusal.remedy for _, refusal in refused):
        remedies["Name a newer policy, or build without what is named."] = None
    return "\n".join(remedies)
