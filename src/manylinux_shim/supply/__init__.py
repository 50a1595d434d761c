"""What newer glibcs have and older ones lack: C sources of it, to be linked into the wheel.

The driver asks in links that lack a function, and so it has the standard library alone.
"""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.supply._archive import COMPILED_WITH as COMPILED_WITH
    from manylinux_shim.supply._archive import SOURCE_DIRECTORY as SOURCE_DIRECTORY
    from manylinux_shim.supply._archive import archive as archive
    from manylinux_shim.supply._catalogue import CXX_NAMES as CXX_NAMES
    from manylinux_shim.supply._catalogue import SOURCE_OF as SOURCE_OF
    from manylinux_shim.supply._catalogue import UNDER_ANOTHER_NAME as UNDER_ANOTHER_NAME
    from manylinux_shim.supply._catalogue import can_link as can_link
    from manylinux_shim.supply._catalogue import can_supply as can_supply
    from manylinux_shim.supply._catalogue import exported_name as exported_name
    from manylinux_shim.supply._catalogue import sources_of as sources_of
    from manylinux_shim.supply._headers import HEADERS as HEADERS
    from manylinux_shim.supply._headers import newer_headers as newer_headers
    from manylinux_shim.supply._headers import without_declarations as without_declarations

__getattr__ = lazily(
    __name__,
    {
        "_archive": ("COMPILED_WITH", "SOURCE_DIRECTORY", "archive"),
        "_catalogue": (
            "CXX_NAMES",
            "SOURCE_OF",
            "UNDER_ANOTHER_NAME",
            "can_link",
            "can_supply",
            "exported_name",
            "sources_of",
        ),
        "_headers": ("HEADERS", "newer_headers", "without_declarations"),
    },
)
