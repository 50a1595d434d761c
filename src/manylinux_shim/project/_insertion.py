"""Bring the shim into a ``pyproject.toml``. Pure."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional

from manylinux_shim._errors import SettingsError
from manylinux_shim._settings import TABLE
from manylinux_shim.project._change import (
    LEGACY,
    MODULE,
    NO_BACKEND,
    NO_SYSTEM,
    PATH_MOVED,
    SHIM,
    Change,
    means,
    newline,
    our_table,
    parsed,
    unfit,
)
from manylinux_shim.project._requires import names, with_shim
from manylinux_shim.project._values import Values, tomlkit

_DEFAULT_REQUIRES = "setuptools>=40.8.0"
"""The first setuptools with the backend that PEP 517 falls back to."""


def inserted(text: str, settings: Optional[Mapping[str, str]] = None) -> Change:
    """``text`` with the shim as its backend, and the one it had as the shim's.

    ``settings`` are further keys of our table. The text comes back as it is
    when all of that stands there already. Raises SettingsError for a file that
    contradicts itself, and for a form that cannot be changed without guessing.
    """
    data = parsed(text)
    wanted = dict(settings or {})
    ours = our_table(data)
    system = data.get("build-system")
    if system is None:
        return _new_system(text, data, wanted)
    requires = system.get("requires") if isinstance(system, dict) else None
    if not isinstance(requires, list) or not all(isinstance(entry, str) for entry in requires):
        raise unfit(
            "has a [build-system] without a list `requires`",
            'PEP 518 wants one: requires = ["setuptools"], for example.',
        )
    backend = system.get("build-backend")
    listed = any(names(entry, SHIM) for entry in requires)
    if backend == MODULE or (listed and "backend" in ours and backend != ours["backend"]):
        return _more_settings(text, data, wanted, listed=listed)
    named = ours.get("backend")
    if named is not None and named != (backend or LEGACY):
        raise unfit(
            f"names {backend or LEGACY!r} in [build-system] and {named!r} in [{TABLE}]",
            f"Correct `backend` in [{TABLE}], or take that table out.",
        )
    return _wrapped(text, data, wanted, listed=listed)


def _new_system(text: str, data: Dict[str, Any], wanted: Dict[str, str]) -> Change:
    end = newline(text)
    system = {"requires": [SHIM, _DEFAULT_REQUIRES], "build-backend": MODULE}
    lines = [
        f"[build-system]{NO_SYSTEM}",
        f"requires = {json.dumps(system['requires'])}",
        f'build-backend = "{MODULE}"',
    ]
    values: Dict[str, Any] = {"backend": LEGACY, **wanted}
    changed = _appended(_appended(text, lines, end), _table(values), end)
    reason = (
        "There is no [build-system], so frontends take setuptools, as PEP 518 has it: that is"
        " what the shim calls"
    )
    return _checked(changed, _expected(data, system, values), reason)


def _wrapped(text: str, data: Dict[str, Any], wanted: Dict[str, str], *, listed: bool) -> Change:
    """The usual case: a backend, named or not, becomes the shim's."""
    system = data["build-system"]
    values = Values(text)
    backend = system.get("build-backend")
    new: Dict[str, Any] = {**system, "build-backend": MODULE}
    ours: Dict[str, Any] = {"backend": backend or LEGACY, **wanted}
    lines = _table(ours)
    reasons = []
    written = {}
    if not listed:
        written["requires"] = with_shim(values.written["requires"], values.newline)
        new["requires"] = [SHIM, *system["requires"]]
    if backend is None:
        values.add_line_after("requires", f'build-backend = "{MODULE}"{NO_BACKEND}')
        reasons.append(
            "No build-backend is named, so frontends take setuptools, as PEP 517 has it: that is"
            " what the shim calls"
        )
    else:
        quote = values.written["build-backend"][0]
        written["build-backend"] = f"{quote}{MODULE}{quote}"
    if "backend-path" in system:
        ours["backend-path"] = new.pop("backend-path")
        lines.insert(2, values.replace_line("backend-path", PATH_MOVED))
        reasons.append(
            "backend-path moves: a backend from there is now the shim's business, and the shim"
            " itself is not in your tree"
        )
    changed = values.text(written)
    if SHIM in data.get("tool", {}):
        return _more_settings(changed, parsed(changed), {**ours, **wanted}, listed=True)
    changed = _appended(changed, lines, values.newline)
    return _checked(changed, _expected(data, new, ours), *reasons)


def _more_settings(
    text: str, data: Dict[str, Any], wanted: Dict[str, Any], *, listed: bool
) -> Change:
    """The shim is there; its table may lack something."""
    ours = our_table(data)
    if "backend" not in {**ours, **wanted}:
        raise unfit(
            f"names {MODULE} in [build-system] and no `backend` in [{TABLE}]",
            f'Add the backend that does the building:\n\n[{TABLE}]\nbackend = "..."\n',
        )
    if not listed:
        raise unfit(
            f"names {MODULE} as its backend, and {SHIM} is not in its `requires`",
            f'Add it: requires = ["{SHIM}", ...]',
        )
    new = {key: value for key, value in wanted.items() if ours.get(key) != value}
    if not new:
        return Change(text)
    document = tomlkit().parse(text)
    for key, value in new.items():
        document["tool"][SHIM][key] = value
    return _checked(document.as_string(), _expected(data, data["build-system"], {**ours, **new}))


def _table(values: Mapping[str, Any]) -> list[str]:
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return [f"[{TABLE}]", *lines]


def _appended(text: str, lines: list[str], end: str) -> str:
    """``text`` and a blank line and ``lines``; ends without a line's end where ``text`` does."""
    block = end.join(lines)
    if not text:
        return block + end
    return f"{text}{end}{block}{end}" if text.endswith("\n") else f"{text}{end * 2}{block}"


def _expected(data: Dict[str, Any], system: Dict[str, Any], ours: Dict[str, Any]) -> Dict[str, Any]:
    return {**data, "build-system": system, "tool": {**data.get("tool", {}), SHIM: ours}}


def _checked(text: str, expected: Dict[str, Any], *reasons: str) -> Change:
    if not means(text, expected):
        raise SettingsError(
            "the change would not say what it should in this pyproject.toml",
            "Write [build-system] and [tool...] as tables of their own, or make the change by"
            " hand, as the README shows it.",
        )
    return Change(text, reasons)
