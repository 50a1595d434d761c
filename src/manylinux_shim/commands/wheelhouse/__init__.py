"""``build -r``: what a requirements file needs, as wheels for another machine.

Resolved for the target (``_resolving``), taken from the index where a proven wheel
is there (``_taking``), built where there is none (``_builds``), and written down so that
any installer takes exactly these files (``_writing``). What a second run may believe
stands in ``_record``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim._messages import say
from manylinux_shim.commands.build_wheels._building import writable
from manylinux_shim.commands.build_wheels._children import ended_as_interrupted
from manylinux_shim.commands.build_wheels._jobs import Entry, Job
from manylinux_shim.commands.build_wheels._report import publish_page, require_writable
from manylinux_shim.commands.wheelhouse._builds import build_missing
from manylinux_shim.commands.wheelhouse._deployment import Deployment, deployments
from manylinux_shim.commands.wheelhouse._packages import Item, items
from manylinux_shim.commands.wheelhouse._per_package import PackageSettings
from manylinux_shim.commands.wheelhouse._record import Record
from manylinux_shim.commands.wheelhouse._reporting import markdown, notes, told_of
from manylinux_shim.commands.wheelhouse._resolving import Wanted, resolve
from manylinux_shim.commands.wheelhouse._result import Result
from manylinux_shim.commands.wheelhouse._taking import AT_ONCE, join, take
from manylinux_shim.commands.wheelhouse._testing import tested
from manylinux_shim.commands.wheelhouse._writing import Pin, write_locks
from manylinux_shim.project import canonical, tomlkit

FAILED = 1

_LONGEST = 300
"""Characters of a line in the table: a compiler's command line may have thousands."""


@dataclass(frozen=True)
class Call:
    """What was asked for."""

    wanted: Wanted
    deployments: Tuple[Deployment, ...]
    out: Path
    logs: Optional[Path]
    side_by_side: Optional[int]
    frontend: Optional[str]
    settings: PackageSettings
    only: Tuple[str, ...]
    """Normalized names of the packages to look after; empty: all."""
    joined: Tuple[Path, ...]
    """Directories of wheels that other jobs have built."""
    test: Optional[str] = None
    """A command line that every wheel has to pass which was built."""
    test_requires: Tuple[str, ...] = ()
    report: Optional[Path] = None
    """Where a page in Markdown goes."""


def make_call(
    options: argparse.Namespace, jobs: Sequence[Job], settings: Sequence[str], test: Optional[str]
) -> Call:
    """The call that the command line describes; SettingsError for what cannot be meant."""
    if options.source != ".":
        raise SettingsError(
            f"{options.source} and -r are both given", "Build one project, or a file's packages."
        )
    if options.backend is not None:
        raise SettingsError(
            "--backend does not say for which package", "Use -C NAME:manylinux-shim.backend=OBJECT."
        )
    file = options.package_settings
    if file is None:
        file = next((path for path in options.requirements if path.name == "pyproject.toml"), None)
    return Call(
        wanted=Wanted(
            tuple(options.requirements),
            tuple(options.constraints),
            tuple(options.group),
            tuple(options.extra),
        ),
        deployments=tuple(deployments(list(jobs))),
        out=options.out,
        logs=options.logs,
        side_by_side=options.jobs,
        frontend=options.frontend,
        settings=PackageSettings.read(file, settings),
        only=tuple(map(canonical, options.only)),
        joined=tuple(options.join),
        test=test,
        test_requires=tuple(options.test_requires),
        report=options.report,
    )


