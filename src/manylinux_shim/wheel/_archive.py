"""Reading a wheel's members, bounded by what its directory declares."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel._directory import read_directory
from manylinux_shim.wheel._format import DEFLATED, Member, Source

_CHUNK = 2**20
_FIRST_CHUNK = 1024


class Archive:
    """A wheel file, open for reading; a context manager.

    Opening checks the structure of the whole archive and raises WheelError for
    one that is damaged or hostile (see ``_directory``); the bytes of a member
    are checked when it is read. Reading is safe from several threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = Source(path)
        try:
            directory = read_directory(self.source)
        except BaseException:
            self.source.close()
            raise
        self.members: Tuple[Member, ...] = directory.members
        """In the order of the central directory."""
        self._data_offsets = directory.data_offsets
        self._by_name: Dict[str, Member] = {member.name: member for member in self.members}

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.source.close()

    def find(self, name: str) -> Optional[Member]:
        """The member of exactly this name, or None."""
        return self._by_name.get(name)

    def error(self, problem: str, name: Optional[str] = None) -> WheelError:
        """A WheelError that names this file, the member if there is one, and the remedy."""
        return self.source.error(problem, name)

    def read(self, member: Member) -> bytes:
        """The member's bytes, exactly as many as it declares.

        Raises WheelError where they are more, fewer or others than declared,
        or more than the memory holds.
        """
        try:
            return self._read(member)
        except MemoryError as error:
            raise WheelError(
                f"{self.path}: member {member.name!r}: its {member.size} bytes exceed the memory",
                "Free some memory, or build the wheel with a smaller file.",
            ) from error

    def _read(self, member: Member) -> bytes:
        # BytesIO hands its buffer out without a copy, so that the peak is the
        # member and one chunk, where joined chunks would take it twice.
        output = io.BytesIO()
        crc = 0
        for piece in self._pieces(member, self.raw(member), _CHUNK):
            crc = zlib.crc32(piece, crc)
            output.write(piece)
        if output.tell() != member.size or crc != member.crc:
            raise self.error("its size or checksum is not what it declares", member.name)
        return output.getvalue()

    def head(self, member: Member, count: int) -> bytes:
        """The member's first ``count`` bytes (1 or more), or all if it has fewer.

        Inflates no more than that, so the checksum is not looked at. Raises
        WheelError if the member holds another number of bytes than it declares
        and that shows here.
        """
        found = b""
        for piece in self._pieces(member, self.raw(member, first=_FIRST_CHUNK), count):
            found += piece
            if len(found) >= count:
                break
        if len(found) < min(count, member.size):
            raise self.error("it holds fewer bytes than it declares", member.name)
        return found[:count]

    def raw(self, member: Member, *, first: int = _CHUNK) -> Iterator[bytes]:
        """The member's bytes as they stand in the file, compressed or not, in pieces.

        The first piece has at most ``first`` bytes.
        """
        place = self._data_offsets[member.header_offset]
        end = place + member.compressed_size
        step = first
        while place < end:
            data = self.source.at(place, min(step, end - place))
            yield data
            place += len(data)
            step = _CHUNK

    def _pieces(self, member: Member, raw: Iterator[bytes], most: int) -> Iterator[bytes]:
        """The member's bytes from its ``raw`` ones, inflated in pieces of at most ``most``.

        Raises WheelError as soon as they are more than declared, or no deflate
        stream. Whether they are too few, or others, is for the caller to check.
        """
        if member.compression != DEFLATED:
            yield from raw
            return
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        left = member.size
        beyond = False
        for data in raw:
            beyond = inflate.eof
            while not beyond:
                # One byte more than declared shows a stream that goes on.
                limit = min(most, left + 1)
                try:
                    piece = inflate.decompress(data, limit)
                except zlib.error as error:
                    raise self.error(f"it cannot be inflated ({error})", member.name) from error
                left -= len(piece)
                if left < 0:
                    raise self.error("it holds more bytes than it declares", member.name)
                if piece:
                    yield piece
                data = inflate.unconsumed_tail
                # A full piece may have more behind it, even without input left.
                if inflate.eof or (len(piece) < limit and not data):
                    break
        if beyond or inflate.unused_data or not inflate.eof:
            raise self.error("its deflate stream does not end where it should", member.name)
