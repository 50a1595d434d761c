"""What came of one package for one deployment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from manylinux_shim.commands.wheelhouse._packages import Item
from manylinux_shim.wheel import WheelName


@dataclass(frozen=True)
class Result:
    """A wheel that is there, or why there is none."""

    item: Item
    how: str
    """``taken``, ``joined``, ``built``, ``kept`` (built by an earlier run) or ``failed``."""
    wheel: Optional[Path] = None
    reason: str = ""
    """Of a failure: what is wrong and what to do. Else why a wheel of the index was not taken."""
    log: Optional[Path] = None
    left_out: Tuple[str, ...] = ()
    """Optional extensions that failed, and that the wheel is without."""
    tested: str = ""
    """Where it passed its test; empty if there was none."""
    untried: str = ""
    """Why it could not be tested."""

    @property
    def version(self) -> str:
        """The version of the wheel, or of the lock where there is none."""
        if self.wheel is not None:
            return WheelName.parse(self.wheel.name).version
        return str(self.item.package.version or "")

    def to_json(self) -> Dict[str, Any]:
        """For programs."""
        deployment = self.item.deployment
        return {
            "name": str(self.item.package.name),
            "version": self.version,
            "target": deployment.arch.name,
            "policy": str(deployment.policy),
            "python": deployment.python_text + ("t" if deployment.free_threaded else ""),
            "outcome": self.how,
            "wheel": None if self.wheel is None else str(self.wheel),
            "reason": self.reason or None,
            "left_out": list(self.left_out),
            "tested": self.tested or None,
            "untried": self.untried or None,
            "log": None if self.log is None else str(self.log),
        }
