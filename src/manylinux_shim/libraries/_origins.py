"""Where a file of a fetched prefix came from, written down beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Mapping, NamedTuple, Optional

RECORD = ".manylinux-shim-origins.json"
"""In the directory that was fetched: file -> what is known of it."""


class Origin(NamedTuple):
    """A package, as its own index names it."""

    name: str
    version: str
    purl: str
    """Package URL: https://github.com/package-url/purl-spec."""
    licence: str = ""
    """SPDX expression; empty where nobody knows it."""


def write_origins(directory: Path, origins: Mapping[str, Origin]) -> None:
    """Write down, in ``directory``, where its files (relative, POSIX) came from."""
    text = json.dumps({file: list(origin) for file, origin in sorted(origins.items())}, indent=1)
    (directory / RECORD).write_text(text + "\n", encoding="utf-8")


def origin_of(path: Path) -> Optional[Origin]:
    """The package that a file of a fetched prefix is from; None for any other file."""
    path = path.resolve()
    for directory in path.parents:
        record = directory / RECORD
        if record.is_file():
            try:
                known: Dict[str, list[str]] = json.loads(record.read_text(encoding="utf-8"))
                found = known.get(path.relative_to(directory).as_posix(), known.get("."))
                return Origin(*found) if found else None
            except (OSError, ValueError, TypeError):
                return None
    return None
