"""Times two ways of doing the same, in turn, and prints both and how they compare."""

from __future__ import annotations

import os
import resource
import statistics
import time
from typing import Callable, List, Optional, Tuple

# Users keep what Python compiles; a container image may set this, and then nothing does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def processors_time() -> float:
    """Seconds of processors that ended children have used: for work on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(action: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that ``action`` takes, by a clock."""
    start = clock()
    action()
    return clock() - start


def pairs(
    ours: Callable[[], object],
    peer: Callable[[], object],
    runs: int,
    warm_up: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> Tuple[List[float], List[float]]:
    """Seconds of both, run in turn so that a drifting machine hits them alike."""
    for _ in range(warm_up):
        ours()
        peer()
    times = [(timed(ours, clock), timed(peer, clock)) for _ in range(runs)]
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
