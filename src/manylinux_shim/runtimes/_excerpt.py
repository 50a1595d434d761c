"""Sources of libc++ and libc++abi, changed before they are compiled.

What is compiled of libc++'s ``locale.cpp`` is the part that most programs need.

The classic locale refers to all of its facets, so a program that prints one number is
linked to what reads dates and writes sums of money. But a facet can only be reached
by its ``id``, which is a symbol, and a locale by name only by a constructor. A
program that names none of these cannot tell that they are missing; one that does
is linked to the whole. The excerpt is the source without some of its definitions.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, List

STEM = "locale"
"""The source that there is an excerpt of."""

_FACETS = r"(time_get|moneypunct|money_get|money_put|messages|codecvt<char(16|32)_t)\b"

_LEFT_OUT = re.compile(
    r"\w_byname\b"
    r"|\b__time_get(_storage|_c_storage|_temp)?(<|::)"
    r"|\b__codecvt_utf\w+<"
    r"|\b__(narrow_to|widen_from)_utf8<"
    rf"|^template (class|struct) .*\b(__)?{_FACETS}"
    r"|\bcodecvt<char(16|32)_t, char(8_t)?, mbstate_t>::"
    # A locale by name, or made of categories of others.
    r"|\blocale::__imp::__imp\(const (string&|__imp& \w+, const )"
    r"|\blocale::locale\((const )?(char\*|string|locale& \w+, )"
)
"""Definitions that are left out, by what comes before their body."""

_INSTALLED = re.compile(rf"\s*install\(&make<(std::)?{_FACETS}.*\);\s*")
"""What the classic locale installs of those, a line each."""

_NOT_CODE = re.compile(r"'(\\.|[^'\\])'|\"(\\.|[^\"\\])*\"|//.*|/\*.*?\*/")
_BETWEEN = re.compile(
    r"\s*$|//|_LIBCPP_\w+(\(\".*\"\))?$|namespace\b.*\{$|\}\s*// (end )?namespace"
)
"""Lines between definitions."""
_CONDITIONAL = "_LIBCPP_IF_WIDE_CHARACTERS("


def excerpt(text: str) -> str:
    """``text`` without the definitions that hardly a program needs.

    Lines of the preprocessor stay, so that conditions stay balanced.
    """
    kept: List[str] = []
    for lines in _definitions(text.splitlines()):
        code = [line for line in lines if not line.startswith("#")]
        head = _NOT_CODE.sub("", "\n".join(code)).split("{", 1)[0]
        left_out = _LEFT_OUT.search(head)
        kept += (line for line in lines if line.startswith("#") or not left_out)
    return "\n".join(line for line in kept if not _INSTALLED.fullmatch(line)) + "\n"


HANDLERS = "cxa_default_handlers"
"""The source of libc++abi with what a program says of the exception that ends it."""

_ENDS = re.compile(r'\b(?:__)?abort_message\(("terminating)')
_TERMINATED = Path(__file__).with_name("terminate.h")


def telling(text: str) -> str:
    """``text`` of ``HANDLERS`` with the words of libstdc++, which tests and people look for."""
    helper = _TERMINATED.read_text(encoding="utf-8")
    return helper + _ENDS.sub(r"manylinux_shim_terminated(\1", text)


def _definitions(lines: List[str]) -> Iterator[List[str]]:
    """The lines of one definition together, each of the others alone."""
    begun: List[str] = []
    depth = 0
    for line in lines:
        if not begun and (line.startswith("#") or _BETWEEN.match(line)):
            yield [line]
            continue
        begun.append(line)
        if not line.startswith("#"):
            code = _NOT_CODE.sub("", line).rstrip()
            depth += sum(map(code.count, "{(")) - sum(map(code.count, "})"))
            if depth == 0 and (code.endswith((";", "}")) or begun[0].startswith(_CONDITIONAL)):
                yield begun
                begun = []
    yield begun
