"""One call of ``manylinux-shim build``: from what was asked for to every wheel's outcome."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from manylinux_shim._errors import ShimError
from manylinux_shim._processes import JOBS_VARIABLE, jobs, run
from manylinux_shim.commands.build_wheels._building import Order, Outcome, Task, writable
from manylinux_shim.commands.build_wheels._children import Children, ended_as_interrupted
from manylinux_shim.commands.build_wheels._copying import git_environment, hide_change
from manylinux_shim.commands.build_wheels._frontends import Frontend, find_frontend
from manylinux_shim.commands.build_wheels._jobs import Job
from manylinux_shim.commands.build_wheels._overlay import overlay
from manylinux_shim.commands.build_wheels._pythons import Python, find_python
from manylinux_shim.commands.build_wheels._queue import Queue, workers
from manylinux_shim.commands.build_wheels._source import source_tree
from manylinux_shim.commands.build_wheels._view import view
from manylinux_shim.compiler import SLOTS_VARIABLE
from manylinux_shim.project import tomlkit
from manylinux_shim.zig import cache_root, usable_zig

_SCRATCH = "manylinux-shim-build-"
_RESULTS = (".whl", ".gz", ".zip", ".log")


@dataclass(frozen=True)
class Call:
    """What was asked for."""

    source: str
    jobs: Tuple[Job, ...]
    out: Path
    logs: Optional[Path]
    """Where every log is kept; None: logs of builds that failed, in a temporary directory."""
    side_by_side: Optional[int]
    """How many builds at once; None: one a processor."""
    frontend: Optional[str]
    backend: Optional[str]
    settings: Tuple[str, ...]
    """``KEY=VALUE`` for the real backend."""
    test: Optional[str] = None
    """A command line that each wheel has to pass."""
    test_requires: Tuple[str, ...] = ()


def build_all(call: Call, say: Callable[[str], None]) -> List[Outcome]:
    """Build every wheel of a call; their outcomes, in the order asked for.

    Raises ShimError for what is wrong before the first build begins.
    """
    tomlkit()
    frontend = find_frontend(call.frontend)
    pythons = {name: find_python(name) for name in dict.fromkeys(j.python for j in call.jobs)}
    with ended_as_interrupted(), writable(call.out), tempfile.TemporaryDirectory(
        prefix=_SCRATCH
    ) as directory:
        scratch = Path(directory).resolve()
        outputs = [path for path in (call.out, call.logs) if path is not None]
        without = [scratch, *filter(_is_output, outputs)]
        project = source_tree(call.source, scratch, without, say)
        changed = overlay(project, call.backend, call.source)
        if changed is not None:
            hide_change(changed)
        with kept_logs(call.logs) as logs:
            at_once = workers(call.side_by_side, len(call.jobs))
            order = Order(
                tree=scratch / "tree",
                inside=project.relative_to(scratch / "tree"),
                scratch=scratch,
                frontend=frontend,
                settings=call.settings,
                environment=build_environment(at_once, scratch),
                logs=logs,
                test=call.test,
                test_requires=call.test_requires,
            )
            tasks = _tasks(call.jobs, pythons, order)
            with view(tasks) as watching:
                queue = Queue(call.out, watching, Children())
                outcomes = queue.run(tasks, min(at_once, len(tasks)))
            if call.logs is None:
                keep_failed(outcomes)
    return outcomes


def _is_output(directory: Path) -> bool:
    """Whether nothing but results is in it: a directory of sources belongs to the project."""
    return directory.is_dir() and all(
        path.name == ".gitignore" or path.suffix in _RESULTS for path in directory.iterdir()
    )


def build_environment(side_by_side: int, scratch: Path) -> Dict[str, str]:
    """The builds' environment: the user's, with one cache for all and lines as they come.

    The compilers that may run at once are shared among builds ``side_by_side``: ours take a slot
    of all, so that a build has those that others leave, and of others' each has a share.
    """
    cache = cache_root(os.environ, lambda _: None)
    count = jobs(os.environ)
    environment = {
        **git_environment(os.environ),
        "MANYLINUX_SHIM_CACHE_DIR": str(cache),
        JOBS_VARIABLE: str(max(1, count // side_by_side)),
        "PYTHONUNBUFFERED": "1",
    }
    zig = usable_zig()
    if zig is not None:
        # The one beside this command: else each isolated build gets its 17,000 files anew.
        link = scratch / "path" / "zig"
        link.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            link.symlink_to(zig.executable)
        path = environment.get("PATH", os.defpath)
        environment["PATH"] = os.pathsep.join([str(link.parent), path])
    if side_by_side > 1:
        slots = scratch / "slots"
        slots.touch()
        environment[SLOTS_VARIABLE] = f"{count} {slots}"
    return environment


def _tasks(jobs: Sequence[Job], pythons: Dict[str, Python], order: Order) -> List[Task]:
    """A task for each job; jobs that come to the same one are done once."""
    runners = Runners(order.scratch, order.frontend)
    tasks: Dict[Tuple[str, Optional[str], Path], Task] = {}
    names: Dict[str, int] = {}
    for job in jobs:
        python = pythons[job.python]
        key = (job.target, job.policy, python.path)
        if key in tasks:
            continue
        short = python.short if python.implementation != "cpython" else f"py{python.short}"
        name = f"{job.target}-{job.policy_name}-{short}"
        # Two Pythons of one version are told apart by number.
        names[name] = names.get(name, 0) + 1
        name += f"-{names[name]}" if names[name] > 1 else ""
        tasks[key] = Task(job, python, runners.of(python), len(tasks), name, order)
    return list(tasks.values())


class Runners:
    """The interpreters that a frontend is given, each made ready once."""

    def __init__(self, scratch: Path, frontend: Frontend) -> None:
        self._scratch = scratch
        self._frontend = frontend
        self._ready: Dict[Path, Path] = {}

    def of(self, python: Python) -> Path:
        """What to give to the frontend where ``python`` is to build."""
        if python.path not in self._ready:
            room = self._scratch / "frontends" / str(len(self._ready))
            self._ready[python.path] = self._frontend.prepare(python, room, _run)
        return self._ready[python.path]


def _run(command: Sequence[str]) -> None:
    done = run(command)
    if done.returncode != 0:
        raise ShimError(
            f"{' '.join(command)} failed:\n{done.stdout.strip()}",
            "With uv installed (pip install uv), any Python is built for without that.",
        )


@contextlib.contextmanager
def kept_logs(named: Optional[Path]) -> Iterator[Path]:
    """The directory for logs; a temporary one goes, unless something in it is kept."""
    if named is not None:
        with writable(named):
            yield named
        return
    directory = Path(tempfile.mkdtemp(prefix="manylinux-shim-logs-"))
    try:
        yield directory
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    with contextlib.suppress(OSError):
        directory.rmdir()


def keep_failed(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        whole = outcome.wheel is not None and not outcome.left_out and not outcome.untried
        if whole and outcome.log is not None:
            outcome.log.unlink()
