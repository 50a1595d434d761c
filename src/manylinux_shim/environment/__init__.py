"""What a build is told, so that whatever it runs compiles and links through our compiler."""

from __future__ import annotations

from manylinux_shim.environment._backends import config_settings
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.environment._rust import compiles_rust, require_standard_library, rust_sysroot
from manylinux_shim.environment._toolchain import missing, record_of_links, toolchain

__all__ = [
    "compiles_rust",
    "config_settings",
    "missing",
    "prepare",
    "record_of_links",
    "require_standard_library",
    "rust_sysroot",
    "toolchain",
]
