"""A verdict for people."""

from __future__ import annotations

from typing import List, Optional

from manylinux_shim._platforms import Policy
from manylinux_shim.audit._audit import Verdict

_MOST = 20


def render_refusal(verdict: Verdict, policy: Optional[Policy]) -> str:
    """Why a wheel is refused ``policy``, or any policy at all: the text of a build's error."""
    wanted = policy.name if policy is not None else "any policy"
    reasons = verdict.against(policy) if policy is not None else verdict.reasons
    lines: List[str] = [f"{verdict.wheel.name} has not earned {wanted}:"]
    lines += [f"  {line}" for reason in reasons[:_MOST] for line in str(reason).splitlines()]
    if len(reasons) > _MOST:
        lines.append(f"  ... and {len(reasons) - _MOST} more")
    return "\n".join(lines)


def render(
    verdict: Verdict, policy: Optional[Policy] = None, colour: bool = False, width: int = 80
) -> str:
    """The verdict in full."""
    del colour, width
    head = f"{verdict.wheel.name} has earned {' '.join(verdict.earned)}"
    return head if verdict.truthful else head + "\n" + render_refusal(verdict, policy)
