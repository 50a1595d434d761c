"""What a build of a project would do on this machine, and what stands in its way.

It asks the same functions that a build asks, so what it says is what happens.
"""

from __future__ import annotations

from manylinux_shim.examination._examine import examine
from manylinux_shim.examination._findings import Findings, render, to_json

__all__ = ["Findings", "examine", "render", "to_json"]
