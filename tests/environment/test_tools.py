"""The tools that are no compiler: what stands beside it for who looks there."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Sequence

import pytest

from manylinux_shim.environment._tools import _STRIPPER


@pytest.mark.parametrize(
    ("arguments", "status", "made"),
    [
        (["linked"], 0, []),
        (["--strip-debug", "-R", ".comment", "linked"], 0, []),
        (["-s", "linked", "-o", "other"], 0, ["other"]),
        (["-oother", "linked"], 0, ["other"]),
        (["-o", "other", "nowhere"], 1, []),
        (["nowhere"], 1, []),
    ],
    ids=["in place", "a section", "another file", "in one word", "no file", "none in place"],
)
def test_strip_leaves_what_was_linked_as_it_is(
    arguments: Sequence[str], status: int, made: Sequence[str], tmp_path: Path
) -> None:
    (tmp_path / "linked").write_bytes(b"\x7fELF and more")
    (tmp_path / "linked").chmod(0o755)
    (tmp_path / "strip").write_text(_STRIPPER)
    command = ["sh", "strip", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == status
    assert ("nowhere" in done.stderr) == bool(status)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["linked", "strip", *made])
    for name in ("linked", *made):
        assert (tmp_path / name).read_bytes() == b"\x7fELF and more"
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o755
