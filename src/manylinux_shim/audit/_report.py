"""A verdict for people: what it is, what stands in the way, where it runs.

Readable in 80 columns, and without colour: colour repeats what the words say.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from manylinux_shim._platforms import Policy
from manylinux_shim.audit._systems import SYSTEMS
from manylinux_shim.audit._verdict import Verdict
from manylinux_shim.audit.reasons import Reason

_EXAMPLES = 2
_LONGEST_SYMBOL = 48
_MOST_CAUSES = 12
_BOLD, _RED, _GREEN, _PLAIN = "\033[1m", "\033[31m", "\033[32m", "\033[0m"


def render(
    verdict: Verdict,
    policy: Optional[Policy] = None,
    colour: bool = False,
    width: int = 80,
    full: bool = False,
) -> str:
    """The whole report; with ``policy``, what stands between the wheel and that one only.

    ``full`` names every file and symbol, where otherwise examples stand for them.
    """
    page = _Page(width, colour, full)
    _verdict(page, verdict)
    if policy is not None:
        reasons = verdict.against(policy)
        page.heading(
            f"What stands between it and {policy}" if reasons else f"It has earned {policy}."
        )
        _causes(page, reasons)
    elif not verdict.pure:
        for title, reasons in _steps(verdict):
            page.heading(title)
            _causes(page, reasons)
    for note in verdict.notes:
        page.paragraph(f"Note: {note}.")
    if not verdict.pure and policy is None:
        _systems(page, verdict)
    return page.text()


def render_claims(verdict: Verdict, width: int = 80, full: bool = False) -> str:
    """Which of the wheel's tags are not true, and why: what ``check`` says."""
    page = _Page(width, False, full)
    for tag, reasons in verdict.unproven():
        page.line(f"{verdict.wheel.name} bears {tag}, and that is not proven:")
        _causes(page, reasons)
    page.line(f"It has earned {', '.join(verdict.earned)}.")
    return page.text()


def render_refusal(
    verdict: Verdict, policy: Optional[Policy], width: int = 80, full: bool = False
) -> str:
    """Why a wheel is refused ``policy``, or any policy at all: the text of a build's error."""
    page = _Page(width, False, full)
    wanted = policy.name if policy is not None else f"any {verdict.family} tag"
    page.line(f"{verdict.wheel.name} has not earned {wanted}:")
    if policy is not None:
        reasons = verdict.against(policy)
    else:
        newest = [p for p in verdict.policies if p.family == verdict.family]
        reasons = verdict.against(newest[-1]) if newest else verdict.reasons
    _causes(page, reasons)
    return page.text()


class _Page:
    """Lines of text, wrapped and coloured."""

    def __init__(self, width: int, colour: bool, full: bool) -> None:
        self.width = max(width, 40)
        self.full = full
        self._colour = colour
        self._lines: List[str] = []

    def line(self, text: str, indent: int = 0, style: str = "") -> None:
        """Text on as many lines as it takes, none cut."""
        pad = " " * indent
        wrapped = textwrap.wrap(
            text,
            self.width,
            initial_indent=pad,
            subsequent_indent=pad + "  ",
            break_on_hyphens=False,
        )
        for piece in wrapped or [""]:
            self._lines.append(f"{style}{piece}{_PLAIN}" if style and self._colour else piece)

    def paragraph(self, text: str) -> None:
        """A line with an empty one before it."""
        self._lines.append("")
        self.line(text)

    def heading(self, text: str) -> None:
        """The same, standing out."""
        self._lines.append("")
        self.line(text, style=_BOLD)

    def good(self, text: str, indent: int = 0) -> None:
        """A line of good news."""
        self.line(text, indent, _GREEN)

    def bad(self, text: str, indent: int = 0) -> None:
        """A line of bad news."""
        self.line(text, indent, _RED)

    def text(self) -> str:
        """All lines."""
        return "\n".join(self._lines)


