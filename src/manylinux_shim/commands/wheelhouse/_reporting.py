"""What came of a wheelhouse, for people and for CI engines. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List, Sequence

from manylinux_shim.commands.build_wheels._report import Told, quoted, row
from manylinux_shim.commands.build_wheels._summary import size_text
from manylinux_shim.commands.wheelhouse._result import Result

_COLUMNS = ("Package", "For", "How", "Wheel", "Size", "Tested")


def notes(result: Result) -> Iterator[str]:
    """What is to be said of a wheel besides that it is there."""
    if result.left_out:
        see = f": see {result.log}" if result.log is not None else ""
        yield f"without {', '.join(result.left_out)}, optional, which failed{see}"
    if result.tested:
        yield f"tested on {result.tested}"
    if result.untried:
        yield f"NOT tested: {' '.join(result.untried.split())}"


def markdown(results: Sequence[Result], out: Path, summary: str) -> str:
    """The page: what failed and why, then a table of the wheels; failures stand first."""
    lines: List[str] = [f"### {out}: {summary}", ""]
    for result in results:
        if result.wheel is None:
            where = f"**{result.item.name}** for {result.item.deployment.name} failed:"
            lines += [where, "", *quoted(result.reason), ""]
    there = [result for result in results if result.wheel is not None]
    if there:
        lines += [row(_COLUMNS), row(["---"] * len(_COLUMNS))]
        lines += [row(_cells(result)) for result in there]
    return "\n".join(lines).rstrip() + "\n"


def told_of(results: Sequence[Result]) -> List[Told]:
    """What an engine is told of each result; nothing of what is as it should be."""
    return [
        Told(
            f"{result.item.name} for {result.item.deployment.name}",
            result.reason if result.wheel is None else "",
            result.log,
            ", ".join(notes(result)) if result.untried or result.left_out else "",
        )
        for result in results
        if result.wheel is None or result.untried or result.left_out
    ]


def _cells(result: Result) -> List[str]:
    assert result.wheel is not None
    without = f", without {', '.join(result.left_out)}" if result.left_out else ""
    tried = result.tested or (f"no: {result.untried}" if result.untried else "")
    size = size_text(result.wheel.stat().st_size)
    name = f"`{result.wheel.name}`"
    where = result.item.deployment.name
    return [result.item.name, where, f"{result.how}{without}", name, size, tried]
