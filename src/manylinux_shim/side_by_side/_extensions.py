"""The extensions of a project, built side by side where their order cannot matter.

Each has a thread, and the threads take turns: one alone is in Python's code at any time,
and the next has its turn while the one waits for a command. What is largest begins first, so
that it is not what all wait for at the end. So whatever setuptools, Cython and SWIG do for an
extension is done as ever, and only commands run at once.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import Any, Dict, List, Set, Tuple

from manylinux_shim.side_by_side._jobs import Jobs, Turn

_NOBODYS = ("distutils.", "setuptools.", "Cython.")
"""Where methods are from that no project has replaced."""

_BUILDS = ("build_extension", "swig_sources")
_COMPILES = ("compile", "_compile", "link", "link_shared_object", "object_filenames", "spawn")
"""Methods of the command and of its compiler that may do anything when they are a project's."""


class Extensions:
    """How distutils' ``build_ext`` builds them in this process."""

    def __init__(self, jobs: Jobs, count: int) -> None:
        self._jobs = jobs
        self._count = count

    def install(self, command_class: Any) -> None:
        """Have ``build_ext``, or a class made of it, build extensions side by side."""
        original = command_class.build_extensions

        @functools.wraps(original)
        def build_extensions(command: Any) -> None:
            if command.parallel is not None:  # somebody has decided
                with self._jobs.left_alone():
                    original(command)
            elif in_any_order(command):
                command.check_extensions_list(command.extensions)
                self._build(command)
            else:
                original(command)

        command_class.build_extensions = build_extensions

    def _build(self, command: Any) -> None:
        """Build all; the first extension's error is raised, one that is optional may fail."""
        from concurrent.futures import ThreadPoolExecutor, wait

        lock = threading.Lock()
        turns: List[Turn] = []
        futures: Dict[int, Any] = {}
        """By the place in the list of extensions."""
        last: Dict[str, Any] = {}
        """The last extension that makes a file."""

        def build(extension: Any, turn: Turn, before: Turn, others: Set[Any]) -> None:
            if others:
                turn.begun.set()
                wait(others)
            before.begun.wait()
            try:
                with self._jobs.turn(turn):
                    command.build_extension(extension)
            finally:
                turn.begun.set()

        first = Turn(lock)
        first.begun.set()
        with self._jobs.all_end(), ThreadPoolExecutor(
            min(self._count, len(command.extensions))
        ) as pool:
            try:
                for place, made in largest_first(command):
                    extension = command.extensions[place]
                    others = {last[name] for name in made if name in last}
                    before = turns[-1] if turns else first
                    turns.append(Turn(lock))
                    future = pool.submit(build, extension, turns[-1], before, others)
                    futures[place] = future
                    last.update(dict.fromkeys(made, future))
                for place, extension in enumerate(command.extensions):
                    with command._filter_build_errors(extension):
                        futures[place].result()
            except BaseException:
                for future in futures.values():
                    future.cancel()
                self._jobs.end()
                for turn in turns:
                    turn.begun.set()
                raise


def in_any_order(command: Any) -> bool:
    """Whether the extensions of a ``build_ext`` may be built in any order, and at once.

    Not where the project has methods of its own that build one, and not where one needs a file
    that another may make.
    """
    extensions = command.extensions
    if len(extensions) < 2 or getattr(command, "dry_run", False):
        return False
    if getattr(command, "shlibs", None):
        return False  # libraries that other extensions link to
    methods = [getattr(command, name) for name in _BUILDS]
    methods += [getattr(command.compiler, name) for name in _COMPILES]
    if not all(str(getattr(m, "__module__", "")).startswith(_NOBODYS) for m in methods):
        return False
    built = tuple(os.path.abspath(d) for d in (command.build_lib, command.build_temp))
    for extension in extensions:
        if not isinstance(extension.sources, (list, tuple)):
            return False
        if not all(map(_is_there, (*extension.sources, *extension.extra_objects))):
            return False
        if not all(map(os.path.exists, extension.depends)):
            return False
        searched = (*extension.library_dirs, *extension.include_dirs)
        if any(os.path.abspath(d).startswith(built) for d in searched):
            return False
    return True


def largest_first(command: Any) -> List[Tuple[int, Set[str]]]:
    """The places of a ``build_ext``'s extensions, and what each makes; most source text first.

    Where one makes a file that another makes too, all stay in their order.
    """
    extensions = command.extensions
    made = [files(command, extension) for extension in extensions]
    if len(set().union(*made)) < sum(map(len, made)):
        return list(enumerate(made))
    sizes = [sum(map(_size, extension.sources)) for extension in extensions]
    return [(place, made[place]) for place in sorted(range(len(made)), key=lambda n: -sizes[n])]


def _size(source: Any) -> int:
    """Bytes of a source; 0 where it is not there yet."""
    try:
        return os.path.getsize(source)
    except OSError:
        return 0


def _is_there(source: Any) -> bool:
    """Whether a source is there: Cython's may have been translated before."""
    path, suffix = os.path.splitext(source)
    names = [source, f"{path}.c", f"{path}.cpp"] if suffix == ".pyx" else [source]
    return any(map(os.path.exists, names))


def files(command: Any, extension: Any) -> Set[str]:
    """What building an extension writes, as far as another may write the same: no suffixes."""
    sources = [os.path.splitext(os.path.abspath(source))[0] for source in extension.sources]
    wrapped = [f"{path}_wrap" for path in sources]  # SWIG's
    return {*sources, *wrapped, os.path.abspath(command.get_ext_fullpath(extension.name))}
