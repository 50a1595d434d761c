"""Runtime objects compiled ahead, while the project's own sources still are.

On a fresh machine the first link of a C++ extension would wait for the runtime
libraries. But most projects' sources are compiled one after the other, with
other cores idle. So from the beginning that is compiled, at a low priority, what
the project's C++ files may need by what they include; then what their objects lack,
of which the driver tells through a named pipe. When two files with C++ have been
linked, it is the shared library that they may have to share. It is a guess that costs
the link nothing, and is nobody's any more when the cache has an answer.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import struct
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence, Set

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim._processes import jobs
from manylinux_shim.runtimes import AHEAD_VARIABLE, TWIN_MADE, place_of
from manylinux_shim.runtimes._objects import environment, judge, read_symbols
from manylinux_shim.sysroot import runtimes_directory
from manylinux_shim.zig import Zig, cache_root

if TYPE_CHECKING:
    from manylinux_shim.runtimes._closure import Builder

_NICENESS = 10
_SECONDS_TO_END = 5
_SECONDS_TO_LOOK = 0.2
"""How often objects are looked for that were being compiled."""

_SHARING = 2
"""So many files with C++ share a library (``shared_cxx``)."""

_EVERYONE = ("string",)
"""The stem of what C++ needs whatever it includes; the unwinder comes with it."""

_INCLUDED = {
    "iostream": "iostream",
    "sstream": "ios.instantiations",
    "fstream": "ios.instantiations",
    "iomanip": "ios.instantiations",
    "ostream": "ios.instantiations",
    "istream": "ios.instantiations",
    "locale": "locale",
    "regex": "locale",
    "filesystem": "operations",
    "thread": "thread",
    "future": "thread",
}
"""Header -> the stem of what its users need. What is quickly compiled can wait until
an object asks for it."""

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*<(\w+)>", re.MULTILINE)
_SOURCES = (".cc", ".cp", ".cxx", ".cpp", ".CPP", ".c++", ".C", ".CC")
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp")
_NOT_BUILT = re.compile(r"\.|(build|docs?|tests?|testing|examples?|bench(marks?)?)$", re.IGNORECASE)
"""Directories whose sources are hardly part of the wheel."""
_MOST_FILES = 2000
_MOST_BYTES = 1 << 16


@contextlib.contextmanager
def ahead(
    zig: Zig, arch: Architecture, policy: Policy, project: Path, scratch: Path
) -> Iterator[Dict[str, str]]:
    """Compile ahead while ``project`` is built; what the build is told, in variables.

    ``scratch`` is a directory of this build's own. At the end whatever is still being
    compiled is ended, and leaves nothing. Nothing is done where earlier builds have
    found what they needed.
    """
    cache = cache_root(os.environ, notice=lambda _: None)
    target = arch.zig_target(policy)
    place = Path(place_of(str(runtimes_directory(zig, arch, policy, cache)), target))
    pipe = scratch / "compiled"
    linked = _has_any(place / "links")
    if (linked and _has_any(place / "shared" / target)) or not _made(pipe):
        yield {}
        return
    worker = _Worker(None if linked else project, pipe, str(zig.executable), target, place)
    try:
        yield {AHEAD_VARIABLE: str(pipe)}
    finally:
        worker.stop()


def _has_any(directory: Path) -> bool:
    return directory.is_dir() and any(directory.iterdir())


def _made(pipe: Path) -> bool:
    """Whether there is a pipe now: not every file system has them, and no build needs it."""
    try:
        os.mkfifo(pipe, 0o600)
    except OSError:
        return False
    return True


class _Worker:
    """A thread that compiles what the project makes likely, and its objects make sure.

    Without a project, because links have found what they need, it waits for two of them.
    """

    def __init__(
        self, project: Optional[Path], pipe: Path, zig: str, zig_target: str, place: Path
    ) -> None:
        self._project = project
        self._zig = zig
        self._zig_target = zig_target
        self._place = place
        # For writing as well: without a writer a pipe is at its end.
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopped = False
        self._guard = threading.Lock()
        self._processes: Set[subprocess.Popen[str]] = set()
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all compilers that are running, and the thread."""
        with self._guard:
            self._stopped = True
            for process in self._processes:
                process.terminate()
        with contextlib.suppress(BlockingIOError):  # full: there is enough to wake up for
            os.write(self._pipe, b"\n")
        self._thread.join(_SECONDS_TO_END)
        if not self._thread.is_alive():
            os.close(self._pipe)

    def _work(self) -> None:
        # Whatever goes wrong here goes wrong again in the link, which says so. When others
        # are compiling the same, it is left to them: waiting for them could not be ended.
        with contextlib.suppress(Exception), self._builder() as builder:
            if self._project is not None:
                builder.start(expected(self._project))
            self._follow(builder)

    def _builder(self, *, visible: bool = False) -> Builder:
        # Not before there is a need: the thread has time, the build has not.
        from manylinux_shim.runtimes._closure import Builder

        return Builder(
            self._zig,
            self._zig_target,
            self._place,
            max(1, jobs(os.environ) - 1),
            run=self._run,
            initializer=_give_way,
            wait=False,
            visible=visible,
        )

    def _follow(self, builder: Builder) -> None:
        """Compile what the project's own objects lack, as they come to be there."""
        outputs: List[Path] = []
        rest = b""
        twins = 0
        while not self._stopped:
            if select.select([self._pipe], [], [], _SECONDS_TO_LOOK if outputs else None)[0]:
                *lines, rest = (rest + os.read(self._pipe, 1 << 16)).split(b"\n")
                twins += lines.count(TWIN_MADE.encode())
                news = [Path(os.fsdecode(line)) for line in lines if line.startswith(b"/")]
                outputs += [path for path in news if not _is_a_question(path)]
                if self._project is None:
                    outputs.clear()
                builder.start(_EVERYONE if outputs else ())
            if twins >= _SHARING:
                self._compile_shared()
                return
            builder.closure(_undefined(outputs), thorough=False)

    def _compile_shared(self) -> None:
        """The objects of the library that two files share, unless that is there already."""
        from manylinux_shim.runtimes._shared import shared_path

        directory = str(self._place.parent)
        if not shared_path(self._zig, self._zig_target, directory).exists():
            with self._builder(visible=True) as builder:
                builder.everything()

    def _run(self, command: Sequence[str], lock: int, *, what: str, cwd: str = "/") -> None:
        """As ``_objects.run``, with an end when the build has one."""
        with self._guard:
            if self._stopped:
                raise ToolchainError("the build has ended", "Nobody reads this.")
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                pass_fds=(lock,),
            )
            self._processes.add(process)
        said, _ = process.communicate()
        with self._guard:
            self._processes.discard(process)
        judge(process.returncode, said, what)


