"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Callable, Sequence

from manylinux_shim._errors import ShimError
from manylinux_shim.commands import UNREADABLE


def add_wheels(parser: argparse.ArgumentParser) -> None:
    """The wheels, and what another package provides."""
    parser.add_argument("wheels", metavar="WHEEL", nargs="+", type=Path, help="a wheel file")
    parser.add_argument(
        "--exclude",
        metavar="PATTERN",
        action="append",
        default=[],
        help="a library, or a pattern of them (libcuda.so.*), that another package provides"
        " at run time; may be given more than once",
    )
    parser.add_argument(
        "--all", action="store_true", help="name every file and symbol, not examples only"
    )


def add_project(parser: argparse.ArgumentParser) -> None:
    """The project whose ``pyproject.toml`` is meant."""
    parser.add_argument(
        "project",
        metavar="PATH",
        nargs="?",
        type=Path,
        default=Path(),
        help="the project's directory (this one)",
    )


def each_wheel(wheels: Sequence[Path], run: Callable[[Path], int]) -> int:
    """Run over all wheels; the worst exit code. One that cannot be read stops no other."""
    worst = 0
    for wheel in wheels:
        try:
            worst = max(worst, run(wheel))
        except ShimError as error:
            sys.stdout.flush()
            sys.stderr.write(f"manylinux-shim: {error}\n")
            worst = UNREADABLE
    return worst


def use_colour() -> bool:
    """Whether the output shows colours: on a terminal, or as its user says.

    ``NO_COLOR`` (no-color.org) wins over ``FORCE_COLOR`` (force-color.org), as in
    CPython; an empty ``FORCE_COLOR`` says nothing.
    """
    if "NO_COLOR" in os.environ:
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """The columns to write in: the terminal's, and 80 where there is none."""
    if not sys.stdout.isatty():
        return 80
    return min(shutil.get_terminal_size().columns, 120)
