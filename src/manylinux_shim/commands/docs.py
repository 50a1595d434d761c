"""``docs``: the pages that come with the package, printed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Dict

from manylinux_shim.commands import Command

_DIRECTORY = Path(__file__).resolve().parents[1] / "docs"


def pages() -> Dict[str, Path]:
    """Every page, by its name."""
    return {path.stem: path for path in sorted(_DIRECTORY.glob("*.md"))}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "page", nargs="?", choices=tuple(pages()), help="which one; all are named without it"
    )


def _run(options: argparse.Namespace) -> int:
    if options.page is not None:
        sys.stdout.write(pages()[options.page].read_text(encoding="utf-8"))
        return 0
    for name, path in pages().items():
        with path.open(encoding="utf-8") as file:
            sys.stdout.write(f"{name:<12}{file.readline().lstrip('# ')}")
    return 0


COMMAND = Command(
    "print a page of the documentation",
    "  manylinux-shim docs\n  manylinux-shim docs settings\n\nexit code: 0",
    _add_arguments,
    _run,
)
