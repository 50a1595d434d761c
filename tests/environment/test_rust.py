"""Rust's standard library for a target, looked for before the build starts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest
from support.machine import need_debians_rust, need_program

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES, host_architecture
from manylinux_shim.environment._rust import (
    Rust,
    compiles_rust,
    remedy,
    require_standard_library,
)

DEBIANS = {**os.environ, "PATH": f"/usr/bin:{os.environ.get('PATH', '')}"}

RUSTUP = Rust(Path("/home/me/.rustup/toolchains/1.90-x"), toolchain="1.90-x")
DEBIAN = Rust(Path("/usr"), distribution="debian", debian_package="libstd-rust-dev")
DEBIAN_WEB = Rust(Path("/usr"), distribution="debian", debian_package="libstd-rust-web-dev")
ARCH = Rust(Path("/usr"), distribution="arch", debian_package="libstd-rust-dev")
FEDORA = Rust(Path("/usr"), distribution="fedora", debian_package="libstd-rust-dev")
OWN = Rust(Path("/opt/rust"))
ADD = "rustup target add "
APT = "dpkg --add-architecture {0} && apt-get update && apt-get install {1}:{0}"


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (["maturin>=1,<2"], True),
        (["setuptools", "Setuptools_Rust"], True),
        (["setuptools", "maturin-import-hook"], False),
        ([], False),
    ],
)
def test_cargo_is_known_by_the_build_requirements(requires: List[str], expected: bool) -> None:
    document: Dict[str, Any] = {"build-system": {"requires": requires}}
    assert compiles_rust(document) is expected


@pytest.mark.parametrize(
    ("rust", "arch", "family", "command"),
    [
        (RUSTUP, "aarch64", "manylinux", ADD + "--toolchain 1.90-x aarch64-unknown-linux-gnu"),
        (RUSTUP, "riscv64", "musllinux", ADD + "--toolchain 1.90-x riscv64gc-unknown-linux-musl"),
        (DEBIAN, "aarch64", "manylinux", APT.format("arm64", "libstd-rust-dev")),
        (DEBIAN_WEB, "armv7l", "manylinux", APT.format("armhf", "libstd-rust-web-dev")),
        (DEBIAN, "aarch64", "musllinux", "rustup target add aarch64-unknown-linux-musl"),
        (DEBIAN, "loongarch64", "manylinux", "rustup target add loongarch64-unknown-linux-gnu"),
        (ARCH, "aarch64", "manylinux", "pacman -S rust-aarch64-gnu"),
        (ARCH, "aarch64", "musllinux", "pacman -S rust-aarch64-musl"),
        (ARCH, "x86_64", "musllinux", "pacman -S rust-musl"),
        (ARCH, "s390x", "manylinux", "rustup target add s390x-unknown-linux-gnu"),
        (FEDORA, "aarch64", "manylinux", "rustup target add aarch64-unknown-linux-gnu"),
        (OWN, "armv7l", "musllinux", "rustup target add armv7-unknown-linux-musleabihf"),
        (RUSTUP, "s390x", "musllinux", "CARGO_UNSTABLE_BUILD_STD=std"),
    ],
)  # fmt: skip
def test_remedy_is_the_command_for_this_rust(
    rust: Rust, arch: str, family: str, command: str
) -> None:
    printed = remedy(rust, ARCHITECTURES[arch], family)
    assert command in printed.splitlines()[0]
    assert ("apt-get" in printed) == ("apt-get" in command)
    assert ("pacman" in printed) == ("pacman" in command)


def missing(arch: str, family: str, environ: Mapping[str, str]) -> str:
    with pytest.raises(ToolchainError) as caught:
        require_standard_library(ARCHITECTURES[arch], family, environ)
    return str(caught.value)


def test_missing_target_of_rustups_rust_is_said_with_its_toolchain() -> None:
    need_program("rustup")
    ask = ["rustup", "show", "active-toolchain"]
    done = subprocess.run(ask, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    toolchain = done.stdout.split()[0]
    said = missing("s390x", "manylinux", os.environ)
    assert f"rustup target add --toolchain {toolchain} s390x-unknown-linux-gnu" in said
    assert toolchain in said.splitlines()[0]
    assert "apt-get" not in said
    said = missing("x86_64", "musllinux", os.environ)
    assert f"rustup target add --toolchain {toolchain} x86_64-unknown-linux-musl" in said


def test_missing_target_of_debians_rust_is_said_with_debians_package() -> None:
    need_debians_rust()
    said = missing("s390x", "manylinux", DEBIANS)
    assert "dpkg --add-architecture s390x && apt-get update && apt-get install libstd-rust" in said
    (package,) = (word for word in said.split() if word.endswith(":s390x"))
    # Of the same source as the rustc that is there.
    owner = ["dpkg", "-S", "/usr/bin/rustc"]
    found = subprocess.run(owner, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    assert package == found.partition(":")[0].replace("rustc", "libstd-rust") + "-dev:s390x"
    said = missing("aarch64", "musllinux", DEBIANS)
    assert "rustup target add aarch64-unknown-linux-musl" in said
    assert "apt-get" not in said


def test_target_that_debians_package_has_brought_is_there() -> None:
    need_debians_rust("libstd-rust-web-dev:arm64")
    require_standard_library(ARCHITECTURES["aarch64"], "manylinux", DEBIANS)


def test_the_hosts_own_target_is_there() -> None:
    need_program("rustc")
    host = host_architecture()
    assert host is not None
    require_standard_library(host, "manylinux", os.environ)


def test_standard_library_that_cargo_is_told_to_compile_need_not_be_there() -> None:
    environ = {**os.environ, "CARGO_UNSTABLE_BUILD_STD": "std,panic_abort"}
    require_standard_library(ARCHITECTURES["s390x"], "musllinux", environ)


def test_no_rust_at_all_is_left_to_the_build_to_say() -> None:
    require_standard_library(ARCHITECTURES["s390x"], "manylinux", {"RUSTC": "/no/such/rustc"})