def _give_way() -> None:
    """Lower this thread's priority, and that of what it starts (Linux has one per thread)."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def expected(project: Path) -> Set[str]:
    """Stems of what the project's C++ files may need, by what they include; none without such."""
    included: Set[str] = set()
    number = 0
    cxx = False
    for directory, directories, names in os.walk(project):
        directories[:] = [name for name in directories if not _NOT_BUILT.match(name)]
        for name in names:
            cxx = cxx or name.endswith(_SOURCES)
            if name.endswith(_SOURCES + _HEADERS):
                with contextlib.suppress(OSError), Path(directory, name).open("rb") as file:
                    found = _INCLUDE.findall(file.read(_MOST_BYTES))
                    included.update(word.decode() for word in found)
        number += len(names)
        if number > _MOST_FILES:
            break
    stems = {_INCLUDED[name] for name in included if name in _INCLUDED}
    return {*_EVERYONE, *stems} if cxx else set()


def _is_a_question(path: Path) -> bool:
    """Whether this is where build systems try what the compiler can do."""
    tried = {"CMakeScratch", "CompilerIdCXX", "meson-private"} & set(path.parts)
    return bool(tried) or path.name.startswith("conftest.")


def _undefined(outputs: List[Path]) -> Set[str]:
    """What those objects lack that are there; they are taken out of ``outputs``."""
    names: Set[str] = set()
    for output in list(outputs):
        # One of link-time optimisation has no symbol table.
        with contextlib.suppress(OSError, ValueError, LookupError, struct.error):
            if output.stat().st_size:
                outputs.remove(output)
                names |= read_symbols(output).undefined
    return names
