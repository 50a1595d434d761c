"""Which symbol each libc has: our compact table against zig's own files."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES, Version
from manylinux_shim.audit import GlibcTable, MuslTable
from manylinux_shim.audit._abilists import read_header, read_symbols
from manylinux_shim.audit._musl import musl_symbols
from manylinux_shim.audit._symbols import installed_zig_lib
from manylinux_shim.audit._tables import compact


@pytest.fixture(scope="module")
def zig_lib() -> Path:
    """The ``lib`` directory of the ziglang that the tests' environment has."""
    found = installed_zig_lib()
    assert found is not None, "the tests need ziglang: pip install ziglang"
    return found


@pytest.mark.parametrize("arch", ARCHITECTURES.values(), ids=lambda arch: arch.name)
def test_our_table_of_glibc_agrees_with_the_installed_zig(zig_lib: Path, arch: object) -> None:
    assert arch in ARCHITECTURES.values()
    data = (zig_lib / "libc" / "glibc" / "abilists").read_bytes()
    theirs = read_symbols(data, f"{arch.zig}-linux-{arch.gnu}")  # type: ignore[attr-defined]
    newest = read_header(data).versions[-1]
    own = GlibcTable.load()
    ours = {
        name: {d for d in definitions if d[1] <= newest}
        for name, definitions in own.of(arch).items()  # type: ignore[arg-type]
    }
    ours = {name: definitions for name, definitions in ours.items() if definitions}
    limit = (*own.newest, 99)
    wanted = {name: {d for d in ds if d[1] <= limit} for name, ds in theirs.items()}
    assert len(wanted) > 2000
    assert ours == {name: definitions for name, definitions in wanted.items() if definitions}


@pytest.mark.parametrize("arch", ARCHITECTURES.values(), ids=lambda arch: arch.name)
def test_our_table_of_musl_agrees_with_the_installed_zig(zig_lib: Path, arch: object) -> None:
    text = (zig_lib / "libc" / "musl" / "libc.S").read_text()
    theirs = musl_symbols(text, arch)  # type: ignore[arg-type]
    assert len(theirs) > 1400
    assert MuslTable.load().of(arch) == theirs  # type: ignore[arg-type]
    assert MuslTable.load(zig_lib).of(arch) == theirs  # type: ignore[arg-type]


