"""``cache``: what the toolchain keeps on this machine, and bringing that down."""

from __future__ import annotations

import argparse
import os
import sys
import time

from manylinux_shim._messages import say
from manylinux_shim.commands import Command

_DAY = 24 * 60 * 60


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("show", "prune"), default="show")
    parser.add_argument(
        "--older-than",
        metavar="DAYS",
        type=float,
        default=30.0,
        help="with prune: remove what no build has used for so long (30 days)",
    )
    parser.add_argument(
        "--objects",
        metavar="SIZE",
        help="with prune: bring what was compiled with `cache = true` down to SIZE, such as 500M",
    )
    parser.add_argument("--all", action="store_true", help="with prune: remove everything")


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim.zig import cache_root, entries, remove

    root = cache_root(os.environ, say)
    now = time.time()
    total = freed = 0
    if options.action == "prune" and options.objects is not None:
        from manylinux_shim.environment import shrink_objects

        before = sum(entry.size for entry in entries(root))
        shrink_objects(root, options.objects)
        freed = before - sum(entry.size for entry in entries(root))
    sys.stdout.write(f"{root}\n")
    for entry in entries(root):
        old = options.all or now - entry.used > options.older_than * _DAY
        if options.action == "prune" and old:
            remove(entry)
            freed += entry.size
            continue
        total += entry.size
        sys.stdout.write(f"  {_megabytes(entry.size)}  {entry.path.relative_to(root)}\n")
    sys.stdout.write(f"  {_megabytes(total)}  in all\n")
    if options.action == "prune":
        sys.stdout.write(f"  {_megabytes(freed)}  freed\n")
    return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:9.1f} MB"


COMMAND = Command(
    help="show or bring down what the toolchain keeps on this machine",
    example="  manylinux-shim cache\n  manylinux-shim cache prune --older-than 7\n"
    "  manylinux-shim cache prune --objects 500M\n\n"
    "exit code: 0. Prune while nothing is being built.",
    add_arguments=_add_arguments,
    run=_run,
)
