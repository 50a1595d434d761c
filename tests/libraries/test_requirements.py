"""What may stand in ``libraries``, and where paths of packages are led to: tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from manylinux_shim._errors import SettingsError
from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim.libraries import Prefix, named_prefixes, parse, sonames, tools
from manylinux_shim.libraries._licences import debian_licence, wheel_licence
from manylinux_shim.libraries._relocated import relocated, states_paths

X86_64, AARCH64 = ARCHITECTURES["x86_64"], ARCHITECTURES["aarch64"]
POLICY = Policy.parse("manylinux_2_17")


@pytest.mark.parametrize(
    ("text", "kind", "name", "version"),
    [
        ("deb:libpq-dev", "deb", "libpq-dev", ""),
        ("deb:libpq-dev=15.6-0+deb12u1", "deb", "libpq-dev", "15.6-0+deb12u1"),
        ("deb:libstdc++-12-dev=1:12.2~rc1", "deb", "libstdc++-12-dev", "1:12.2~rc1"),
        ("wheel:scipy-openblas32", "wheel", "scipy-openblas32", ""),
        ("wheel:cmeel-libomp==21.1.8", "wheel", "cmeel-libomp", "21.1.8"),
    ],
)
def test_requirement_is_read(text: str, kind: str, name: str, version: str) -> None:
    (found,) = parse([text])
    assert (found.kind, found.name, found.version) == (kind, name, version)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    ["libpq", "rpm:libpq", "deb:", "deb:LibPQ", "deb:a b", "wheel:a>=1", "wheel:a==", "deb:-o",
     "wheel:--index", "deb:libpq-dev==1 2", ":libpq"],
)  # fmt: skip
def test_what_is_none_is_refused_with_the_two_forms(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse([text])
    assert repr(text) in caught.value.message
    assert "deb:libpq-dev" in caught.value.remedy


def test_pip_is_asked_for_where_wheels_are() -> None:
    assert tools(["deb:libpq-dev"]) == []
    assert [name[:3] for name in tools(["deb:libpq-dev", "wheel:cmeel-gmp"])] == ["pip"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("prefix=/usr\nlibdir=${prefix}/lib\n", "prefix=/t/usr\nlibdir=${prefix}/lib\n"),
        ("libdir='/usr/lib/aarch64-linux-gnu'", "libdir='/t/usr/lib/aarch64-linux-gnu'"),
        ("Libs: -L/usr/lib/arm -lpq", "Libs: -L/t/usr/lib/arm -lpq"),
        ("Cflags: -I/usr/include/postgresql", "Cflags: -I/t/usr/include/postgresql"),
        ("GROUP ( /lib/arm-linux-gnu/libz.so.1 )", "GROUP ( /t/usr/lib/arm-linux-gnu/libz.so.1 )"),
        ("#!/usr/bin/perl\n", "#!/usr/bin/perl\n"),
        ("x=${pcfiledir}/usr/lib", "x=${pcfiledir}/usr/lib"),
        ("/opt/usr/include", "/opt/usr/include"),
        ("/usr/library/x", "/usr/library/x"),
        ("exec_prefix=\"/usr\"", "exec_prefix=\"/t/usr\""),
    ],
)  # fmt: skip
def test_paths_lead_into_the_tree(before: str, after: str) -> None:
    assert relocated(before.encode(), "/t").decode() == after
    assert relocated(after.encode(), "/t").decode() == after


@pytest.mark.parametrize(
    ("name", "data", "states"),
    [
        ("libpq.pc", b"prefix=/usr", True),
        ("pg_config", b"#!/bin/sh", True),
        ("pg_config", b"\x7fELF...", False),
        ("libc.so", b"/* GNU ld script */", True),
        ("libz.so", b"\x7fELF...", False),
        ("libz.a", b"!<arch>\n", False),
        ("zlib.h", b"/usr/include", False),
        ("big.pc", b" " * (1 << 21), False),
    ],
)
def test_files_that_state_paths_are_told_by_name_and_contents(
    name: str, data: bytes, states: bool
) -> None:
    assert states_paths(name, data) is states


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Format: x\n\nFiles: *\nCopyright: me\nLicense: Expat\n text\n", "MIT"),
        ("Files: debian/*\nLicense: GPL-3+\n\nFiles: *\nLicense: LGPL-2.1+\n", "LGPL-2.1-or-later"),
        ("Files: *\nLicense: GPL-2\n", "GPL-2.0-only"),
        ("Files: *\nLicense: something-odd\n", ""),
        ("This package was debianized by hand.\n", ""),
    ],
)
def test_debians_licences_become_expressions(text: str, licence: str) -> None:
    assert debian_licence(text.encode()) == licence


def test_wheels_state_theirs() -> None:
    assert wheel_licence("Name: x\nLicense-Expression: BSD-3-Clause\n\nText") == "BSD-3-Clause"
    assert wheel_licence("Name: x\nLicense: BSD\n") == ""


def tree(directory: Path, head: bytes) -> Path:
    (directory / "lib" / "aarch64-linux-gnu" / "own").mkdir(parents=True)
    (directory / "include").mkdir()
    (directory / "lib" / "libz.so.1").write_bytes(head)
    (directory / "lib" / "aarch64-linux-gnu" / "own" / "libo.so").write_bytes(head)
    return directory


def head_of(machine: int) -> bytes:
    return b"\x7fELF\2\1\1" + bytes(9) + b"\3\0" + machine.to_bytes(2, "little")


def test_prefix_has_the_places_that_are_there(tmp_path: Path) -> None:
    prefix = Prefix(tree(tmp_path / "a", head_of(183)), "aarch64-linux-gnu")
    lib = tmp_path / "a" / "lib"
    own = lib / "aarch64-linux-gnu"
    assert prefix.lib == (own, lib, own / "own")
    assert prefix.include == (tmp_path / "a" / "include",)
    assert prefix.pkg_config == prefix.bin == ()
    assert sonames([prefix]) == {"libz.so.1", "libo.so"}
    assert named_prefixes(tmp_path, ["a"], AARCH64, POLICY)[0].root == tmp_path / "a"


def test_openmp_runtime_among_llvms_files_is_found(tmp_path: Path) -> None:
    for name in ("14/lib/clang/14.0.6", "15/lib/clang/15"):
        (tmp_path / f"lib/llvm-{name}/include").mkdir(parents=True)
        (tmp_path / f"lib/llvm-{name}/include/omp.h").touch()
    (tmp_path / "lib/llvm-15/lib/clang/15/include/stddef.h").touch()  # clang's own, of no use here
    (tmp_path / "lib/llvm-14/lib/libomp.so").touch()
    prefix = Prefix(tmp_path, "x86_64-linux-gnu")
    assert prefix.include == (tmp_path / "lib/llvm-14/lib/clang/14.0.6/include",)
    assert prefix.lib == (tmp_path / "lib", tmp_path / "lib/llvm-14/lib")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("deps/{target}", "deps/x86_64, which `prefix` names for x86_64, is not there"),
        ("{arch}", "has a placeholder that is not known"),
        ("{target.name}", "has a placeholder that is not known"),
        ("a", "libz.so.1 is for another machine than x86_64"),
    ],
)
def test_prefix_that_will_not_do_is_named(name: str, message: str, tmp_path: Path) -> None:
    tree(tmp_path / "a", head_of(183))
    with pytest.raises(SettingsError) as caught:
        named_prefixes(tmp_path, [name], X86_64, POLICY)
    assert message in caught.value.message
    assert caught.value.remedy