def _verdict(page: _Page, verdict: Verdict) -> None:
    page.line(verdict.wheel.name, style=_BOLD)
    if verdict.pure:
        page.line("has no compiled file in it: it runs anywhere (any).", 2)
    elif verdict.earned[0].startswith("linux_"):
        page.bad(
            f"has earned no tag: {verdict.earned[0]} says it runs here, and promises nothing", 2
        )
    else:
        page.good(f"has earned {', '.join(verdict.earned)}", 2)
    denied = dict(verdict.unproven())
    for tag in verdict.claimed:
        if tag in denied:
            page.bad(f"claims {tag}: NOT TRUE", 2)
        else:
            page.good(f"claims {tag}: true", 2)
    for tag in denied:
        if tag not in verdict.claimed:
            page.bad(f"claims {tag}: NOT TRUE", 2)
    if verdict.files:
        count = len(verdict.files)
        libc = {"manylinux": "glibc", "musllinux": "musl"}[verdict.family]
        page.line(
            f"{count} ELF file{'s' * (count > 1)} for {verdict.machine}, judged for {libc}", 2
        )


def _steps(verdict: Verdict) -> Iterator[Tuple[str, Tuple[Reason, ...]]]:
    """The reasons by the newest tag that they stand against, the worst first."""
    reasons = verdict.reasons
    everything = tuple(reason for reason in reasons if reason.policy is None)
    if everything:
        yield "What stands between it and every tag", everything
    for policy in sorted({r.policy for r in reasons if r.policy is not None}, reverse=True):
        yield (
            f"What stands between it and {policy}",
            tuple(reason for reason in reasons if reason.policy == policy),
        )


def _causes(page: _Page, reasons: Tuple[Reason, ...]) -> None:
    found = causes(reasons)
    shown = found if page.full else found[:_MOST_CAUSES]
    remedies: List[str] = []
    for cause in shown:
        _cause(page, cause)
        remedies.append(cause.remedy)
    for remedy in dict.fromkeys(filter(None, remedies)):
        page.line(f"-> {remedy}", 2)
    if len(found) > len(shown):
        page.line(f"... and {len(found) - len(shown)} more causes", 2)


def _cause(page: _Page, cause: Cause) -> None:
    """``file: symbol@version, library: what is allowed``, for some examples."""
    shown = cause.reasons if page.full else cause.reasons[:_EXAMPLES]
    for reason in shown:
        page.line((reason if page.full else _shortened(reason)).statement, 2)
    rest = len(cause.reasons) - len(shown)
    if rest:
        files = f" in {len(cause.files)} files" if len(cause.files) > 1 else ""
        what = f" of {cause.version}" if cause.version else " of this kind"
        page.line(f"... {rest} more{what}{files}", 4)


def _shortened(reason: Reason) -> Reason:
    """The reason with the middle of a long (C++) name left out."""
    symbol = reason.symbol or ""
    if len(symbol) <= _LONGEST_SYMBOL:
        return reason
    half = _LONGEST_SYMBOL // 2
    return replace(reason, symbol=f"{symbol[:half]}...{symbol[-half:]}")


def _systems(page: _Page, verdict: Verdict) -> None:
    needed = verdict.needed_libc
    if not needed:
        page.heading("Nobody can say where it runs: what it needs is not in any policy.")
        return
    page.heading("Where it runs")
    for system in SYSTEMS:
        if system.family in needed and system.has(verdict.machine):
            runs = system.libc >= needed[system.family]
            text = f"{'yes' if runs else 'no':4}{system.name:36}{system.libc_text}"
            (page.good if runs else page.bad)(text, 2)


@dataclass(frozen=True)
class Cause:
    """Reasons that differ in file and symbol only."""

    policy: Optional[Policy]
    kind: str
    version: Optional[str]
    library: Optional[str]
    allowed: str
    remedy: str
    reasons: Tuple[Reason, ...]

    @property
    def files(self) -> Tuple[str, ...]:
        """The files concerned, each once."""
        return tuple(dict.fromkeys(reason.file for reason in self.reasons if reason.file))


def causes(reasons: Iterable[Reason]) -> Tuple[Cause, ...]:
    """The causes behind ``reasons``, in their order."""
    found: Dict[Tuple[object, ...], List[Reason]] = {}
    for reason in reasons:
        # A missing function is a cause of its own; many symbols of one version are one.
        symbol = reason.symbol if reason.version is None else None
        key = (reason.policy, reason.kind, reason.version, reason.library, reason.allowed, symbol)
        found.setdefault(key, []).append(reason)
    return tuple(
        Cause(
            group[0].policy,
            group[0].kind,
            group[0].version,
            group[0].library,
            group[0].allowed,
            group[0].remedy,
            tuple(group),
        )
        for group in found.values()
    )
