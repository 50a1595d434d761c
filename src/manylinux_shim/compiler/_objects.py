"""What was compiled before, in files of the cache.

A file is whole or not there: it is written aside and renamed. Each has a hash of what is in it,
and one that is damaged is taken away. Those that a key has differ in what their headers say;
a file's time is when it was last used.
"""

from __future__ import annotations

import os
import time

try:
    from _blake2 import blake2b
except ImportError:  # where OpenSSL's comes along, it takes as long as the driver's start
    from hashlib import blake2b

from manylinux_shim.compiler._places import OBJECTS_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, Sequence, Tuple

LAYOUT = "kept-1"
"""The directory in it that has files of this kind."""

BOUND = 5 * 1024**3
"""Bytes that are kept when nobody brings them down."""

_DIGITS = "0123456789abcdef"
"""Directories are named with two; those with the same first one have a share of the bound, so
that no compile looks through all that is kept."""
_MADE = f"{LAYOUT}.made"
"""The file in which the byte of a key's number is locked while an object with it is made."""
_FOR_LOCKS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_PATIENCE, _PAUSE = 120.0, 0.01
"""Seconds that somebody waits for what another makes, who may have been stopped, and between two
looks whether it is done."""
_AT_MOST = 16
"""How many files a key has: a source may be compiled with that many sets of headers."""


def digest(*parts: bytes) -> str:
    """40 hexadecimal digits that tell these parts from all others."""
    state = blake2b(digest_size=20)
    for part in parts:
        state.update(b"%d:" % len(part))
        state.update(part)
    return str(state.hexdigest())


def reserve(key: str, worth_waiting: Callable[[], bool]) -> Tuple[int, bool]:
    """Tell others that an object with this key is being made, or wait for who makes one.

    A descriptor to close when it has been kept, -1 for none, and whether another one has been
    made meanwhile. The kernel ends what was told by a process that has ended.
    """
    try:
        file = os.open(f"{os.environ[OBJECTS_VARIABLE]}/{_MADE}", _FOR_LOCKS, 0o600)
    except OSError:
        return -1, False
    place = int(key[:15], 16)
    try:
        if _locked(file, place):
            return file, False
        until = time.monotonic() + _PATIENCE if worth_waiting() else 0.0
        while time.monotonic() < until:
            if _locked(file, place):
                return file, True
            time.sleep(_PAUSE)
    except OSError:
        pass  # the file system has no locks
    os.close(file)
    return -1, False


def _locked(file: int, place: int) -> bool:
    """Lock a byte of a file, if nobody else has."""
    import fcntl

    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except BlockingIOError:
        return False
    return True


def kept(key: str) -> Iterator[Tuple[str, bytes]]:
    """Path and header of each file of a key, the last used first."""
    leaf = _leaf(key)
    try:
        found = [f"{leaf}/{name}" for name in os.listdir(leaf) if name[:41] == f"{key}-"]
        found = [path for path in found if not path.endswith("~")]  # somebody writes it
        found.sort(key=lambda path: -os.stat(path).st_mtime)
    except OSError:
        return
    for path in found:
        try:
            with open(path, "rb") as file:
                first = file.readline(128).split()
                header = file.read(int(first[1]))
        except (OSError, LookupError, ValueError):
            header, first = b"", [b""]
        if os.fsencode(digest(header)) == first[0]:
            yield path, header
        else:
            remove(path)


def content(path: str) -> bytes:
    """What a file has besides its header; it has now been used. Raises OSError, or if damaged."""
    with open(path, "rb") as file:
        _, size, hashed, length = file.readline(128).split()
        file.seek(int(size), os.SEEK_CUR)
        data = file.read()
    if len(data) != int(length) or os.fsencode(digest(data)) != hashed:
        remove(path)
        raise OSError(f"{path} is damaged")
    os.utime(path)
    return data


def keep(key: str, header: bytes, data: bytes) -> None:
    """Keep ``data`` for later. Raises OSError; nothing is kept then."""
    leaf = _leaf(key)
    first = f"{digest(header)} {len(header)} {digest(data)} {len(data)}\n"
    path = f"{leaf}/{key}-{digest(header)[:16]}"
    whole = b"".join((first.encode(), header, data))
    try:
        write(path, whole, 0o600)
    except FileNotFoundError:
        os.makedirs(leaf, mode=0o700, exist_ok=True)
        write(path, whole, 0o600)
    for path, _ in list(kept(key))[_AT_MOST:]:
        remove(path)
    if os.urandom(1)[0] < 4:
        share, bound = [leaf[:-1] + digit for digit in _DIGITS], BOUND // len(_DIGITS)
        bring_down(share, bound, bound * 9 // 10)


def bring_down(directories: Sequence[str], bound: int, to: int) -> None:
    """Take away what has not been used for longest, where there are more than ``bound`` bytes."""
    found = []
    for parent, names in ((p, names) for each in directories for p, _, names in os.walk(each)):
        for name in names:
            try:
                state = os.lstat(f"{parent}/{name}")
            except OSError:
                continue  # another build takes away, too
            found.append((state.st_mtime, state.st_size, f"{parent}/{name}"))
    total = sum(size for _, size, _ in found)
    if total <= bound:
        return
    for _, size, path in sorted(found):
        if total <= to:
            break
        remove(path)
        total -= size


def write(path: str, data: bytes, mode: int = 0o666) -> None:
    """Put a whole file in place of whatever is there. Raises OSError, and then leaves nothing."""
    aside = f"{path}.{os.urandom(6).hex()}~"
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except OSError:
        remove(aside)
        raise


def remove(path: str) -> None:
    """Take a file away, if it is there and can be."""
    try:
        os.unlink(path)
    except OSError:
        return


def _leaf(key: str) -> str:
    return f"{os.environ[OBJECTS_VARIABLE]}/{LAYOUT}/{key[:2]}"
