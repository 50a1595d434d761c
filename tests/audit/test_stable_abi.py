"""A wheel that says abi3 is held to the stable ABI of the Python that it names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Tuple

import pytest
from made_elf import Made, Need
from made_wheel import make_wheel

from manylinux_shim._platforms import Policy
from manylinux_shim.audit import Verdict, audit_wheel, render


def audit(directory: Path, symbol: str, tag: str, name: str = "made/_made.abi3.so") -> Verdict:
    made = Made(needed=("libc.so.6",), undefined=[Need(symbol)])
    return audit_wheel(make_wheel(directory, {name: made}, f"{tag}-manylinux1_x86_64"))


@pytest.mark.parametrize(
    ("symbol", "tag", "complaint"),
    [
        ("PyLong_FromLong", "cp36-abi3", ""),
        ("PyUnicode_AsUTF8AndSize", "cp310-abi3", ""),
        ("PyUnicode_AsUTF8AndSize", "cp38-abi3", "stable since 3.10"),
        ("PyUnicode_AsUTF8AndSize", "cp310.cp38-abi3", "stable since 3.10"),
        ("PyUnicode_AsUTF8", "cp38-abi3", "not in the stable ABI"),
        ("_PyObject_GetDictPtr", "cp311-abi3", "not in the stable ABI"),
        ("_Py_NoneStruct", "cp36-abi3", ""),
        ("PyUnicode_AsUTF8", "cp38-cp38", ""),
    ],
)
def test_a_symbol_is_stable_or_named(tmp_path: Path, symbol: str, tag: str, complaint: str) -> None:
    verdict = audit(tmp_path, symbol, tag)
    reasons: Tuple[str, ...] = tuple(map(str, verdict.stable_abi))
    assert verdict.truthful == (not complaint)
    assert bool(reasons) == bool(complaint)
    assert all(complaint in reason and symbol in reason for reason in reasons)


def test_the_platform_tag_is_proven_whatever_the_stable_abi(tmp_path: Path) -> None:
    verdict = audit(tmp_path, "PyUnicode_AsUTF8", "cp38-abi3")
    assert verdict.proves(Policy.parse("manylinux1"))
    assert [tag for tag, _ in verdict.unproven()] == ["abi3"]
    assert "claims abi3: NOT TRUE" in render(verdict)


def test_a_module_for_one_python_in_an_abi3_wheel_is_not_held_to_it(tmp_path: Path) -> None:
    made = Made(needed=("libc.so.6",), undefined=[Need("PyUnicode_AsUTF8")])
    stable = Made(needed=("libc.so.6",), undefined=[Need("PyLong_FromLong")])
    files = {"_made.cpython-311-x86_64-linux-gnu.so": made, "_made.abi3.so": stable}
    assert audit_wheel(make_wheel(tmp_path, files, "cp38-abi3-manylinux1_x86_64")).truthful


def test_without_abi3info_a_note_says_that_no_check_was_made(tmp_path: Path) -> None:
    made = Made(needed=("libc.so.6",), undefined=[Need("PyUnicode_AsUTF8")])
    wheel = make_wheel(tmp_path, {"made/_made.abi3.so": made}, "cp38-abi3-manylinux1_x86_64")
    program = (
        "import sys\n"
        "sys.modules['abi3info'] = None\n"
        "from pathlib import Path\n"
        "from manylinux_shim.audit import audit_wheel\n"
        "verdict = audit_wheel(Path(sys.argv[1]))\n"
        "print(verdict.truthful, verdict.notes)\n"
    )
    command = [sys.executable, "-c", program, str(wheel)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("True ")
    assert "manylinux-shim[abi3]" in run.stdout
