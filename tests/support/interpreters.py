"""The Pythons on this machine that wheels are built for."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional

VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
DEBIAN = "debian"
MATRIX = (*VERSIONS, DEBIAN)
"""Names of all Pythons that the project promises to build for."""

_ASK = (
    "import json, sys, sysconfig;"
    "print(json.dumps([sys.version_info[:2], sysconfig.get_path('include'),"
    " sysconfig.get_config_var('Py_GIL_DISABLED') or 0]))"
)


@dataclass(frozen=True)
class Interpreter:
    """A CPython with headers."""

    name: str
    path: Path
    tag: str
    """``cp311``"""

    @property
    def minor(self) -> int:
        return int(self.tag[3:])


@functools.lru_cache(maxsize=None)
def find(name: str) -> Optional[Interpreter]:
    """The interpreter of a name in MATRIX; None if this machine has none with headers."""
    for path in _candidates(name):
        found = _inspect(name, path)
        if found is not None and name in (DEBIAN, f"3.{found.minor}"):
            return found
    return None


def missing() -> List[str]:
    """Names in MATRIX that this machine has no Python for."""
    return [name for name in MATRIX if find(name) is None]


def _candidates(name: str) -> Iterator[Path]:
    if name == DEBIAN:
        if Path("/etc/debian_version").exists():
            yield Path("/usr/bin/python3")
        return
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    installed = [
        (int(match[1]), path)
        for path in root.glob(f"versions/{name}.*")
        for match in [re.fullmatch(re.escape(name) + r"\.(\d+)", path.name)]
        if match is not None
    ]
    for _, path in sorted(installed, reverse=True):
        yield path / "bin" / f"python{name}"
    on_path = shutil.which(f"python{name}")
    if on_path:
        yield Path(on_path)
    managed = _output([uv(), "python", "find", "--no-python-downloads", name])
    if managed:
        yield Path(managed.strip())


def _inspect(name: str, path: Path) -> Optional[Interpreter]:
    answer = _output([str(path), "-I", "-c", _ASK])
    if answer is None:
        return None
    (major, minor), include, free_threaded = json.loads(answer)
    if free_threaded or not (Path(include) / "Python.h").exists():
        return None
    return Interpreter(name, path, f"cp{major}{minor}")


def _output(command: List[str]) -> Optional[str]:
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def uv() -> str:
    """The uv of the test environment, else the one on the path."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        if found is None:
            raise RuntimeError("the tests need uv: install the test extra") from None
        return found
