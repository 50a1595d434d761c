"""What a build is doing, told from the lines that it prints. Pure."""

from __future__ import annotations

import re
from typing import Optional, Sequence

WAITING, COPYING, PREPARING, BUILDING, PROVEN = (
    "waiting", "copying", "preparing", "building", "proven",
)  # fmt: skip

SHORT = (COPYING, PREPARING, PROVEN)
"""Stages that are over before one has read that they have begun."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

_RULES = (
    # uv and build
    (re.compile(r"\* Creating isolated environment"), PREPARING),
    (re.compile(r"\* Installing packages in isolated"), "installing build requirements"),
    (re.compile(r"\* Getting build dependencies"), "asking for build requirements"),
    (re.compile(r"(\* )?Building wheel\.\.\."), BUILDING),
    # the shim
    (re.compile(r"manylinux-shim: zig \S+ links for (?P<what>\S+)"), "compiling for {what}"),
    (re.compile(r"manylinux-shim: making (?P<what>.+)"), "making {what}"),
    (re.compile(r"manylinux-shim: .* (is proven|passes through as it is)$"), PROVEN),
    # build systems
    (re.compile(r"building '(?P<what>[^']+)' extension"), "compiling {what}"),
    (re.compile(r"Compiling (?P<what>\S+) v\d"), "compiling {what}"),
    (re.compile(r"\[\d+/\d+\] Cythonizing (?P<what>\S+)"), "translating {what}"),
    (re.compile(r"\[(?P<what>\d+/\d+)\] "), "compiling {what}"),
    (re.compile(r"(running|Running) (?P<what>bdist_wheel)$"), BUILDING),
)
"""Lines of frontends, of the shim and of build systems, and the stage that each begins."""


def stage_of(line: str) -> Optional[str]:
    """The stage that a line begins, None for all other lines.

    >>> stage_of("   Compiling libc v0.2.180")
    'compiling libc'
    """
    text = _COLOUR.sub("", line).strip()
    for pattern, stage in _RULES:
        match = pattern.match(text)
        if match is not None:
            return stage.format(**match.groupdict())
    return None


_ERROR = "manylinux-shim: error: "
_ABOVE = "stands above"
"""In a remedy of ours: the lines before it belong to what is wrong."""
_WORTH = 12
"""Lines of a log to show where the shim itself has not said what is wrong."""


def failure(lines: Sequence[str]) -> str:
    """What went wrong, from the lines of a build that failed.

    That is the shim's error, with what the real backend said before it if it
    refers to that; where the shim has not said anything, the end.
    """
    plain = [_COLOUR.sub("", line).rstrip() for line in lines]
    starts = [at for at, line in enumerate(plain) if line.strip().startswith(_ERROR)]
    if not starts:
        return "\n".join([line for line in plain if line][-_WORTH:])
    at = starts[-1]
    indent = len(plain[at]) - len(plain[at].lstrip())
    text = [plain[at].strip()[len(_ERROR) :]]
    for line in plain[at + 1 :]:
        if line and not line[indent:].startswith("  "):
            break
        text.append(line[indent + 2 :])
    before: Sequence[str] = ()
    if any(_ABOVE in line for line in text):
        before = [line for line in plain[:at] if line][-_WORTH:]
    return "\n".join([*before, *text]).rstrip()
