"""A run path is taken out, and nothing else."""

from __future__ import annotations

import ctypes
import io
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from manylinux_shim._errors import ElfError
from manylinux_shim.relink import without_run_path


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_run_path_is_gone_and_the_library_still_works(tmp_path: Path, tags: str) -> None:
    (tmp_path / "a.c").write_text("#include <math.h>\ndouble f(double x) { return pow(x, 3); }")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "a.c", "-o", "a.so", "-lm", f"-Wl,{tags},-rpath,/opt/x"],
        cwd=tmp_path,
        check=True,
    )
    data = (tmp_path / "a.so").read_bytes()
    changed = without_run_path(data)
    assert len(changed) == len(data)
    before, after = (
        ELFFile(io.BytesIO(d)).get_section_by_name(".dynamic").iter_tags() for d in (data, changed)
    )
    left = [(tag.entry.d_tag, tag.entry.d_val) for tag in after]
    assert left == [
        (tag.entry.d_tag, tag.entry.d_val)
        for tag in before
        if tag.entry.d_tag not in ("DT_RPATH", "DT_RUNPATH")
    ]
    (tmp_path / "b.so").write_bytes(changed)
    function = ctypes.CDLL(str(tmp_path / "b.so")).f
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    assert function(2.0) == 8.0
    assert without_run_path(changed) == changed


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01\x01" + bytes(9)])
def test_what_is_no_elf_file_is_an_error(data: bytes) -> None:
    with pytest.raises(ElfError):
        without_run_path(data)
