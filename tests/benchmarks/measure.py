"""Times two ways of doing the same, in turn, and prints both and how they compare."""

from __future__ import annotations

import statistics
import time
from typing import Callable, List, Optional, Tuple


def timed(action: Callable[[], object]) -> float:
    """Seconds that ``action`` takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def pairs(
    ours: Callable[[], object], peer: Callable[[], object], runs: int, warm_up: int = 1
) -> Tuple[List[float], List[float]]:
    """Seconds of both, run in turn so that a drifting machine hits them alike."""
    for _ in range(warm_up):
        ours()
        peer()
    times = [(timed(ours), timed(peer)) for _ in range(runs)]
    return [a for a, _ in times], [b for _, b in times]


def line(
    what: str, ours: List[float], peer: List[float], peer_name: str, goal: Optional[str] = None
) -> None:
    """One measurement: medians, their difference and ratio, and what was aimed at."""
    a, b = statistics.median(ours), statistics.median(peer)
    print(
        f"{what}: ours {a:.3f} s, {peer_name} {b:.3f} s, difference {a - b:+.3f} s,"
        f" ratio {a / b:.2f}" + (f"  (aim: {goal})" if goal else "")
    )
