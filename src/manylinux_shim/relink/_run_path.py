"""Taking the run path out of a finished ELF file."""

from __future__ import annotations

import io
import struct
from typing import List, Tuple

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from manylinux_shim._errors import ElfError

# System V ABI, "Dynamic Section", figure 5-10.
_DT_NULL = 0
_RUN_PATHS = (15, 29)  # DT_RPATH, DT_RUNPATH


def without_run_path(data: bytes) -> bytes:
    """``data``, an ELF file, without ``DT_RPATH`` and ``DT_RUNPATH``.

    The entries behind them move up and the end is filled with ``DT_NULL``; size
    and every other byte stay. Raises ElfError for a file that cannot be read.
    """
    try:
        with io.BytesIO(data) as file:
            elf = ELFFile(file)
            entry = struct.Struct(("<" if elf.little_endian else ">") + "qQ")
            if elf.elfclass == 32:
                entry = struct.Struct(("<" if elf.little_endian else ">") + "iI")
            tables = [
                (segment["p_offset"], segment["p_filesz"])
                for segment in elf.iter_segments()
                if segment["p_type"] == "PT_DYNAMIC"
            ]
        changed = bytearray(data)
        for offset, size in tables:
            changed[offset : offset + size] = _kept(entry, data[offset : offset + size])
    except (ELFError, struct.error) as error:
        raise ElfError(
            f"an ELF file cannot be read: {error}", "Build it anew: it may be truncated."
        ) from error
    return bytes(changed)


def with_run_path(data: bytes, old: str, new: str) -> bytes:
    """``data``, an ELF file, with ``new`` in the place of its run path, ``old``.

    Raises ElfError where ``old`` is not in it once, or where ``new`` is longer.
    """
    before, after = (text.encode("utf-8", "surrogateescape") for text in (old, new))
    if data.count(b"\0" + before + b"\0") != 1 or len(after) > len(before):
        raise ElfError(f"there is no room in it for the run path {new}")
    return data.replace(b"\0" + before + b"\0", b"\0" + after.ljust(len(before) + 1, b"\0"), 1)


def _kept(entry: struct.Struct, table: bytes) -> bytes:
    whole = len(table) - len(table) % entry.size
    kept: List[Tuple[int, int]] = []
    for tag, value in entry.iter_unpack(table[:whole]):
        if tag == _DT_NULL:
            break
        if tag not in _RUN_PATHS:
            kept.append((tag, value))
    packed = b"".join(entry.pack(*item) for item in kept)
    return packed + bytes(whole - len(packed)) + table[whole:]
