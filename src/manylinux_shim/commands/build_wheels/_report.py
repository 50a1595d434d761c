"""What came of a call, as CI engines show it: a page in Markdown, annotations, folded logs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator, List, Mapping, NamedTuple, Optional, Sequence, TextIO

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
            lines += [f"**{outcome.task.name}** failed:", "", *quoted(outcome.error), ""]
    wheels = [o for o in outcomes if o.wheel is not None and not o.same_as]
    if wheels:
        lines += [row(_COLUMNS), row(["---"] * len(_COLUMNS))]
        lines += [row(cells) for cells in map(_cells, wheels)]
    lines += [
        f"\n{outcome.task.name} is without {', '.join(outcome.left_out)}, optional, which failed."
        for outcome in wheels
        if outcome.left_out
    ]
    return "\n".join(lines).rstrip() + "\n"


class Told(NamedTuple):
    """What an engine is told of one build."""

    name: str
    error: str = ""
    """Why there is no wheel."""
    log: Optional[Path] = None
    warning: str = ""
    """What is wrong with a wheel that is there."""


def publish(
    outcomes: Sequence[Outcome],
    out: Path,
    report: Optional[Path],
    environ: Mapping[str, str],
    stream: TextIO,
) -> None:
    """Publish what came of the builds of one project."""
    told = []
    for outcome in outcomes:
        error = outcome.error if outcome.wheel is None else ""
        warning = f"not tested: {outcome.untried}" if outcome.untried else ""
        told.append(Told(outcome.task.name, error, outcome.log, warning))
    publish_page(markdown(outcomes, out), told, report, environ, stream)


def publish_page(
    page: str,
    told: Sequence[Told],
    report: Optional[Path],
    environ: Mapping[str, str],
    stream: TextIO,
) -> None:
    """Write ``page`` to ``report`` and to the engine's summary; annotate what went wrong.

    Raises SettingsError where ``report`` cannot be written.
    """
    if report is not None:
        try:
            report.write_text(page, encoding="utf-8")
        except OSError as error:
            raise _unwritable(report, error) from error
    summary = environ.get(SUMMARY_VARIABLE)
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(page + "\n")
        except OSError as error:
            stream.write(f"manylinux-shim: {summary} cannot be written: {error.strerror}\n")
    for each in told:
        stream.writelines(f"{line}\n" for line in _said(each, environ))
    stream.flush()


def require_writable(report: Optional[Path]) -> None:
    """SettingsError for a file that no page can be written to, before hours go into it."""
    if report is None:
        return
    there = report.exists()
    try:
        with report.open("a", encoding="utf-8"):
            pass
        if not there:
            report.unlink()
    except OSError as error:
        raise _unwritable(report, error) from error


def _unwritable(report: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"--report {report} cannot be written: {error.strerror}", "Name another file."
    )


def _said(told: Told, environ: Mapping[str, str]) -> Iterator[str]:
    """What an engine reads of one build."""
    if told.error:
        start, end = group(f"log of {told.name}", environ, int(time.time()))
        if start and told.log is not None:
            yield start
            yield from _lines(told.log)
            yield end
        yield from filter(None, [annotation(told.name, told.error, environ)])
    elif told.warning:
        yield from filter(None, [annotation(told.name, told.warning, environ, "warning")])


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


def row(cells: Sequence[str]) -> str:
    """A row of a table."""
    plain = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(plain)} |"


def quoted(text: str) -> List[str]:
    """A block whose fence is in no line of ``text``."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}text", *text.splitlines(), fence]
