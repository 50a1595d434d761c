"""Which objects of the runtime libraries a link needs, and the archive of them.

The objects are found from the symbols, by guess and by proof: compiled, their
symbol tables say what they define and what they need in turn, until nothing is
missing.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Set

from manylinux_shim import _processes
from manylinux_shim._errors import ToolchainError
from manylinux_shim.runtimes import _processor as processor
from manylinux_shim.runtimes._builtins import build, exported
from manylinux_shim.runtimes._commands import Commands, commands
from manylinux_shim.runtimes._excerpt import HANDLERS, excerpt, telling
from manylinux_shim.runtimes._objects import Symbols, make_file, read_symbols, run
from manylinux_shim.runtimes._sources import (
    candidates,
    head_start,
    is_mentioned,
    is_rare,
    is_standard,
    slowest_first,
    variant,
)


def build_archive(zig: str, zig_target: str, place: str, names: List[str], jobs: int) -> List[str]:
    """An archive with what runtime libraries provide of ``names``, in two forms, and its members.

    Paths below ``place``: the archive; a stub that stands for the shared library of C++ in
    a link, and an archive of what is not C++, each ``""`` where nothing of it is needed; the
    members. Empty when the libraries provide nothing. Raises ToolchainError.
    """
    from manylinux_shim.runtimes._shared import stub

    root = Path(place)
    with Builder(zig, zig_target, root, jobs or _processes.jobs(os.environ)) as builder:
        cxx = builder.closure(names)
        asked = builder.processor(names, cxx)
        others = [*asked, *builder.builtins(names, [*cxx, *asked])]
    objects = [*cxx, *others]
    found = [
        _archive(zig, root, objects) if objects else None,
        stub(zig, zig_target, root, names, cxx) if cxx else None,
        _archive(zig, root, others) if cxx and others else None,
        *objects,
    ]
    return [path.relative_to(root).as_posix() if path else "" for path in found if objects]


def remember(link: str, lines: List[str]) -> None:
    """Write ``lines`` down for the next one who asks; ToolchainError on a full disk."""
    path = Path(link)
    text = "\n".join(lines)
    path.unlink(missing_ok=True)
    make_file(path, partial(_write, text=text))


def _write(path: Path, _lock: int, *, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogateescape")


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode("utf-8")).hexdigest()[:32]


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


class Builder:
    """The objects of one target, compiled as they turn out to be needed.

    ``jobs`` threads do so, each of which calls ``initializer`` first, by ``run``. If
    not ``wait``, what another process is compiling is a ToolchainError. ``visible`` objects
    are for a shared library.
    """

    def __init__(
        self,
        zig: str,
        zig_target: str,
        place: Path,
        jobs: int,
        *,
        run: Callable[..., None] = run,
        initializer: Optional[Callable[[], None]] = None,
        wait: bool = True,
        visible: bool = False,
    ) -> None:
        self._zig = zig
        self._zig_target = zig_target
        self._place = place
        self._objects = place / ("visible" if visible else "objects")
        self._visible = visible
        self._run = run
        self._wait_for_others = wait
        self._pool = concurrent.futures.ThreadPoolExecutor(jobs, initializer=initializer)
        self._running: Dict[str, concurrent.futures.Future[Symbols]] = {}
        self._symbols: Dict[str, Symbols] = {}
        self._all = False
        self._streams = False
        """Whether what streams need is one unit, which depends on the symbols alone."""
        self._whole = False
        """Whether units are whole, with what hardly a program needs; so does this."""
        self._learned: Optional[Commands] = None

    def __enter__(self) -> Builder:
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._running.values():
            future.cancel()
        self._pool.shutdown()

    @property
    def _commands(self) -> Commands:
        if self._learned is None:
            hidden = commands(self._zig, self._zig_target, self._place)
            self._learned = hidden.visible() if self._visible else hidden
        return self._learned

    def start(self, stems: Iterable[str]) -> None:
        """Begin with what is needed where ``stems`` are, and do not wait for it."""
        units = head_start([self._commands.unit(stem) for stem in stems])
        if "locale" in units and self._commands.together:
            self._streams = True
        self._start(units)

    def everything(self) -> List[Path]:
        """The objects of all sources, with nothing left out, in link order."""
        self._streams = self._whole = True
        units = self._units(self._commands.sources)
        self._start(slowest_first(units))
        while len(self._symbols) < len(self._running):
            self._wait()
        return [self._path(unit) for unit in units]

    def closure(self, names: Iterable[str], *, thorough: bool = True) -> List[Path]:
        """The objects that define ``names`` and what those need, in link order.

        If not ``thorough``, a name that no guess finds is not looked for elsewhere.
        """
        wanted = [name for name in names if candidates(name) or is_standard(name)]
        self._whole = self._whole or any(map(is_rare, wanted))
        units = self._search(wanted, thorough=thorough)
        if units is None:
            # Whole units are zig's own: what they cannot do, nobody can.
            self._whole = True
            units = self._search(wanted, thorough=thorough)
        order = self._units(self._commands.sources) if units else ()
        return [self._path(unit) for unit in order if unit in (units or ())]

    def _search(self, names: List[str], *, thorough: bool) -> Optional[Set[str]]:
        """The units for ``names``; None if they are not in the parts of units that are tried."""
        todo = list(names)
        self.start(candidates(name)[0] for name in todo if candidates(name))
        seen: Set[str] = set(todo)
        needed: Set[str] = set()
        blocked: List[str] = []
        unknown: List[str] = []
        while todo or blocked or unknown:
            while todo:
                name = todo.pop()
                unit = self._find(name)
                if unit is None:
                    blocked.append(name)
                elif not unit:
                    unknown.append(name)
                elif unit not in needed:
                    needed.add(unit)
                    todo += self._symbols[unit].undefined - seen
                    seen |= self._symbols[unit].undefined
            if blocked:
                if not self._wait():
                    return None
                todo, blocked = blocked, []
            elif thorough and not self._all and self._is_missing(unknown, needed):
                # Only now, when all else is settled: the answer must not depend on
                # which compiler was done first.
                if not self._whole:
                    return None
                self._start(self._units(self._commands.sources))
                self._all = True
                todo, unknown = unknown, []
            else:
                unknown = []
        return needed

    def _units(self, stems: Iterable[str]) -> List[str]:
        """The units of those of ``stems`` that this zig has, each once."""
        units = (self._commands.unit(stem) for stem in stems if stem in self._commands.sources)
        return list(dict.fromkeys(map(self._variant, units)))

    def _variant(self, unit: str) -> str:
        if not self._commands.together:
            return unit
        return variant(unit, streams=self._streams, whole=self._whole)

    def _find(self, name: str) -> Optional[str]:
        """The unit that defines ``name``, ``""`` if none is known, None while one compiles."""
        guesses: Iterable[str] = candidates(name)
        if guesses or (self._all and is_standard(name)):
            guesses = [*guesses, *(self._commands.sources if self._all else ())]
        for unit in self._units(guesses):
            if unit not in self._symbols:
                self._start([unit])
                return None
            if name in self._symbols[unit].defined:
                return unit
        return ""

    def _is_missing(self, unknown: List[str], needed: Set[str]) -> bool:
        """Whether a library may define what is neither found nor part of what is needed."""
        here = frozenset().union(*(self._symbols[unit].defined for unit in needed))
        rest = [name for name in unknown if name not in here and is_standard(name)]
        if not rest:
            return False
        sources = self._commands.sources.values()
        text = "\n".join(_read(Path(self._commands.lib, source)) for source in sources)
        return any(is_mentioned(name, text) for name in rest)

    def _start(self, units: Iterable[str]) -> None:
        for unit in map(self._variant, units):
            if unit not in self._running and self._commands.members(unit):
                self._running[unit] = self._pool.submit(self._compile, unit)

    def _wait(self) -> bool:
        """Wait for a compiler to be done; False if it could not compile a part that is tried."""
        pending = [f for unit, f in self._running.items() if unit not in self._symbols]
        concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
        done = True
        for unit, future in list(self._running.items()):
            if unit in self._symbols or not future.done():
                continue
            try:
                self._symbols[unit] = future.result()
            except ToolchainError:
                if not self._commands.is_part(unit):
                    raise
                del self._running[unit]
                done = self._whole
        return done

    def _path(self, unit: str) -> Path:
        library = self._commands.members(unit)[0].split("/", 1)[0]
        return self._objects / f"{library}-{unit}.o"

    def _compile(self, unit: str) -> Symbols:
        excerpts = self._commands.excerpts(unit, self._place / "sources")
        for source, path in excerpts.items():
            text = _read(Path(self._commands.lib, source))
            change = telling if path.stem == HANDLERS else excerpt
            make_file(path, partial(_write, text=change(text)))
        header = self._commands.header(unit, self._place / "sources")
        if header is not None:
            make_file(header[0], partial(_write, text=header[1]))
        command = self._commands.compile(
            self._zig, unit, excerpts, header[0] if header is not None else None
        )
        what = ", ".join(self._commands.members(unit))

        def make(staging: Path, lock: int) -> None:
            self._run([*command, "-o", str(staging)], lock, what=what)

        return read_symbols(make_file(self._path(unit), make, wait=self._wait_for_others))

    def processor(self, names: Iterable[str], objects: Iterable[Path]) -> List[Path]:
        """The object that tells processors apart, if any of ``names``, or of what is undefined in
        ``objects``, is of it.
        """
        target = self._commands.target
        undefined = set(names).union(*(read_symbols(path).undefined for path in objects))
        if not undefined & processor.source(target)[1]:
            return []
        path = self._place / "objects" / processor.object_name(target)

        def make(staging: Path, lock: int) -> None:
            processor.build(self._zig, target, staging, lock)

        return [make_file(path, make)]

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
