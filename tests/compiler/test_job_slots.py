"""Of the compilers of several builds no more run at once than there are slots."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from manylinux_shim._platforms import Policy, architecture
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig import find_zig

HOLD = """\
import sys, time
from manylinux_shim.compiler import _job_slots
slot = _job_slots.take()
print(time.monotonic(), flush=True)
time.sleep(float(sys.argv[1]))
print(time.monotonic(), flush=True)
_job_slots.give_back(slot)
"""


def holder(slots: Path, count: int, seconds: float) -> subprocess.Popen[str]:
    """A process that has a slot for a while, and says from when to when."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(seconds)],
        env={**os.environ, "_MANYLINUX_SHIM_JOB_SLOTS": f"{count} {slots}"},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def slots(tmp_path: Path) -> Path:
    path = tmp_path / "of a call"
    path.touch()
    return path


def test_no_more_have_a_slot_than_there_are(slots: Path) -> None:
    spans: List[List[float]] = []
    for process in [holder(slots, 3, 0.3) for _ in range(8)]:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        spans.append([float(line) for line in said.split()])
    at_once = [sum(begin <= start < end for begin, end in spans) for start, _ in spans]
    assert max(at_once) == 3


def test_the_slot_of_who_was_killed_is_free(slots: Path) -> None:
    first = holder(slots, 1, 600)
    assert first.stdout is not None
    assert first.stdout.readline()
    second = holder(slots, 1, 0)
    with pytest.raises(subprocess.TimeoutExpired):
        second.communicate(timeout=0.5)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    said, _ = second.communicate(timeout=60)
    assert len(said.split()) == 2


@pytest.mark.parametrize("there", [True, False])
def test_where_there_is_nothing_to_lock_nobody_waits(there: bool, slots: Path) -> None:
    path = Path("/dev/null") if there else slots.with_name("gone")
    for process in [holder(path, 1, 0) for _ in range(2)]:
        process.communicate(timeout=60)
        assert process.returncode == 0


@pytest.mark.long
def test_our_compiler_takes_one(
    slots: Path, tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(shared_cache))
    policy = Policy.parse("manylinux_2_17")
    added = prepare(find_zig(), architecture("x86_64"), policy, tmp_path, cross=False, notice=print)
    (tmp_path / "a.c").write_text("int a;\n")
    environment = {**os.environ, **added, "_MANYLINUX_SHIM_JOB_SLOTS": f"1 {slots}"}
    other = holder(slots, 1, 600)
    assert other.stdout is not None
    assert other.stdout.readline()
    command = [added["CC"], "-c", "a.c", "-o", "a.o"]
    compiling = subprocess.Popen(command, cwd=tmp_path, env=environment)
    with pytest.raises(subprocess.TimeoutExpired):
        compiling.wait(timeout=2)
    assert not (tmp_path / "a.o").exists()
    other.kill()
    other.communicate()
    assert compiling.wait(timeout=60) == 0
    assert (tmp_path / "a.o").exists()
