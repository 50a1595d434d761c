"""``init``: bring the shim into a project's ``pyproject.toml``, and take it out again."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator

from manylinux_shim._errors import SettingsError
from manylinux_shim._platforms import Policy
from manylinux_shim._settings import MODES, read_toml
from manylinux_shim.commands import Command
from manylinux_shim.commands._arguments import add_project, use_colour

if TYPE_CHECKING:
    from manylinux_shim.project import Change

NOT_CONFIRMED = 1

_COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_project(parser)
    parser.add_argument("--yes", action="store_true", help="make the change without asking")
    parser.add_argument("--remove", action="store_true", help="take the shim out again")
    parser.add_argument("--policy", metavar="POLICY", help="write this policy into the settings")
    parser.add_argument("--mode", choices=MODES, help="write this mode into the settings")


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim.project import MADE_HERE, removed

    path = _pyproject(options.project, removing=options.remove)
    before = _read(path)
    if options.remove:
        change = removed(before)
        if change.text.strip() == MADE_HERE:
            change = change.__class__("", change.reasons)
        unchanged = f"{path} does not name manylinux-shim: nothing to take out."
    else:
        settings = _settings(options)
        nothing = _nothing_compiled(path, before)
        if nothing:
            sys.stdout.write(f"{nothing}\n")
            return 0
        change = _inserted(before, settings)
        unchanged = f"{path} has manylinux-shim as its backend already: nothing to change."
    if change.text == before:
        sys.stdout.write(f"{unchanged}\n")
        return 0
    sys.stdout.write(_diff(path, before, change.text))
    for reason in change.reasons:
        sys.stdout.write(f"{reason}.\n")
    if not options.yes and not _confirmed():
        sys.stdout.write(f"{path} is as it was.\n")
        return NOT_CONFIRMED
    if _read(path) != before:
        raise SettingsError(f"{path} was changed meanwhile", "Run the command again.")
    if change.text:
        _write(path, change.text)
        sys.stdout.write(f"{path} is written.\n")
    else:
        path.unlink()
        sys.stdout.write(f"{path}, which init had made, is removed.\n")
    return 0


def _inserted(before: str, settings: Dict[str, str]) -> Change:
    from manylinux_shim.project import MADE_HERE, inserted

    if before:
        return inserted(before, settings)
    change = inserted("", settings)
    return change.__class__(f"{MADE_HERE}\n\n{change.text}", change.reasons)


def _settings(options: argparse.Namespace) -> Dict[str, str]:
    """What the options write into our table; SettingsError for a policy that is none."""
    if options.policy not in (None, "auto"):
        Policy.parse(options.policy)
    named = {"policy": options.policy, "mode": options.mode}
    return {key: value for key, value in named.items() if value is not None}


def _pyproject(project: Path, *, removing: bool) -> Path:
    """Where ``pyproject.toml`` is, or is going to be; SettingsError if no project is there."""
    directory = project.parent if project.name == "pyproject.toml" else project
    if not directory.is_dir():
        raise SettingsError(
            f"{directory} is not a directory", "Name the directory of a project's pyproject.toml."
        )
    path = directory / "pyproject.toml"
    if path.exists():
        return path.resolve()
    if removing or not any((directory / name).is_file() for name in ("setup.py", "setup.cfg")):
        raise SettingsError(
            f"there is no pyproject.toml in {directory.resolve()}"
            + ("" if removing else ", and no setup.py"),
            "Name the directory of the project.",
        )
    return directory.resolve() / "pyproject.toml"


def _read(path: Path) -> str:
    """The text, with its line ends as they are; empty where there is no file yet.

    SettingsError, with the line, when it is not TOML.
    """
    if not path.exists():
        return ""
    read_toml(path)
    return path.read_bytes().decode("utf-8")


def _nothing_compiled(path: Path, text: str) -> str:
    """Why there is nothing to do here, if it is sure that the project compiles nothing."""
    from manylinux_shim.project import pure_backend

    backend = pure_backend(path.parent, read_toml(path)) if text else None
    if backend is None:
        return ""
    return (
        f"{path.parent.name}: {backend} compiles nothing here, so its wheel is for every platform"
        " (py3-none-any) and PyPI takes it as it is. Nothing to change."
    )


def _diff(path: Path, before: str, after: str) -> str:
    """A unified diff; in colour on a terminal. Line ends are not shown."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), path.name, path.name, lineterm=""
    )
    if not use_colour():
        return "".join(f"{line}\n" for line in lines)
    reset = "\033[0m"
    return "".join(f"{_COLOURS.get(line[:1], '')}{line}{reset}\n" for line in lines)


def _confirmed() -> bool:
    """The answer to the question; "no" where nobody can be asked."""
    if not sys.stdin.isatty():
        sys.stdout.write("Nobody is there to confirm it: `--yes` makes the change.\n")
        return False
    sys.stdout.write("Make this change? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _write(path: Path, text: str) -> None:
    """All of the file or nothing of it, under its name and with its mode."""
    with _beside(path) as partial:
        partial.write_bytes(text.encode("utf-8"))
        partial.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        partial.replace(path)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current


COMMAND = Command(
    help="put manylinux-shim in front of a project's backend, in its pyproject.toml",
    example="  manylinux-shim init\n"
    "  manylinux-shim init --yes --policy manylinux_2_28 path/to/project\n"
    "  manylinux-shim init --remove\n\n"
    "exit code: 0 if the file is as asked for, 1 if the change was shown and not confirmed,\n"
    "2 if there is no project or its pyproject.toml cannot be changed",
    add_arguments=_add_arguments,
    run=_run,
)
