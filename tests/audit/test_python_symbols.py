"""Whether the interpreters of a wheel's tags have what its modules ask of them."""

from __future__ import annotations

import sys
from ctypes import pythonapi
from pathlib import Path

import pytest
from made_elf import Made, Need
from made_wheel import make_wheel

from manylinux_shim.audit import Verdict, audit_wheel
from manylinux_shim.audit._python_api import API, Interpreters


def audit(directory: Path, symbol: Need, tag: str, suffix: str) -> Verdict:
    files = {
        f"made/_made{suffix}.so": Made(needed=("libc.so.6",), undefined=[symbol]),
        "made/libown.so": Made(defined=["PyOwn_Call"]),
    }
    return audit_wheel(make_wheel(directory, dict(files), f"{tag}-manylinux1_x86_64"))


@pytest.mark.parametrize(
    ("symbol", "tag", "suffix", "lacks"),
    [
        ("PyLong_FromLong", "cp312-cp312", ".cpython-312-x86_64-linux-gnu", False),
        # Since 3.13, and until 3.12.
        ("PyDict_GetItemRef", "cp313-cp313", ".cpython-313-x86_64-linux-gnu", False),
        ("PyDict_GetItemRef", "cp312-cp312", ".cpython-312-x86_64-linux-gnu", True),
        ("PyDict_GetItemRef", "cp312-cp312", "", True),
        ("PyUnicode_AsUnicode", "cp311-cp311", ".cpython-311-x86_64-linux-gnu", False),
        ("PyUnicode_AsUnicode", "cp313-cp313", ".cpython-313-x86_64-linux-gnu", True),
        ("PyUnicode_AsUnicode", "cp313-cp313t", ".cpython-313t-x86_64-linux-gnu", True),
        # Of builds without the GIL the private ones are not known.
        ("PyUnstable_Module_SetGIL", "cp314-cp314t", ".cpython-314t-x86_64-linux-gnu", False),
        ("_Py_MergeZeroLocalRefcount", "cp313-cp313t", ".cpython-313t-x86_64-linux-gnu", False),
        ("_Py_MergeZeroLocalRefcount", "cp313-cp313", ".cpython-313-x86_64-linux-gnu", True),
        ("PyOwn_Call", "cp312-cp312", ".cpython-312-x86_64-linux-gnu", False),
        ("PyDict_GetItemRef", "py3-none", "", False),
    ],
)
def test_a_symbol_is_there_in_the_python_of_the_tag(
    tmp_path: Path, symbol: str, tag: str, suffix: str, lacks: bool
) -> None:
    # Without a function of its name, a bare file is no module.
    files = audit(tmp_path, Need(symbol), tag, suffix or ".abi3")
    verdict = files if suffix else _bare(tmp_path, symbol, tag)
    assert [found for found, _ in verdict.unproven()] == ([tag] if lacks else [])
    if lacks:
        ((_, (reason,)),) = verdict.unproven()
        assert (reason.symbol, reason.kind) == (symbol, "python-tag")
    assert audit(tmp_path, Need(symbol, weak=True), tag, suffix or ".abi3")


def _bare(directory: Path, symbol: str, tag: str) -> Verdict:
    made = Made(needed=("libc.so.6",), undefined=[Need(symbol)], defined=["PyInit__made"])
    return audit_wheel(make_wheel(directory, {"made/_made.so": made}, f"{tag}-manylinux1_x86_64"))


@pytest.mark.parametrize(
    ("tag", "suffix"),
    [
        ("cp399-cp399", ".cpython-399-x86_64-linux-gnu"),
        ("pp311-pypy311_pp73", ".pypy311-pp73-x86_64-linux-gnu"),
    ],
)
def test_a_python_that_no_table_has_is_said_not_to_be_checked(
    tmp_path: Path, tag: str, suffix: str
) -> None:
    verdict = audit(tmp_path, Need("PyAnything"), tag, suffix)
    assert verdict.truthful
    assert [note for note in verdict.notes if f"not checked for {tag.split('-')[1]}" in note]


def test_the_table_has_what_this_interpreter_has() -> None:
    table = Interpreters.load()
    assert list(table.symbols) == [(3, minor) for minor in range(8, 16)]
    symbols = table.symbols.get(sys.version_info[:2], frozenset())
    assert symbols or sys.version_info[:2] > (3, 15)
    # Private ones may go in any release of it.
    public = [name for name in symbols if name.startswith("Py") and API.match(name)]
    assert [name for name in public if not hasattr(pythonapi, name)] == []


def test_each_version_keeps_what_is_stable() -> None:
    table = Interpreters.load()
    for version, symbols in table.symbols.items():
        stable = {name for name, since in table.stable.items() if since <= version}
        # What debug builds, Windows and systems without processes have is left.
        assert len(stable - symbols) < 25, (version, sorted(stable - symbols))
