"""What a build is told, so that whatever it runs compiles and links through our tools.

Set once and generally; what one backend needs in particular stands in a function
of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable, Dict

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.toolchain._cache import cache_root
from manylinux_shim.toolchain._python import staged_headers
from manylinux_shim.toolchain._sysroot import sysroot
from manylinux_shim.toolchain._tools import tools, variables
from manylinux_shim.toolchain._zig import Zig


def prepare(
    zig: Zig,
    arch: Architecture,
    policy: Policy,
    source: Path,
    strip: bool,
    notice: Callable[[str], None],
) -> Dict[str, str]:
    """Make what the target needs, and return the variables for the real backend.

    ``source`` is the project's directory. Raises ToolchainError.
    """
    cache = cache_root(os.environ, notice)
    multiarch = arch.triplet(policy.family, sys.version_info[:2])
    directory = tools(
        cache,
        arch,
        policy,
        sysroot(zig, arch, policy, cache),
        multiarch=multiarch,
        includes=staged_headers(cache, multiarch),
        native=True,
        strip=strip,
    )
    return {
        **variables(zig, source),
        **_compilers(directory),
        **_cargo(directory, arch.rust_target(policy.family)),
        **_maturin(),
    }


def _compilers(tools: Path) -> Dict[str, str]:
    """The names that setuptools, autotools, CMake and Meson agree on.

    setuptools up to 58.0 does not carry ``CC`` over to ``LDSHARED``, and
    Python's own has run paths into the machine it was built on.
    """
    return {
        "CC": f"{tools / 'cc'}",
        "CXX": f"{tools / 'c++'}",
        "AR": f"{tools / 'ar'}",
        "RANLIB": f"{tools / 'ranlib'}",
        "LDSHARED": f"{tools / 'cc'} -shared",
        "LDCXXSHARED": f"{tools / 'c++'} -shared",
    }


def _cargo(tools: Path, triple: str) -> Dict[str, str]:
    """Cargo's linker, and the compilers of the cc crate, for one Rust target."""
    under = triple.replace("-", "_")
    return {
        f"CARGO_TARGET_{under.upper()}_LINKER": str(tools / "cc"),
        f"CC_{under}": str(tools / "cc"),
        f"CXX_{under}": str(tools / "c++"),
        f"AR_{under}": str(tools / "ar"),
        f"RANLIB_{under}": str(tools / "ranlib"),
    }


def _maturin() -> Dict[str, str]:
    """maturin warns when another backend stands in [build-system]: here that is meant."""
    return {"MATURIN_NO_MISSING_BUILD_BACKEND_WARNING": "1"}
