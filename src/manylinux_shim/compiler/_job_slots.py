"""How many compilers run at once where several builds do: each takes a slot first.

A build that has them begins more commands than its share, so that it uses what others leave. GNU
make's jobserver does the same with bytes in a pipe; but makes before 4.4 know only one that build
frontends do not hand on, Ninja knows none before 1.13, and who is killed keeps its byte. A slot is
a lock on a byte of a file, which the kernel takes back whatever happens.
"""

from __future__ import annotations

import os

SLOTS_VARIABLE = "_MANYLINUX_SHIM_JOB_SLOTS"
"""Their number, a space, and the file; not set where one build runs."""

_PAUSE = 0.002
"""Seconds between two looks for a slot, which one process at a time does."""


def take() -> int:
    """Wait for a slot: the descriptor to close afterwards, -1 where they are not counted."""
    number, _, path = os.environ.get(SLOTS_VARIABLE, "").partition(" ")
    if not path:
        return -1
    import fcntl
    import time

    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return -1  # the builds that counted are over
    count = int(number)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, count)  # who is next
        while True:
            for slot in range(count):
                try:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
                except OSError:
                    continue
                fcntl.lockf(file, fcntl.LOCK_UN, 1, count)
                return file
            time.sleep(_PAUSE)
    except OSError:
        os.close(file)  # a file system without locks
        return -1


def give_back(slot: int) -> None:
    """Let another have what ``take`` returned."""
    if slot >= 0:
        os.close(slot)
