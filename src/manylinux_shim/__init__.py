"""manylinux-shim: a PEP 517 and PEP 660 build backend that wraps another one.

This module is the hooks and nothing else; it imports nothing heavy. The real
backend is named in ``[tool.manylinux-shim] backend``. Optional hooks exist here
exactly when the real backend has them, so they are looked up on demand
(PEP 562) instead of being defined.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Mapping, Optional

__version__ = "0.1.0"

_ALWAYS = ("build_sdist", "build_wheel", "get_requires_for_build_wheel")
_OPTIONAL = (
    "build_editable",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
    "UnsupportedOperation",
)


def build_wheel(
    wheel_directory: str,
    config_settings: Optional[Mapping[str, Any]] = None,
    metadata_directory: Optional[str] = None,
) -> str:
    """Build a wheel with the real backend, prove its tag, return its file name (PEP 517)."""
    from manylinux_shim import _backend
    from manylinux_shim._messages import reported

    with reported():
        return _backend.build_wheel(wheel_directory, config_settings, metadata_directory)


def get_requires_for_build_wheel(
    config_settings: Optional[Mapping[str, Any]] = None,
) -> List[str]:
    """Return what the real backend asks for, and zig if this build will use it (PEP 517)."""
    from manylinux_shim import _backend
    from manylinux_shim._messages import reported

    with reported():
        return _backend.get_requires_for_build_wheel(config_settings)


def build_sdist(sdist_directory: str, config_settings: Optional[Mapping[str, Any]] = None) -> str:
    """Have the real backend build its sdist, unchanged (PEP 517)."""
    from manylinux_shim import _backend
    from manylinux_shim._messages import reported

    with reported():
        name: str = _backend.delegated("build_sdist", sdist_directory, config_settings)
        return name


def __getattr__(name: str) -> Any:
    if name == "__all__":
        # An in-tree backend does `from manylinux_shim import *` and expects
        # every hook that the real backend has.
        return [*_ALWAYS, *(hook for hook in _OPTIONAL if _optional_hook(hook) is not None)]
    hook = _optional_hook(name) if name in _OPTIONAL else None
    if hook is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return hook


def _optional_hook(name: str) -> Optional[Callable[..., Any]]:
    from manylinux_shim import _backend

    return _backend.optional_hook(name)
