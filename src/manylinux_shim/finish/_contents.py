"""What is noted down in the wheel: our own list of contents, beside those that others wrote."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import Dict, List, Optional, Tuple
from urllib.parse import quote

from manylinux_shim import sbom
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim.audit import Verdict
from manylinux_shim.finish._repair import Repaired
from manylinux_shim.shared_cxx import Shared
from manylinux_shim.wheel import Archive, WheelName, find_dist_info

_AUDITWHEELS = "auditwheel.cdx.json"

Members = Dict[str, bytes]


def noted(
    verdict: Verdict,
    done: Repaired,
    plan: Plan,
    tags: Tuple[str, ...],
    shared: Shared,
    date: Optional[int],
) -> Tuple[Members, Members]:
    """The lists of contents to write into ``done``'s wheel: those that change, those to add.

    ``verdict`` is that over the real backend's wheel, ``shared`` has what is on record
    of how zig linked it (None if it did not), ``date`` in seconds since 1970 or
    None. Ours is there only where something in the wheel came through us.
    """
    outside = _outside(done.verdict, plan)
    if outside:
        say(f"{', '.join(outside)} stays outside of the wheel: `exclude` names it")
    changed, added = _auditwheels(verdict.wheel, done, tags) if done.grafted else ({}, {})
    if plan.settings.sbom and (shared.links is not None or done.grafted or done.relinked):
        with Archive(done.wheel) as archive:
            members = [*(member.name for member in archive.members), *added]
        name = WheelName.parse(done.wheel.name)
        own, others = sbom.member_name(find_dist_info(name, members), members)
        beside = [other.rpartition("/")[2] for other in others]
        added[own] = _own(verdict, done, plan, shared, outside, beside, date)
    return changed, added


def _own(
    verdict: Verdict,
    done: Repaired,
    plan: Plan,
    shared: Shared,
    outside: List[str],
    others: List[str],
    date: Optional[int],
) -> bytes:
    from manylinux_shim.graft import package_of
    from manylinux_shim.zig import usable_zig

    links = shared.links
    zig = usable_zig() if links is not None or done.relinked else None
    sources = done.sources or {}
    grafted = {
        member: (source, package_of(source) if source is not None else None)
        for member, source in ((member, sources.get(member)) for member in done.grafted)
    }
    with Archive(verdict.wheel) as archive:

        def read(file: str) -> bytes:
            member = archive.find(file)
            return b"" if member is None else archive.read(member)

        contents = sbom.contents(
            WheelName.parse(done.wheel.name),
            files=[f.name for f in verdict.files if f.loadable and links is not None],
            read=read,
            links=links or (),
            runtime=shared.members,
            zig=(zig.version, zig.lib) if zig is not None else None,
            linked=plan.linked or done.relinked,
            grafted=grafted,
            supplied={
                member: (source, package_of(source)) if source is not None else None
                for member, source in done.supplied.items()
            },
            outside=outside,
            others=others,
            timestamp=date,
        )
    return sbom.document(contents)


def _auditwheels(built: Path, done: Repaired, tags: Tuple[str, ...]) -> Tuple[Members, Members]:
    """auditwheel's own list, under the wheel's final name, and not in another's place.

    It states the file name that the wheel had, and takes the place of any list
    that a backend which grafts by itself has written under the same name.
    """
    former = WheelName.parse(done.wheel.name)
    names = (former.filename, former.with_platforms(tags).filename)
    old, new = (quote(name, safe="").encode() for name in names)
    before, after = _lists(built), _lists(done.wheel)
    changed: Members = {}
    added: Members = {}
    for name, text in after.items():
        theirs, now = before.get(name), text.replace(old, new)
        if theirs is not None and theirs != text:
            changed[name] = theirs
            added[name.replace(_AUDITWHEELS, f"manylinux-shim-{_AUDITWHEELS}")] = now
        elif theirs is None and now != text:
            changed[name] = now
    return changed, added


def _lists(wheel: Path) -> Members:
    with Archive(wheel) as archive:
        found = [m for m in archive.members if m.name.endswith(f"/sboms/{_AUDITWHEELS}")]
        return {member.name: archive.read(member) for member in found}


def _outside(verdict: Verdict, plan: Plan) -> List[str]:
    """The sonames that ``exclude`` leaves to another package or a driver."""
    needed = {soname for facts in verdict.files for soname in facts.needed}
    inside = {name for f in verdict.files for name in (f.soname, f.name.rpartition("/")[2])}
    return sorted(
        soname
        for soname in needed - inside
        if any(fnmatch.fnmatchcase(soname, pattern) for pattern in plan.settings.exclude)
    )
