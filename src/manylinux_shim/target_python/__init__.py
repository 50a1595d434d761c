"""The target's Python, derived from the one that builds: its headers, ``pyconfig.h``, sysconfig."""

from __future__ import annotations

from manylinux_shim.target_python._headers import staged_headers
from manylinux_shim.target_python._variables import (
    host_module,
    host_variables,
    own_tools,
    sysconfig_variables,
)

__all__ = [
    "host_module",
    "host_variables",
    "own_tools",
    "staged_headers",
    "sysconfig_variables",
]
