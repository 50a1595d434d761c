"""Everything about changing a finished ELF file, and only that."""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.relink._own_version import OwnVersion as OwnVersion
    from manylinux_shim.relink._own_version import bound_to as bound_to
    from manylinux_shim.relink._own_version import with_own_version as with_own_version
    from manylinux_shim.relink._patchelf import PATCHELF_REQUIREMENT as PATCHELF_REQUIREMENT
    from manylinux_shim.relink._patchelf import find_patchelf as find_patchelf
    from manylinux_shim.relink._patchelf import patched as patched
    from manylinux_shim.relink._run_path import with_run_path as with_run_path
    from manylinux_shim.relink._run_path import without_run_path as without_run_path
    from manylinux_shim.relink._wheel import Relinked as Relinked
    from manylinux_shim.relink._wheel import relink_wheel as relink_wheel

__getattr__ = lazily(
    __name__,
    {
        "_own_version": ("OwnVersion", "bound_to", "with_own_version"),
        "_patchelf": ("PATCHELF_REQUIREMENT", "find_patchelf", "patched"),
        "_run_path": ("with_run_path", "without_run_path"),
        "_wheel": ("Relinked", "relink_wheel"),
    },
)
