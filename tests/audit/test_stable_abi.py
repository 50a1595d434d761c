"""A wheel that says abi3 is held to the stable ABI of the Python that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Tuple

import pytest
from made_elf import Made, Need
from made_wheel import make_wheel

from manylinux_shim._platforms import Policy
from manylinux_shim.audit import Verdict, audit_wheel, render
from manylinux_shim.audit._python_api import Interpreters
from manylinux_shim.audit._python_table import stable_abi


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


def test_a_wheel_for_builds_without_the_gil_is_held_to_the_stable_abi_too(tmp_path: Path) -> None:
    found = audit(tmp_path, "PyFrame_Type", "cp315-abi3t", "made/_made.abi3t.so")
    assert "PyFrame_Type" in str(found.stable_abi[0])
    assert audit(tmp_path, "PyLong_FromLong", "cp315-abi3t", "made/_made.abi3t.so").truthful


def test_the_table_of_the_stable_abi_is_that_of_abi3info() -> None:
    theirs = stable_abi()
    ours = Interpreters.load().stable
    # A newer abi3info knows what a newer Python brings.
    newest = max(ours.values())
    assert {n: since for n, since in theirs.items() if since <= newest} == ours
