"""This machine's static libstdc++ for an architecture, and the shared one that it belongs to."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Collection, Iterator, List, Mapping, Optional, Sequence, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim._processes import run
from manylinux_shim.audit import floor_of, version_floor
from manylinux_shim.elf import Definition, RelocatableObject, definitions, read_archive
from manylinux_shim.relink._selection import CHANGED, CHANGED_IN, Older, StaticLibrary
from manylinux_shim.supply import CXX_NAMES

_VERSION = re.compile(r"GLIBCXX_([0-9]+)\.([0-9]+)\.([0-9]+)")
_SECONDS = 60


@dataclass(frozen=True)
class Libstdcxx:
    """One GCC's libstdc++, both kinds."""

    archive: Path
    shared: Path
    builtins: Optional[Path] = None
    """``libgcc.a`` of the same GCC: what its code calls for what a processor lacks."""

    @cached_property
    def definitions(self) -> Tuple[Definition, ...]:
        """What the shared one defines, in all versions."""
        return tuple(definitions(self.shared.read_bytes()))

    @cached_property
    def members(self) -> Mapping[str, bytes]:
        """The objects of the static one."""
        return read_archive(self.archive.read_bytes())

    @cached_property
    def library(self) -> StaticLibrary:
        """The same, by what they define."""
        return StaticLibrary(self.members)

    def builtin(self, name: str) -> Optional[RelocatableObject]:
        """The object of libgcc.a that defines a function, if it keeps nothing in variables."""
        if name not in self._builtins:
            return None
        found = self._builtins.objects[self._builtins.home(name)[0]]
        keeps = any(s.is_allocated and s.is_writable and s.size for s in found.sections)
        return None if keeps else found

    @cached_property
    def _builtins(self) -> StaticLibrary:
        members = read_archive(self.builtins.read_bytes()) if self.builtins else {}
        return StaticLibrary(members)

    @property
    def newest(self) -> Tuple[int, ...]:
        """The newest ``GLIBCXX_`` version that it has."""
        found = (_VERSION.fullmatch(each.version) for each in self.definitions)
        return max((tuple(map(int, match.groups())) for match in found if match), default=())

    def older(self, arch: Architecture, policy: Policy) -> Older:
        """What a system as old as ``policy`` has of it.

        Versions of symbols are promises: who has one has all of its symbols, as they are here.
        """
        there = self.there(arch, policy)
        changed: Collection[str] = ()
        if version_floor(CHANGED_IN, arch) > floor_of(policy):
            changed = CHANGED
        return Older(
            frozenset(d.name for d in there if not d.is_data),
            frozenset(d.name for d in there if d.is_data),
            changed,
            CXX_NAMES,
        )

    def there(self, arch: Architecture, policy: Policy) -> List[Definition]:
        """The definitions that a system as old as ``policy`` has."""
        floor = floor_of(policy)
        return [d for d in self.definitions if version_floor(d.version, arch) <= floor]


def find_libstdcxx(arch: Architecture, prefixes: Sequence[Path] = ()) -> Optional[Libstdcxx]:
    """The newest one for ``arch`` on this machine: of the compilers on the path, those that
    ``CXX`` names, and those in the usual places and below ``prefixes``, which are directories
    like ``/usr``; None if there is none.
    """
    found = []
    for archive, shared in dict.fromkeys((*_candidates(arch), *_fetched(prefixes))):
        builtins = archive.with_name("libgcc.a")
        candidate = Libstdcxx(archive, shared, builtins if builtins.is_file() else None)
        try:
            machine = shared.read_bytes()[18:20]
            if machine == _machine(arch) and candidate.newest and candidate.members:
                found.append(candidate)
        except (OSError, ElfError):
            continue  # cut short, or an archive that names its objects instead of having them
    return max(found, key=lambda each: (each.newest, str(each.archive)), default=None)


def install(arch: Architecture) -> str:
    """What to install where there is none, or none that is new enough."""
    package = f"g++-{arch.gcc_triplet.replace('_', '-')}"
    return (
        f"Install GCC's static libstdc++ for {arch.name}: `apt install {package}` on Debian and"
        " Ubuntu, `dnf install libstdc++-static` on Fedora; or link it statically:"
        ' LDFLAGS="-static-libstdc++ -static-libgcc".'
    )


def _machine(arch: Architecture) -> bytes:
    return arch.machine.to_bytes(2, "big" if arch.big_endian else "little")


def _candidates(arch: Architecture) -> Iterator[Tuple[Path, Path]]:
    for compiler in _compilers(arch):
        archive = _named(compiler, "libstdc++.a")
        shared = _named(compiler, "libstdc++.so.6") or _named(compiler, "libstdc++.so")
        if archive and shared:
            yield archive, shared
    for parent in ("/usr/lib/gcc", "/usr/lib/gcc-cross"):
        for triplet in dict.fromkeys((arch.triplet_gnu, arch.gcc_triplet)):
            for archive in sorted(Path(parent, triplet).glob("*/libstdc++.a")):
                shared = archive.with_name("libstdc++.so")
                if shared.is_file():
                    yield archive.resolve(), shared.resolve()


def _fetched(prefixes: Sequence[Path]) -> Iterator[Tuple[Path, Path]]:
    """Where ``libraries`` has put those that came with the C++ libraries that it fetched."""
    for prefix in prefixes:
        for archive in sorted(prefix.glob("lib/gcc/*/*/libstdc++.a")):
            yield archive, archive.with_name("libstdc++.so.6")


def _compilers(arch: Architecture) -> Iterator[List[str]]:
    try:
        given = shlex.split(os.environ.get("CXX", ""))
    except ValueError:
        given = []
    for command in (given, [f"{arch.gcc_triplet}-g++"], ["g++"]):
        if command and shutil.which(command[0]):
            yield command


def _named(compiler: List[str], file: str) -> Optional[Path]:
    try:
        done = run([*compiler, f"-print-file-name={file}"], timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    path = Path(done.stdout.strip())
    return path.resolve() if path.is_absolute() and path.is_file() else None
