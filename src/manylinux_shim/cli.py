"""The command line: ``manylinux-shim COMMAND``.

A command is a ``Command``, in a module of its own in ``commands``, that ``COMMANDS``
names; it is imported when it is asked for, so that ``--version`` and small commands
stay quick.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from typing import Callable, Mapping, Optional, Sequence

from manylinux_shim._errors import ShimError
from manylinux_shim.commands import INTERRUPTED, UNREADABLE, Command

COMMANDS: Mapping[str, str] = {
    "show": "manylinux_shim.commands.show",
    "check": "manylinux_shim.commands.check",
    "build": "manylinux_shim.commands.build_wheels",
    "try": "manylinux_shim.commands.trying",
    "init": "manylinux_shim.commands.init",
    "doctor": "manylinux_shim.commands.doctor",
    "relink": "manylinux_shim.commands.relink",
    "run": "manylinux_shim.commands.run",
    "cache": "manylinux_shim.commands.cache",
    "complete": "manylinux_shim.commands.complete",
    "docs": "manylinux_shim.commands.docs",
}
"""Every command, and the module whose ``COMMAND`` it is."""


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command; its exit code, 2 where the input cannot be read, 130 after Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for stream in (sys.stdout, sys.stderr):
        # A member's name may have letters that the terminal's encoding has not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        parser = _parser(wanted)
        behind = _behind(wanted, arguments)
        options = parser.parse_args(arguments[: len(arguments) - len(behind)])
        options.behind = behind[1:]
        options.whole_parser = lambda: _parser(None)
        run: Optional[Callable[[argparse.Namespace], int]] = getattr(options, "run", None)
        if run is None:
            parser.print_help()
            return UNREADABLE
        code = run(options)
        sys.stdout.flush()
    except SystemExit as leaving:
        # argparse's way out: 0 after --help, 2 after a command line that is wrong.
        return leaving.code if isinstance(leaving.code, int) else UNREADABLE
    except ShimError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # The reader (`head`, a pager) has gone; Python would complain when closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        _fail("interrupted")
        return INTERRUPTED
    except OSError as error:
        return _fail(f"{error.filename or 'input'}: {error.strerror or error}")
    except MemoryError:
        return _fail("not enough memory for this input")
    return code


def _fail(message: str) -> int:
    sys.stderr.write(f"manylinux-shim: {message}\n")
    return UNREADABLE


def _behind(wanted: Optional[str], arguments: Sequence[str]) -> Sequence[str]:
    """``--`` and what is behind it, for a command that runs one."""
    if wanted is None or wanted not in COMMANDS or "--" not in arguments:
        return ()
    command: Command = importlib.import_module(COMMANDS[wanted]).COMMAND
    return arguments[arguments.index("--") :] if command.takes_command else ()


def _parser(wanted: Optional[str]) -> argparse.ArgumentParser:
    """The parser, with the arguments of the command that is wanted."""
    from manylinux_shim import __version__

    parser = argparse.ArgumentParser(
        prog="manylinux-shim", description="Proves what a wheel's platform tag says."
    )
    parser.add_argument("--version", action="version", version=f"manylinux-shim {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, module in COMMANDS.items():
        if wanted in COMMANDS and name != wanted:
            commands.add_parser(name)
            continue
        command: Command = importlib.import_module(module).COMMAND
        added = commands.add_parser(
            name,
            help=command.help,
            description=command.help[0].upper() + command.help[1:] + ".",
            epilog=f"example:\n{command.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
