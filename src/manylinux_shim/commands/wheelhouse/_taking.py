"""Wheels that are there: of an index, fetched and proven; of other jobs, joined."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim._messages import fetching, say
from manylinux_shim.audit import audit_wheel, render_claims
from manylinux_shim.commands._download import download
from manylinux_shim.commands.build_wheels._building import put
from manylinux_shim.commands.wheelhouse._packages import File, Item
from manylinux_shim.commands.wheelhouse._per_package import PackageSettings
from manylinux_shim.commands.wheelhouse._record import Record, sha256_of
from manylinux_shim.commands.wheelhouse._result import Result
from manylinux_shim.commands.wheelhouse._sources import has_source

AT_ONCE = 8
"""Files that are fetched side by side: waiting is most of it."""


def take(
    todo: Sequence[Item], out: Path, record: Record, settings: PackageSettings
) -> Tuple[List[Result], List[Item]]:
    """Fetch and prove what may be taken; the results, and what is left to build.

    A wheel that is not what its tags promise is not kept: it is left to build, or is a
    failure where there is no source.
    """
    files = {item.wheel.name: item.wheel for item in todo if item.wheel is not None}
    anyway = {str(i.package.name) for i in todo if settings.takes_unproven(str(i.package.name))}
    known = {i.wheel.name for i in todo if i.wheel is not None and i.package.name not in anyway}
    whole = sum(file.size or 0 for file in files.values())
    with ThreadPoolExecutor(AT_ONCE) as pool, fetching(f"{len(files)} wheels", whole) as got:
        unfetched = dict(
            pool.map(lambda f: _fetch(f, out, record, got, f.name in known), files.values())
        )
    results, missing, used = [], [], set()
    for item in todo:
        if item.wheel is None:
            if item.reason:
                results.append(Result(item, "failed", reason=item.reason))
            else:
                missing.append(item)
            continue
        path = out / item.wheel.name
        failed = unfetched[path.name]
        known_before = record.is_refused(item.wheel.sha256 or "")
        whole = not failed
        try:
            why = failed or _why_not(item.wheel, item, out, record, settings)
        except ShimError as error:
            why, whole = str(error), False
        if why is None:
            used.add(path)
            results.append(Result(item, "taken", path))
        elif whole and item.package.name in anyway:
            used.add(path)
            results.append(Result(item, "taken", path, why))
        elif failed or not has_source(item.package):
            reason = why if path.name in why else f"{path.name}: {why}"
            reason += f"\n{item.takes_unproven}" if whole else ""
            results.append(Result(item, "failed", reason=reason))
        else:
            if not known_before:
                say(f"{path.name} is not what its tags promise, and is built instead")
            missing.append(replace(item, wheel=None, reason=why))
    for name in files:
        path = out / name
        if path not in used and path.is_file() and not record.is_built(path):
            path.unlink()
    return results, missing


def _fetch(
    file: File, out: Path, record: Record, got: Callable[[int], None], look: bool
) -> Tuple[str, Optional[str]]:
    """Have a wheel's file in ``out``; its name, and why it could not be fetched.

    One that was refused before is not fetched again where that is to ``look`` at.
    """
    path = out / file.name
    if look and file.sha256 and record.is_refused(file.sha256):
        return file.name, None
    try:
        if not (path.is_file() and file.sha256 and sha256_of(path) == file.sha256):
            download(file.place, path, file.sha256, file.name, got)
    except ShimError as error:
        return file.name, str(error)
    except OSError as error:
        return file.name, f"{path}: {error.strerror}"
    return file.name, None


def _why_not(
    file: File, item: Item, out: Path, record: Record, settings: PackageSettings
) -> Optional[str]:
    """Why a wheel may not be taken; None if it keeps what it promises, or what is asked for.

    One whose name promises more than it keeps is still good where it is installed by
    the policy that it has earned. Raises ShimError for a file that is damaged.
    """
    path = out / file.name
    policy = item.deployment.policy
    digest = file.sha256 or sha256_of(path)
    known = record.verdict(digest, str(policy))
    if known is not None:
        return known or None
    verdict = audit_wheel(path, exclude=settings.exclude(str(item.package.name)))
    good = verdict.truthful or (not verdict.python_tags and verdict.proves(policy))
    why = "" if good else render_claims(verdict)
    record.judged(digest, str(policy), why)
    return why or None


def join(
    directories: Sequence[Path],
    missing: Sequence[Item],
    out: Path,
    record: Record,
    settings: PackageSettings,
) -> Tuple[List[Result], List[Item]]:
    """Take what other jobs have built, proven like all else; the results, and what is left.

    Raises SettingsError for a directory that is none.
    """
    there: Dict[str, Path] = {}
    for directory in directories:
        if not directory.is_dir():
            raise SettingsError(f"there is no directory {directory}", "Name one with wheels.")
        there.update({path.name: path for path in sorted(directory.rglob("*.whl"))})
    results, rest = [], []
    for item in missing:
        found = _best(list(there), item)
        if found is None:
            rest.append(item)
            continue
        wheel = put(there[found], out)
        try:
            why = _why_not(File(found, str(wheel), None), item, out, record, settings)
        except ShimError as error:
            why = str(error)
        if why is None:
            results.append(Result(item, "joined", wheel, item.reason))
        else:
            wheel.unlink()
            results.append(Result(item, "failed", reason=f"{there[found]}: {why}"))
    return results, rest


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
