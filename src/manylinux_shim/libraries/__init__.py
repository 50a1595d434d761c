"""Other people's libraries, for the target: fetched once, and found like any others."""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.libraries._apt import Apt as Apt
    from manylinux_shim.libraries._fetched import fetched as fetched
    from manylinux_shim.libraries._origins import Origin as Origin
    from manylinux_shim.libraries._origins import origin_of as origin_of
    from manylinux_shim.libraries._packages import package_of_header as package_of_header
    from manylinux_shim.libraries._packages import package_of_library as package_of_library
    from manylinux_shim.libraries._prefix import Prefix as Prefix
    from manylinux_shim.libraries._prefix import directories as directories
    from manylinux_shim.libraries._prefix import named_prefixes as named_prefixes
    from manylinux_shim.libraries._prefix import packages as packages
    from manylinux_shim.libraries._prefix import sonames as sonames
    from manylinux_shim.libraries._requirements import Requirement as Requirement
    from manylinux_shim.libraries._requirements import parse as parse
    from manylinux_shim.libraries._requirements import tools as tools

__getattr__ = lazily(
    __name__,
    {
        "_apt": ("Apt",),
        "_fetched": ("fetched",),
        "_origins": ("Origin", "origin_of"),
        "_packages": ("package_of_header", "package_of_library"),
        "_prefix": ("Prefix", "directories", "named_prefixes", "packages", "sonames"),
        "_requirements": ("Requirement", "parse", "tools"),
    },
)
