"""An ELF file as its program headers lay it out in memory."""

from __future__ import annotations

import sys
from array import array
from typing import List, NamedTuple, Tuple

from manylinux_shim._errors import ElfError

# Bounds that no real file comes near: the largest string table of a wheel on
# PyPI is some 30 MB, the longest names of C++ have some ten thousand letters.
_MOST_TEXT = 2**26
_MOST_NAME = 2**16


class Segment(NamedTuple):
    """A program header, its fields in one order for both classes."""

    type: int
    flags: int
    offset: int
    vaddr: int
    filesz: int
    memsz: int


class Image(NamedTuple):
    """The bytes of a file and where its segments put them."""

    data: bytes
    order: str
    """``"<"`` or ``">"``, as in struct's formats."""
    bits: int
    loads: Tuple[Segment, ...]

    def offset(self, vaddr: int, size: int = 1) -> int:
        """Where in the file the ``size`` bytes at address ``vaddr`` are.

        Raises ElfError if no loaded segment takes them from the file.
        """
        # A later segment is mapped over an earlier one.
        for load in reversed(self.loads):
            if load.vaddr <= vaddr and vaddr + size <= load.vaddr + load.filesz:
                offset = vaddr - load.vaddr + load.offset
                if offset + size <= len(self.data):
                    return offset
        raise ElfError(f"address 0x{vaddr:x} of its tables is not in the file")

    def room(self, vaddr: int) -> int:
        """How many bytes from address ``vaddr`` on one segment takes from the file."""
        for load in reversed(self.loads):
            if load.vaddr <= vaddr < load.vaddr + load.filesz:
                start = vaddr - load.vaddr
                return min(load.filesz - start, len(self.data) - load.offset - start)
        return 0

    def words(self, offset: int, count: int) -> List[int]:
        """``count`` 32-bit words from a place in the file, as numbers."""
        return self._numbers(words_type(), offset, count)

    def halves(self, offset: int, count: int) -> List[int]:
        """``count`` 16-bit words from a place in the file, as numbers."""
        return self._numbers("H", offset, count)

    def _numbers(self, typecode: str, offset: int, count: int) -> List[int]:
        numbers = array(typecode)
        piece = self.data[offset : offset + count * numbers.itemsize]
        if len(piece) != count * numbers.itemsize:
            raise ElfError("one of its tables lies beyond its end")
        numbers.frombytes(piece)
        if (self.order == ">") != (sys.byteorder == "big"):
            numbers.byteswap()
        return numbers  # type: ignore[return-value]


def words_type() -> str:
    """The typecode of ``array`` that has 32 bits here."""
    return "I" if array("I").itemsize == 4 else "L"


class Strings:
    """A string table, with a bound on what is taken out of it."""

    def __init__(self, table: bytes) -> None:
        self._table = table
        self._left = _MOST_TEXT

    def at(self, offset: int) -> str:
        """The string at ``offset``; ElfError if it has no end."""
        end = self._table.find(b"\0", offset, offset + _MOST_NAME)
        if end < 0:
            raise ElfError("one of its strings has no end")
        self._left -= end - offset
        if self._left < 0:
            raise ElfError("its strings overlap to more than any file has")
        return self._table[offset:end].decode("utf-8", "backslashreplace")
