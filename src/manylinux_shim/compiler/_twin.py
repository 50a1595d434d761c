"""The second output of a link with C++: the same file, with the C++ library outside of it.

Whether the files of a wheel exchange C++ is known when all of them are there, and
not when one is linked. So each is linked twice at once: as it is, with its own static
library, and against a stub of the shared one. ``shared_cxx`` puts the second into
the wheel where there has to be one library for all::

    <links>/twins/<link>             the second output
                 /<link>.inputs      as of the first (``sbom._links``)
                 /<link>.extracted
                 /<link>.twin        lines: directory, output, code, zig, configuration

``code`` is the fingerprint of the first output's machine code, by which it is known
again under another name, stripped, or with another run path.
"""

# ruff: noqa: PTH109, PTH112, PTH123 - pathlib takes as long to import as all the rest

from __future__ import annotations

import os
import struct
import zlib

from manylinux_shim.compiler._command import Command
from manylinux_shim.compiler._linking import link_arguments, takes_libraries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Sequence

    from manylinux_shim.compiler._command import Target

TWINS = "twins"
"""Below that of the links; where it is not, nobody wants twins."""

ROOM = "$ORIGIN/" + "=" * 1000
"""The run path of a twin: room for that of its place in the wheel."""

_WITH_FILE = ("-Map", "--Map", "-dependency-file", "--dependency-file", "-reproduce", "--reproduce")
"""Options by which the linker writes a file beside its output; that is the first link's."""

_PT_LOAD, _PF_X = 1, 1


def place_of_twin(command: Command, record: str) -> str:
    """Where the twin of the link with this record comes to be; empty where none is wanted."""
    directory, _, name = record.rpartition("/")
    place = f"{directory}/{TWINS}"
    if not record or command.static or not os.path.isdir(place):
        return ""
    return f"{place}/{name}" if command.shared or takes_libraries(command) else ""


def twin_arguments(
    command: Command, target: Target, base: Sequence[str], runtime: Sequence[str], place: str
) -> List[str]:
    """lld's arguments for the twin, whose C++ is that of the stub in ``runtime``."""
    twin = Command(cxx=command.cxx, links=True)
    for name in Command.__slots__:
        setattr(twin, name, getattr(command, name))
    twin.linker = _without_files(command.linker)
    twin.output = place
    twin.run_paths, twin.recorded = [ROOM], False
    recorded = [f"--dependency-file={place}.inputs", f"--why-extract={place}.extracted"]
    return link_arguments(twin, target, [*base, *recorded], runtime)


def _without_files(words: Sequence[str]) -> List[str]:
    kept: List[str] = []
    rest = iter(words)
    for word in rest:
        if word in _WITH_FILE:
            next(rest, None)
        elif word.partition("=")[0] not in _WITH_FILE:
            kept.append(word)
    return kept


def note(place: str, output: str, zig: str, configuration: str) -> None:
    """Write down whose twin is at ``place``."""
    with open(output, "rb") as file:

        def read(offset: int, size: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        code = fingerprint(read)
    with open(f"{place}.twin", "w", errors="surrogateescape") as lines:
        lines.write("\n".join([os.getcwd(), output, code, zig, configuration]))


def fingerprint(read: Callable[[int, int], bytes]) -> str:
    """Of an ELF file's executable segments; ``read`` gives bytes by offset and size.

    Stripping and another run path leave it as it is. Raises struct.error or LookupError for
    what is cut short.
    """
    head = read(0, 64)
    order = "<" if head[5] == 1 else ">"
    if head[4] == 2:
        (offset,) = struct.unpack_from(order + "Q", head, 32)
        size, count = struct.unpack_from(order + "HH", head, 54)
        layout, flags, start, length = order + "IIQQQQQQ", 1, 2, 5
    else:
        (offset,) = struct.unpack_from(order + "I", head, 28)
        size, count = struct.unpack_from(order + "HH", head, 42)
        layout, flags, start, length = order + "8I", 6, 1, 4
    crc, adler, total = 0, 1, 0
    for number in range(count):
        segment = struct.unpack(layout, read(offset + number * size, struct.calcsize(layout)))
        if segment[0] == _PT_LOAD and segment[flags] & _PF_X:
            code = read(segment[start], segment[length])
            crc, adler, total = zlib.crc32(code, crc), zlib.adler32(code, adler), total + len(code)
    return f"{total:x}-{crc:08x}{adler:08x}"
