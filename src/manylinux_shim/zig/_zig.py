"""zig: where it is, which version, and whether that will do."""

from __future__ import annotations

import importlib.util
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Tuple

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Version
from manylinux_shim._processes import answer

OLDEST = (0, 14)
BEFORE = (0, 18)
"""Zig versions that are tested at both ends: ``OLDEST <= version < BEFORE``."""

REQUIREMENT = f"ziglang>={OLDEST[0]}.{OLDEST[1]},<{BEFORE[0]}.{BEFORE[1]}"
"""What a build asks its frontend for when it needs zig."""


@dataclass(frozen=True)
class Zig:
    """An installed zig that can be used."""

    executable: Path
    version: str
    lib: Path
    """The directory of zig's own headers, sources and symbol tables."""

    def newest_glibc(self) -> Version:
        """The newest glibc that this zig can link against; it would take any number.

        The head of ``abilists``: a count of libraries and their names, a count
        of versions and three bytes for each.
        """
        data = self.abilists.read_bytes()[:4096]
        at = 1
        for _ in range(data[0]):
            at = data.index(0, at) + 1
        versions = [data[at + 1 + 3 * n : at + 4 + 3 * n] for n in range(data[at])]
        major, minor, _ = max(versions)
        return Version(major, minor)

    @property
    def abilists(self) -> Path:
        """The table of which glibc has which symbol."""
        return self.lib / "libc" / "glibc" / "abilists"


def find_zig() -> Zig:
    """The zig of the ``ziglang`` package, else a ``zig`` on the path.

    Raises ToolchainError when there is none, or only versions out of range.
    """
    refused = []
    for executable in _candidates():
        version = (answer([str(executable), "version"]) or "").strip()
        if not version:
            refused.append(f"{executable} does not run")
        elif not OLDEST <= _release(version) < BEFORE:
            refused.append(f"{executable} is zig {version}")
        else:
            lib = _lib(executable)
            if (lib / "libc" / "glibc" / "abilists").is_file():
                return Zig(executable, version, lib)
            refused.append(f"{executable} has no glibc tables in {lib}")
    found = f" ({'; '.join(refused)})" if refused else ""
    raise ToolchainError(
        f"this build needs zig {_span()}, and none was found{found}",
        f"Without build isolation: pip install {REQUIREMENT!r}. With it, the frontend installs"
        " zig when it asks for this build's requirements; `requires` in [build-system] may name"
        " it too. `-C mode=check` builds with the host's compiler instead.",
    )


def usable_zig() -> Optional[Zig]:
    """As find_zig, None when there is none that will do."""
    try:
        return find_zig()
    except ToolchainError:
        return None


def _candidates() -> Iterator[Path]:
    try:
        spec = importlib.util.find_spec("ziglang")
    except (ImportError, ValueError):
        spec = None
    for directory in (spec.submodule_search_locations or []) if spec else []:
        if (Path(directory) / "zig").is_file():
            # zig names its own files by their real path: so do we.
            yield (Path(directory) / "zig").resolve()
    on_path = shutil.which("zig")
    if on_path:
        yield Path(on_path).resolve()


def _lib(executable: Path) -> Path:
    beside = executable.parent / "lib"
    if (beside / "libc").is_dir():
        return beside
    # JSON up to zig 0.14, ZON after it: the one line is alike in both.
    printed = answer([str(executable), "env"]) or ""
    match = re.search(r'"?\.?lib_dir"?\s*[:=]\s*"([^"]+)"', printed)
    return Path(match[1]) if match else beside


def _release(version: str) -> Tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _span() -> str:
    return f"{OLDEST[0]}.{OLDEST[1]} to {BEFORE[0]}.{BEFORE[1] - 1}"
