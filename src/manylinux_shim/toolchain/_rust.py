"""Rust: whether its standard library for the target is there, before a build starts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Mapping, Optional

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture

_USERS = ("maturin", "setuptools-rust")
_DEBIAN = {
    "x86_64": "amd64",
    "i686": "i386",
    "aarch64": "arm64",
    "armv7l": "armhf",
    "ppc64le": "ppc64el",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
}


def compiles_rust(pyproject: Mapping[str, Any]) -> bool:
    """Whether the project asks for something that runs cargo."""
    requires = pyproject.get("build-system", {}).get("requires", [])
    names = (re.split(r"[\s<>=!~;\[(@]", str(line).strip(), maxsplit=1)[0] for line in requires)
    return any(re.sub(r"[-_.]+", "-", name).lower() in _USERS for name in names)


def require_standard_library(arch: Architecture, family: str, environ: Mapping[str, str]) -> None:
    """ToolchainError, with the command that helps, if Rust cannot compile for the target.

    Where there is no rustc at all the build will say so itself.
    """
    triple = arch.rust_target(family)
    sysroot = _sysroot(environ.get("RUSTC") or "rustc")
    if sysroot is None or (sysroot / "lib" / "rustlib" / triple / "lib").is_dir():
        return
    debian = (
        f" With Debian's Rust: dpkg --add-architecture {_DEBIAN[arch.name]} && apt-get update"
        f" && apt-get install libstd-rust-dev:{_DEBIAN[arch.name]}."
        if family == "manylinux"
        else ""
    )
    raise ToolchainError(
        f"Rust's standard library for {triple} is not installed ({sysroot})",
        f"With rustup: rustup target add {triple}.{debian}"
        f" With Fedora's Rust: dnf install rust-std-static-{triple}.",
    )


def _sysroot(rustc: str) -> Optional[Path]:
    try:
        printed = subprocess.run(
            [rustc, "--print", "sysroot"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=60,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(printed.strip())
