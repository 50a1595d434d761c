"""What one target is compiled and linked against: stub libraries, start files, flags."""

from __future__ import annotations

from manylinux_shim.sysroot._predefined import NO_THREADS
from manylinux_shim.sysroot._static_musl import static_musl
from manylinux_shim.sysroot._sysroot import ALWAYS_LINKED, Sysroot, runtimes_directory, sysroot

__all__ = [
    "ALWAYS_LINKED",
    "NO_THREADS",
    "Sysroot",
    "runtimes_directory",
    "static_musl",
    "sysroot",
]
