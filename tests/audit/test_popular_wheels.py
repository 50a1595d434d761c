"""Popular wheels of PyPI: each verdict of ``popular_wheels.txt`` is one that was looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import pytest

from manylinux_shim.audit import audit_wheel
from manylinux_shim.wheel import WheelName

LIST = Path(__file__).with_name("popular_wheels.txt")


def listed() -> List[Tuple[str, str]]:
    """File names, each with what speaks against it."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    parts = [line.split() for line in lines if not line.startswith("#")]
    return [(words[0], " ".join(words[1:])) for words in parts]


def fetch(filename: str, directory: Path) -> Path:
    """The wheel of exactly this name, by pip."""
    name = WheelName.parse(filename)
    python = name.python[0][2:]
    command = [
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:",
        "--disable-pip-version-check", "-d", str(directory), "--python-version",
        f"3.{python[1:] or 11}", "==".join(filename.split("-")[:2]),
    ]  # fmt: skip
    if name.python[0].startswith("pp"):
        command += ["--implementation", "pp"]
    command += [word for abi in name.abi for word in ("--abi", abi)]
    command += [word for platform in name.platforms for word in ("--platform", platform)]
    subprocess.run(command, check=True)
    return directory / filename


@pytest.mark.slow
@pytest.mark.pypi
@pytest.mark.parametrize(("filename", "needed"), listed(), ids=lambda value: value.split("-")[0])
def test_popular_wheel_is_judged_as_it_was(filename: str, needed: str, tmp_path: Path) -> None:
    verdict = audit_wheel(fetch(filename, tmp_path))
    against = {r.library for _, reasons in verdict.unproven() for r in reasons if r.library}
    assert verdict.truthful == (not needed), verdict.unproven()
    assert against == set(needed.split())
