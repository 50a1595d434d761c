"""Rust's standard library for a target, looked for before the build starts."""

from __future__ import annotations

import os
from typing import Any, Dict, List

import pytest

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES, host_architecture
from manylinux_shim.toolchain._rust import compiles_rust, require_standard_library


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


def test_missing_target_is_an_error_with_the_commands_that_add_it() -> None:
    with pytest.raises(ToolchainError) as caught:
        require_standard_library(ARCHITECTURES["s390x"], "manylinux", os.environ)
    assert "rustup target add s390x-unknown-linux-gnu" in caught.value.remedy
    assert "libstd-rust-dev:s390x" in caught.value.remedy
    with pytest.raises(ToolchainError) as caught:
        require_standard_library(ARCHITECTURES["x86_64"], "musllinux", os.environ)
    assert "rustup target add x86_64-unknown-linux-musl" in caught.value.remedy


def test_the_hosts_own_target_is_there() -> None:
    host = host_architecture()
    assert host is not None
    require_standard_library(host, "manylinux", os.environ)


def test_no_rust_at_all_is_left_to_the_build_to_say() -> None:
    require_standard_library(ARCHITECTURES["s390x"], "manylinux", {"RUSTC": "/no/such/rustc"})
