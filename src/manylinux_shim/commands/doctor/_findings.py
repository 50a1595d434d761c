"""What an examination finds: facts with their reasons, notes, problems with their remedies."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple

from manylinux_shim._errors import ShimError

_INDENT = 10


class Fact(NamedTuple):
    """One thing that is so."""

    name: str
    value: str
    why: str
    """Where it comes from; empty where that goes without saying."""


class Problem(NamedTuple):
    """One thing that stands in the way of a build."""

    message: str
    remedy: str


@dataclass
class Findings:
    """All that was found, in the order in which it was."""

    facts: List[Fact] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    """What is good to know, and hinders nothing."""
    problems: List[Problem] = field(default_factory=list)

    def fact(self, name: str, value: str, why: str = "") -> None:
        """Add a fact."""
        self.facts.append(Fact(name, value, why))

    def problem(self, message: str, remedy: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(message, remedy))

    def error(self, error: ShimError) -> None:
        """Add what a build would fail with."""
        self.problem(error.message, error.remedy)


def to_json(findings: Findings) -> Dict[str, Any]:
    """The findings as JSON has them: ``facts`` by name, ``notes``, ``problems``."""
    return {
        "facts": {name: {"value": value, "why": why} for name, value, why in findings.facts},
        "notes": list(findings.notes),
        "problems": [problem._asdict() for problem in findings.problems],
    }


def render(findings: Findings, width: int, *, colour: bool = False) -> str:
    """The findings for people, in lines of at most ``width`` columns, problems last."""
    lines: List[str] = []
    for fact in findings.facts:
        text = f"{fact.value} ({fact.why})" if fact.why else fact.value
        lines += _entry(fact.name, text, width)
    for note in findings.notes:
        lines += _entry("note", note, width)
    for problem in findings.problems:
        mark = "\033[31mPROBLEM\033[0m" if colour else "PROBLEM"
        first, *rest = _entry("PROBLEM", problem.message, width)
        lines += ["", first.replace("PROBLEM", mark, 1), *rest]
        for line in problem.remedy.splitlines():
            # What is to be copied stays as it is.
            keep = not line or line[0] in "[ " or " = " in line
            lines += [(" " * _INDENT + line).rstrip()] if keep else _entry("", line, width)
    count = len(findings.problems)
    summary = "no problem found" if not count else f"{count} problem{'s' if count > 1 else ''}"
    return "\n".join([*lines, "", summary])


def _entry(name: str, text: str, width: int) -> List[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        width,
        initial_indent=f"{name:<{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
