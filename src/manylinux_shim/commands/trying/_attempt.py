"""One wheel, installed for one command: where it runs, and what came of it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import SettingsError, ShimError, WheelError
from manylinux_shim._platforms import (
    ARCHITECTURES,
    host_architecture,
    host_family,
    parse_platform_tag,
)
from manylinux_shim._processes import run as run_quietly
from manylinux_shim.commands.build_wheels._pythons import Python, find_python, find_uv
from manylinux_shim.wheel import WheelName

Run = Callable[[Sequence[str], Path, Mapping[str, str]], int]
"""Runs a command in a directory with an environment; its exit code."""


class Untried(ShimError):  # noqa: N818 - no error of anybody's
    """A wheel cannot be tried; that is no success, and no failure of the wheel's."""


class Test(NamedTuple):
    """What was asked for."""

    command: Tuple[str, ...]
    requires: Tuple[str, ...] = ()
    """Requirements besides the wheel."""
    python: Optional[str] = None
    """A version or a path; None: what the wheel is tagged for."""
    shell: Optional[str] = None
    """The same command as a line for the shell, which is what runs on this machine."""
    system: Optional[str] = None
    """``debian12``, ``oldest``; None: this machine, if the wheel is for it."""
    find_links: Tuple[Path, ...] = ()
    """Directories with wheels that requirements may be taken from, besides the index."""


class Tried(NamedTuple):
    """What came of it."""

    status: int
    system: str
    """Where it ran, for people."""


def attempt(wheel: Path, test: Test, room: Path, run: Run) -> Tried:
    """Install ``wheel`` and run the command; ``room`` is an empty directory of this attempt's.

    Raises Untried where that cannot be done, WheelError for a file that is no wheel.
    """
    if not wheel.is_file():
        raise WheelError(f"{wheel} is not a file", "Name a wheel.")
    wheel = wheel.resolve()
    name = WheelName.parse(wheel.name)
    work = room / "empty"
    work.mkdir()
    from manylinux_shim.commands.trying._own_python import of_path

    own = of_path(test.python) if test.python else None
    if own is not None or test.system is not None or not is_for_this_machine(name.platforms):
        from manylinux_shim.commands.trying._there import Installed, install

        installed: Installed = install(wheel, name, test, room, own)
        return Tried(
            run(installed.words(test.command), work, installed.environment), installed.name
        )
    python = python_of(name, test.python)
    inside = _environment(wheel, test, python, room / "environment")
    environment = {
        **_without_ours(),
        "VIRTUAL_ENV": str(inside.parent.parent),
        "PATH": os.pathsep.join([str(inside.parent), os.environ.get("PATH", os.defpath)]),
    }
    command = ["sh", "-c", test.shell] if test.shell is not None else test.command
    try:
        status = run(command, work, environment)
    except FileNotFoundError as error:
        raise Untried(
            f"there is no {test.command[0]} to run",
            f"If a package brings it: --requires {test.command[0]}.",
        ) from error
    return Tried(status, f"this machine, Python {python.short}")


def is_for_this_machine(platforms: Sequence[str]) -> bool:
    """Whether one of a wheel's platform tags is this machine's and this libc's."""
    arch = host_architecture()
    for tag in platforms:
        parsed = parse_platform_tag(tag)
        if tag == "any" or (arch is not None and tag == f"linux_{arch.name}"):
            return True
        if parsed is not None and (parsed[0].family, arch) == (
            host_family(),
            ARCHITECTURES.get(parsed[1]),
        ):
            return True
    return False


def versions_of(name: WheelName) -> Iterator[Tuple[str, bool]]:
    """The Pythons that a wheel is tagged for: ``("3.12", False)``; the second: and later ones.

    ``pypy3.11`` for PyPy, ``3.13t`` for a build without the GIL; ``("3", True)`` for any.
    """
    for python in name.python:
        match = re.fullmatch(r"(cp|pp|py)3(\d*)", python)
        for abi in name.abi if match is not None else ():
            own = re.match(r"cp\d+", abi)
            if match is None or (own is not None and own[0] != python):
                continue
            text = f"3.{match[2]}" if match[2] else "3"
            if match[1] == "pp":
                yield f"pypy{text}", False
            elif abi == "abi3t" or (own is not None and abi.endswith("t")):
                yield f"{text}t", abi == "abi3t"
            else:
                yield text, abi in ("abi3", "none")


def python_of(name: WheelName, wanted: Optional[str]) -> Python:
    """The Python of this machine to try a wheel with; Untried where it has none."""
    try:
        if wanted is not None:
            return find_python(wanted)
        this = find_python("")
        error: Optional[SettingsError] = None
        for version, later in versions_of(name):
            if later and not version.endswith("t") and this.version >= _numbers(version):
                return this
            try:
                return find_python(version)
            except SettingsError as missing:
                error = error or missing
    except SettingsError as missing:
        error = missing
    if error is None:
        raise Untried("its tags name no Python 3", "Name one with --python.")
    raise Untried(error.message, error.remedy)


def _numbers(version: str) -> Tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _environment(wheel: Path, test: Test, python: Python, directory: Path) -> Path:
    """The Python of a fresh environment with the wheel in it."""
    inside = directory / "bin" / "python"
    uv = find_uv()
    if uv is not None:
        make = [uv, "venv", "-q", "-p", str(python.path), str(directory)]
        install = [uv, "pip", "install", "-q", "-p", str(inside)]
    else:
        make = [str(python.path), "-m", "venv", str(directory)]
        install = [str(inside), "-m", "pip", "install", "-q"]
    for command in (make, [*install, *links(test), str(wheel), *test.requires]):
        quietly(command)
    return inside


def links(test: Test) -> List[str]:
    """The arguments that name directories with wheels, for uv and pip."""
    return [word for path in test.find_links for word in ("--find-links", str(path))]


def quietly(command: Sequence[str], environment: Optional[Mapping[str, str]] = None) -> None:
    """Run a command that prepares; Untried, with what it said, when it fails."""
    try:
        done = run_quietly(command, environment=environment or _without_ours())
    except OSError as error:
        raise Untried(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        lines: List[str] = done.stdout.strip().splitlines()
        raise Untried("\n".join([f"{Path(command[0]).name} failed:", *lines[-12:]]))


def _without_ours() -> Dict[str, str]:
    """The environment without what leads to other packages than those installed for it."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    return {key: value for key, value in os.environ.items() if key not in hidden}