def fill(call: Call, *, as_json: bool) -> int:
    """Make the wheelhouse; the exit code.

    Raises ShimError for what is wrong before the first wheel is fetched.
    """
    tomlkit()
    require_writable(call.report)
    with ended_as_interrupted(), writable(call.out), tempfile.TemporaryDirectory(
        prefix="manylinux-shim-wheelhouse-"
    ) as directory:
        scratch = Path(directory).resolve()
        record = Record(call.out)
        results: List[Result] = []
        try:
            todo = _items(call, scratch)
            taken, missing = take(todo, call.out, record, call.settings)
            joined, missing = join(call.joined, missing, call.out, record, call.settings)
            results += [*taken, *joined, *build_missing(call, missing, record, scratch)]
            results = tested(call, results, record, scratch)
        finally:
            record.write()
    results.sort(key=lambda result: (result.wheel is not None, result.item.name))
    written: List[Path] = []
    unwritten = None
    try:
        if not call.only:
            written = write_locks(call.out, _pins(call, results))
    except ShimError as error:
        unwritten = error
    if as_json:
        sys.stdout.write(json.dumps([result.to_json() for result in results], indent=2) + "\n")
    else:
        sys.stdout.write(_table(results, call.out, written))
    page = markdown(results, call.out, _summary(results))
    publish_page(page, told_of(results), call.report, os.environ, sys.stderr)
    if unwritten is not None:
        say(f"error: {unwritten}")
    return (
        FAILED if unwritten is not None or any(r.wheel is None or r.untried for r in results) else 0
    )


def matrix(call: Call) -> List[Item]:
    """The packages of which no wheel may be taken: a job each, for a CI engine."""
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-wheelhouse-") as directory:
        found = _items(call, Path(directory).resolve())
    return [item for item in found if item.wheel is None and not item.reason]


def _items(call: Call, scratch: Path) -> List[Item]:
    found: List[Item] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Most of it is waiting for the index.
        locks = list(pool.map(lambda d: resolve(call.wanted, d, scratch), call.deployments))
    for deployment, lock in zip(call.deployments, locks):
        wanted = items(lock, deployment, call.wanted.extras, call.wanted.groups)
        found += [item for item in wanted if not call.only or item.package.name in call.only]
        say(f"{len(wanted)} packages for {deployment.name}")
    missing = [name for name in call.only if all(name != item.package.name for item in found)]
    if missing:
        raise SettingsError(
            f"no package {', '.join(missing)} is needed", "Look at the name after --only."
        )
    return found


def _pins(call: Call, results: Sequence[Result]) -> Dict[Deployment, Sequence[Pin]]:
    return {
        deployment: [
            Pin(result.item.package.name, result.version, result.wheel)
            for result in results
            if result.wheel is not None and result.item.deployment == deployment
        ]
        for deployment in call.deployments
    }


def _table(results: Sequence[Result], out: Path, written: Sequence[Path]) -> str:
    """What failed first, with its reason; then how many of each kind there are, and where."""
    lines: List[str] = []
    several = len({result.item.deployment for result in results}) > 1
    for result in results:
        where = f" for {result.item.deployment.name}" if several else ""
        if result.wheel is None:
            lines.append(f"{result.item.name}{where}: failed")
            lines += [f"  {line[:_LONGEST]}" if line else "" for line in result.reason.splitlines()]
        elif result.how in ("built", "kept") or result.reason:
            note = " (the index's is not what its tags promise)" if result.reason else ""
            lines.append(f"{result.item.name}{where}: {result.how}, {result.wheel.name}{note}")
        lines += [f"  {note[:_LONGEST]}" for note in notes(result)]
    lines.append(f"{out}: {_summary(results)}")
    names = [path.name for path in written if path.suffix == ".txt"]
    if names:
        # What failed may be what others need: an installer would not go on without it.
        partly = " --no-deps" if any(result.wheel is None for result in results) else ""
        lines.append(f"install with: --no-index{partly} --find-links {out} -r {out / names[0]}")
    return "\n".join(lines) + "\n"


def _summary(results: Sequence[Result]) -> str:
    """``1 failed, 3 built, 12 taken``."""
    counts: Dict[str, int] = {}
    for result in results:
        counts[result.how] = counts.get(result.how, 0) + 1
    return ", ".join(f"{count} {how}" for how, count in counts.items()) or "nothing is needed"


def to_matrix(found: Sequence[Item], common: Sequence[str]) -> List[Entry]:
    """Each package's job, and the arguments that build it alone."""
    return [
        Entry(item.deployment.job, [*common, "--only", name], name)
        for item, name in ((item, str(item.package.name)) for item in found)
    ]
