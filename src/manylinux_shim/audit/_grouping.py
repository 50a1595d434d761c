"""Many reasons -> few causes: one cause has one remedy, whatever it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Tuple

from manylinux_shim._platforms import Policy
from manylinux_shim.audit.reasons import Reason


@dataclass(frozen=True)
class Cause:
    """Reasons that differ in file and symbol only."""

    policy: Optional[Policy]
    kind: str
    version: Optional[str]
    library: Optional[str]
    allowed: str
    remedy: str
    reasons: Tuple[Reason, ...]

    @property
    def files(self) -> Tuple[str, ...]:
        """The files concerned, each once."""
        return tuple(dict.fromkeys(reason.file for reason in self.reasons if reason.file))


def causes(reasons: Iterable[Reason]) -> Tuple[Cause, ...]:
    """The causes behind ``reasons``, in their order."""
    found: Dict[Tuple[object, ...], List[Reason]] = {}
    for reason in reasons:
        # A missing function is a cause of its own; many symbols of one version are one.
        symbol = reason.symbol if reason.version is None else None
        key = (reason.policy, reason.kind, reason.version, reason.library, reason.allowed, symbol)
        found.setdefault(key, []).append(reason)
    return tuple(
        Cause(
            group[0].policy,
            group[0].kind,
            group[0].version,
            group[0].library,
            group[0].allowed,
            group[0].remedy,
            tuple(group),
        )
        for group in found.values()
    )
