"""What a user is told while a build runs: lines on stderr, never a traceback of ours."""

from __future__ import annotations

import contextlib
import sys
from typing import Iterator

from manylinux_shim._errors import ShimError


def say(message: str) -> None:
    """One notice, on stderr as everything that is not a result."""
    sys.stdout.flush()
    print("manylinux-shim: " + _indented(message), file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn the errors that a user can meet into a message and exit code 1."""
    try:
        yield
    except ShimError as error:
        say(f"error: {error}")
        raise SystemExit(1) from None
    except OSError as error:
        say(f"error: {error}\nIf the disk is full, free some space. Nothing was left behind.")
        raise SystemExit(1) from None


def _indented(message: str) -> str:
    first, *rest = message.rstrip().splitlines() or [""]
    return "\n".join([first, *(f"  {line}" if line else "" for line in rest)])
