"""Functions of a newer libgcc_s, which C++ compilers take from there and not from libgcc.a."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest
from linked import NAME, compiled, relinked, unpacked, wheel_of
from support import wheels

from manylinux_shim._errors import PolicyError
from manylinux_shim._platforms import Policy
from manylinux_shim.audit import audit_wheel
from manylinux_shim.elf import read_elf
from manylinux_shim.relink import _planning

sys.path.append(str(Path(__file__).resolve().parent.parent / "foreign"))
import roots

POLICY = Policy.parse("manylinux_2_17")
# On x86 GCC calls it by itself where a quotient and its remainder are wanted.
SOURCE = """\
extern "C" __int128 __divmodti4(__int128, __int128, __int128 *);
extern "C" int f(int x, int y) {
    __int128 remainder, quotient = __divmodti4((__int128)x << 90, (__int128)y << 80, &remainder);
    return (int)quotient * 100 + (int)(remainder >> 80);
}
"""
EXPECTED = ((7 << 90) // (3 << 80)) * 100 + (((7 << 90) % (3 << 80)) >> 80)
FLAGS = ("-shared", "-fPIC", "-O2")


def asked(data: bytes) -> str:
    (found,) = (u for u in read_elf("f", data).undefined if u.name == "__divmodti4")
    return str(found.version)


def test_function_is_taken_from_the_static_library(tmp_path: Path) -> None:
    data = compiled(tmp_path, SOURCE, *FLAGS, compiler=("g++",))
    assert asked(data) == "GCC_7.0.0"
    wheel = wheel_of(tmp_path, {"small/f.so": data})
    assert not audit_wheel(wheel).proves(POLICY)
    new = relinked(wheel, tmp_path / "out")
    assert audit_wheel(new).proves(POLICY)
    assert asked(wheels.elf_members(new)["small/f.so"]).startswith("MANYLINUX_SHIM_")
    site = unpacked(new, tmp_path / "site")
    assert ctypes.CDLL(str(site / "small/f.so")).f(7, 3) == EXPECTED
    (library,) = site.glob("*.libs/*.so")
    assert "libstdc++.so.6" not in read_elf("l", library.read_bytes()).needed


def test_without_the_static_library_the_file_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = wheel_of(
        tmp_path, {"small/f.so": compiled(tmp_path, SOURCE, *FLAGS, compiler=("g++",))}
    )
    monkeypatch.setattr(_planning, "find_libstdcxx", lambda *_: None)
    with pytest.raises(PolicyError, match=r"__divmodti4@GCC_7\.0\.0, libgcc_s") as caught:
        relinked(wheel, tmp_path / "out")
    assert "-static-libgcc" in str(caught.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.foreign
def test_function_for_aarch64_runs_there(tmp_path: Path) -> None:
    system = roots.SYSTEMS["arm64"]
    root = roots.root(system, roots.default_cache())
    data = compiled(tmp_path, SOURCE, *FLAGS, compiler=("aarch64-linux-gnu-g++",))
    assert asked(data) == "GCC_7.0.0"
    new = relinked(
        wheel_of(tmp_path, {"small/f.so": data}, NAME.replace("x86_64", "aarch64")),
        tmp_path / "out",
    )
    assert audit_wheel(new).proves(POLICY)
    with root.place() as place:
        file = root.inside(unpacked(new, place / "site")) + "/small/f.so"
        done = root.python(f"import ctypes; print(ctypes.CDLL({file!r}).f(7, 3))")
    assert done.stdout == f"{EXPECTED}\n", done.stderr
