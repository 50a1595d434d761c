"""A finished wheel linked again, against an older glibc: the story, in one page.

For each ELF file a plan (``_references``), from all plans one small library of what
that glibc lacks (``_supply``), then each file written anew (``_rewriting``) and held
against what it was (``_comparison``). What did not change is not touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import ElfError, PolicyError
from manylinux_shim._messages import say
from manylinux_shim._platforms import Architecture, Policy, Version
from manylinux_shim.audit import (
    GLIBC_LIBRARIES,
    GlibcTable,
    Scope,
    libc_of,
    library_place,
    machine_of,
    run_path_directory,
)
from manylinux_shim.elf import MAGIC, ElfFacts, read_elf
from manylinux_shim.relink._comparison import verify
from manylinux_shim.relink._linkage import read_linkage
from manylinux_shim.relink._references import Plan, Refusal, plan
from manylinux_shim.relink._rewriting import Additions, needed_libraries, rewritten
from manylinux_shim.relink._room import with_room
from manylinux_shim.relink._supply import Library
from manylinux_shim.wheel import Archive, WheelName, repack

_MOST_NAMED = 20
"""Refusals that an error lists; the rest is counted."""


class _File(NamedTuple):
    """An ELF file of the wheel that has to change."""

    facts: ElfFacts
    data: bytes
    needed: Tuple[str, ...]
    plan: Plan


def relink_wheel(
    wheel: Path,
    policy: Policy,
    directory: Path,
    *,
    exclude: Sequence[str] = (),
    epoch: Optional[int] = None,
    notice: Callable[[str], None] = say,
) -> Path:
    """Write ``wheel`` into ``directory``, its files linked against ``policy``'s glibc; the path.

    The new wheel bears the platform tags that it had: whether it has earned others is
    for the auditor to say. ``exclude`` has patterns of sonames that another package
    provides; ``epoch``, in seconds since 1970 (UTC), dates every member; ``notice`` is
    told what is done to which file. A wheel that already suits is copied as it is.

    Raises PolicyError where a file asks for what that glibc has in no form, naming all
    of it; ElfError or WheelError for what cannot be read or changed; ToolchainError
    where zig or patchelf is needed and missing. Then there is no new file.
    """
    name = WheelName.parse(wheel.name)
    if policy.family != "manylinux":
        raise PolicyError(
            f"{wheel.name} cannot be linked again for {policy}",
            "Only glibc has versions of its symbols: build for musl with mode zig.",
        )
    with Archive(wheel) as archive:
        contents = {
            member.name: archive.read(member)
            for member in archive.members
            if not member.is_dir and archive.head(member, len(MAGIC)) == MAGIC
        }
    facts = tuple(read_elf(member, data) for member, data in contents.items())
    machine = machine_of(facts, name.platforms)
    native = [f for f in facts if f.loadable and f.runs_on(machine)]
    arch = next((f.architecture for f in native if f.machine_name == machine), None)
    if arch is None:
        return _copied(wheel, directory)
    table = GlibcTable.load()
    _check_version(wheel, policy, arch, table)
    files = _planned(wheel, contents, native, arch, policy, table, exclude)
    if not files:
        return _copied(wheel, directory)
    supplied = sorted({symbol for file in files for symbol in file.plan.supplied})
    library = _library(arch, policy, supplied, notice) if supplied else None
    changed: Dict[str, bytes] = {}
    added: Dict[str, bytes] = {}
    for file in files:
        run_path = ""
        if library is not None and file.plan.supplied:
            member, run_path = library_place(name.distribution, file.facts.name, library.soname)
            if member not in contents:
                added[member] = library.data
        changed[file.facts.name] = _changed(file, library, run_path)
        notice(_summary(file))
    directory.mkdir(parents=True, exist_ok=True)
    return repack(
        wheel, directory, platforms=name.platforms, changed=changed, added=added, epoch=epoch
    )


def _check_version(wheel: Path, policy: Policy, arch: Architecture, table: GlibcTable) -> None:
    oldest, newest = arch.lowest_manylinux, table.newest
    if not oldest <= policy.version <= newest:
        raise PolicyError(
            f"{wheel.name} cannot be linked again for {policy}: {arch.name} has"
            f" {Policy('manylinux', oldest)} to {Policy('manylinux', Version(*newest))}",
            "Name one of these.",
        )


def _planned(
    wheel: Path,
    contents: Dict[str, bytes],
    native: Sequence[ElfFacts],
    arch: Architecture,
    policy: Policy,
    table: GlibcTable,
    exclude: Sequence[str],
) -> List[_File]:
    """The files that have to change, each with its plan; PolicyError where one cannot."""
    scope = Scope(native)
    by_name = {facts.name: facts for facts in native}
    files: List[_File] = []
    refused: List[Tuple[str, Refusal]] = []
    for facts in native:
        if not facts.dynamic or libc_of(facts, arch) == "musllinux":
            continue
        data = contents[facts.name]
        strayed = _strays(facts)
        if strayed:
            from manylinux_shim.relink._run_path import without_run_path

            data = without_run_path(data)
            facts = read_elf(facts.name, data)
        try:
            linkage = read_linkage(data)
        except ElfError as error:
            raise ElfError(f"{facts.name}: {error.message}", error.remedy) from error
        if linkage is None:
            continue
        own = [s for s in facts.needed if scope.library(facts, s) and not _of_glibc(s, arch)]
        found = plan(
            linkage,
            arch,
            policy,
            table,
            packed_relocations=facts.relr,
            own=own,
            provided=_provider([by_name[n] for n in scope.neighbours(facts)]),
            exclude=exclude,
        )
        refused += [(facts.name, refusal) for refusal in found.refused]
        if found or strayed:
            files.append(_File(facts, data, linkage.needed, found))
    if refused:
        raise PolicyError(_refusal(wheel, policy, refused), _remedy(refused))
    return files


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


def _library(
    arch: Architecture, policy: Policy, names: Sequence[str], notice: Callable[[str], None]
) -> Library:
    from manylinux_shim.relink._supply import library
    from manylinux_shim.zig import cache_root, find_zig

    return library(find_zig(), arch, policy, names, cache_root(os.environ, notice))


def _changed(file: _File, library: Optional[Library], run_path: str) -> bytes:
    """The file with its plan carried out, and proven to be no more than that."""
    needed = needed_libraries(file.plan, file.needed)
    if library is not None and file.plan.supplied:
        needed += (library.soname,)
    more = Additions(needed, run_path)
    if not file.plan:
        return file.data
    try:
        data = rewritten(file.data, file.plan, more, with_room)
    except ElfError as error:
        raise ElfError(
            f"{file.facts.name}: it cannot be linked again: {error.message}",
            error.remedy or "Build it for the older glibc: mode zig, or on a system that has it.",
        ) from error
    verify(file.facts.name, file.data, data, file.plan, more)
    return data


def _summary(file: _File) -> str:
    rebound = sum(1 for binding in file.plan.bindings.values() if binding.version is not None)
    parts = [f"{rebound} symbols rebound"] if rebound else []
    if file.plan.supplied:
        parts.append(f"supplied: {', '.join(file.plan.supplied)}")
    if not file.plan:
        return f"the run path of {file.facts.name} is taken out: it leads out of the wheel"
    return f"{file.facts.name} is linked again: {'; '.join(parts) or 'versions dropped'}"


def _copied(wheel: Path, directory: Path) -> Path:
    """``wheel`` in ``directory``, whole or not at all."""
    destination = directory / wheel.name
    if destination.exists() and destination.samefile(wheel):
        return destination
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".manylinux-shim-", dir=directory) as scratch:
        copy = Path(shutil.copyfile(wheel, Path(scratch) / "copy"))
        copy.replace(destination)
    return destination
