"""The programs of others that builds are run with."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import List, Optional


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
