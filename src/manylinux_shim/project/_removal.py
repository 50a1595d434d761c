"""Take the shim out of a ``pyproject.toml`` again. Pure."""

from __future__ import annotations

import copy
import re
from typing import Any, Dict, Match, Optional

from manylinux_shim._errors import SettingsError
from manylinux_shim._settings import TABLE
from manylinux_shim.project._change import (
    MODULE,
    NO_BACKEND,
    NO_SYSTEM,
    PATH_MOVED,
    SHIM,
    Change,
    is_toml,
    means,
    our_table,
    parsed,
    unfit,
)
from manylinux_shim.project._requires import fewer, without_shim
from manylinux_shim.project._values import Values, tomlkit

MADE_HERE = "# made by `manylinux-shim init`"
"""First line of a file that was not there before; taken out again, it goes as a whole."""

_OURS = re.compile(
    rf"(?P<before>\A|\r?\n)\[{re.escape(TABLE)}\][^\n]*(?:\n(?![ \t]*\[)[ \t]*[^\s][^\n]*)*\n?"
)
"""Our table with the blank line before it, up to the next blank line or table."""

_SYSTEM = re.compile(
    rf"(?P<before>\A|\r?\n)\[build-system\]{re.escape(NO_SYSTEM)}(?:\r?\n[^\s\[][^\n]*)*\n?"
)
"""The same for a ``[build-system]`` that ``inserted`` made."""

_PATH = re.compile(
    r"^[ \t]*[\"']?backend-path[\"']?[ \t]*=.*?(?=\r?\n[a-z-]+ = |\r?\n?\Z)",
    re.MULTILINE | re.DOTALL,
)
"""The whole of ``backend-path`` in our table."""


def removed(text: str) -> Change:
    """``text`` with the shim's own backend back in ``[build-system]``.

    The bytes are those from before, where ``inserted`` made the change and
    nobody touched it since; else the layout is kept as well as it can be. The
    text comes back as it is when no word of the shim is in it. Raises
    SettingsError where the way back cannot be known.
    """
    data = parsed(text)
    ours = our_table(data)
    system = data.get("build-system", {})
    if not ours and system.get("build-backend") != MODULE:
        return Change(text)
    backend = ours.get("backend")
    if system.get("build-backend") != MODULE:
        raise unfit(
            f"has a backend of its own, {system.get('build-backend')!r}, that calls the shim",
            f"Have it import from {backend!r} again, and take `{SHIM}` and [{TABLE}] out.",
        )
    if not isinstance(backend, str):
        raise unfit(
            f"does not name the backend from before in [{TABLE}]",
            "Put it into `build-backend` of [build-system] by hand.",
        )
    expected = _expected(text, data)
    exact = _exact(text, data)
    if exact is not None and means(exact, expected):
        return Change(exact)
    return Change(_by_library(text, expected))


def _expected(text: str, data: Dict[str, Any]) -> Dict[str, Any]:
    """The data from before; without our comments, a default that was implied is written out."""
    before = copy.deepcopy(data)
    ours = before["tool"].pop(SHIM)
    if not before["tool"]:
        del before["tool"]
    if NO_SYSTEM in text:
        del before["build-system"]
        return before
    system = before["build-system"]
    system["requires"] = fewer(system["requires"])
    system["build-backend"] = ours["backend"]
    if NO_BACKEND in text:
        del system["build-backend"]
    if "backend-path" in ours:
        system["backend-path"] = ours["backend-path"]
    return before


def _exact(text: str, data: Dict[str, Any]) -> Optional[str]:
    """The text from before, by undoing each step of ``inserted``; None if one is not there."""
    found = _OURS.search(text)
    if found is None:
        return None
    rest = _without(text, found)
    made = _SYSTEM.search(rest)
    if made is not None:
        return _without(rest, made)
    if not is_toml(rest):
        return None
    values = Values(rest)
    requires = without_shim(values.written["requires"])
    if requires is None:
        return None
    quote = values.written["build-backend"][0]
    written = {
        "requires": requires,
        "build-backend": f"{quote}{data['tool'][SHIM]['backend']}{quote}",
    }
    if NO_BACKEND in rest:
        values.drop_line("build-backend")
        del written["build-backend"]
    path = _PATH.search(found[0])
    if path is not None:
        if PATH_MOVED not in rest:
            return None
        values.put_back_line(PATH_MOVED, path[0])
    return values.text(written)


def _without(text: str, block: Match[str]) -> str:
    """``text`` without a block at whose end it has no line's end if it had none before."""
    before, after = text[: block.start()], text[block.end() :]
    if not block[0].endswith("\n"):
        before = before.rstrip("\r\n")
    return before + after


def _by_library(text: str, expected: Dict[str, Any]) -> str:
    """The same by tomlkit's means, which move a space or two."""
    document = tomlkit().parse(text)
    backend = document["tool"][SHIM]["backend"]
    del document["tool"][SHIM]
    if not document["tool"]:
        del document["tool"]
    if "build-system" not in expected:
        del document["build-system"]
    else:
        _restore(document["build-system"], expected["build-system"])
    changed = str(document.as_string())
    if not means(changed, expected):
        raise SettingsError(
            "the way back would not say what it should in this pyproject.toml",
            f"Put {backend!r} back into `build-backend`, and take `{SHIM}` and [{TABLE}] out by"
            " hand.",
        )
    return changed


def _restore(system: Any, before: Dict[str, Any]) -> None:
    for position in reversed(range(len(system["requires"]))):
        if system["requires"][position] not in before["requires"]:
            del system["requires"][position]
    for key in ("build-backend", "backend-path"):
        if key not in before:
            system.pop(key, None)
        elif system.get(key) != before[key]:
            system[key] = before[key]
