"""A build that is killed, at any moment, harms no later one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from support import projects, wheels
from support.workshop import UV_BUILD_HERE, Workshop

ROUNDS, KILLS = 5, 10


def test_killed_fifty_times_the_next_build_has_the_right_result(
    workshop: Workshop, stocked: Path, tmp_path: Path
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
    for number in range(ROUNDS):
        # Each round begins with nothing, so that kills meet everything that is made once.
        cache = tmp_path / f"cache-{number}"
        out = tmp_path / f"killed-{number}"
        command = UV_BUILD_HERE.arguments(stocked, project, out, {})
        here = {**environment, "MANYLINUX_SHIM_CACHE_DIR": str(cache)}
        for _ in range(KILLS):
            process = subprocess.Popen(
                command,
                cwd=project,
                env=workshop.environment(here),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            time.sleep(chance.uniform(0.1, cold))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for wheel in out.glob("*"):
                # One that was quick enough is whole; of the others there is nothing.
                assert wheel.suffix != ".whl" or wheel.read_bytes() == expected
        assert built(tmp_path / f"after-{number}", cache) == expected
