"""Everything about changing a finished ELF file, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manylinux_shim.relink._room import PATCHELF_REQUIREMENT
    from manylinux_shim.relink._run_path import without_run_path
    from manylinux_shim.relink._wheel import relink_wheel

__all__ = ["PATCHELF_REQUIREMENT", "relink_wheel", "without_run_path"]

_ROOMS = {
    "PATCHELF_REQUIREMENT": "_room",
    "relink_wheel": "_wheel",
    "without_run_path": "_run_path",
}


def __getattr__(name: str) -> Any:
    # Linking again needs the auditor and its tables, taking out a run path neither.
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
