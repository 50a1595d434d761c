"""The Pythons that wheels are built with: this one, or others on this machine by version."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Mapping, Optional, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._processes import answer

OLDEST = (3, 8)

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(t?)")
_ASK = (
    "import json, sys, sysconfig;"
    "print(json.dumps([sys.executable, sys.version_info[:3], sys.implementation.name,"
    " bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)


@dataclass(frozen=True)
class Python:
    """An interpreter that runs."""

    path: Path
    version: Tuple[int, int, int]
    implementation: str
    """As ``sys.implementation`` has it: ``cpython``, ``pypy``."""
    free_threaded: bool

    @property
    def short(self) -> str:
        """``3.12``, ``3.13t`` for one without a lock, ``pypy3.10``."""
        prefix = "" if self.implementation == "cpython" else self.implementation
        return f"{prefix}{self.version[0]}.{self.version[1]}{'t' if self.free_threaded else ''}"


def find_python(wanted: str, environ: Mapping[str, str] = os.environ) -> Python:
    """The Python of a version (``3.12``, ``3.9.18``, ``3.13t``), a path or a program's name.

    An empty word stands for the one that runs this. Versions are looked for on the
    path, among pyenv's and among uv's. Raises SettingsError with what to install when
    there is none, and for one that is too old.
    """
    if not wanted:
        return _new_enough(_require(sys.executable, sys.executable), wanted)
    match = _VERSION.fullmatch(wanted)
    if match is None:
        path = shutil.which(wanted) or wanted
        return _new_enough(_require(path, wanted), wanted)
    for candidate in _candidates(wanted, match, environ):
        python = _inspect(candidate)
        if python is not None and _is(python, match):
            return _new_enough(python, wanted)
    raise SettingsError(
        f"there is no Python {wanted} on this machine's path, or of pyenv's or uv's",
        f"Install it (`uv python install {wanted}`, `pyenv install {match[1]}.{match[2]}`), or"
        " name an interpreter's path.",
    )


def _candidates(wanted: str, match: re.Match[str], environ: Mapping[str, str]) -> Iterator[str]:
    short = f"{match[1]}.{match[2]}{match[4]}"
    yield sys.executable
    for name in (f"python{short}", "python3", "python"):
        found = shutil.which(name)
        if found:
            yield found
    root = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from (str(path / "bin" / "python") for path in _newest_first(root, match))
    uv = find_uv()
    if uv is not None:
        found = answer([uv, "python", "find", "--no-python-downloads", "--no-project", wanted])
        if found:
            yield found.strip()


def _newest_first(root: Path, match: re.Match[str]) -> List[Path]:
    """pyenv's directories of a version: ``3.12.1`` before ``3.12.0``."""
    pattern = re.compile(rf"{match[1]}\.{match[2]}\.(\d+){match[4]}")
    found = [
        (int(m[1]), path) for path in root.glob("*") for m in [pattern.fullmatch(path.name)] if m
    ]
    return [path for _, path in sorted(found, reverse=True)]


def _is(python: Python, match: re.Match[str]) -> bool:
    asked = tuple(int(part) for part in match.group(1, 2, 3) if part is not None)
    return (
        python.implementation == "cpython"
        and python.version[: len(asked)] == asked
        and python.free_threaded == bool(match[4])
    )


def _require(path: str, wanted: str) -> Python:
    python = _inspect(path)
    if python is None:
        raise SettingsError(
            f"{wanted} is no Python that runs here",
            "Name a version (3.12) or an interpreter's path.",
        )
    return python


def _new_enough(python: Python, wanted: str) -> Python:
    if python.version[:2] < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise SettingsError(
            f"Python {wanted} is older than {oldest}", f"manylinux-shim needs {oldest} or newer."
        )
    return python


def _inspect(path: str) -> Optional[Python]:
    # Asked in isolation, so that the tree around has no say; by its own name, because a
    # virtual environment is told from its base by that.
    said = answer([path, "-I", "-c", _ASK])
    if said is None:
        return None
    try:
        executable, version, implementation, free_threaded = json.loads(said)
        return Python(
            Path(executable), (version[0], version[1], version[2]), implementation, free_threaded
        )
    except (ValueError, TypeError, IndexError):
        return None


def uv_name(version: str, arch: str, family: str) -> str:
    """uv's name of the Python for an architecture and a libc family; empty where it has none.

    ``cpython-3.12-linux-aarch64-musl``; the names of ``uv python list --all-arches``.
    """
    machine = _UV_MACHINES.get((arch, family))
    if machine is None or not _VERSION.fullmatch(version):
        return ""
    return f"cpython-{version.replace('t', '+freethreaded')}-linux-{machine}"


_UV_MACHINES = {
    ("x86_64", "manylinux"): "x86_64-gnu",
    ("x86_64", "musllinux"): "x86_64-musl",
    ("aarch64", "manylinux"): "aarch64-gnu",
    ("aarch64", "musllinux"): "aarch64-musl",
    ("armv7l", "manylinux"): "armv7-gnueabihf",
    ("ppc64le", "manylinux"): "powerpc64le-gnu",
    ("riscv64", "manylinux"): "riscv64gc-gnu",
    ("s390x", "manylinux"): "s390x-gnu",
}


def find_uv() -> Optional[str]:
    """The uv that is installed beside this Python, else one on the path."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("uv")


def find_pip() -> Optional[List[str]]:
    """The command that runs pip: this Python's own, else one on the path."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip") or shutil.which("pip3")
    return [found] if found else None


def has_build() -> bool:
    """Whether this Python has the frontend ``build``, and not just a directory of that name."""
    try:
        return importlib.util.find_spec("build.__main__") is not None
    except ImportError:
        return False
