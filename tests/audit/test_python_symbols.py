"""Whether the interpreters of a wheel's tags have what its modules ask of them."""

from __future__ import annotations

import shutil
import sys
from ctypes import pythonapi
from pathlib import Path

import pytest
from made_elf import Made, Need
from made_wheel import make_wheel

from manylinux_shim.audit import Verdict, _python_api, _python_table, audit_wheel
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
        # Builds without the GIL have functions of their own.
        ("PyUnstable_Module_SetGIL", "cp313-cp313t", ".cpython-313t-x86_64-linux-gnu", False),
        ("PyUnstable_Module_SetGIL", "cp313-cp313", ".cpython-313-x86_64-linux-gnu", True),
        ("_Py_NoSuchThing", "cp313-cp313t", ".cpython-313t-x86_64-linux-gnu", True),
        # Of those that no table has, the private ones are not known.
        ("_Py_NoSuchThing", "cp315-cp315t", ".cpython-315t-x86_64-linux-gnu", False),
        ("PyUnicode_AsUnicode", "cp315-cp315t", ".cpython-315t-x86_64-linux-gnu", True),
        ("PyUnstable_Module_SetGIL", "cp315-cp315t", ".cpython-315t-x86_64-linux-gnu", False),
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
        ("cp399-cp399t", ".cpython-399t-x86_64-linux-gnu"),
        ("pp399-pypy399_pp73", ".pypy399-pp73-x86_64-linux-gnu"),
    ],
)
def test_a_python_that_no_table_has_is_said_not_to_be_checked(
    tmp_path: Path, tag: str, suffix: str
) -> None:
    verdict = audit(tmp_path, Need("PyAnything"), tag, suffix)
    assert verdict.truthful
    assert [note for note in verdict.notes if f"not checked for {tag.split('-')[1]}" in note]


@pytest.mark.parametrize(
    ("symbol", "lacks"),
    [("PyPyList_New", False), ("PyModule_AddType", False), ("PyList_New", True)],
)
def test_what_a_pypy_lacks_is_noted(tmp_path: Path, symbol: str, lacks: bool) -> None:
    tag, suffix = "pp39-pypy39_pp73", ".pypy39-pp73-x86_64-linux-gnu"
    verdict = audit(tmp_path, Need(symbol), tag, suffix)
    assert verdict.truthful
    said = [note for note in verdict.notes if f"needs {symbol}, which PyPy 7.3.11 lacks" in note]
    assert len(said) == lacks


def test_the_table_has_what_this_interpreter_has() -> None:
    table = Interpreters.load()
    of_cpython = [f"cp3{minor}" for minor in range(8, 16)]
    assert set(table.symbols) == {
        *of_cpython, "cp313t", "pypy39_pp73", "pypy311_pp73", "pypy311_pp80",
    }  # fmt: skip
    symbols = table.symbols.get(f"cp3{sys.version_info[1]}", frozenset())
    assert symbols or sys.version_info[:2] > (3, 15)
    # Private ones may go in any release of it.
    public = [name for name in symbols if name.startswith("Py") and API.match(name)]
    assert [name for name in public if not hasattr(pythonapi, name)] == []


def test_each_version_keeps_what_is_stable() -> None:
    table = Interpreters.load()
    for abi, symbols in table.symbols.items():
        if not abi.startswith("cp"):
            continue
        version = (3, int(abi[3:].rstrip("t")))
        stable = {name for name, since in table.stable.items() if since <= version}
        # What debug builds, Windows and systems without processes have is left.
        assert len(stable - symbols) < 25, (abi, sorted(stable - symbols))


def test_a_table_written_anew_keeps_what_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Interpreters.load()
    copy = tmp_path / "python.bin"
    shutil.copyfile(_python_api.TABLE_FILE, copy)
    for module in (_python_api, _python_table):
        monkeypatch.setattr(module, "TABLE_FILE", copy)
    made = Made(defined=["PyOwn_Call", "PyInit_made", "other"])
    (tmp_path / "python").write_bytes(bytes(made))
    _python_table.main([f"cp399={tmp_path / 'python'}=CPython 3.99.0, of this test"])
    after = Interpreters.load()
    assert after.symbols == {**before.symbols, "cp399": {"PyOwn_Call"}}
    assert after.sources == {**before.sources, "cp399": "CPython 3.99.0, of this test"}
