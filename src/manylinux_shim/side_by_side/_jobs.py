"""The files of one ``compile()``, compiled side by side.

``CCompiler.compile`` is a loop over ``_compile``, which runs one command by ``spawn``, or
since setuptools 84 by ``call``. The loop stays, and what it is going to ask for is begun
before it does:

1. ``_compile`` is called for each file with ``spawn`` and ``call`` breaking off, so that the
   command is known and has not been run;
2. the commands run, as many at once as allowed;
3. the loop itself runs. Where it asks for a command that was foreseen it gets what that said
   and whether it failed, as if it had run now; any other command runs now, and alone.

So order, errors and all that a ``_compile`` of the project's own does after its command are
as ever. A project that has its own ``compile``, ``spawn`` or ``call`` is left alone.
Standard library only: this runs wherever the real backend runs.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import os
import subprocess
import sys
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from manylinux_shim._processes import descendants, terminate

_RUNNERS = ("spawn", "call")
"""Methods by which compilers run their commands."""


_OURS = "_of_manylinux_shim"
"""An attribute of those that stand in their place."""


class _Foreseen(BaseException):
    """Breaks off a ``_compile`` where it runs its command; no handler of errors stops it."""

    def __init__(self, command: Optional[_Command]) -> None:
        super().__init__()
        self.command = command


class _Command:
    """One call of ``spawn`` or ``call``, with all that its result depends on."""

    def __init__(self, runner: str, words: Tuple[Any, ...], environment: Dict[str, str]) -> None:
        self.runner = runner
        self.words = words
        self.environment = environment
        self.directory = os.getcwd()

    def size(self) -> int:
        """Bytes of all files that the command names: as a rule, of one source."""
        total = 0
        for word in self.words:
            with contextlib.suppress(OSError, TypeError, ValueError):
                total += os.path.getsize(os.path.join(self.directory, os.fspath(word)))
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Command) and vars(self) == vars(other)


class _Job:
    """A command that runs, or is to run, in a thread."""

    def __init__(self, command: _Command) -> None:
        self.command = command
        self.future: Any = None
        self.code: Optional[int] = None
        """Exit code, a signal as a negative number; None if it could not be started."""
        self.said = (b"", b"")
        """On stdout, on stderr."""


class Turn:
    """The right of one of several threads to be in Python's code, of which ``lock`` is one."""

    def __init__(self, lock: threading.Lock) -> None:
        self.lock = lock
        self.begun = threading.Event()
        """Whether it has come to wait for its first command, or to its end."""


class _Ended(Exception):  # noqa: N818 - no error of anybody's: it is the end of others' work
    """No command is begun, because something else went wrong."""


