"""Whatever the bytes: an answer or an error of ours, in bounded time and memory."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("mutate_inputs.py")


def mutate(seed: int, elfs: int, wheels: int) -> None:
    run = subprocess.run(
        [sys.executable, str(PROGRAM), str(seed), str(elfs), str(wheels)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found = re.fullmatch(r"(\d+) decided, (\d+) refused\n", run.stdout)
    assert found is not None, run.stdout
    decided, refused = int(found[1]), int(found[2])
    assert decided + refused == elfs + 2 * wheels  # as many names
    # Both happen, or the mutations are too weak or too strong to tell anything.
    assert decided > elfs // 20
    assert refused > elfs // 20


@pytest.mark.long
def test_twenty_thousand_mutations_are_decided_or_refused() -> None:
    mutate(seed=20261, elfs=15_000, wheels=2_500)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_more_mutations_are_decided_or_refused(seed: int) -> None:
    mutate(seed, elfs=100_000, wheels=10_000)
