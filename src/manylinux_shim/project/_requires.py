"""The shim's own entry in ``requires``: put in first, and taken out again. Pure."""

from __future__ import annotations

import re
from typing import Any, List, Mapping, Optional, Sequence

from manylinux_shim.project._change import SHIM

_LEADING = re.compile(r"\[([ \t]*(?:#[^\n]*)?\r?\n)?([ \t]*)")
"""The opening bracket, the rest of its line where nothing else stands there, the indent."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def names(requirement: str, distribution: str) -> bool:
    """Whether a requirement is for ``distribution`` (PEP 503: case and separators aside)."""
    match = _NAME.match(requirement.strip())
    return match is not None and canonical(match[0]) == canonical(distribution)


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def with_shim(array: str, indented_by: str) -> str:
    """A TOML array of strings with the shim as its first entry, in the array's own layout."""
    match = _LEADING.match(array)
    start = match.end() if match else 1
    rest = array[start:]
    quote = "'" if rest.startswith("'") else '"'
    entry = f"{quote}{SHIM}{quote}"
    if rest.startswith("]"):
        return f"{array[:start]}{entry}{rest}"
    separator = f",{indented_by}{match[2]}" if match and match[1] else ", "
    return f"{array[:start]}{entry}{separator}{rest}"


def without_shim(array: str) -> Optional[str]:
    """The array without the entry that ``with_shim`` puts there; None if it stands otherwise."""
    match = _LEADING.match(array)
    start = match.end() if match else 1
    entry = re.compile(rf"([\"']){SHIM}\1(?:,\r?\n[ \t]*|, |(?=\]))").match(array, start)
    return None if entry is None else array[:start] + array[entry.end() :]


def fewer(requires: Sequence[Any]) -> Any:
    """A copy of ``requires`` without the shim, whatever version of it was asked for."""
    return [entry for entry in requires if not names(str(entry), SHIM)]


def requirements(pyproject: Mapping[str, Any]) -> List[str]:
    """Normalized names of the distributions in ``[build-system] requires`` (PEP 503)."""
    lines = pyproject.get("build-system", {}).get("requires", [])
    found = (_NAME.match(str(line).strip()) for line in lines)
    return [canonical(match[0]) for match in found if match]
