"""``show``: which tag a wheel has earned, what stands in the way of better ones."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from manylinux_shim.commands import Command
from manylinux_shim.commands._arguments import add_json, add_wheels, each_wheel, use_colour, width


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_wheels(parser)
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    import json

    from manylinux_shim.audit import audit_wheel, error_to_json, render, to_json

    separator = ""

    def show(wheel: Path) -> int:
        nonlocal separator
        verdict = audit_wheel(wheel, exclude=options.exclude)
        if options.json:
            text = json.dumps(to_json(verdict))
        else:
            text = separator + render(verdict, None, use_colour(), width(), options.all)
            separator = "\n"
        sys.stdout.write(text + "\n")
        return 0

    return each_wheel(options.wheels, show, error_to_json if options.json else None)


COMMAND = Command(
    help="show which platform tag a wheel has earned, and why not a better one",
    example="  manylinux-shim show dist/*.whl\n"
    "  manylinux-shim show --json dist/a.whl | jq .earned\n"
    "exit code: 0 whatever the tags, 2 if a file cannot be read",
    add_arguments=_add_arguments,
    run=_run,
)
