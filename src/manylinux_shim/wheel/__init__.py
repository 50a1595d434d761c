"""The wheel as an archive: read its members, write it under a proven tag."""

from __future__ import annotations

from manylinux_shim.wheel._archive import Archive
from manylinux_shim.wheel._format import Member
from manylinux_shim.wheel._metadata import WheelName
from manylinux_shim.wheel._retag import repack, retag

__all__ = ["Archive", "Member", "WheelName", "repack", "retag"]
