"""A project's ``pyproject.toml``: the change that brings the shim in, and the way back.

Pure: text in, text out. Where things stand in the text is tomlkit's answer; what
is changed is a few characters there, so that all the rest stays as it is, byte
for byte.
"""

from __future__ import annotations

from manylinux_shim.project._change import Change
from manylinux_shim.project._insertion import inserted
from manylinux_shim.project._purity import pure_backend
from manylinux_shim.project._removal import MADE_HERE, removed

__all__ = ["MADE_HERE", "Change", "inserted", "pure_backend", "removed"]
