"""A Python of another machine or another libc that the user has: by its path, or uv's.

It runs by the loader that it names. That lies in the root that it is of, as in a root of Alpine;
else it is taken of Debian, which has glibc's and, in its package ``musl``, musl's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from manylinux_shim._errors import ShimError
from manylinux_shim._platforms import (
    ARCHITECTURES,
    Architecture,
    Policy,
    Version,
    host_architecture,
    host_family,
)
from manylinux_shim._processes import answer
from manylinux_shim.commands.build_wheels._pythons import find_uv
from manylinux_shim.commands.trying._attempt import Untried
from manylinux_shim.elf import MAGIC, read_elf

_ASK = """\
import json, os, sys, sysconfig
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION")
except (OSError, ValueError):  # musl's, and where nobody has heard of it
    libc = None
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(json.dumps([sys.version_info[:2], sys.implementation.name, free_threaded, libc]))
"""
_SECONDS = 120


@dataclass(frozen=True)
class OwnPython:
    """An interpreter's file, and the loader that it asks for."""

    path: Path
    arch: Architecture
    family: str
    """``"manylinux"`` for glibc, or ``"musllinux"``."""
    loader: str
    """``PT_INTERP``."""

    @property
    def system(self) -> str:
        """What it runs on, for people."""
        return f"{self.arch.name} with {'musl' if self.family == 'musllinux' else 'glibc'}"

    @property
    def root(self) -> Optional[Path]:
        """The directory above it that has its loader, as ``/`` has those of this machine."""
        for directory in self.path.parents:
            known = directory != Path("/") or runs_here(self.arch)
            if known and _below(directory, self.loader).exists():
                return directory
        return None


@dataclass(frozen=True)
class Facts:
    """What an interpreter says of itself."""

    version: Tuple[int, int]
    free_threaded: bool
    policy: Policy
    """The newest that its libc keeps."""

    @property
    def short(self) -> str:
        """``3.12``, ``3.13t``."""
        return "{}.{}".format(*self.version) + ("t" if self.free_threaded else "")


def of_path(text: str) -> Optional[OwnPython]:
    """The interpreter of a path, if it is one that this machine cannot start by itself."""
    path = Path(os.path.normpath(Path.cwd() / text))
    try:
        data = path.read_bytes()
        facts = read_elf(path.name, data) if data[:4] == MAGIC else None
    except (OSError, ShimError):
        return None
    if facts is None:
        return None
    arch = next(
        (
            arch
            for arch in ARCHITECTURES.values()
            if (arch.machine, arch.bits, arch.big_endian)
            == (facts.machine, facts.bits, facts.big_endian)
        ),
        None,
    )
    loader = facts.interpreter
    if arch is None or not loader:
        return None
    family = "musllinux" if Path(loader).name.startswith("ld-musl-") else "manylinux"
    if runs_here(arch) and Path(loader).exists() and family == host_family():
        return None
    return OwnPython(path, arch, family, loader)


def runs_here(arch: Architecture) -> bool:
    """Whether this machine's processor runs the code of ``arch``."""
    host = host_architecture()
    return host is not None and arch.name in (host.name, *["i686"] * (host.name == "x86_64"))


def of_uv(versions: Sequence[str], families: Sequence[Tuple[str, str]]) -> Optional[OwnPython]:
    """uv's of one of ``versions`` (``3.12``, ``3.13t``) for one architecture and libc family."""
    for path in _installed(versions):
        own = of_path(str(path))
        if own is not None and (own.arch.name, own.family) in families:
            return own
    return None


def _installed(versions: Sequence[str]) -> Iterator[Path]:
    """The interpreters of uv's directory, of whatever machine; the newest of a version first."""
    uv = find_uv()
    said = answer([uv, "python", "dir"]) if uv is not None else None
    directory = Path(said.strip()) if said else None
    if directory is None or not directory.is_dir():
        return
    for version in versions:
        pattern = re.compile(rf"cpython-{re.escape(version.rstrip('t'))}\.(\d+)\b")
        found = [
            (int(m[1]), path)
            for path in directory.iterdir()
            for m in [pattern.match(path.name)]
            if m
        ]
        for _, path in sorted(found, reverse=True):
            yield path / "bin" / f"python{version}"


def ask(start: Sequence[str], own: OwnPython, environment: Dict[str, str]) -> Facts:
    """What the interpreter says when it is started there; Untried when it does not start."""
    said = _said([*start, str(own.path), "-c", _ASK], environment)
    try:
        (major, minor), implementation, free_threaded, libc = json.loads(said.splitlines()[-1])
    except (ValueError, TypeError, IndexError):
        lines = said.strip().splitlines()[-3:]
        raise Untried(
            "\n".join([f"{own.path} does not run as a Python for {own.system}:", *lines]),
            "Name an interpreter's own file: one that a script starts is not known.",
        ) from None
    if implementation != "cpython":
        raise Untried(f"{own.path} is {implementation}", "Name a CPython's path.")
    version = re.search(r"(\d+)\.(\d+)", libc or "")
    if own.family == "musllinux":
        # musl says its version when its loader is called by itself: with ld.so's own usage.
        version = re.search(r"Version (\d+)\.(\d+)", _said(_loader(start, own), environment))
    number = Version(int(version[1]), int(version[2])) if version else None
    lowest = Version(1, 2) if own.family == "musllinux" else Version(2, 17)
    return Facts((major, minor), free_threaded, Policy(own.family, number or lowest))


def _loader(start: Sequence[str], own: OwnPython) -> List[str]:
    """What starts its loader, which qemu finds below the directory behind ``-L``."""
    if "-L" not in start:
        return [start[0]]
    root = Path(start[start.index("-L") + 1])
    return [*start, str(_below(root, own.loader))]


def _below(root: Path, absolute: str) -> Path:
    return root / absolute.lstrip("/")


def _said(command: Sequence[str], environment: Dict[str, str]) -> str:
    try:
        done = subprocess.run(
            list(command),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout
