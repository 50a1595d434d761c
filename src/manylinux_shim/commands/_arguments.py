"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence

from manylinux_shim._errors import SettingsError, ShimError, WheelError
from manylinux_shim.commands import UNREADABLE

DIST = Path("dist")


def add_wheels(parser: argparse.ArgumentParser, *, default: bool = True) -> None:
    """The wheels, and what another package provides; ``default``: without any, ``dist``'s."""
    parser.add_argument(
        "wheels",
        metavar="WHEEL",
        nargs="*" if default else "+",
        type=Path,
        help="a wheel file, or a directory of them" + (" (dist)" if default else ""),
    )
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


def add_json(parser: argparse.ArgumentParser) -> None:
    """Whether programs read what is said."""
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON object a wheel, each on a line of its own (verdict.schema.json)",
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


def each_wheel(
    wheels: Sequence[Path],
    run: Callable[[Path], int],
    as_json: Optional[Callable[[Path, ShimError], Dict[str, Any]]] = None,
) -> int:
    """Run over all wheels; the worst exit code. One that cannot be read stops no other.

    A directory stands for the wheels in it, no wheel at all for the directory ``dist``.
    ``as_json`` makes of an error what is printed for programs besides. Raises WheelError for
    a directory without any.
    """
    worst = 0
    for wheel in [found for named in wheels or [DIST] for found in _wheels(named)]:
        try:
            worst = max(worst, run(wheel))
        except ShimError as error:
            if as_json is not None:
                sys.stdout.write(json.dumps(as_json(wheel, error)) + "\n")
            sys.stdout.flush()
            sys.stderr.write(f"manylinux-shim: {error}\n")
            worst = UNREADABLE
    return worst


def _wheels(named: Path) -> Sequence[Path]:
    if not named.is_dir() and named != DIST:
        return [named]
    found = sorted(named.glob("*.whl"))
    if not found:
        raise WheelError(
            f"there is no wheel in {named}", "Name a wheel, or a directory that has some."
        )
    return found


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


def config_settings(given: Sequence[str]) -> Dict[str, Any]:
    """``-C`` options as frontends hand them on: a key that comes twice has a list."""
    settings: Dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise SettingsError(f"-C {text!r} is no setting", "Give it as KEY=VALUE.")
        before = settings.get(key)
        if before is None:
            settings[key] = value
        else:
            settings[key] = [*(before if isinstance(before, list) else [before]), value]
    return settings
