"""Libraries of this machine, copied into the wheel by ``auditwheel repair``."""

from __future__ import annotations

from manylinux_shim.graft._auditwheel import (
    Grafted,
    graft,
    missing_auditwheel,
    missing_patchelf,
    system_directories,
)
from manylinux_shim.graft._newer import graft_newer
from manylinux_shim.graft._origin import Package, package_of

__all__ = [
    "Grafted",
    "Package",
    "graft",
    "graft_newer",
    "missing_auditwheel",
    "missing_patchelf",
    "package_of",
    "system_directories",
]
