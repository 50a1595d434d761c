"""The user's cache: where it is, and how something whole gets into it.

Everything in it is made aside and then renamed into place, so that a reader
sees all of it or nothing, whoever else is building and whenever a process dies.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Mapping

from manylinux_shim._errors import ToolchainError

OBJECTS = "objects"
"""What was compiled, which the compiler keeps in the cache in an order of its own."""


def cache_root(environ: Mapping[str, str], notice: Callable[[str], None]) -> Path:
    """The directory that this build keeps its toolchain in.

    ``MANYLINUX_SHIM_CACHE_DIR``, else ``manylinux-shim`` under ``XDG_CACHE_HOME``
    or ``~/.cache``. Where that cannot be written, or has white space in its path
    (compilers are handed on in variables that are split there), it is a
    directory in the system's temporary one, and ``notice`` says so.
    """
    named = environ.get("MANYLINUX_SHIM_CACHE_DIR")
    base = environ.get("XDG_CACHE_HOME") or ""
    home = Path(base) if Path(base).is_absolute() else Path(environ.get("HOME") or "~") / ".cache"
    root = Path(named) if named else home.expanduser() / "manylinux-shim"
    root = root.absolute()
    why = _unusable(root)
    if not why:
        return root
    fallback = Path(tempfile.gettempdir()).resolve() / f"manylinux-shim-{os.getuid()}"
    notice(f"the cache {root} {why}: using {fallback}")
    still = _unusable(fallback)
    if still or fallback.stat().st_uid != os.getuid():
        raise ToolchainError(
            f"neither {root} nor {fallback} can be used as a cache:"
            f" {still or 'it belongs to another user'}",
            "Set MANYLINUX_SHIM_CACHE_DIR to a directory that can be written.",
        )
    return fallback


def _unusable(root: Path) -> str:
    if len(str(root).split()) != 1:
        return "has white space in its path"
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return ""
    except OSError as error:
        return f"cannot be written ({error.strerror})"


def make_once(directory: Path, make: Callable[[Path], None]) -> Path:
    """``directory``, filled by ``make`` if it is not there yet.

    ``make`` gets an empty directory beside the final one, which is renamed when
    it returns. Of several processes at once, the first one's result stays.
    Raises ToolchainError when the disk cannot take it; nothing is left then.
    """
    if directory.is_dir():
        with contextlib.suppress(OSError):
            os.utime(directory)  # when it was last used, for who brings the cache down
        return directory
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".making-", dir=directory.parent))
    except OSError as error:
        raise _cannot_write(directory, error) from error
    try:
        make(staging)
        try:
            staging.rename(directory)
        except OSError:
            if not directory.is_dir():
                raise
    except OSError as error:
        raise _cannot_write(directory, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return directory


@dataclass(frozen=True)
class Entry:
    """One thing in the cache."""

    path: Path
    size: int
    """Bytes in its files."""
    used: float
    """When a build last used it, in seconds since 1970."""


def entries(root: Path) -> List[Entry]:
    """What is in the cache, the largest first: sysroots, headers, tools, runtime libraries.

    Remains of processes that died while they made something are among them.
    """
    found = []
    for kind in sorted(path for path in root.iterdir() if path.is_dir()):
        for path in kind.iterdir() if kind.name != OBJECTS else [kind]:
            states = [(Path(d) / name).lstat() for d, _, names in os.walk(path) for name in names]
            used = [path.stat().st_mtime]
            if kind.name == OBJECTS:  # one that was used is touched
                used += [state.st_mtime for state in states]
            found.append(Entry(path, sum(state.st_size for state in states), max(used)))
    return sorted(found, key=lambda entry: -entry.size)


def remove(entry: Entry) -> None:
    """Take one thing out of the cache: gone from its name at once, then from the disk."""
    trash = entry.path.with_name(f".removed-{entry.path.name}")
    try:
        entry.path.rename(trash)
    except OSError as error:
        raise _cannot_write(entry.path, error) from error
    shutil.rmtree(trash, ignore_errors=True)


def _cannot_write(directory: Path, error: OSError) -> ToolchainError:
    return ToolchainError(
        f"the cache {directory} cannot be made: {error}",
        "Free some disk space, or set MANYLINUX_SHIM_CACHE_DIR to a directory elsewhere.",
    )
