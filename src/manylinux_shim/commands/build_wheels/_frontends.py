"""The build frontends: whose isolated environments the wheels are built in."""

from __future__ import annotations

import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Optional, Sequence

from manylinux_shim._errors import ShimError
from manylinux_shim.commands.build_wheels._pythons import Python, find_uv, has_build

FRONTENDS = ("uv", "build")

_EXTRA = 'pip install "manylinux-shim[cli]"'

Run = Callable[[Sequence[str]], None]
"""Runs a command to its end; raises ShimError when it fails."""


@dataclass(frozen=True)
class Frontend:
    """A frontend that is on this machine."""

    name: str
    uv: Optional[str]
    """The program, for uv."""

    def command(self, python: Path, project: Path, out: Path, settings: Sequence[str]) -> List[str]:
        """What builds a wheel of ``project`` into ``out``; ``settings`` are ``KEY=VALUE``.

        For ``build``, ``python`` is the one that ``prepare`` returned.
        """
        given = [f"-C{setting}" for setting in settings]
        if self.uv is not None:
            command = [self.uv, "build", "--wheel", "-p", str(python), "-o", str(out)]
        else:
            command = [str(python), "-m", "build", "--wheel", "--outdir", str(out)]
        return [*command, *given, str(project)]

    def prepare(self, python: Python, directory: Path, run: Run) -> Path:
        """The interpreter to run ``command`` with.

        uv takes any. ``build`` builds for the Python that it is installed in, so one
        that lacks it gets an environment in ``directory``.
        """
        if self.uv is not None or python.path.samefile(sys.executable):
            return python.path
        run([str(python.path), "-m", "venv", str(directory)])
        inside = directory / "bin" / "python"
        run([str(inside), "-m", "pip", "install", "--quiet", "build>=1"])
        return inside


def find_frontend(name: Optional[str]) -> Frontend:
    """The frontend of a name, or uv, or ``build``: what is there, in this order.

    Raises ShimError, with what to install, when it is not there.
    """
    uv = find_uv() if name in (None, "uv") else None
    if uv is not None:
        return Frontend("uv", uv)
    if name == "uv":
        raise ShimError("there is no uv on this machine", "Install it: pip install uv")
    if not has_build():
        raise ShimError("there is neither uv nor build to build with", f"Install it: {_EXTRA}")
    if int(importlib.metadata.version("build").partition(".")[0]) < 1:
        raise ShimError("the installed build is older than 1.0", f"Install it anew: {_EXTRA}")
    return Frontend("build", None)
