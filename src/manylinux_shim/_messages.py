"""What a user is told while a build runs: lines on stderr, never a traceback of ours."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import Callable, Iterator

from manylinux_shim._annotations import error_annotation
from manylinux_shim._errors import ShimError

_BETWEEN = 0.1
"""Seconds between two looks at a number that grows."""


def say(message: str) -> None:
    """One notice, on stderr as everything that is not a result."""
    sys.stdout.flush()
    print("manylinux-shim: " + _indented(message), file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def counted(message: str, whole: int) -> Iterator[Callable[[], None]]:
    """What to call for each of ``whole`` things that is done: on a terminal it is counted there.

    Elsewhere nothing is said. The line is gone afterwards.
    """
    done = 0
    with _line() as show:

        def one_more() -> None:
            nonlocal done
            done += 1
            show(f"{message}: {min(done, whole)} of {whole}")

        yield one_more


@contextlib.contextmanager
def fetching(what: str, whole: int = 0) -> Iterator[Callable[[int], None]]:
    """What to call with the bytes that have come, from any thread: they are told on a terminal.

    ``whole`` is how many there will be, 0 if nobody knows. The line is gone afterwards.
    """
    lock = threading.Lock()
    come, told = 0, 0.0
    with _line() as show:

        def got(size: int) -> None:
            nonlocal come, told
            with lock:
                come += size
                if time.monotonic() - told > _BETWEEN:
                    told = time.monotonic()
                    of = f" of {max(come, whole) / 1e6:.1f}" if whole else ""
                    show(f"fetching {what}: {come / 1e6:.1f}{of} MB")

        yield got


@contextlib.contextmanager
def _line() -> Iterator[Callable[[str], None]]:
    """What shows a text on the terminal, in the place of the one before; at the end there is none.

    Where there is no terminal, nothing is shown.
    """
    terminal = sys.stderr.isatty() and os.environ.get("TERM") not in (None, "dumb", "unknown")
    shown = False

    def show(text: str) -> None:
        nonlocal shown
        if terminal:
            shown = True
            print(f"\r\x1b[Kmanylinux-shim: {text}", end="", file=sys.stderr, flush=True)  # noqa: T201

    try:
        yield show
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn the errors that a user can meet into a message and exit code 1."""
    try:
        yield
    except ShimError as error:
        say(f"error: {error}")
        _annotate(str(error))
        raise SystemExit(1) from None
    except OSError as error:
        say(f"error: {error}\nIf the disk is full, free some space. Nothing was left behind.")
        raise SystemExit(1) from None


def _annotate(message: str) -> None:
    line = error_annotation(message)
    if line:
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def _indented(message: str) -> str:
    first, *rest = message.rstrip().splitlines() or [""]
    return "\n".join([first, *(f"  {line}" if line else "" for line in rest)])
