"""The shim that is running, as a wheel: what build environments get it from.

Whichever way it was installed (from an index, from a directory, editable), its
own files are here. The wheel is kept in the user's cache under its contents, so
that a frontend that caches wheels by their place unpacks it once.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import Dict
from zipfile import ZIP_DEFLATED, ZipInfo

import manylinux_shim
from manylinux_shim._errors import ShimError
from manylinux_shim._messages import say
from manylinux_shim.zig import cache_root, make_once

NAME = "manylinux-shim"

_WHEEL = "Wheel-Version: 1.0\nGenerator: manylinux-shim\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def url() -> str:
    """Where a wheel of this very shim is, for a direct reference (PEP 508).

    Raises ShimError when the running shim was never installed, and has no metadata.
    """
    return _wheel().as_uri()


def version() -> str:
    """The version of the running shim."""
    return manylinux_shim.__version__


def _wheel() -> Path:
    members = _members()
    digest = hashlib.sha256()
    for name, data in members.items():
        digest.update(f"{len(name)}:{name}{len(data)}:".encode() + data)
    name = f"manylinux_shim-{version()}-py3-none-any.whl"

    def make(directory: Path) -> None:
        from wheel.wheelfile import WheelFile

        with WheelFile(str(directory / name), "w") as archive:
            for member, data in members.items():
                info = ZipInfo(member)  # of 1980: the same files give the same bytes
                info.compress_type = ZIP_DEFLATED
                info.external_attr = 0o100644 << 16
                archive.writestr(info, data)

    directory = cache_root(os.environ, say) / "shim" / digest.hexdigest()[:16]
    return make_once(directory, make) / name


def _members() -> Dict[str, bytes]:
    package = Path(manylinux_shim.__file__).resolve().parent
    try:
        distribution = importlib.metadata.distribution(NAME)
    except importlib.metadata.PackageNotFoundError:
        distribution = None
    metadata = distribution.read_text("METADATA") if distribution is not None else None
    if distribution is None or not metadata:
        raise ShimError(
            f"manylinux-shim runs from {package} and is not installed",
            "Install it (`pip install -e` is enough), so that builds can be given the same one.",
        )
    files = {
        f"{package.name}/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = f"manylinux_shim-{version()}.dist-info"
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/entry_points.txt"] = (distribution.read_text("entry_points.txt") or "").encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    return files
