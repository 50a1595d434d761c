"""What was built for a wheelhouse, tried with a command before it is handed out."""

from __future__ import annotations

import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import ShimError
from manylinux_shim._messages import counted
from manylinux_shim.commands.build_wheels._building import WORTH
from manylinux_shim.commands.build_wheels._call import kept_logs
from manylinux_shim.commands.build_wheels._children import Children
from manylinux_shim.commands.build_wheels._pythons import find_python
from manylinux_shim.commands.build_wheels._queue import workers
from manylinux_shim.commands.trying._attempt import Test, Untried, attempt
from manylinux_shim.commands.wheelhouse._packages import Item
from manylinux_shim.commands.wheelhouse._record import Record, sha256_of
from manylinux_shim.commands.wheelhouse._result import Result
from manylinux_shim.commands.wheelhouse._sources import source_of

if TYPE_CHECKING:
    from manylinux_shim.commands.wheelhouse import Call


class _Asked(NamedTuple):
    """One test: of a wheel, by a Python."""

    wheel: Path
    python: str
    line: str
    requires: Tuple[str, ...]


class _Done(NamedTuple):
    """What came of it."""

    tested: str = ""
    untried: str = ""
    error: str = ""
    log: Optional[Path] = None


def tested(call: Call, results: Sequence[Result], record: Record, scratch: Path) -> List[Result]:
    """The results, with what came of the tests that were asked for.

    What was built is tested, by this run or an earlier one, when all wheels are there that it
    may need. A wheel that fails is taken out again.
    """
    todo: Dict[_Asked, Item] = {}
    asked = [_asked(call, result) for result in results]
    for test, result in zip(asked, results):
        if test is not None:
            todo.setdefault(test, result.item)
    if not todo:
        return list(results)
    done = _all(call, todo, record, scratch)
    found = [
        result if test is None else _with(result, done[test])
        for test, result in zip(asked, results)
    ]
    for path in {result.wheel for result in results} - {result.wheel for result in found}:
        if path is not None:
            path.unlink()
    return found


def _asked(call: Call, result: Result) -> Optional[_Asked]:
    line, requires = call.settings.test(str(result.item.package.name))
    line = line or call.test
    if line is None or result.wheel is None or result.how == "taken":
        return None
    job = result.item.deployment.job
    return _Asked(result.wheel, job.python, line, (*call.test_requires, *requires))


def _with(result: Result, done: _Done) -> Result:
    if done.error:
        return replace(result, how="failed", wheel=None, reason=done.error, log=done.log)
    return replace(result, tested=done.tested, untried=done.untried, log=done.log or result.log)


def _all(
    call: Call, todo: Mapping[_Asked, Item], record: Record, scratch: Path
) -> Dict[_Asked, _Done]:
    """All tests side by side."""
    children = Children()
    with kept_logs(call.logs) as logs, counted("testing", len(todo)) as one_more:

        def one(numbered: Tuple[int, _Asked]) -> Tuple[_Asked, _Done]:
            number, test = numbered
            room = scratch / "tests" / str(number)
            room.mkdir(parents=True)
            try:
                return test, _one(call, test, todo[test], record, room, logs, children)
            finally:
                shutil.rmtree(room, ignore_errors=True)

        done: Dict[_Asked, _Done] = {}
        with ThreadPoolExecutor(workers(call.side_by_side, len(todo))) as pool:
            try:
                for test, came in pool.map(one, enumerate(todo)):
                    done[test] = came
                    one_more()
            except BaseException:
                children.stop()
                raise
        return done


def _one(
    call: Call, asked: _Asked, item: Item, record: Record, room: Path, logs: Path,
    children: Children,
) -> _Done:  # fmt: skip
    words = [asked.line, *asked.requires, asked.python]
    digest = sha256_of(asked.wheel)
    before = record.passed(digest, words)
    if before:
        return _Done(tested=before)
    log = logs / f"{item.package.name}-{item.deployment.name}-test.log"
    said: List[str] = []

    def run(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> int:
        return children.run(command, directory, environment, log, said.append)

    try:
        line = asked.line
        if "{project}" in line:
            project = source_of(item.package, item.directory, room / "source")
            line = line.replace("{project}", shlex.quote(str(project)))
        test = Test(
            tuple(shlex.split(line)),
            asked.requires,
            python=str(find_python(asked.python).path),
            shell=line,
            find_links=(call.out.resolve(),),
        )
        tried = attempt(asked.wheel, test, room, run)
    except Untried as error:
        return _Done(untried=str(error))
    except ShimError as error:
        return _Done(error=str(error))
    if tried.status != 0:
        what = f"its test failed with {tried.status} on {tried.system}:"
        return _Done(error="\n".join([what, *said[-WORTH:]]), log=log)
    if call.logs is None:
        log.unlink()
    record.passes(digest, words, tried.system)
    return _Done(tested=tried.system)
