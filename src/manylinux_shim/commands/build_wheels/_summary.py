"""What came of all tasks, for people and for programs. Pure."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from manylinux_shim._platforms import parse_platform_tag
from manylinux_shim.audit import SYSTEMS
from manylinux_shim.commands.build_wheels._building import Outcome
from manylinux_shim.wheel import WheelName

_HEADINGS, _SYSTEMS = ("Wheel", "Size", "Tag"), "Oldest systems it runs on"
_LEAST = 30
"""Columns that the systems need for a table to be readable."""

_NO_BREAK = "\N{NO-BREAK SPACE}"

_SYSTEM = re.compile(r"([A-Za-z]+(?: [A-Z][a-z]+)*)[^\d]*? (\d[\d.]*(?: SP\d+)?)")


class _Row(NamedTuple):
    """What is to be read of one wheel."""

    name: str
    size: str
    tag: str
    systems: Tuple[str, ...]
    later: bool
    """Whether those that came after these systems are promised too."""

    @property
    def cells(self) -> Tuple[str, str, str]:
        """The first columns; the platform tags of the name have one of their own."""
        return self.name.rpartition("-")[0], self.size, self.tag


def table(outcomes: Sequence[Outcome], width: int) -> str:
    """The wheels that were built: a table where ``width`` columns are enough for one.

    Where they are not, each wheel has some lines. What failed comes last, by name.
    """
    rows = [
        _row(outcome.wheel, outcome.size)
        for outcome in outcomes
        if outcome.wheel is not None and not outcome.same_as
    ]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *(row.cells for row in rows))]
    left = width - sum(widths) - 2 * len(widths)
    lines = _columns(rows, widths, left) if left >= _LEAST else _blocks(rows, width)
    return "\n".join([*(lines if rows else []), *_others(outcomes)])


def headline(outcomes: Sequence[Outcome], out: Path) -> str:
    """How many wheels there are, and where."""
    failed = sum(1 for outcome in outcomes if outcome.wheel is None)
    wheels = len({outcome.wheel for outcome in outcomes if outcome.wheel is not None})
    text = f"{wheels} wheel{'' if wheels == 1 else 's'} in {out}"
    here = {o.wheel for o in outcomes if o.wheel is not None and _is_for_this_machine(o.wheel)}
    if here:
        text += f", {len(here)} of them for this machine only"
    return f"{text}, {failed} of {len(outcomes)} builds failed" if failed else text


def to_json(outcomes: Sequence[Outcome]) -> List[Dict[str, Any]]:
    """The same for programs, one object a build."""
    return [
        {
            "target": outcome.task.job.target,
            "policy": outcome.task.job.policy,
            "python": str(outcome.task.python.path),
            "wheel": None if outcome.wheel is None else str(outcome.wheel),
            "same_as": outcome.same_as,
            "size": outcome.size if outcome.wheel is not None else None,
            "tags": list(_tags(outcome.wheel)) if outcome.wheel is not None else [],
            "systems": oldest_systems(_tags(outcome.wheel)) if outcome.wheel is not None else [],
            "seconds": round(outcome.seconds, 1),
            "left_out": list(outcome.left_out),
            "tested": outcome.tested or None,
            "untried": outcome.untried or None,
            "error": outcome.error or None,
            "log": None if outcome.log is None else str(outcome.log),
        }
        for outcome in outcomes
    ]


def failure_lines(outcome: Outcome) -> List[str]:
    """What to say of a build that failed: the error, and where everything else is."""
    lines = [f"manylinux-shim: {outcome.task.name} failed:"]
    lines += [f"  {line}" if line else "" for line in outcome.error.splitlines()]
    if outcome.log is not None:
        lines.append(f"  Everything that it said is in {outcome.log}")
    return lines


def oldest_systems(tags: Sequence[str]) -> List[str]:
    """The oldest release of each distribution that has what the platform tags promise.

    >>> oldest_systems(["musllinux_1_2_x86_64"])
    ['Alpine 3.13']
    """
    promises = [parsed for parsed in map(parse_platform_tag, tags) if parsed is not None]
    found: Dict[str, str] = {}
    for system in SYSTEMS:
        match = _SYSTEM.match(system.name)
        if match is None or match[1] in found:
            continue
        for policy, arch in promises:
            same = system.family == policy.family and system.has(arch)
            if same and system.libc[:2] >= tuple(policy.version):
                found[match[1]] = f"{match[1]} {match[2]}"
    return list(found.values())


def size_text(size: int) -> str:
    """``23.4 kB``: a size in bytes for people, in powers of ten."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"


