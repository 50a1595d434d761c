"""Objects of the runtime libraries: compiled once for all processes, then read.

An object is there as a whole or not at all. Whoever compiles it holds a lock
(``flock``), which the compiler inherits: when a build is killed, the next one
waits until an orphan is done with the file, and then makes its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from pathlib import Path
from typing import Callable, Dict, FrozenSet, Iterator, NamedTuple, Sequence, Tuple

from manylinux_shim import _processes as _programs
from manylinux_shim._errors import ToolchainError


class Symbols(NamedTuple):
    """The global symbols of one relocatable object."""

    defined: FrozenSet[str]
    undefined: FrozenSet[str]
    """Without the weak ones: for those the linker does not look into an archive."""


_SHT_SYMTAB = 2
_SHN_UNDEF = 0
_STB_LOCAL = 0
_STB_GLOBAL = 1


def read_symbols(path: Path) -> Symbols:
    """The symbols of an ELF object of our own compiler (System V ABI, chapter 4)."""
    defined, undefined = set(), set()
    for symbol in _global_symbols(path.read_bytes()):
        if symbol.section != _SHN_UNDEF:
            defined.add(symbol.name)
        elif symbol.binding == _STB_GLOBAL:
            undefined.add(symbol.name)
    return Symbols(frozenset(defined), frozenset(undefined))


def definitions(path: Path) -> Dict[str, Tuple[int, int]]:
    """What an object defines: name -> type (``STT_FUNC``, ``STT_OBJECT``, ...) and size."""
    symbols = _global_symbols(path.read_bytes())
    return {s.name: (s.type, s.size) for s in symbols if s.section != _SHN_UNDEF}


class _Symbol(NamedTuple):
    name: str
    binding: int
    type: int
    size: int
    section: int


def _global_symbols(data: bytes) -> Iterator[_Symbol]:
    order = "<" if data[5] == 1 else ">"
    if data[4] == 2:
        (offset,) = struct.unpack_from(order + "Q", data, 40)
        size, count = struct.unpack_from(order + "HH", data, 58)
        section, symbol = order + "IIQQQQIIQQ", order + "IBBHQQ"
        info, index, length = 1, 3, 5
    else:
        (offset,) = struct.unpack_from(order + "I", data, 32)
        size, count = struct.unpack_from(order + "HH", data, 46)
        section, symbol = order + "10I", order + "IIIBBH"
        info, index, length = 3, 5, 2
    if count == 0:
        # More sections than e_shnum can say: the first section header has the number.
        count = struct.unpack_from(section, data, offset)[5]
    sections = [struct.unpack_from(section, data, offset + i * size) for i in range(count)]
    for _, kind, _, _, start, extent, link, *_ in sections:
        if kind != _SHT_SYMTAB:
            continue
        names = data[sections[link][4] : sections[link][4] + sections[link][5]]
        for entry in struct.iter_unpack(symbol, data[start : start + extent]):
            binding = entry[info] >> 4
            if binding != _STB_LOCAL:
                name = names[entry[0] : names.index(b"\0", entry[0])].decode("ascii", "replace")
                yield _Symbol(name, binding, entry[info] & 15, entry[length], entry[index])


def make_file(path: Path, make: Callable[[Path, int], None], *, wait: bool = True) -> Path:
    """``path``, made by ``make`` if it is not there; safe for many processes at once.

    ``make`` gets the file to write, which is then renamed, and the descriptor of
    the lock, for children to inherit. Raises ToolchainError when the disk cannot
    take it, and if not ``wait``, when somebody else is making it.
    """
    if path.exists():
        return path
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _lock(path.with_name(f".{path.name}.lock"), wait=wait) as lock:
            if not path.exists():
                staging = path.with_name(f".{path.name}.making")
                _clear(path)
                try:
                    make(staging, lock)
                    staging.replace(path)
                finally:
                    _clear(path)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    return path


def unwritable(directory: Path, error: OSError) -> ToolchainError:
    """What to raise when ``directory``, in the cache, cannot take a file."""
    return ToolchainError(
        f"the cache {directory} cannot be written: {error}",
        "Free some disk space, or set MANYLINUX_SHIM_CACHE_DIR to a directory elsewhere.",
    )


def _clear(path: Path) -> None:
    """Remove what was begun, and what clang writes to before it renames (``.x-1a2b.making.tmp``).

    For who has the lock: it is of processes that have been killed.
    """
    for begun in path.parent.glob(f".{path.name}*making*"):
        begun.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(path: Path, *, wait: bool) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


_HEADERS_OF_OTHERS = ("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH")
"""Variables that clang takes include directories from: the caller's, not the library's."""


def run(command: Sequence[str], lock: int, *, what: str, cwd: str = "/") -> None:
    """Run one command of zig's; ToolchainError with its own words when it fails."""
    done = _programs.run(command, cwd=cwd, environment=environment(), keep=(lock,))
    judge(done.returncode, done.stdout, what)


def environment() -> Dict[str, str]:
    """This process's variables, without those that would change what comes out."""
    return {name: v for name, v in os.environ.items() if name not in _HEADERS_OF_OTHERS}


def judge(code: int, said: str, what: str) -> None:
    """Raise ToolchainError with zig's own words when ``code`` says that it failed."""
    if code != 0:
        raise ToolchainError(
            f"zig cannot build {what}. It said:\n{said.strip()[-2000:]}",
            "If the disk is full, free some space. If memory ran out, close other programs.",
        )
