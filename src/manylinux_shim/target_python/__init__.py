"""The target's Python, derived from the one that builds: its headers, ``pyconfig.h``, sysconfig."""

from __future__ import annotations

from manylinux_shim.target_python._headers import staged_headers
from manylinux_shim.target_python._variables import host_variables, sysconfig_variables

__all__ = [
    "host_variables",
    "staged_headers",
    "sysconfig_variables",
]
