"""Run paths of a finished wheel: to what is in it, and nowhere else."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence

from manylinux_shim._messages import say
from manylinux_shim.audit import Scope, Verdict, run_path_between, run_path_directory
from manylinux_shim.compiler import WHEEL_ROOM
from manylinux_shim.elf import ElfFacts
from manylinux_shim.wheel import Archive

_ROOM = WHEEL_ROOM.rpartition(":")[2]


def own_run_paths(verdict: Verdict) -> Dict[str, bytes]:
    """The members whose run path changes, as they are then.

    A run path that leads out of the wheel is taken out: Python's own flags bring it in. A file
    that looks for libraries inside the wheel too is left to be refused. Where the link left
    room for it, the run path becomes the way to the wheel's own libraries that the file needs.
    """
    native = [f for f in verdict.files if f.loadable and f.runs_on(verdict.machine)]
    roomy = [f for f in native if _ROOM in f.run_path]
    scope = Scope(native, verdict.family) if roomy else None
    wanted: Dict[str, str] = {f.name: _ways(f, scope) for f in roomy if scope is not None}
    wanted.update((f.name, "") for f in verdict.files if f not in roomy and _strays(f))
    return _changed(verdict, wanted)


def _changed(verdict: Verdict, wanted: Mapping[str, str]) -> Dict[str, bytes]:
    if not wanted:
        return {}
    from manylinux_shim.relink import with_run_path, without_run_path  # slow to import

    changed = {}
    with Archive(verdict.wheel) as archive:
        for facts in verdict.files:
            member = archive.find(facts.name)
            if facts.name not in wanted or not member:
                continue
            old, new = ":".join(facts.run_path), wanted[facts.name]
            data = archive.read(member)
            changed[facts.name] = with_run_path(data, old, new) if new else without_run_path(data)
            gone = ":".join(e for e in facts.run_path if e and _directory(facts, e) is None)
            if gone:
                say(f"run path {gone} is taken out of {facts.name}")
            if new:
                say(f"{facts.name} finds libraries of the wheel by the run path {new}")
    return changed


def _ways(facts: ElfFacts, scope: Scope) -> str:
    """The run path to the libraries of the wheel that a file needs; as far as there is room."""
    ways = []
    for soname in facts.needed:
        found = (run_path_between(facts.name, library.name) for library in scope.named(soname))
        shortest = min((way for way in found if way is not None), key=len, default=None)
        if shortest is not None:
            ways.append(shortest)
    path = ":".join(dict.fromkeys(ways))
    return path if len(path) <= len(WHEEL_ROOM) else "$ORIGIN"


def _strays(facts: ElfFacts) -> bool:
    """Whether the run path leads out of the wheel, and nowhere else."""
    entries: Sequence[str] = facts.run_path
    inside = any(entry.startswith(("$ORIGIN", "${ORIGIN}")) for entry in entries)
    return not inside and any(entry and _directory(facts, entry) is None for entry in entries)


def _directory(facts: ElfFacts, entry: str) -> Optional[str]:
    return run_path_directory(facts.name, entry)
