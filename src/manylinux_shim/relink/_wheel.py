"""A finished wheel linked again, against an older glibc: the story, in one page.

For each ELF file a plan (``_planning``), from all plans one small library of what that
glibc lacks (``_supply``) and one of what its libstdc++ lacks (``_cxx_supply``), then each
file written anew (``_rewriting``) and held against what it was (``_comparison``). What did
not change is not touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import ElfError, PolicyError
from manylinux_shim._messages import say
from manylinux_shim._platforms import Architecture, Policy, Version
from manylinux_shim.audit import GlibcTable, library_place, machine_of
from manylinux_shim.elf import MAGIC, read_elf
from manylinux_shim.relink._comparison import verify
from manylinux_shim.relink._planning import Changes, File, planned
from manylinux_shim.relink._references import CXX_LIBRARY
from manylinux_shim.relink._rewriting import Additions, needed_libraries, rewritten
from manylinux_shim.relink._room import with_room
from manylinux_shim.relink._selection import STREAM_FAILURE
from manylinux_shim.relink._supply import Library
from manylinux_shim.wheel import Archive, WheelName, repack


class Relinked(NamedTuple):
    """A wheel that was linked again."""

    wheel: Path
    supplied: Mapping[str, Optional[Path]] = {}
    """The libraries that it got -> the static library whose parts they are; None for our own."""


def relink_wheel(
    wheel: Path,
    policy: Policy,
    directory: Path,
    *,
    exclude: Sequence[str] = (),
    prefixes: Sequence[Path] = (),
    epoch: Optional[int] = None,
    notice: Callable[[str], None] = say,
) -> Relinked:
    """Write ``wheel`` into ``directory``, its files linked against ``policy``'s glibc.

    The new wheel bears the platform tags that it had: whether it has earned others is
    for the auditor to say. ``exclude`` has patterns of sonames that another package
    provides; ``prefixes`` are directories like ``/usr`` in which GCC's libraries may be, besides
    this machine's; ``epoch``, in seconds since 1970 (UTC), dates every member; ``notice`` is
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
        return Relinked(_copied(wheel, directory))
    _check_version(wheel, policy, arch, GlibcTable.load())
    changes = planned(wheel, contents, native, arch, policy, exclude, prefixes)
    if not changes.files:
        return Relinked(_copied(wheel, directory))
    libraries = _Libraries.made(changes, arch, policy, notice)
    changed: Dict[str, bytes] = {}
    added: Dict[str, bytes] = {}
    sources: Dict[str, Optional[Path]] = {}
    for file in changes.files:
        run_path = ""
        for library in libraries.of(file):
            member, run_path = library_place(name.distribution, file.facts.name, library.soname)
            if member not in contents:
                added[member] = library.data
                sources[member] = library.source
        changed[file.facts.name] = _changed(file, libraries, run_path)
        notice(_summary(file))
    if STREAM_FAILURE in changes.newer.exported:
        notice(
            f"a handler for std::ios_base::failure does not take what {policy}'s libstdc++ throws,"
            " which is an older type of that name; one for std::exception does"
        )
    directory.mkdir(parents=True, exist_ok=True)
    new = repack(
        wheel, directory, platforms=name.platforms, changed=changed, added=added, epoch=epoch
    )
    return Relinked(new, sources)


def _check_version(wheel: Path, policy: Policy, arch: Architecture, table: GlibcTable) -> None:
    oldest, newest = arch.lowest_manylinux, table.newest
    if not oldest <= policy.version <= newest:
        raise PolicyError(
            f"{wheel.name} cannot be linked again for {policy}: {arch.name} has"
            f" {Policy('manylinux', oldest)} to {Policy('manylinux', Version(*newest))}",
            "Name one of these.",
        )


class _Libraries(NamedTuple):
    """What a wheel gets for what the target's libraries lack."""

    glibc: Optional[Library] = None
    cxx: Optional[Library] = None

    @classmethod
    def made(
        cls, changes: Changes, arch: Architecture, policy: Policy, notice: Callable[[str], None]
    ) -> _Libraries:
        """The libraries for a wheel's changes, from the cache where they are there."""
        names = sorted({symbol for file in changes.files for symbol in file.plan.supplied})
        has_newer = any(file.plan.needs_newer_cxx for file in changes.files)
        if not names and not has_newer:
            return cls()
        from manylinux_shim.zig import cache_root, find_zig

        zig, cache = find_zig(), cache_root(os.environ, notice)
        glibc = cxx = None
        if names:
            from manylinux_shim.relink._supply import library

            glibc = library(zig, arch, policy, names, cache)
        if has_newer and changes.gcc is not None:
            from manylinux_shim.relink._cxx_supply import cxx_library

            cxx = cxx_library(zig, arch, policy, changes.newer, changes.gcc, cache)
        return cls(glibc, cxx)

    def of(self, file: File) -> Tuple[Library, ...]:
        """Those that a file needs."""
        needed = (
            self.glibc if file.plan.supplied else None,
            self.cxx if file.plan.needs_newer_cxx else None,
        )
        return tuple(library for library in needed if library is not None)


def _changed(file: File, libraries: _Libraries, run_path: str) -> bytes:
    """The file with its plan carried out, and proven to be no more than that."""
    if not file.plan:
        return file.data
    plan = file.plan
    if libraries.cxx is not None:
        plan = plan.with_cxx_library(libraries.cxx.soname, libraries.cxx.version)
    sonames = [library.soname for library in libraries.of(file)]
    system = [s for s in needed_libraries(plan, file.needed) if s not in sonames]
    more = Additions((*system, *sonames), run_path)
    try:
        data = rewritten(file.data, plan, more, with_room)
    except ElfError as error:
        raise ElfError(
            f"{file.facts.name}: it cannot be linked again: {error.message}",
            error.remedy or "Build it for the older glibc: mode zig, or on a system that has it.",
        ) from error
    verify(file.facts.name, file.data, data, plan, more)
    return data


def _summary(file: File) -> str:
    if not file.plan:
        return f"the run path of {file.facts.name} is taken out: it leads out of the wheel"
    rebound = [b.library for b in file.plan.bindings.values() if b.version is not None]
    newer = rebound.count(CXX_LIBRARY)
    parts = [f"{len(rebound) - newer} symbols rebound"] if len(rebound) > newer else []
    if newer:
        parts.append(f"{newer} of GCC's libraries taken along")
    if file.plan.supplied:
        parts.append(f"supplied: {', '.join(file.plan.supplied)}")
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
