"""Wheels that are there: of an index, fetched and proven; of other jobs, joined."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim._messages import say
from manylinux_shim.audit import audit_wheel, render_claims
from manylinux_shim.commands._download import download
from manylinux_shim.commands.build_wheels._building import put
from manylinux_shim.commands.wheelhouse._packages import File, Item
from manylinux_shim.commands.wheelhouse._per_package import PackageSettings
from manylinux_shim.commands.wheelhouse._record import Record, sha256_of
from manylinux_shim.commands.wheelhouse._result import Result
from manylinux_shim.commands.wheelhouse._sources import has_source

_AT_ONCE = 8
"""Files that are fetched side by side: waiting is most of it."""


def take(
    todo: Sequence[Item], out: Path, record: Record, settings: PackageSettings
) -> Tuple[List[Result], List[Item]]:
    """Fetch and prove what may be taken; the results, and what is left to build.

    A wheel that is not what its tags promise is not kept: it is left to build, or is a
    failure where there is no source.
    """
    files = {item.wheel.name: item for item in todo if item.wheel is not None}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        wrong = dict(pool.map(lambda item: _fetch(item, out, record), files.values()))
    results, missing = [], []
    for item in todo:
        if item.wheel is None:
            if item.reason:
                results.append(Result(item, "failed", reason=item.reason))
            else:
                missing.append(item)
            continue
        why = wrong[item.wheel.name] or _prove(item.wheel, item, out, record, settings)
        wrong[item.wheel.name] = why
        if why is None:
            results.append(Result(item, "taken", out / item.wheel.name))
        elif not why.fetched or not has_source(item.package):
            results.append(Result(item, "failed", reason=f"{item.wheel.name}: {why.text}"))
        else:
            say(f"{item.wheel.name} is not what its tags promise, and is built instead")
            missing.append(replace(item, wheel=None, reason=f"{item.wheel.name}: {why.text}"))
    return results, missing


@dataclass(frozen=True)
class _Wrong:
    """Why a wheel was not taken."""

    text: str
    fetched: bool = True
    """False where nobody knows what it is."""


def _fetch(item: Item, out: Path, record: Record) -> Tuple[str, Optional[_Wrong]]:
    """Have a wheel's file in ``out``; its name, and what is wrong with it."""
    file = item.wheel
    assert file is not None
    refused = record.why_refused(file.sha256 or "")
    if refused is not None:
        return file.name, _Wrong(refused)
    path = out / file.name
    try:
        if not (path.is_file() and file.sha256 and sha256_of(path) == file.sha256):
            download(file.place, path, file.sha256, file.name)
    except ShimError as error:
        return file.name, _Wrong(str(error), fetched=False)
    except OSError as error:
        return file.name, _Wrong(f"{path}: {error.strerror}", fetched=False)
    return file.name, None


def _prove(
    file: File, item: Item, out: Path, record: Record, settings: PackageSettings
) -> Optional[_Wrong]:
    path = out / file.name
    digest = file.sha256 or sha256_of(path)
    if record.is_proven(path, digest):
        return None
    try:
        verdict = audit_wheel(path, exclude=settings.exclude(str(item.package.name)))
        why = None if verdict.truthful else render_claims(verdict)
    except ShimError as error:
        why = str(error)
    if why is None:
        record.proven(path, digest)
        return None
    path.unlink()
    record.refused(digest, why)
    return _Wrong(why)


def join(directories: Sequence[Path], todo: Sequence[Item], out: Path) -> List[Item]:
    """``todo`` with the wheels of other jobs where they fit; they are copied to ``out``.

    Raises SettingsError for a directory that is none.
    """
    if not directories:
        return list(todo)
    there: Dict[str, Path] = {}
    for directory in directories:
        if not directory.is_dir():
            raise SettingsError(f"there is no directory {directory}", "Name one with wheels.")
        there.update({path.name: path for path in sorted(directory.rglob("*.whl"))})
    joined = []
    for item in todo:
        found = _best(list(there), item) if item.wheel is None else None
        if found is not None:
            put(there[found], out)
            joined.append(replace(item, wheel=File(found, str(there[found]), None)))
        else:
            joined.append(item)
    return joined


def _best(names: Sequence[str], item: Item) -> Optional[str]:
    ranks = {tag: rank for rank, tag in enumerate(item.deployment.tags)}
    found = []
    for name in names:
        try:
            distribution, version, _, tags = parse_wheel_filename(name)
        except InvalidWheelFilename:
            continue
        fits = [ranks[tag] for tag in tags if tag in ranks]
        same = item.package.version in (None, version)
        if fits and distribution == item.package.name and same:
            found.append((min(fits), name))
    return min(found)[1] if found else None
