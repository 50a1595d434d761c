"""The wheel as an archive: read its members, write it under a proven tag."""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.wheel._archive import Archive as Archive
    from manylinux_shim.wheel._format import Member as Member
    from manylinux_shim.wheel._hashes import refuse_wrong_hashes as refuse_wrong_hashes
    from manylinux_shim.wheel._metadata import WheelName as WheelName
    from manylinux_shim.wheel._metadata import find_dist_info as find_dist_info
    from manylinux_shim.wheel._metadata import normalised as normalised
    from manylinux_shim.wheel._retag import repack as repack
    from manylinux_shim.wheel._retag import retag as retag

__getattr__ = lazily(
    __name__,
    {
        "_archive": ("Archive",),
        "_format": ("Member",),
        "_hashes": ("refuse_wrong_hashes",),
        "_metadata": ("WheelName", "find_dist_info", "normalised"),
        "_retag": ("repack", "retag"),
    },
)
