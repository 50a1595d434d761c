"""Everything about changing a finished ELF file, and only that."""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.relink._room import PATCHELF_REQUIREMENT as PATCHELF_REQUIREMENT
    from manylinux_shim.relink._room import find_patchelf as find_patchelf
    from manylinux_shim.relink._run_path import with_run_path as with_run_path
    from manylinux_shim.relink._run_path import without_run_path as without_run_path
    from manylinux_shim.relink._wheel import Relinked as Relinked
    from manylinux_shim.relink._wheel import relink_wheel as relink_wheel

__getattr__ = lazily(
    __name__,
    {
        "_room": ("PATCHELF_REQUIREMENT", "find_patchelf"),
        "_run_path": ("with_run_path", "without_run_path"),
        "_wheel": ("Relinked", "relink_wheel"),
    },
)
