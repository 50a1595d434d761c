"""The runtime libraries that a link needs: libc++, libc++abi, libunwind, compiler_rt.

zig builds them whole, for every libc version anew and on one core, before the
first link of a C++ file: nearly a minute. Here only those objects are compiled
that a link needs, with zig's own commands, on all cores, once for all libc
versions of an architecture, and kept::

    <directory>/<layout>/objects/libcxx-string.o    one object of a library
                        /archives/runtime-<hash>.a  what one set of symbols needs
                        /links/<hash>               undefined symbols -> archive

What comes out depends on the undefined symbols alone, never on what earlier
links have left in the cache.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
from pathlib import Path
from typing import Collection, Dict, Iterable, List, Optional, Set

from manylinux_shim.toolchain._runtime_builtins import build, exported
from manylinux_shim.toolchain._runtime_objects import Symbols, make_file, read_symbols, run
from manylinux_shim.toolchain._runtime_sources import (
    candidates,
    head_start,
    is_mentioned,
    is_standard,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.toolchain._runtime_commands import Commands

_LAYOUT = "1"
"""Counts up when the same symbols would get other objects, so that old ones are not used."""


def runtime_inputs(
    zig: str, zig_target: str, directory: str, undefined: Collection[str], *, jobs: int = 0
) -> List[str]:
    """The linker inputs that define what runtime libraries provide of ``undefined``.

    Absolute paths of archives, in link order, which resolve those symbols and what
    they need in turn; empty when no runtime library provides any. ``directory`` is
    this zig version's, architecture's and libc family's own; it does not matter
    which glibc version stands in ``zig_target``. ``jobs`` compilers run at once,
    as many as there are cores if it is 0. Raises ToolchainError when zig cannot
    build them or the disk cannot take them.
    """
    place = Path(directory).absolute() / _LAYOUT
    names = sorted(undefined)
    link = place / "links" / _digest([zig_target.split(".")[0], *names])
    known = _remembered(place, link)
    if known is not None:
        return known
    workers = jobs or len(os.sched_getaffinity(0))
    with _Builder(zig, zig_target, place, workers) as builder:
        objects = builder.closure(names)
        objects += builder.builtins(names, objects)
        archive = _archive(zig, place, objects) if objects else None
    members = [archive, *objects] if archive else []
    text = "".join(f"{path.relative_to(place)}\n" for path in members)
    make_file(link, lambda staging, _: _write(staging, text))
    return [str(archive)] if archive else []


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode("utf-8", "replace")).hexdigest()[:32]


def _remembered(place: Path, link: Path) -> Optional[List[str]]:
    """The answer an earlier link got; None if there was none or files of it are gone."""
    try:
        paths = link.read_text(encoding="utf-8").split()
    except OSError:
        return None
    if all((place / path).exists() for path in paths):
        return [str(place / path) for path in paths[:1]]
    link.unlink()
    return None


def _archive(zig: str, place: Path, objects: List[Path]) -> Path:
    """An archive of ``objects`` in this order: the linker takes what it needs out of it.

    A thin one: it holds the names of the files, not their bytes.
    """
    name = _digest(path.name for path in objects)
    archive = place / "archives" / f"runtime-{name}.a"
    words = [f"../objects/{path.name}" for path in objects]

    def make(staging: Path, lock: int) -> None:
        command = [zig, "ar", "crsDT", staging.name, *words]
        run(command, lock, what="an archive of objects", cwd=str(staging.parent))

    return make_file(archive, make)


class _Builder:
    """The objects of one target, compiled as they turn out to be needed."""

    def __init__(self, zig: str, zig_target: str, place: Path, jobs: int) -> None:
        self._zig = zig
        self._zig_target = zig_target
        self._place = place
        self._pool = concurrent.futures.ThreadPoolExecutor(jobs)
        self._running: Dict[str, concurrent.futures.Future[Symbols]] = {}
        self._symbols: Dict[str, Symbols] = {}
        self._all = False
        self._learned: Optional[Commands] = None

    def __enter__(self) -> _Builder:
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._running.values():
            future.cancel()
        self._pool.shutdown()

    @property
    def _commands(self) -> Commands:
        if self._learned is None:
            from manylinux_shim.toolchain._runtime_commands import commands

            self._learned = commands(self._zig, self._zig_target, self._place)
        return self._learned

    def closure(self, names: Iterable[str]) -> List[Path]:
        """The objects that define ``names`` and what those need, in link order."""
        todo = [name for name in names if candidates(name) or is_standard(name)]
        if not todo:
            return []
        self._start(head_start([candidates(name)[0] for name in todo if candidates(name)]))
        seen, needed = set(todo), set()  # type: Set[str], Set[str]
        blocked: List[str] = []
        unknown: List[str] = []
        while todo or blocked or unknown:
            for name in todo:
                stem = self._find(name)
                if stem is None:
                    blocked.append(name)
                elif not stem:
                    unknown.append(name)
                elif stem not in needed:
                    needed.add(stem)
                    todo += sorted(self._symbols[stem].undefined - seen)
                    seen |= self._symbols[stem].undefined
            todo = blocked
            if blocked:
                self._wait()
            elif not self._all and self._is_missing(unknown, needed):
                # Only now, when all else is settled: the answer must not depend on
                # which compiler was done first.
                self._start(self._commands.sources)
                self._all = True
                todo, unknown = unknown, []
            else:
                unknown = []
            blocked = []
        return [self._path(stem) for stem in self._commands.sources if stem in needed]

    def _find(self, name: str) -> Optional[str]:
        """The stem that defines ``name``, ``""`` if none is known, None while one compiles."""
        guesses: Iterable[str] = candidates(name)
        if guesses or (self._all and is_standard(name)):
            guesses = [*guesses, *(self._commands.sources if self._all else ())]
        for stem in guesses:
            if stem in self._commands.sources:
                if stem not in self._symbols:
                    self._start([stem])
                    return None
                if name in self._symbols[stem].defined:
                    return stem
        return ""

    def _is_missing(self, unknown: List[str], needed: Set[str]) -> bool:
        """Whether a library may define what is neither found nor part of what is needed."""
        here = frozenset().union(*(self._symbols[stem].defined for stem in needed))
        rest = [name for name in unknown if name not in here and is_standard(name)]
        if not rest:
            return False
        sources = self._commands.sources.values()
        text = "\n".join(_read(Path(self._commands.lib, source)) for source in sources)
        return any(is_mentioned(name, text) for name in rest)

    def _start(self, stems: Iterable[str]) -> None:
        for stem in stems:
            if stem in self._commands.sources and stem not in self._running:
                self._running[stem] = self._pool.submit(self._compile, stem)

    def _wait(self) -> None:
        pending = [f for stem, f in self._running.items() if stem not in self._symbols]
        concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
        for stem, future in self._running.items():
            if future.done():
                self._symbols[stem] = future.result()

    def _path(self, stem: str) -> Path:
        library = self._commands.sources[stem].split("/", 1)[0]
        return self._place / "objects" / f"{library}-{stem}.o"

    def _compile(self, stem: str) -> Symbols:
        command = self._commands.compile(self._zig, stem)

        def make(staging: Path, lock: int) -> None:
            run([*command, "-o", str(staging)], lock, what=self._commands.sources[stem])

        return read_symbols(make_file(self._path(stem), make))

    def builtins(self, names: Iterable[str], objects: Iterable[Path]) -> List[Path]:
        """The object of compiler_rt that defines what is still undefined, if any does."""
        symbols = [read_symbols(path) for path in objects]
        defined = frozenset().union(*(each.defined for each in symbols))
        wanted = {name for each in symbols for name in each.undefined if name.startswith("__")}
        wanted = {name for name in wanted.union(names) - defined if not name.startswith("_Z")}
        if not wanted:
            return []
        exports = exported(self._commands.lib)
        found = sorted(wanted & set(exports))
        if not found:
            return []
        files = sorted(frozenset().union(*(exports[name] for name in found)))
        path = self._place / "objects" / f"compiler_rt-{_digest(files)}.o"
        target, cpu = self._commands.target, self._commands.cpu

        def make(staging: Path, lock: int) -> None:
            build(self._zig, self._commands.lib, target, cpu, files, staging, lock)

        return [make_file(path, make)]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
