"""GCC's Fortran compiler for a target, if this machine has one."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional, Tuple

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture
from manylinux_shim._processes import run

FORTRAN_VARIABLES = ("FC", "F77", "F90")
"""What build systems find the compiler by."""

_SECONDS = 60


class Fortran(NamedTuple):
    """A Fortran compiler."""

    command: Tuple[str, ...]
    libraries: str
    """The directory of its own libraries."""


def find_fortran(
    arch: Architecture, environ: Mapping[str, str], *, native: bool
) -> Optional[Fortran]:
    """The compiler that ``FC`` names, else GCC's for ``arch``; None if there is none.

    Raises ToolchainError for an ``FC`` that is no command.
    """
    given = environ.get("FC", "").strip()
    names = ["gfortran"] if native else []
    names.append(f"{arch.gcc_triplet}-gfortran")
    commands = [[name] for name in names]
    if given:
        try:
            commands = [shlex.split(given)]
        except ValueError as error:
            raise ToolchainError(
                f"FC is {given!r}, which is no command: {error}", "Correct FC."
            ) from error
    for command in commands:
        path = shutil.which(command[0])
        if path is not None:
            libraries = _libraries([path, *command[1:]])
            return Fortran((path, *command[1:]), libraries) if libraries else None
    return None


def _libraries(command: List[str]) -> str:
    """The directory of ``libgfortran.so``; empty where there is none."""
    try:
        said = run([*command, "-print-file-name=libgfortran.so"], timeout=_SECONDS).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    path = Path(said.strip())
    return str(path.parent) if path.is_absolute() and path.exists() else ""
