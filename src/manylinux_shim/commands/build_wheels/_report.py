"""What came of a call, as CI engines show it: a page in Markdown, annotations, folded logs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator, List, Mapping, Optional, Sequence, TextIO

from manylinux_shim._annotations import annotation, group
from manylinux_shim._errors import SettingsError
from manylinux_shim.commands.build_wheels._building import Outcome
from manylinux_shim.commands.build_wheels._summary import (
    headline,
    oldest_systems,
    size_text,
    tag_text,
)
from manylinux_shim.wheel import WheelName

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
"""The file that GitHub, Forgejo and Gitea show as the summary of a job."""

_COLUMNS = ("Wheel", "Size", "Tag", "Oldest systems", "Tested")


def markdown(outcomes: Sequence[Outcome], out: Path) -> str:
    """The page: what failed and why, then a table of the wheels."""
    lines = [f"### {headline(outcomes, out)}", ""]
    for outcome in outcomes:
        if outcome.wheel is None:
            lines += [f"**{outcome.task.name}** failed:", "", *_quoted(outcome.error), ""]
    wheels = [o for o in outcomes if o.wheel is not None and not o.same_as]
    if wheels:
        lines += [_row(_COLUMNS), _row(["---"] * len(_COLUMNS))]
        lines += [_row(cells) for cells in map(_cells, wheels)]
    lines += [
        f"\n{outcome.task.name} is without {', '.join(outcome.left_out)}, optional, which failed."
        for outcome in wheels
        if outcome.left_out
    ]
    return "\n".join(lines).rstrip() + "\n"


def publish(
    outcomes: Sequence[Outcome],
    out: Path,
    report: Optional[Path],
    environ: Mapping[str, str],
    stream: TextIO,
) -> None:
    """Write the page to ``report`` and to the engine's summary; annotate what went wrong.

    Raises SettingsError where ``report`` cannot be written.
    """
    page = markdown(outcomes, out)
    if report is not None:
        try:
            report.write_text(page, encoding="utf-8")
        except OSError as error:
            raise SettingsError(
                f"--report {report} cannot be written: {error.strerror}", "Name another file."
            ) from error
    summary = environ.get(SUMMARY_VARIABLE)
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(page + "\n")
        except OSError as error:
            stream.write(f"manylinux-shim: {summary} cannot be written: {error.strerror}\n")
    for outcome in outcomes:
        stream.writelines(f"{line}\n" for line in _said(outcome, environ))
    stream.flush()


def _said(outcome: Outcome, environ: Mapping[str, str]) -> Iterator[str]:
    """What an engine reads of one build."""
    name = outcome.task.name
    if outcome.wheel is None:
        start, end = group(f"log of {name}", environ, int(time.time()))
        if start and outcome.log is not None:
            yield start
            yield from _lines(outcome.log)
            yield end
        yield from filter(None, [annotation(name, outcome.error, environ)])
    elif outcome.untried:
        message = f"not tested: {outcome.untried}"
        yield from filter(None, [annotation(name, message, environ, "warning")])


def _lines(log: Path) -> List[str]:
    """A log's lines, none of which is a command to the engine."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [f"  {line}".replace("##[", "# [").replace("::", ": :") for line in text.splitlines()]


def _cells(outcome: Outcome) -> List[str]:
    assert outcome.wheel is not None
    tags = tuple(WheelName.parse(outcome.wheel.name).platforms)
    systems = ", ".join(oldest_systems(tags)) or ("all" if tags == ("any",) else "this machine")
    tested = outcome.tested or (f"no: {outcome.untried}" if outcome.untried else "")
    name = f"`{outcome.wheel.name}`"
    return [name, size_text(outcome.size), tag_text(outcome.wheel), systems, tested]


def _row(cells: Sequence[str]) -> str:
    plain = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(plain)} |"


def _quoted(text: str) -> List[str]:
    """A block whose fence is in no line of ``text``."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}text", *text.splitlines(), fence]