def tag_text(wheel: Path) -> str:
    """The platform tags of a wheel's file name, each policy once."""
    names: Dict[str, None] = {}
    for tag in _tags(wheel):
        parsed = parse_platform_tag(tag)
        names[f"{parsed[0]}_{parsed[1]}" if parsed is not None else tag] = None
    return ", ".join(names)


def _tags(wheel: Path) -> Tuple[str, ...]:
    return tuple(WheelName.parse(wheel.name).platforms)


def _is_for_this_machine(wheel: Path) -> bool:
    """Whether its tags promise nothing: ``linux_x86_64``."""
    tags = _tags(wheel)
    return tags != ("any",) and not any(map(parse_platform_tag, tags))


def _row(wheel: Path, size: int) -> _Row:
    tags = _tags(wheel)
    systems = tuple(oldest_systems(tags))
    otherwise = "none known"
    if tags == ("any",):
        otherwise = "every system"
    elif _is_for_this_machine(wheel):
        otherwise = "this machine only"
    return _Row(
        wheel.name, size_text(size), tag_text(wheel), systems or (otherwise,), bool(systems)
    )


def _columns(rows: Sequence[_Row], widths: Sequence[int], left: int) -> Iterator[str]:
    table = [(*_HEADINGS, _SYSTEMS), *((*row.cells, _unbroken(row.systems)) for row in rows)]
    for *cells, systems in table:
        lines = _wrapped(systems, left)
        first = [f"{cell:{width}}" for cell, width in zip(cells, widths)]
        yield "  ".join([*first, lines[0]]).rstrip()
        for line in lines[1:]:
            yield " " * (sum(widths) + 2 * len(widths)) + line


def _blocks(rows: Sequence[_Row], width: int) -> Iterator[str]:
    for row in rows:
        yield row.name
        later = " and later" if row.later else ""
        text = f"{row.size}, {row.tag}: {_unbroken(row.systems)}{later}"
        yield from (f"  {line}" for line in _wrapped(text, max(width, 40) - 2))


def _unbroken(systems: Sequence[str]) -> str:
    """Systems in a row, with no place to break a line inside a name."""
    return ", ".join(system.replace(" ", _NO_BREAK) for system in systems)


def _wrapped(text: str, width: int) -> List[str]:
    lines = textwrap.wrap(text, width, break_on_hyphens=False)
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _others(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.same_as is not None and outcome.wheel is not None:
            yield f"{outcome.task.name}: the same wheel as {outcome.same_as}, which is kept"
    for outcome in outcomes:
        if outcome.wheel is not None and outcome.left_out:
            names = ", ".join(outcome.left_out)
            yield f"{outcome.task.name}: without {names}, optional, which failed: see {outcome.log}"
        if outcome.wheel is not None and outcome.tested:
            yield f"{outcome.task.name}: tested on {outcome.tested}"
        if outcome.wheel is not None and outcome.untried:
            why = outcome.untried.replace("\n", " ")
            yield f"{outcome.task.name}: NOT tested: {why}"
    for outcome in outcomes:
        if outcome.wheel is None:
            yield f"{outcome.task.name}: failed" + (f", see {outcome.log}" if outcome.log else "")
