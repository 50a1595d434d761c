"""The commands of the command line, one module each, or a room where one needs more.

A command is a module-level ``COMMAND``: a line of help, an example, and two functions, one
that adds its arguments to a parser and one that runs it.
"""

from __future__ import annotations

import argparse
from typing import Callable, NamedTuple

UNREADABLE = 2
"""Exit code for input that cannot be read, and for a command line that is wrong."""
INTERRUPTED = 130
"""What shells say of a command that ended by Ctrl-C: 128 and the signal's number."""


class Command(NamedTuple):
    """One command of the command line."""

    help: str
    """One line for the list of commands."""
    example: str
    """What ``--help`` shows at its end."""
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    """Returns the exit code; a ShimError that it raises is printed, and ends with 2."""
    takes_command: bool = False
    """Whether words behind ``--`` are a command to run: then they are ``options.behind``."""
