"""RECORD against the files that it names."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from manylinux_shim._errors import WheelError
from manylinux_shim.cli import main
from manylinux_shim.wheel import refuse_wrong_hashes
from manylinux_shim.wheel._metadata import record_line

INFO = "small-1.0.dist-info"


def wheel(directory: Path, stated: bytes, name: str = "small/a.py") -> Path:
    """A wheel with one file, for which RECORD has the hash of ``stated``."""
    path = directory / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/a.py", b"x = 1\n")
        archive.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{INFO}/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        archive.writestr(f"{INFO}/RECORD", record_line(name, stated) + f"{INFO}/RECORD,,\n")
    return path


def test_a_true_record_is_taken(tmp_path: Path) -> None:
    refuse_wrong_hashes(wheel(tmp_path, b"x = 1\n"))
    refuse_wrong_hashes(wheel(tmp_path, b"y", name="small/gone.py"))


def test_a_wrong_hash_names_the_file_and_relink_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wheel(tmp_path, b"x = 2\n")
    with pytest.raises(WheelError, match=r"small/a\.py"):
        refuse_wrong_hashes(path)
    out = tmp_path / "out"
    assert main(["relink", "--policy", "manylinux_2_17", "-o", str(out), str(path)]) == 2
    assert "RECORD" in capsys.readouterr().err
    assert not out.exists()
