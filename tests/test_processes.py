"""How many commands run at once, and which processes belong to one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

from manylinux_shim._errors import SettingsError
from manylinux_shim._processes import descendants, jobs, processors, quotas

CASES = [
    ("no quota", "0::/\n", {"cpu.max": "max 100000\n"}, []),
    ("in a container", "0::/\n", {"cpu.max": "250000 100000\n"}, [3]),
    ("less than one", "0::/\n", {"cpu.max": "1000 100000\n"}, [1]),
    (
        "a service, and one above",
        "0::/system.slice/ci.service\n",
        {"system.slice/cpu.max": "400000 100000", "system.slice/ci.service/cpu.max": "max 100000"},
        [4],
    ),
    ("not to be seen from here", "0::/../../docker/abc\n", {"cpu.max": "200000 100000"}, [2]),
    (
        "version 1",
        "5:memory:/a\n4:cpu,cpuacct:/docker/abc\n0::/\n",
        {
            "cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
            "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "memory/cpu.cfs_quota_us": "1\n",
            "memory/cpu.cfs_period_us": "1\n",
        },
        [2],
    ),
    (
        "version 1 without a quota",
        "1:cpu:/\n",
        {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
        [],
    ),
    ("broken", "0::/\n", {"cpu.max": "what\n"}, []),
]


@pytest.mark.parametrize(
    ("groups", "files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_quotas_of_control_groups(
    groups: str, files: Dict[str, str], expected: List[int], tmp_path: Path
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert list(dict.fromkeys(quotas(groups, tmp_path))) == expected


def test_jobs_are_as_asked_and_else_the_processors() -> None:
    assert jobs({"MANYLINUX_SHIM_JOBS": "7"}) == 7
    assert jobs({}) == jobs({"MANYLINUX_SHIM_JOBS": ""}) == processors() >= 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "\N{SUPERSCRIPT TWO}"])
def test_a_number_of_jobs_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="MANYLINUX_SHIM_JOBS"):
        jobs({"MANYLINUX_SHIM_JOBS": text})


def test_descendants_are_found_however_far_below() -> None:
    code = "import subprocess, sys; subprocess.run(['cat'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        found: List[int] = []
        while len(found) < 1:
            found = descendants(process.pid)
        assert process.pid in descendants(os.getpid())
        assert found[0] in descendants(os.getpid())
