"""The wheel as an archive: read its members, write it under a proven tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manylinux_shim.wheel._archive import Archive
from manylinux_shim.wheel._format import Member
from manylinux_shim.wheel._metadata import WheelName

if TYPE_CHECKING:
    from manylinux_shim.wheel._retag import repack, retag

__all__ = ["Archive", "Member", "WheelName", "repack", "retag"]


def __getattr__(name: str) -> Any:
    """What writes a wheel, imported when one is written (PEP 562)."""
    if name in ("repack", "retag"):
        from manylinux_shim.wheel import _retag

        return getattr(_retag, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
