"""What runs inside each compile and link: the driver behind ``CC``, ``CXX``, ``AR`` and ``ld``.

It is started thousands of times in a build, and so it has the standard library alone, and
little of that.
"""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.compiler._cached import IDENTITY_VARIABLE as IDENTITY_VARIABLE
    from manylinux_shim.compiler._debug import DEBUG as DEBUG
    from manylinux_shim.compiler._debug import build_id as build_id
    from manylinux_shim.compiler._debug import file_name as file_name
    from manylinux_shim.compiler._driver import LACKING as LACKING
    from manylinux_shim.compiler._driver import LINKS_VARIABLE as LINKS_VARIABLE
    from manylinux_shim.compiler._driver import ZIG_LIB_VARIABLE as ZIG_LIB_VARIABLE
    from manylinux_shim.compiler._driver import ZIG_VARIABLE as ZIG_VARIABLE
    from manylinux_shim.compiler._driver import Configuration as Configuration
    from manylinux_shim.compiler._job_slots import SLOTS_VARIABLE as SLOTS_VARIABLE
    from manylinux_shim.compiler._linking import WHEEL_ROOM as WHEEL_ROOM
    from manylinux_shim.compiler._linking import system_libraries as system_libraries
    from manylinux_shim.compiler._newer import NEWER_TABLE as NEWER_TABLE
    from manylinux_shim.compiler._objects import LAYOUT as LAYOUT
    from manylinux_shim.compiler._objects import bring_down as bring_down
    from manylinux_shim.compiler._places import OBJECTS_VARIABLE as OBJECTS_VARIABLE
    from manylinux_shim.compiler._places import PLACES_VARIABLE as PLACES_VARIABLE
    from manylinux_shim.compiler._rules import LIBC_LIBRARIES as LIBC_LIBRARIES
    from manylinux_shim.compiler._rules import UNWINDER as UNWINDER
    from manylinux_shim.compiler._twin import ROOM as ROOM
    from manylinux_shim.compiler._twin import TWINS as TWINS
    from manylinux_shim.compiler._twin import fingerprint as fingerprint

__getattr__ = lazily(
    __name__,
    {
        "_cached": ("IDENTITY_VARIABLE",),
        "_debug": ("DEBUG", "build_id", "file_name"),
        "_driver": (
            "Configuration",
            "LACKING",
            "LINKS_VARIABLE",
            "ZIG_LIB_VARIABLE",
            "ZIG_VARIABLE",
        ),
        "_job_slots": ("SLOTS_VARIABLE",),
        "_linking": ("WHEEL_ROOM", "system_libraries"),
        "_newer": ("NEWER_TABLE",),
        "_objects": ("LAYOUT", "bring_down"),
        "_places": ("OBJECTS_VARIABLE", "PLACES_VARIABLE"),
        "_rules": ("LIBC_LIBRARIES", "UNWINDER"),
        "_twin": ("ROOM", "TWINS", "fingerprint"),
    },
)
