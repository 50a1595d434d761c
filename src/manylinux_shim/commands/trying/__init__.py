"""``try``: a command with a wheel installed, here or on the oldest system that it promises."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Mapping, Sequence

from manylinux_shim._errors import SettingsError
from manylinux_shim.commands import Command
from manylinux_shim.commands._arguments import each_wheel

FAILED, UNTRIED = 1, 3


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "wheels", metavar="WHEEL", nargs="+", type=Path, help="a wheel file, or a directory of them"
    )
    parser.add_argument(
        "--on",
        metavar="SYSTEM",
        help="debian11, debian12 or debian13, or `oldest` of these that its tag promises (this"
        " machine; `oldest` for a wheel of another machine)",
    )
    parser.add_argument(
        "-p",
        "--python",
        metavar="PYTHON",
        help="a version, or a path, which may be of another machine's or musl's (what the wheel is"
        " tagged for)",
    )
    parser.add_argument(
        "--requires",
        metavar="REQUIREMENT",
        action="append",
        default=[],
        help="what the command needs besides the wheel, such as pytest; more than once",
    )


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim.commands.trying._attempt import Test, Untried, attempt

    words = getattr(options, "behind", None)
    if not words:
        raise SettingsError("there is no command to try", "Give it behind --: -- pytest tests")
    test = Test(tuple(words), tuple(options.requires), python=options.python, system=options.on)

    def run(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> int:
        sys.stdout.flush()
        return subprocess.run(
            list(command), cwd=directory, env=dict(environment), stdin=subprocess.DEVNULL
        ).returncode

    def tried(wheel: Path) -> int:
        with tempfile.TemporaryDirectory(prefix="manylinux-shim-try-") as directory:
            try:
                done = attempt(wheel, test, Path(directory), run)
            except Untried as error:
                sys.stdout.flush()
                sys.stderr.write(f"manylinux-shim: {wheel.name} was not tried: {error}\n")
                return UNTRIED
        passed = done.status == 0
        word = "passed" if passed else f"failed with {done.status}"
        sys.stdout.write(f"{wheel.name}: {word} on {done.system}\n")
        return 0 if passed else FAILED

    return each_wheel(options.wheels, tried)


COMMAND = Command(
    help="run a command with a wheel installed, here or on the oldest system that it promises",
    example="  manylinux-shim try dist/*.whl -- python -c 'import pkg'\n"
    "  manylinux-shim try dist --requires pytest -- pytest --pyargs pkg\n"
    "  manylinux-shim try dist/*aarch64.whl --on oldest -- python -m unittest pkg.tests\n\n"
    "The command, behind --, runs in an empty directory. Another system is one of Debian's, made\n"
    "below the cache without root's rights and run by its own loader, or by qemu-user for another\n"
    "machine; there the command is Python, or a program that a package has installed.\n\n"
    "exit code: 0 if it passed with all, 1 if it failed with one, 3 if one could not be tried,\n"
    "2 if a file cannot be read",
    add_arguments=_add_arguments,
    run=_run,
    takes_command=True,
)
