"""What no index has for the target: built from source, many packages side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Sequence, Tuple

from packaging.utils import parse_wheel_filename

from manylinux_shim._errors import ShimError
from manylinux_shim._messages import fetching
from manylinux_shim.commands.build_wheels._building import Order, Outcome, Task
from manylinux_shim.commands.build_wheels._call import (
    Runners,
    build_environment,
    keep_failed,
    kept_logs,
)
from manylinux_shim.commands.build_wheels._children import Children
from manylinux_shim.commands.build_wheels._copying import hide_change
from manylinux_shim.commands.build_wheels._frontends import Frontend, find_frontend
from manylinux_shim.commands.build_wheels._overlay import overlay
from manylinux_shim.commands.build_wheels._pythons import Python, find_python
from manylinux_shim.commands.build_wheels._queue import Queue, workers
from manylinux_shim.commands.build_wheels._view import view
from manylinux_shim.commands.wheelhouse._packages import Item, compiles, fits
from manylinux_shim.commands.wheelhouse._record import Record
from manylinux_shim.commands.wheelhouse._result import Result
from manylinux_shim.commands.wheelhouse._sources import identity, source_of
from manylinux_shim.commands.wheelhouse._taking import AT_ONCE

if TYPE_CHECKING:
    from manylinux_shim.commands.wheelhouse import Call


def build_missing(
    call: Call, missing: Sequence[Item], record: Record, scratch: Path
) -> List[Result]:
    """A result for each of ``missing``: kept from an earlier run, built, or failed.

    A package is built for one deployment first; others that its wheel serves too, as a
    pure one does, get the same.
    """
    results, todo = [], []
    for item in missing:
        kept = record.find_built(
            identity(item.package), _settings(call, item), item.deployment.tags
        )
        if kept is not None:
            left_out = record.left_out(kept)
            results.append(Result(item, "kept", kept, item.reason, left_out=left_out))
        else:
            todo.append(item)
    if not todo:
        return results
    # What is compiled first, and of that what is small: it shows early what will fail.
    todo.sort(key=lambda item: (not compiles(item), _size(item), item.name))
    frontend = find_frontend(call.frontend)
    with kept_logs(call.logs) as logs:
        builds = _Builds(call, record, scratch, frontend, logs)
        first: Dict[str, Item] = {}
        for item in todo:
            first.setdefault(str(item.package.name), item)
        done = builds.run(list(first.values()))
        rest = []
        for item in todo:
            if item in first.values():
                continue
            served = next((r for r in done if _serves(r, item)), None)
            if served is not None:
                results.append(replace(served, item=item, reason=item.reason))
            else:
                rest.append(item)
        return [*results, *done, *builds.run(rest)]


def _serves(result: Result, item: Item) -> bool:
    """Whether a wheel that was built for one deployment is good for another, too."""
    package = result.item.package
    same = (package.name, identity(package)) == (item.package.name, identity(item.package))
    return same and result.wheel is not None and fits(result.wheel.name, item.deployment)


def _settings(call: Call, item: Item) -> Tuple[str, ...]:
    return call.settings.of(str(item.package.name))


def _size(item: Item) -> int:
    file = item.package.sdist or item.package.archive
    return (file.size or 0) if file is not None else 0


class _Builds:
    """The builds of one call."""

    def __init__(
        self, call: Call, record: Record, scratch: Path, frontend: Frontend, logs: Path
    ) -> None:
        self._call = call
        self._record = record
        self._scratch = scratch
        self._frontend = frontend
        self._logs = logs
        self._runners = Runners(scratch, frontend)
        self._pythons: Dict[str, Python] = {}
        self._count = 0
        self._at_once = 1

    def run(self, chosen: Sequence[Item]) -> List[Result]:
        """Build all of ``chosen`` side by side."""
        results: List[Result] = []
        tasks: Dict[Task, Item] = {}
        self._at_once = workers(self._call.side_by_side, len(chosen))
        rooms = [self._scratch / "packages" / str(self._count + at) for at in range(len(chosen))]
        what = f"the sources of {len(chosen)} packages"
        with ThreadPoolExecutor(AT_ONCE) as pool, fetching(what, sum(map(_size, chosen))) as got:
            sources = list(pool.map(lambda item, room: _source(item, room, got), chosen, rooms))
        for item, room, (project, error) in zip(chosen, rooms, sources):
            if project is not None:
                try:
                    tasks[self._task(item, room, project)] = item
                    continue
                except ShimError as wrong:
                    error = str(wrong)
            results.append(Result(item, "failed", reason=_why(item, error)))
        if not tasks:
            return results
        with view(list(tasks)) as watching:
            queue = Queue(self._call.out, watching, Children())
            outcomes = queue.run(list(tasks), min(self._at_once, len(tasks)))
        if self._call.logs is None:
            keep_failed(outcomes)
        return results + [self._result(tasks[outcome.task], outcome) for outcome in outcomes]

    def _task(self, item: Item, room: Path, project: Path) -> Task:
        """What builds the project of ``item``, in ``room``."""
        job = item.deployment.job
        changed = overlay(project, None, item.name)
        if changed is not None:
            hide_change(changed)
        if job.python not in self._pythons:
            self._pythons[job.python] = find_python(job.python)
        python = self._pythons[job.python]
        order = Order(
            tree=room / "tree",
            inside=project.relative_to(room / "tree"),
            scratch=room,
            frontend=self._frontend,
            settings=_settings(self._call, item),
            environment=build_environment(self._at_once, self._scratch),
            logs=self._logs,
        )
        name = f"{item.package.name}-{item.package.version or 'source'}-{item.deployment.name}"
        self._count += 1
        return Task(job, python, self._runners.of(python), self._count, name, order)

    def _result(self, item: Item, outcome: Outcome) -> Result:
        wheel = outcome.wheel
        error: Optional[str] = outcome.error
        if wheel is not None:
            error = _unfit(wheel, item)
            if error:
                wheel.unlink()
        if wheel is None or error:
            return Result(item, "failed", reason=_why(item, error or ""), log=outcome.log)
        job = f"{item.deployment.name}"
        source, settings = identity(item.package), _settings(self._call, item)
        self._record.built(wheel, source, settings, job, outcome.left_out)
        log = outcome.log if outcome.log is not None and outcome.log.is_file() else None
        return Result(item, "built", wheel, item.reason, log, outcome.left_out)


def _source(item: Item, room: Path, got: Callable[[int], None]) -> Tuple[Optional[Path], str]:
    """The project of ``item``, fetched into ``room``; or None, and why it cannot be."""
    try:
        return source_of(item.package, item.directory, room, got), ""
    except ShimError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{error.filename or item.name}: {error.strerror}"


def _unfit(wheel: Path, item: Item) -> str:
    """What is wrong with a wheel that was built for ``item``; empty for one that fits."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    package = item.package
    if name != package.name or package.version not in (None, version):
        return f"the source of {item.name} gave {wheel.name}, which is another package"
    if not fits(wheel.name, item.deployment):
        return f"{wheel.name} is not for {item.deployment.name}"
    return ""


def _why(item: Item, error: str) -> str:
    """Both reasons, where a wheel of the index was not taken either."""
    if not item.reason:
        return error
    return f"{error}\nIt is built because {item.reason}\n{item.takes_unproven}"
