"""An extension may ask this Python for what it has, and for nothing else."""

from __future__ import annotations

import subprocess
import sysconfig
import zipfile
from pathlib import Path
from typing import List

import pytest

from manylinux_shim.audit import audit_wheel
from manylinux_shim.finish._proof import not_in_this_python

SOABI = sysconfig.get_config_var("SOABI")


@pytest.mark.parametrize(
    ("file", "missing"),
    [
        (f"a.{SOABI}.so", ["PyNowhere_Check"]),
        ("a.abi3.so", ["PyNowhere_Check"]),
        ("a.abi3t.so", ["PyNowhere_Check"]),
        ("a.cpython-27-x86_64-linux-gnu.so", []),
        ("liba.so", []),
    ],
)
def test_a_function_that_this_python_lacks_is_found_in_its_own_extensions(
    tmp_path: Path, file: str, missing: List[str]
) -> None:
    (tmp_path / "a.c").write_text(
        "void *PyList_New(long); int PyNowhere_Check(void *);"
        "extern __attribute__((weak)) int PyPerhaps_There(void);"
        "int f(void) { return PyNowhere_Check(PyList_New(1)) + (PyPerhaps_There != 0); }"
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "a.c", "-o", "a.so"], cwd=tmp_path, check=True)
    wheel = tmp_path / "a-1-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(tmp_path / "a.so", file)
    assert [symbol for _, symbol in not_in_this_python(audit_wheel(wheel))] == missing
