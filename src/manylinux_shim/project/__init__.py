"""A project's ``pyproject.toml``: what it says, the change for the shim, and the way back.

Pure: text in, text out. Where things stand in the text is tomlkit's answer; what
is changed is a few characters there, so that all the rest stays as it is, byte
for byte.
"""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.project._backends import compiles_nothing as compiles_nothing
    from manylinux_shim.project._backends import has_fortran as has_fortran
    from manylinux_shim.project._backends import has_ready_made as has_ready_made
    from manylinux_shim.project._backends import pure_backend as pure_backend
    from manylinux_shim.project._change import MODULE as MODULE
    from manylinux_shim.project._change import SHIM as SHIM
    from manylinux_shim.project._change import Change as Change
    from manylinux_shim.project._change import our_table as our_table
    from manylinux_shim.project._insertion import inserted as inserted
    from manylinux_shim.project._overlay import overlaid as overlaid
    from manylinux_shim.project._removal import MADE_HERE as MADE_HERE
    from manylinux_shim.project._removal import removed as removed
    from manylinux_shim.project._requires import canonical as canonical
    from manylinux_shim.project._requires import names as names
    from manylinux_shim.project._requires import requirements as requirements
    from manylinux_shim.project._values import tomlkit as tomlkit

__getattr__ = lazily(
    __name__,
    {
        "_backends": ("compiles_nothing", "has_fortran", "has_ready_made", "pure_backend"),
        "_change": ("Change", "MODULE", "SHIM", "our_table"),
        "_insertion": ("inserted",),
        "_overlay": ("overlaid",),
        "_removal": ("MADE_HERE", "removed"),
        "_requires": ("canonical", "names", "requirements"),
        "_values": ("tomlkit",),
    },
)