def test_the_data_file_is_what_the_generator_writes_from_the_zig_it_names(
    zig_lib: Path, tmp_path: Path
) -> None:
    own = GlibcTable.load()
    version = subprocess.run(
        [str(zig_lib.parent / "zig"), "version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    made = compact(zig_lib, f"ziglang {version}")
    if own.source == f"ziglang {version}":
        spec = importlib.util.find_spec("manylinux_shim.audit")
        assert spec is not None
        assert spec.origin is not None
        assert made == Path(spec.origin).with_name("symbols.bin").read_bytes()
    else:
        assert made.startswith(b'{"source": "ziglang ')


def test_pow_has_two_versions_in_libm() -> None:
    found = GlibcTable.load().versions(ARCHITECTURES["x86_64"], "pow")
    assert [(v.version, v.library) for v in found] == [
        ((2, 2, 5), "libm.so.6"),
        ((2, 29, 0), "libm.so.6"),
    ]
    assert str(found[0]) == "GLIBC_2.2.5 of libm.so.6"


def test_what_was_merged_into_libc_has_its_old_version_in_the_old_library() -> None:
    table = GlibcTable.load()
    arch = ARCHITECTURES["x86_64"]
    assert [(v.version, v.library) for v in table.versions(arch, "dlopen")] == [
        ((2, 2, 5), "libdl.so.2"),
        ((2, 34, 0), "libc.so.6"),
    ]
    assert [v.version for v in table.versions(arch, "dlopen", "libc.so.6")] == [(2, 34, 0)]


@pytest.mark.parametrize(
    ("arch", "symbol", "versions"),
    [
        ("aarch64", "memcpy", [(2, 17, 0)]),
        ("x86_64", "memcpy", [(2, 2, 5), (2, 14, 0)]),
        ("aarch64", "__cxa_thread_atexit_impl", [(2, 18, 0)]),
        ("riscv64", "qsort", [(2, 27, 0)]),
        ("loongarch64", "qsort", [(2, 36, 0)]),
        ("i686", "qsort", [(2, 0, 0)]),
        ("x86_64", "nobody_has_this", []),
    ],
)
def test_versions_by_architecture(
    arch: str, symbol: str, versions: List[Tuple[int, int, int]]
) -> None:
    found = GlibcTable.load().versions(ARCHITECTURES[arch], symbol)
    assert [v.version for v in found] == versions


def test_the_loader_goes_by_its_own_soname() -> None:
    found = GlibcTable.load().versions(ARCHITECTURES["x86_64"], "__tls_get_addr")
    assert found[0].library == "ld-linux-x86-64.so.2"


OLD_FORM = (
    b"\2c\0m\0"  # libraries
    b"\2\2\2\5\2\x1d\0"  # versions 2.2.5, 2.29
    b"\2x86_64-linux-gnu\0aarch64-linux-gnu\0"
    b"\2\0"  # two function inclusions
    b"pow\0\1\0\0\0\1\x80"  # x86_64 only, library m, version 0; more to come
    b"\3\0\0\x80\1\x81"  # both targets and the last, library m, version 1
    b"\1\0"  # one object
    b"environ\0\1\0\0\x80\x08\0\0\x80"
)
NEW_FORM = (
    b"\2c\0m\0\3\2\2\5\2\x1d\0\2\x28\0\2x86_64-linux-gnu\0aarch64-linux-gnu\0"
    b"\2\0pow\0\1\1\x80\3\x81\x81\1\0environ\0\1\x08\x80\x80\0\0"
)


@pytest.mark.parametrize("data", [OLD_FORM, NEW_FORM], ids=["zig 0.13", "zig 0.14"])
def test_both_forms_of_zigs_file_are_read(data: bytes) -> None:
    expected: Dict[str, List[object]] = {
        "pow": [("m", (2, 2, 5)), ("m", (2, 29, 0))],
        "environ": [("c", (2, 2, 5))],
    }
    assert read_symbols(data, "x86_64-linux-gnu") == expected
    assert read_symbols(data, "aarch64-linux-gnu") == {"pow": [("m", (2, 29, 0))]}
    assert read_symbols(data, "s390x-linux-gnu") == {}


@pytest.mark.parametrize("cut", [0, 1, 5, 20, 60])
def test_a_truncated_file_of_zig_is_an_error_with_a_remedy(cut: int, tmp_path: Path) -> None:
    place = tmp_path / "libc" / "glibc"
    place.mkdir(parents=True)
    (place / "abilists").write_bytes(NEW_FORM[:cut])
    with pytest.raises(ToolchainError) as caught:
        GlibcTable.load(tmp_path).of(ARCHITECTURES["x86_64"])
    assert caught.value.remedy


def test_a_zig_that_is_named_is_read_whatever_it_knows(tmp_path: Path) -> None:
    place = tmp_path / "libc" / "glibc"
    place.mkdir(parents=True)
    (place / "abilists").write_bytes(NEW_FORM)
    table = GlibcTable.load(tmp_path)
    assert table.newest == Version(2, 40)
    assert set(table.of(ARCHITECTURES["x86_64"])) == {"pow", "environ"}


def test_our_table_is_used_where_there_is_no_zig() -> None:
    program = (
        "import sys\n"
        "sys.modules['ziglang'] = None\n"
        "from manylinux_shim.audit import GlibcTable\n"
        "from manylinux_shim._platforms import ARCHITECTURES\n"
        "table = GlibcTable.load()\n"
        "print(table.source, table.versions(ARCHITECTURES['s390x'], 'qsort')[0])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("ziglang ")
    assert run.stdout.endswith("GLIBC_2.2 of libc.so.6\n")


@pytest.mark.parametrize(
    ("symbol", "release"),
    [
        ("malloc", (1, 1, 0)),
        ("getrandom", (1, 1, 20)),
        ("secure_getenv", (1, 1, 24)),
        ("__clock_gettime64", (1, 2, 0)),
        ("__stat_time64", (1, 2, 0)),
        ("gettid", (1, 2, 2)),
        ("qsort_r", (1, 2, 3)),
        ("statx", (1, 2, 5)),
    ],
)
def test_the_musl_release_that_brought_a_symbol(symbol: str, release: Tuple[int, int, int]) -> None:
    assert MuslTable.since(symbol) == release


def test_64_bit_time_is_there_on_32_bit_machines_only() -> None:
    table = MuslTable.load()
    assert "__clock_gettime64" in table.of(ARCHITECTURES["armv7l"])
    assert "__clock_gettime64" not in table.of(ARCHITECTURES["x86_64"])
