"""The ELF files of a wheel, inflated side by side within a bound of memory.

Nearly all of an audit's time is inflating, which runs outside Python's lock, so
that a second thread halves it where there is a second processor.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from manylinux_shim.elf import MAGIC, ElfFacts, read_elf
from manylinux_shim.wheel import Archive, Member

_MOST_THREADS = 4
_WORTH_THREADS = 2**22
"""Bytes below which starting a thread takes longer than it saves."""
_ROOM = 3 * 2**24
"""Bytes that may be inflated at a time beyond the largest member."""


def read_files(path: Path) -> Tuple[ElfFacts, ...]:
    """The facts of every ELF file in the archive, in its order; none is kept inflated.

    Whatever begins as an ELF file is one, whatever its name and RECORD say.
    Raises WheelError or ElfError, that of the first file in the archive's order.
    """
    with Archive(path) as archive:
        members = [
            member
            for member in archive.members
            if not member.is_dir and archive.head(member, len(MAGIC)) == MAGIC
        ]
        threads = min(_MOST_THREADS, os.cpu_count() or 1, len(members))
        if sum(member.size for member in members) < _WORTH_THREADS:
            threads = 1
        return _Reading(archive, members).run(threads)


class _Reading:
    """Members that some threads take, the largest first, so that all end at about one time."""

    def __init__(self, archive: Archive, members: List[Member]) -> None:
        self._archive = archive
        self._members = members
        self._facts: Dict[int, ElfFacts] = {}
        self._errors: Dict[int, BaseException] = {}
        self._left = sorted(range(len(members)), key=lambda number: -members[number].size)
        self._room = max((member.size for member in members), default=0) + _ROOM
        self._changed = threading.Condition()

    def run(self, threads: int) -> Tuple[ElfFacts, ...]:
        """All facts; the calling thread is one of ``threads``."""
        others = [threading.Thread(target=self._work, daemon=True) for _ in range(threads - 1)]
        for thread in others:
            thread.start()
        self._work()
        for thread in others:
            thread.join()
        if self._errors:
            raise self._errors[min(self._errors)]
        return tuple(self._facts[number] for number in range(len(self._members)))

    def _work(self) -> None:
        while True:
            number = self._take()
            if number is None:
                return
            member = self._members[number]
            failed: Optional[BaseException] = None
            try:
                self._facts[number] = read_elf(member.name, self._archive.read(member))
            except BaseException as error:  # raised again by the caller's thread
                failed = error
            with self._changed:
                # Another thread walks through them, which nothing else prevents without a GIL.
                if failed is not None:
                    self._errors[number] = failed
                self._room += member.size
                self._changed.notify_all()

    def _take(self) -> Optional[int]:
        """The largest member left that there is room for; None when all are taken."""
        with self._changed:
            while True:
                if self._errors:
                    # Only what stands before it could still be the first error.
                    first = min(self._errors)
                    self._left = [number for number in self._left if number < first]
                if not self._left:
                    return None
                for number in self._left:
                    if self._members[number].size <= self._room:
                        self._left.remove(number)
                        self._room -= self._members[number].size
                        return number
                self._changed.wait()
