"""What insertion and removal have in common: the marks in the text, and the last look."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._settings import TABLE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIM = "manylinux-shim"
"""The distribution, as it stands in ``requires``."""

MODULE = "manylinux_shim"
"""The backend, as it stands in ``build-backend``."""

LEGACY = "setuptools.build_meta:__legacy__"
"""What frontends take where no ``build-backend`` is named (PEP 517)."""

NO_SYSTEM = " # there was none: setuptools is the default (PEP 518)"
NO_BACKEND = " # none was named: setuptools is the default (PEP 517)"
PATH_MOVED = f"# backend-path is in [{TABLE}]"
"""Comments that say why a line is there, and by which removal knows what was there before."""


@dataclass(frozen=True)
class Change:
    """A new text of ``pyproject.toml``, and what there is to say about it."""

    text: str
    reasons: Tuple[str, ...] = ()
    """Each a sentence or two, without a full stop."""


def newline(text: str) -> str:
    r"""``\r\n`` or ``\n``: what ends the first line of ``text``."""
    return "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"


def parsed(text: str) -> Dict[str, Any]:
    """``text`` as data; the caller knows that it is TOML."""
    return dict(tomllib.loads(text))


def our_table(data: Mapping[str, Any]) -> Dict[str, Any]:
    """``[tool.manylinux-shim]``, empty where there is none; SettingsError if it is no table."""
    tool = data.get("tool", {})
    ours = tool.get(SHIM, {}) if isinstance(tool, dict) else None
    if not isinstance(ours, dict):
        raise unfit(f"has a [{TABLE}] that is not a table", "Write it as a table.")
    return ours


def is_toml(text: str) -> bool:
    """Whether ``text`` can be read at all."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def means(text: str, data: Dict[str, Any]) -> bool:
    """Whether ``text`` is TOML and says exactly ``data``."""
    return is_toml(text) and parsed(text) == data


def unfit(what: str, remedy: str) -> SettingsError:
    """The error for a file that cannot be changed without guessing."""
    return SettingsError(f"pyproject.toml {what}", remedy)
