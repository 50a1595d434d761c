"""What a build is told, so that whatever it runs compiles and links through our compiler."""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.environment._backends import compilers_at_once as compilers_at_once
    from manylinux_shim.environment._backends import config_settings as config_settings
    from manylinux_shim.environment._backends import shares as shares
    from manylinux_shim.environment._before_all import without_setuptools as without_setuptools
    from manylinux_shim.environment._gcc import foreign_compilers as foreign_compilers
    from manylinux_shim.environment._lacking import lines_to_add as lines_to_add
    from manylinux_shim.environment._objects import shrink_objects as shrink_objects
    from manylinux_shim.environment._prepare import prepare as prepare
    from manylinux_shim.environment._rust import compiles_rust as compiles_rust
    from manylinux_shim.environment._rust import (
        require_standard_library as require_standard_library,
    )
    from manylinux_shim.environment._rust import rust_sysroot as rust_sysroot
    from manylinux_shim.environment._toolchain import Toolchain as Toolchain
    from manylinux_shim.environment._toolchain import missing as missing
    from manylinux_shim.environment._toolchain import outdate as outdate
    from manylinux_shim.environment._toolchain import record_of_links as record_of_links
    from manylinux_shim.environment._toolchain import toolchain as toolchain

__getattr__ = lazily(
    __name__,
    {
        "_backends": ("compilers_at_once", "config_settings", "shares"),
        "_before_all": ("without_setuptools",),
        "_objects": ("shrink_objects",),
        "_gcc": ("foreign_compilers",),
        "_lacking": ("lines_to_add",),
        "_prepare": ("prepare",),
        "_rust": ("compiles_rust", "require_standard_library", "rust_sysroot"),
        "_toolchain": ("Toolchain", "missing", "outdate", "record_of_links", "toolchain"),
    },
)
