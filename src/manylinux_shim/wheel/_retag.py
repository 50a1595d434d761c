"""A wheel under another platform tag: file name, WHEEL and RECORD in agreement."""

from __future__ import annotations

from pathlib import Path
from typing import Collection, Dict, Mapping, Optional, Sequence

from manylinux_shim.wheel._archive import Archive
from manylinux_shim.wheel._format import MOST_IN_MEMBER
from manylinux_shim.wheel._metadata import (
    WheelName,
    find_dist_info,
    is_signature,
    updated_record,
    with_tags,
)
from manylinux_shim.wheel._rewrite import rewrite

# A few lines, and a tag for each combination that a file name can hold.
_MOST_IN_WHEEL_FILE = 4 * 2**20


def retag(
    wheel: Path, platforms: Sequence[str], directory: Path, *, epoch: Optional[int] = None
) -> Path:
    """Write ``wheel`` into ``directory`` with exactly these platform tags; its path.

    All former platform tags are gone, and everything but WHEEL and RECORD is
    copied as it is; with ``epoch``, in seconds since 1970 (UTC), every member
    bears that date. Raises WheelError as ``repack`` does.
    """
    return repack(wheel, directory, platforms=platforms, epoch=epoch)


def repack(
    wheel: Path,
    directory: Path,
    *,
    platforms: Sequence[str],
    changed: Mapping[str, bytes] = {},
    added: Mapping[str, bytes] = {},
    epoch: Optional[int] = None,
) -> Path:
    """As ``retag``, with some members changed and others added; the new wheel's path.

    RECORD is made here and names every member of the result (see
    ``updated_record``), whatever ``changed`` has for it. Signatures of RECORD
    are left out: it is no longer the file that they signed.

    Raises WheelError, and leaves no file, if ``wheel`` cannot be read as a
    wheel or the new one cannot be written.
    """
    name = WheelName.parse(wheel.name)
    new_name = name.with_platforms(platforms)
    destination = directory / new_name.filename
    with Archive(wheel) as archive:
        dist_info = find_dist_info(name, [member.name for member in archive.members])
        removed = [
            member.name for member in archive.members if is_signature(member.name, dist_info)
        ]
        wheel_file, record_file = f"{dist_info}/WHEEL", f"{dist_info}/RECORD"
        changed = {path: data for path, data in changed.items() if path != record_file}
        added = {path: data for path, data in added.items() if path != record_file}
        if wheel_file in changed:
            text = changed[wheel_file]
        else:
            text = _read(archive, wheel_file, most=_MOST_IN_WHEEL_FILE)
        new_text = with_tags(text, new_name.tags)
        if new_text != text:
            changed[wheel_file] = new_text
        has_record = archive.find(record_file) is not None
        record = _read(archive, record_file) if has_record else b""
        new_record = updated_record(
            record,
            record_file,
            _sizes(archive, added, removed),
            {**changed, **added},
            lambda path: _read(archive, path),
        )
        if new_record != record:
            (changed if has_record else added)[record_file] = new_record
        rewrite(archive, destination, changed=changed, added=added, removed=removed, epoch=epoch)
    return destination


def _read(archive: Archive, name: str, *, most: int = MOST_IN_MEMBER) -> bytes:
    member = archive.find(name)
    if member is None:
        raise archive.error("it is missing", name)
    if member.size > most:
        raise archive.error(f"it has {member.size} bytes, far more than it needs", name)
    return archive.read(member)


def _sizes(
    archive: Archive, added: Mapping[str, bytes], removed: Collection[str]
) -> Dict[str, int]:
    """The size of every file that the new wheel has, those of changed ones as they were."""
    sizes = {
        member.name: member.size
        for member in archive.members
        if not member.is_dir and member.name not in removed
    }
    return {**sizes, **{name: len(data) for name, data in added.items()}}
