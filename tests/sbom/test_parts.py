"""What lld took out of which archive -> libraries with version and licence."""

from __future__ import annotations

from pathlib import Path
from typing import Set

import pytest
from packaging.licenses import canonicalize_license_expression

from manylinux_shim.sbom._links import Link
from manylinux_shim.sbom._parts import PARTS, parts_of, version_of
from manylinux_shim.zig._zig import find_zig

CACHE = "/home/me/.cache/manylinux-shim/zig-0.17.1"
RUNTIME = f"{CACHE}/runtimes-x86_64-manylinux/2/archives/runtime-af0c.a"
MUSL = f"{CACHE}/x86_64-linux-musl-4-static"


@pytest.mark.parametrize(
    ("extracted", "inputs", "parts"),
    [
        ((f"{RUNTIME}(../objects/libcxx-string.o)",), (), {"libcxx"}),
        ((f"{RUNTIME}(../objects/libcxxabi-cxa_guard.o)",), (), {"libcxxabi"}),
        ((f"{RUNTIME}(../objects/libunwind-libunwind.o)",), (), {"libunwind"}),
        ((f"{RUNTIME}(../objects/compiler_rt-0a1b.o)",), (), {"compiler_rt"}),
        ((f"{CACHE}/arm-linux-gnueabihf.2.17-4/lib/libc_nonshared.a(x/stat.o)",), (), {"glibc"}),
        ((f"{MUSL}/libc.a(exit.o)", f"{MUSL}/libzigc.a(zigc.o)"), (), {"musl", "zigc"}),
        ((f"{MUSL}/libcompiler_rt.a(compiler_rt.o)",), (), {"compiler_rt"}),
        ((), (f"{CACHE}/x86_64-linux-gnu.2.17-4/lib/Scrt1.o",), {"glibc-start"}),
        ((), (f"{CACHE}/x86_64-linux-musl-4/lib/crt1.o",), {"musl"}),
        ((), (f"{MUSL}/rcrt1.o",), {"musl"}),
        # A project's own archives, whatever they are called, are the project's.
        (("/src/build/libunwind.a(libunwind-x.o)", "/src/libc.a(libcxx-y.o)"), (), set()),
        ((), (f"{CACHE}/x86_64-linux-gnu.2.17-4/lib/libc.so", "/src/crt1.o"), set()),
    ],
)
def test_parts(extracted: Set[str], inputs: Set[str], parts: Set[str]) -> None:
    assert parts_of([Link("/out.so", tuple(inputs), frozenset(extracted))]) == parts


@pytest.mark.parametrize("part", sorted(PARTS))
def test_licence_is_an_spdx_expression(part: str) -> None:
    canonicalize_license_expression(PARTS[part].licence)


def test_versions_are_those_of_zigs_own_sources() -> None:
    zig = find_zig()
    versions = {part: version_of(part, zig.lib, zig.version) for part in PARTS}
    assert versions["compiler_rt"] == zig.version
    llvm = versions["libcxx"].split(".")
    assert len(llvm) == 3
    assert int(llvm[0]) >= 19
    assert versions["libcxx"] == versions["libcxxabi"] == versions["libunwind"]
    assert versions["musl"].startswith("1.2.")


def test_zigs_licences_are_those_that_are_told() -> None:
    lib = find_zig().lib
    for name in ("libcxx", "libcxxabi", "libunwind"):
        assert (
            "Apache License v2.0 with LLVM Exceptions" in (lib / name / "LICENSE.TXT").read_text()
        )
    assert "standard MIT license" in (lib / "libc/musl/COPYRIGHT").read_text()
    text = (lib / "libc/glibc/stdlib/atexit.c").read_text()
    assert "version 2.1 of the License, or (at your option) any later version" in text
    assert "unlimited" in text


def test_a_zig_without_sources_has_no_versions_to_tell(tmp_path: Path) -> None:
    assert version_of("libcxx", tmp_path, "0.17.1") == ""
    assert version_of("musl", tmp_path, "0.17.1") == ""
