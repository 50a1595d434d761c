"""Child processes that end when their parent is told to: each a group of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Callable, Iterator, List, Mapping, Sequence

_STEPS = ((signal.SIGINT, 3.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 0.0))
"""How a child is ended, and the seconds that it has each time.

As by Ctrl-C at first: Python programs then take away what is temporary.
"""

_LOOK = 0.05
"""Seconds between two looks at what a child has printed."""


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """No further child is started, because all were told to end."""


class Children:
    """All children of one call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: List[subprocess.Popen[bytes]] = []
        self._stopped = False

    def run(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        log: Path,
        heard: Callable[[str], None],
    ) -> int:
        """Run a command to its end, both streams into ``log``, each line of it to ``heard``.

        Returns its exit code, a signal as a negative number. Raises Stopped once
        ``stop`` was called, OSError when the command cannot be started.
        """
        # Through a file and not a pipe: what a build leaves running (a compiler cache's
        # server) would keep a pipe open, and no end be seen.
        with log.open("wb") as written, log.open("rb") as read:
            with self._started(command, cwd, environment, written) as process:
                rest = b""
                ended = False
                while not ended:
                    ended = process.poll() is not None
                    *lines, rest = (rest + read.read()).split(b"\n")
                    for line in [*lines, rest] if ended else lines:
                        heard(line.decode("utf-8", "replace").rstrip())
                    if not ended:
                        time.sleep(_LOOK)
            status = process.returncode
        if self._stopped:
            raise Stopped
        return status

    def stop(self) -> None:
        """End all children, and all that they have started."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for signal_number, seconds in _STEPS:
            for process in running:
                # The group may be there when its first process is not.
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal_number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and any(_alive(p.pid) for p in running):
                time.sleep(0.02)

    @contextlib.contextmanager
    def _started(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str], output: IO[bytes]
    ) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._stopped:
                raise Stopped
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C on the terminal reaches the parent alone,
                # which then ends the whole group.
                start_new_session=True,
            )
            self._running.append(process)
        try:
            with process:
                yield process
        finally:
            with self._lock:
                self._running.remove(process)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def ended_as_interrupted() -> Iterator[None]:
    """Have SIGTERM and SIGHUP clean up as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, interrupt)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
