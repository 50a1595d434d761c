"""A build that is killed, at any moment, harms no later one."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support import projects, wheels
from support.workshop import UV_BUILD_HERE, Workshop


@pytest.mark.parametrize(
    ("rounds", "kills"),
    [pytest.param(1, 6), pytest.param(5, 10, marks=pytest.mark.slow)],
    ids=["6 times", "50 times"],
)
def test_after_builds_that_were_killed_the_next_has_the_right_result(
    rounds: int, kills: int, workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    project = projects.copy_sample("setuptools_cpp", tmp_path / "project")
    environment = {"SOURCE_DATE_EPOCH": "1600000000"}

    def built(out: Path, cache: Path) -> bytes:
        here = {**environment, "MANYLINUX_SHIM_CACHE_DIR": str(cache)}
        workshop.build(UV_BUILD_HERE, project, out, python=stocked, environment=here).passed()
        return wheels.only_wheel(out).read_bytes()

    start = time.monotonic()
    expected = built(tmp_path / "whole", tmp_path / "cache")
    cold = time.monotonic() - start
    chance = random.Random(50)
    for number in range(rounds):
        # Each round begins with nothing, so that kills meet everything that is made once.
        cache = tmp_path / f"cache-{number}"
        out = tmp_path / f"killed-{number}"
        command = UV_BUILD_HERE.arguments(stocked, project, out, {})
        here = {**environment, "MANYLINUX_SHIM_CACHE_DIR": str(cache)}
        for _ in range(kills):
            process = subprocess.Popen(
                command,
                cwd=project,
                env=workshop.environment(here),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.1, cold))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for wheel in out.glob("*"):
                # One that was quick enough is whole; of the others there is nothing.
                assert wheel.suffix != ".whl" or wheel.read_bytes() == expected
        assert built(tmp_path / f"after-{number}", cache) == expected
