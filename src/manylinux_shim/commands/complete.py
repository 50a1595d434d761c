"""``complete``: what a shell reads to complete commands, options and their values."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Iterator

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.commands import Command

_SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
_DIRECTORIES = ("DIR", "DIRECTORY", "PATH")
_FILES = ("FILE", "WHEEL", "SOURCE")
_ARCHITECTURES = ("ARCH", "ARCH,...")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS, help="the shell to write for")


def _run(options: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise ToolchainError(
            "completions need the package shtab",
            'Install it: pip install "manylinux-shim[cli]"',
        ) from None
    if options.shell not in shtab.SUPPORTED_SHELLS:
        raise ToolchainError(
            f"shtab {shtab.__version__} writes nothing for {options.shell}",
            "A newer one may, with a newer Python: pip install -U shtab",
        )
    parser: argparse.ArgumentParser = options.whole_parser()
    for action in _actions(parser):
        _complete(action, shtab)
    sys.stdout.write(f"{shtab.complete(parser, shell=options.shell)}\n")
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for inner in action.choices.values():
                yield from _actions(inner)


def _complete(action: Any, shtab: Any) -> None:
    """Tell what the value of one argument is, by how ``--help`` calls it."""
    metavar = action.metavar
    if metavar in _DIRECTORIES:
        action.complete = shtab.DIRECTORY
    elif metavar in _FILES:
        action.complete = shtab.FILE
    elif metavar in _ARCHITECTURES and action.choices is None:
        action.choices = tuple(ARCHITECTURES)


COMMAND = Command(
    "print completions for a shell",
    "  manylinux-shim complete bash >~/.local/share/bash-completion/completions/manylinux-shim",
    _add_arguments,
    _run,
)
