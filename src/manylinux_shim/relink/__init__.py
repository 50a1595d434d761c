"""Everything about changing a finished ELF file, and only that."""

from __future__ import annotations

from manylinux_shim.relink._run_path import without_run_path

__all__ = ["without_run_path"]
