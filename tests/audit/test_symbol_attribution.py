"""Who provides an undefined symbol: Python, libc, the wheel itself, a library allowed, nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence, Tuple

import pytest
from made_elf import Made, Need
from made_wheel import make_wheel

from manylinux_shim.audit import audit_wheel

LIBC = ("libc.so.6",)


def earned(directory: Path, *undefined: str, needed: Sequence[str] = LIBC, **more: object) -> str:
    made = Made(needed=needed, undefined=[Need(name) for name in undefined], **more)  # type: ignore[arg-type]
    return audit_wheel(make_wheel(directory, {"made/_made.abi3.so": made})).earned[0]


@pytest.mark.parametrize(
    ("symbol", "needed", "tag"),
    [
        ("PyLong_FromLong", LIBC, "manylinux_2_5_x86_64"),
        ("_Py_NoneStruct", LIBC, "manylinux_2_5_x86_64"),
        ("PyPyList_New", LIBC, "manylinux_2_5_x86_64"),
        ("PyInit_other", LIBC, "linux_x86_64"),
        ("memcpy", LIBC, "manylinux_2_5_x86_64"),
        ("pow", LIBC, "manylinux_2_5_x86_64"),
        ("pthread_create", LIBC, "manylinux_2_5_x86_64"),
        ("getrandom", LIBC, "manylinux_2_25_x86_64"),
        ("clock_gettime", LIBC, "manylinux_2_17_x86_64"),
        ("clock_gettime", ("librt.so.1", *LIBC), "manylinux_2_5_x86_64"),
        ("__cxa_thread_atexit_impl", LIBC, "manylinux_2_18_x86_64"),
        ("XOpenDisplay", ("libX11.so.6", *LIBC), "manylinux_2_5_x86_64"),
        ("XOpenDisplay", LIBC, "linux_x86_64"),
        ("deflate", ("libz.so.1", *LIBC), "manylinux_2_5_x86_64"),
        ("_tr_align", ("libz.so.1", *LIBC), "linux_x86_64"),
        ("_Unwind_Resume", ("libgcc_s.so.1", *LIBC), "manylinux_2_5_x86_64"),
        ("_ZNSt6vectorIiE4sizeEv", ("libstdc++.so.6", *LIBC), "manylinux_2_5_x86_64"),
        (
            "_ZTVN10__cxxabiv117__class_typeE",
            ("libstdc++.so.6", *LIBC),
            "manylinux_2_5_x86_64",
        ),
        ("_Z3foov", ("libstdc++.so.6", *LIBC), "linux_x86_64"),
        ("__kmpc_fork_call", LIBC, "linux_x86_64"),
        ("__ubsan_handle_add_overflow", LIBC, "linux_x86_64"),
    ],
)
def test_an_undefined_symbol_has_a_provider_or_is_a_reason(
    tmp_path: Path, symbol: str, needed: Tuple[str, ...], tag: str
) -> None:
    assert earned(tmp_path, symbol, needed=needed) == tag


@pytest.mark.parametrize(
    "hashes", [("sysv",), ("relocations",), ("gnu", "relocations"), ("gnu", "sysv")]
)
def test_a_symbol_is_found_whatever_tells_their_number(
    tmp_path: Path, hashes: Tuple[str, ...]
) -> None:
    # A hash table of GNU without exported symbols does not say how many others there are.
    assert earned(tmp_path, "nobody_has_this", hashes=hashes, defined=()) == "linux_x86_64"


def test_a_symbol_is_named_in_its_reason(tmp_path: Path) -> None:
    made = Made(needed=LIBC, undefined=[Need("nobody_has_this")])
    verdict = audit_wheel(make_wheel(tmp_path, {"made/_made.abi3.so": made}))
    (reason,) = verdict.reasons
    assert (reason.kind, reason.symbol, reason.policy) == ("symbol", "nobody_has_this", None)


def test_programs_have_no_python_api(tmp_path: Path) -> None:
    made = Made(
        needed=LIBC, undefined=[Need("Py_Initialize")], interpreter="/lib64/ld-linux-x86-64.so.2"
    )
    verdict = audit_wheel(make_wheel(tmp_path, {"made-1.0.data/scripts/made": made}))
    assert verdict.reasons[0].symbol == "Py_Initialize"


def test_the_wheels_own_libraries_provide_symbols_also_from_afar(tmp_path: Path) -> None:
    files = {
        "made/_made.abi3.so": Made(
            needed=("libnear.so",), undefined=[Need("far_function")], run_path="$ORIGIN/lib"
        ),
        "made/lib/libnear.so": Made(
            needed=("libfar.so",), soname="libnear.so", run_path="$ORIGIN", defined=["near"]
        ),
        "made/lib/libfar.so": Made(soname="libfar.so", defined=["far_function"]),
    }
    assert audit_wheel(make_wheel(tmp_path, files)).earned[0] == "manylinux_2_5_x86_64"


def test_a_library_may_take_symbols_from_what_loads_it(tmp_path: Path) -> None:
    files = {
        "made/_made.abi3.so": Made(
            needed=("libcalled.so",), run_path="$ORIGIN", defined=["callback"]
        ),
        "made/libcalled.so": Made(soname="libcalled.so", undefined=[Need("callback")]),
    }
    assert audit_wheel(make_wheel(tmp_path, files)).earned[0] == "manylinux_2_5_x86_64"


def test_a_symbol_of_a_file_that_is_not_loaded_along_does_not_count(tmp_path: Path) -> None:
    files = {
        "made/_a.abi3.so": Made(needed=LIBC, undefined=[Need("only_in_b")]),
        "made/_b.abi3.so": Made(needed=LIBC, defined=["only_in_b"]),
    }
    assert audit_wheel(make_wheel(tmp_path, files)).earned == ("linux_x86_64",)


@pytest.mark.parametrize("libc", ["libc.so", "libc.musl-x86_64.so.1"])
@pytest.mark.parametrize(
    ("symbol", "tag"),
    [
        ("malloc", "musllinux_1_1_x86_64"),
        ("reallocarray", "linux_x86_64"),
        ("getrandom", "musllinux_1_2_x86_64"),
        ("qsort_r", "linux_x86_64"),
        ("__libc_start_main", "musllinux_1_1_x86_64"),
        ("__isoc23_strtol", "linux_x86_64"),
    ],
)
def test_musl_has_no_versions_so_the_release_that_brought_a_symbol_decides(
    tmp_path: Path, libc: str, symbol: str, tag: str
) -> None:
    assert earned(tmp_path, symbol, needed=(libc,)) == tag


def test_packed_relocations_need_musl_1_2_4_which_no_tag_promises(tmp_path: Path) -> None:
    made = Made(needed=("libc.so",), relr=True)
    verdict = audit_wheel(make_wheel(tmp_path, {"made/_made.abi3.so": made}))
    assert verdict.earned == ("linux_x86_64",)
    assert verdict.needed_libc == {"musllinux": (1, 2, 4)}
