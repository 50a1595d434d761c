"""Python and ABI tags: each interpreter that they name imports every module of the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

import pytest
from made_elf import Made
from made_wheel import make_wheel

from manylinux_shim.audit import Verdict, audit_wheel, render

GNU = "x86_64-linux-gnu"


def audit(directory: Path, tag: str, names: Sequence[str]) -> Verdict:
    files = {f"made/{name}": Made(needed=("libc.so.6",), defined=["PyInit__x"]) for name in names}
    return audit_wheel(make_wheel(directory, files, f"{tag}-manylinux1_x86_64"))


@pytest.mark.parametrize(
    ("tag", "names", "denied"),
    [
        ("cp311-cp311", [f"_x.cpython-311-{GNU}.so"], ()),
        ("cp312-cp312", [f"_x.cpython-311-{GNU}.so"], ("cp312-cp312",)),
        ("cp312-abi3", [f"_x.cpython-311-{GNU}.so"], ("cp312-abi3",)),
        ("cp313-cp313t", [f"_x.cpython-311-{GNU}.so"], ("cp313-cp313t",)),
        ("py3-none", [f"_x.cpython-311-{GNU}.so"], ("py3-none",)),
        ("cp311-none", [f"_x.cpython-311-{GNU}.so"], ("cp311-none",)),
        ("cp313-cp313t", [f"_x.cpython-313t-{GNU}.so"], ()),
        ("cp313-cp313", [f"_x.cpython-313t-{GNU}.so"], ("cp313-cp313",)),
        ("cp37-cp37m", [f"_x.cpython-37m-{GNU}.so"], ()),
        ("cp311-cp311", ["_x.cpython-311.so"], ()),
        ("cp38-abi3", ["_x.abi3.so"], ()),
        ("cp38.cp39-abi3", ["_x.abi3.so"], ()),
        ("cp311-cp311", ["_x.abi3.so"], ()),
        ("cp313-cp313t", ["_x.abi3.so"], ("cp313-cp313t",)),
        ("cp315-abi3t", ["_x.abi3.so"], ("cp315-abi3t",)),
        ("cp315-abi3t", ["_x.abi3t.so"], ()),
        ("cp315-abi3.abi3t", ["_x.abi3t.so"], ()),
        ("cp315-abi3.abi3t", ["_x.abi3.so", "_x.abi3t.so"], ()),
        ("cp314-abi3t", ["_x.abi3t.so"], ("cp314-abi3t",)),
        ("py3-none", ["_x.abi3.so"], ()),
        ("pp311-pypy311_pp73", [f"_x.pypy311-pp73-{GNU}.so"], ()),
        ("pp310-pypy310_pp73", [f"_x.pypy311-pp73-{GNU}.so"], ("pp310-pypy310_pp73",)),
        ("pp311-pypy311_pp73", [f"_x.cpython-311-{GNU}.so"], ("pp311-pypy311_pp73",)),
        ("pp311-pypy311_pp73", ["_x.abi3.so"], ("pp311-pypy311_pp73",)),
        # Every interpreter takes a bare suffix, and libraries for ctypes have none of Python's.
        ("cp311-cp311", ["_x.so"], ()),
        ("py3-none", ["libx.so"], ()),
        ("py3-none", ["libx.so.1", "libx.1.so"], ()),
        # One file for each Python of the tag.
        (
            "cp310.cp311-cp310.cp311",
            [f"_x.cpython-310-{GNU}.so", f"_x.cpython-311-{GNU}.so"],
            (),
        ),
        ("cp310.cp311-cp310.cp311", [f"_x.cpython-310-{GNU}.so"], ("cp311-cp311",)),
        ("cp38-abi3", [f"_x.cpython-38-{GNU}.so", "_x.abi3.so"], ()),
        # A module that is served does not serve another.
        ("cp311-cp311", [f"_x.cpython-311-{GNU}.so", "_y.cpython-312-x.so"], ("cp311-cp311",)),
    ],
)
def test_each_tag_is_served_or_denied(
    tag: str, names: Sequence[str], denied: Sequence[str], tmp_path: Path
) -> None:
    verdict = audit(tmp_path, tag, names)
    assert tuple(dict.fromkeys(tag for tag, _ in verdict.python_tags)) == tuple(denied)
    assert verdict.truthful == (not denied)
    for name in denied:
        assert f"claims {name}: NOT TRUE" in render(verdict)


def test_platform_tag_is_earned_whatever_the_suffix(tmp_path: Path) -> None:
    verdict = audit(tmp_path, "cp312-cp312", [f"_x.cpython-311-{GNU}.so"])
    assert verdict.earned[0].startswith("manylinux")


def test_module_without_its_function_is_named(tmp_path: Path) -> None:
    verdict = audit(tmp_path, "cp311-cp311", [f"_other.cpython-311-{GNU}.so"])
    assert verdict.truthful
    assert [note for note in verdict.notes if "no PyInit function" in note]
    assert not audit(tmp_path, "cp311-cp311", [f"_x.cpython-311-{GNU}.so"]).notes


def test_module_of_cffis_for_pypy_begins_with_a_function_of_its_own(tmp_path: Path) -> None:
    made = Made(needed=("libc.so.6",), defined=["_cffi_pypyinit__c"])
    name = f"_c.pypy39-pp73-{GNU}.so"
    verdict = audit_wheel(make_wheel(tmp_path, {name: made}, "pp39-pypy39_pp73-manylinux1_x86_64"))
    assert verdict.truthful
    assert not verdict.notes


def test_file_that_no_running_program_may_open_is_not_proven(tmp_path: Path) -> None:
    made = Made(needed=("libc.so.6",), flags_1=0x40)
    verdict = audit_wheel(make_wheel(tmp_path, {"made.so": made}, "py3-none-manylinux1_x86_64"))
    assert not verdict.truthful
    assert "-z nodlopen" in render(verdict)


def test_library_that_is_needed_by_a_path_is_not_proven(tmp_path: Path) -> None:
    made = Made(needed=("libc.so.6", "/home/me/libx.so"))
    verdict = audit_wheel(make_wheel(tmp_path, {"made.so": made}, "py3-none-manylinux1_x86_64"))
    assert not verdict.truthful
    assert "/home/me/libx.so, it is needed by a path" in render(verdict)