class Jobs:
    """How many commands of distutils' compilers run at once in this process, and which do."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._budget = threading.Semaphore(count)
        self._guard = threading.Lock()
        self._running: Dict[_Job, int] = {}
        self._stopped: List[_Job] = []
        self._here = threading.local()
        self._alone = False
        self._ended = False

    def install(self, compiler_class: Any) -> None:
        """Have a class of compilers, distutils' ``CCompiler``, compile side by side."""
        for runner in _RUNNERS:
            original = vars(compiler_class).get(runner)
            if original is not None:
                setattr(compiler_class, runner, self._runner(runner, original))
        compiler_class.compile = self._compiling(compiler_class.compile)

    def _runner(self, name: str, original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def run(compiler: Any, words: Any, *rest: Any, **keywords: Any) -> None:
            if self._alone:
                original(compiler, words, *rest, **keywords)
                return
            if getattr(self._here, "foreseeing", False):
                raise _Foreseen(_command(name, words, rest, keywords))
            waiting: Optional[List[_Job]] = getattr(self._here, "waiting", None)
            if waiting:
                command = _command(name, words, rest, keywords)
                job = next((job for job in waiting if job.command == command), None)
                if job is not None:
                    waiting.remove(job)
                    if self._delivered(job, original):
                        return
                # What it writes may be what one of those writes, and they may be wrong as well.
                for other in waiting:
                    self._ended_or_never(other)
            elif self._turn() is not None:
                # Captured, as others may talk at the same time.
                command = _command(name, words, rest, keywords)
                if command is not None:
                    job = _Job(command)
                    with self._others_turn():
                        self._run(job)
                    if self._delivered(job, original):
                        return
            with self._others_turn(), self._within_budget():
                if self._ended:
                    raise _Ended
                original(compiler, words, *rest, **keywords)

        vars(run)[_OURS] = True
        return run

    def _delivered(self, job: _Job, original: Callable[..., None]) -> bool:
        """Wait for a job, say what it said, raise its failure; False if it is to run again.

        So it is where it could not be started, and where a signal ended it: many compilers at
        once may need more memory than there is.
        """
        if job.future is not None and not job.future.cancelled():
            with self._others_turn():
                job.future.result()
        if job.code is None or job.code < 0:
            return False
        words = list(job.command.words)
        log = getattr(original, "__globals__", {}).get("log")
        if log is not None:
            log.info(subprocess.list2cmdline(words))
        for stream, said in zip((sys.stdout, sys.stderr), job.said):
            stream.flush()
            _write(1 if stream is sys.stdout else 2, said)
        if job.code == 0:
            return True
        if job.command.runner == "call":
            raise subprocess.CalledProcessError(job.code, words)
        errors = sys.modules["distutils.errors"]
        raise errors.DistutilsExecError(f"command {words[0]!r} failed with exit code {job.code}")

    def _ended_or_never(self, job: _Job) -> None:
        """Wait for a job that runs; keep one that does not from running."""
        if not job.future.cancel():
            with self._others_turn():
                job.future.result()

    def _compiling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def compile_all(compiler: Any, *arguments: Any, **keywords: Any) -> Any:
            busy = hasattr(self._here, "waiting") or getattr(self._here, "foreseeing", False)
            if self._alone or busy or not _runs_by_ours(compiler):
                return original(compiler, *arguments, **keywords)
            commands = self._foresee(compiler, arguments, keywords)
            if len(commands) < 2:
                return original(compiler, *arguments, **keywords)
            with self._begun(commands) as jobs:
                self._here.waiting = jobs
                try:
                    return original(compiler, *arguments, **keywords)
                finally:
                    del self._here.waiting

        return compile_all

    def _foresee(self, compiler: Any, arguments: Any, keywords: Any) -> List[_Command]:
        """The commands that ``compile`` is going to run, as far as they can be known."""
        commands: List[_Command] = []
        # What goes wrong here goes wrong again where it is in earnest.
        with contextlib.suppress(Exception):
            for step in _steps(compiler, *arguments, **keywords):
                with _unchanged(compiler):
                    self._here.foreseeing = True
                    try:
                        step()
                    except _Foreseen as foreseen:
                        if foreseen.command is None:
                            break
                        commands.append(foreseen.command)
                    else:
                        break  # it was no command that compiled this file
                    finally:
                        self._here.foreseeing = False
        return commands

    @contextlib.contextmanager
    def _begun(self, commands: List[_Command]) -> Iterator[List[_Job]]:
        """The jobs, running; those that nobody has waited for at the end are ended."""
        from concurrent.futures import ThreadPoolExecutor  # slow to import

        jobs = [_Job(command) for command in commands]
        waiting = list(jobs)
        with ThreadPoolExecutor(min(self._count, len(jobs))) as pool:
            try:
                # What takes longest is best begun first.
                for job in sorted(jobs, key=lambda job: -job.command.size()):
                    job.future = pool.submit(self._run, job)
                yield waiting
            except BaseException:
                for job in jobs:
                    if job.future is not None:
                        job.future.cancel()
                self._stop(jobs)
                raise

    def _run(self, job: _Job) -> None:
        command = job.command
        with self._within_budget():
            with self._guard:
                if self._ended or job in self._stopped:
                    return
                try:
                    process = subprocess.Popen(
                        command.words,
                        env=command.environment,
                        cwd=command.directory,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                    )
                except (OSError, TypeError, ValueError):
                    return
                self._running[job] = process.pid
            job.said = process.communicate()
            with self._guard:
                del self._running[job]
            job.code = process.returncode

    def _stop(self, jobs: List[_Job]) -> None:
        """End the commands of ``jobs`` that run, with all that they have started."""
        with self._guard:
            self._stopped += jobs
            for process in [self._running[job] for job in jobs if job in self._running]:
                terminate([*descendants(process), process])

    def begin_no_more(self) -> None:
        """Begin no command from now on; for a handler of signals, so without a lock."""
        self._ended = True

    def end(self) -> None:
        """End all commands, and begin no more before those who wait for them have ended too."""
        with self._guard:
            self._ended = True
            for process in self._running.values():
                terminate([*descendants(process), process])

    @contextlib.contextmanager
    def all_end(self) -> Iterator[None]:
        """What may call ``end``; afterwards, commands are begun again."""
        try:
            yield
        finally:
            self._ended = False

    @contextlib.contextmanager
    def left_alone(self) -> Iterator[None]:
        """Have everything be as it was."""
        self._alone = True
        try:
            yield
        finally:
            self._alone = False

    @contextlib.contextmanager
    def turn(self, turn: Turn) -> Iterator[None]:
        """Be in Python's code by turns with other threads."""
        with turn.lock:
            if self._ended:
                raise _Ended
            self._here.turn = turn
            try:
                yield
            finally:
                self._here.turn = None

    def _turn(self) -> Optional[Turn]:
        turn: Optional[Turn] = getattr(self._here, "turn", None)
        return turn

    @contextlib.contextmanager
    def _others_turn(self) -> Iterator[None]:
        """Wait for a command, while others have their turn."""
        turn = self._turn()
        if turn is None:
            yield
            return
        self._here.turn = None
        turn.begun.set()
        turn.lock.release()
        try:
            yield
        finally:
            turn.lock.acquire()
            self._here.turn = turn

    @contextlib.contextmanager
    def _within_budget(self) -> Iterator[None]:
        """Wait until one command more may run; ``spawn`` may be made of ``call``."""
        if getattr(self._here, "counted", False):
            yield
            return
        with self._budget:
            self._here.counted = True
            try:
                yield
            finally:
                self._here.counted = False


def _runs_by_ours(compiler: Any) -> bool:
    """Whether nobody has a ``spawn`` or ``call`` of their own, or only shows commands."""
    if getattr(compiler, "dry_run", False):
        return False
    runners = [getattr(compiler, name, None) for name in _RUNNERS]
    return all(getattr(r, _OURS, False) for r in runners if r is not None)


def _command(
    runner: str, words: Any, rest: Tuple[Any, ...], keywords: Dict[str, Any]
) -> Optional[_Command]:
    """A command that can be run beforehand; None for one with more to it."""
    if rest or set(keywords) - {"env"} or not isinstance(words, (list, tuple)):
        return None
    environment = keywords.get("env")
    return _Command(runner, tuple(words), dict(os.environ if environment is None else environment))


def _steps(
    compiler: Any,
    sources: Any,
    output_dir: Any = None,
    macros: Any = None,
    include_dirs: Any = None,
    debug: Any = 0,
    extra_preargs: Any = None,
    extra_postargs: Any = None,
    depends: Any = None,
) -> Iterator[Callable[[], object]]:
    """What ``CCompiler.compile`` does with the same arguments: its calls of ``_compile``."""
    macros, objects, extra_postargs, options, build = compiler._setup_compile(
        output_dir, macros, include_dirs, sources, depends, extra_postargs
    )
    arguments = compiler._get_cc_args(options, debug, extra_preargs)
    # All calls have the same lists, so that what one adds the next finds.
    rest = copy.deepcopy((arguments, extra_postargs, options))
    for item in dict.fromkeys(objects):  # an object that is made twice is foreseen once
        if item in build:
            yield functools.partial(compiler._compile, item, *build[item], *rest)


@contextlib.contextmanager
def _unchanged(compiler: Any) -> Iterator[None]:
    """Take back what a ``_compile`` of the project's own changes before its command."""
    method = compiler._compile
    if str(getattr(method, "__module__", "")).startswith(("distutils.", "setuptools._distutils.")):
        yield
        return
    attributes = dict(vars(compiler))
    lists = [(value, list(value)) for value in attributes.values() if isinstance(value, list)]
    environment, directory = dict(os.environ), os.getcwd()
    try:
        yield
    finally:
        vars(compiler).clear()
        vars(compiler).update(attributes)
        for value, items in lists:
            value[:] = items
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        os.chdir(directory)


def _write(descriptor: int, said: bytes) -> None:
    with contextlib.suppress(OSError):
        while said:
            said = said[os.write(descriptor, said) :]
