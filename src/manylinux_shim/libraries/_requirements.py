"""``deb:NAME[=VERSION]`` and ``wheel:NAME[==VERSION]``: what a project asks for. Pure."""

from __future__ import annotations

import re
from typing import Iterable, List, NamedTuple, Tuple

from manylinux_shim._errors import SettingsError

# Debian policy, 5.6.1 and 5.6.12; the names of PyPI are PEP 508's.
_DEB = re.compile(r"([a-z0-9][a-z0-9+.-]+)(?:=([A-Za-z0-9.+~:-]+))?")
_WHEEL = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:==([A-Za-z0-9.+!]+))?")
_KINDS = {"deb": _DEB, "wheel": _WHEEL}


class Requirement(NamedTuple):
    """One library."""

    kind: str
    """``"deb"``, a package of the distribution, or ``"wheel"``, a wheel of PyPI."""
    name: str
    version: str = ""
    """Empty: the newest there is."""

    def __str__(self) -> str:
        pin = f"{'=' if self.kind == 'deb' else '=='}{self.version}" if self.version else ""
        return f"{self.kind}:{self.name}{pin}"


def parse(texts: Iterable[str]) -> Tuple[Requirement, ...]:
    """The requirements of ``libraries``; SettingsError for what is none."""
    return tuple(_one(text) for text in texts)


def _one(text: str) -> Requirement:
    kind, colon, rest = text.partition(":")
    pattern = _KINDS.get(kind) if colon else None
    match = pattern.fullmatch(rest.strip()) if pattern is not None else None
    if match is None:
        raise SettingsError(
            f"{text!r} in `libraries` is none that can be fetched",
            'Write "deb:libpq-dev" or "deb:libpq-dev=15.6-0" for a package of the distribution,'
            ' "wheel:scipy-openblas32" or "wheel:cmeel-libomp==21.1.8" for a wheel of PyPI.',
        )
    return Requirement(kind, match[1], match[2] or "")


def tools(texts: Iterable[str]) -> List[str]:
    """What fetching them needs in the build's environment, as requirements."""
    return ["pip>=21.2"] if any(one.kind == "wheel" for one in parse(texts)) else []
