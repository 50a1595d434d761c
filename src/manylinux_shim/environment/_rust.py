"""Rust: whether its standard library for the target is there, before a build starts.

Sources: rustup's book on cross-compilation; rustc's "Platform Support" for what it
has; the packages of Debian's source rustc and of Arch Linux's rust.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Optional

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture

_USERS = ("maturin", "setuptools-rust")
_NOT_IN_DEBIAN = ("loongarch64",)
"""What no release of Debian has Rust's standard library for; all that they have is for glibc."""
_ARCH = {
    "x86_64-unknown-linux-musl": "rust-musl",
    "i686-unknown-linux-gnu": "lib32-rust-libs",
    "aarch64-unknown-linux-gnu": "rust-aarch64-gnu",
    "aarch64-unknown-linux-musl": "rust-aarch64-musl",
}
_UNPUBLISHED = ("s390x-unknown-linux-musl",)
"""Targets that rustc knows, and rustup has no standard library for."""
_BUILT_WITH_THE_PROJECT = "CARGO_UNSTABLE_BUILD_STD"


@dataclass(frozen=True)
class Rust:
    """The Rust that a build is going to use, and where it is from."""

    sysroot: Path
    toolchain: str = ""
    """What rustup calls it; empty if it is not rustup's."""
    distribution: str = ""
    """``ID`` in os-release of the distribution that it is from; empty if of none."""
    debian_package: str = ""
    """What Debian calls the package of this Rust's standard library."""


def compiles_rust(pyproject: Mapping[str, Any]) -> bool:
    """Whether the project asks for something that runs cargo."""
    requires = pyproject.get("build-system", {}).get("requires", [])
    names = (re.split(r"[\s<>=!~;\[(@]", str(line).strip(), maxsplit=1)[0] for line in requires)
    return any(re.sub(r"[-_.]+", "-", name).lower() in _USERS for name in names)


def require_standard_library(arch: Architecture, family: str, environ: Mapping[str, str]) -> None:
    """ToolchainError, with the command that helps, if Rust cannot compile for the target.

    Where there is no rustc at all the build will say so itself, and where cargo is told
    to compile the standard library too, none has to be there.
    """
    triple = arch.rust_target(family)
    if environ.get(_BUILT_WITH_THE_PROJECT):
        return
    sysroot = rust_sysroot(environ)
    if sysroot is None or (sysroot / "lib" / "rustlib" / triple / "lib").is_dir():
        return
    raise ToolchainError(
        f"Rust's standard library for {triple} is not installed ({sysroot})",
        remedy(_found(sysroot), arch, family),
    )


def remedy(rust: Rust, arch: Architecture, family: str) -> str:
    """The command that adds the standard library for a target to this Rust; pure."""
    triple = arch.rust_target(family)
    if triple in _UNPUBLISHED:
        return (
            "The Rust project publishes none for this target. A nightly Rust compiles it with the"
            f" project: {_BUILT_WITH_THE_PROJECT}=std,panic_abort."
        )
    if rust.toolchain:
        return f"Add it with: rustup target add --toolchain {rust.toolchain} {triple}"
    rustup = f"rustup's Rust has it: rustup target add {triple}"
    if rust.distribution == "debian" and family == "manylinux" and arch.name not in _NOT_IN_DEBIAN:
        name = arch.debian
        return (
            f"Add it with: dpkg --add-architecture {name} && apt-get update"
            f" && apt-get install {rust.debian_package}:{name}\nOr {rustup}"
        )
    if rust.distribution == "arch" and triple in _ARCH:
        return f"Add it with: pacman -S {_ARCH[triple]}\nOr {rustup}"
    return f"This Rust is not rustup's. {rustup}"


def rust_sysroot(environ: Mapping[str, str]) -> Optional[Path]:
    """Where the Rust of a build has its targets; None if there is none that runs."""
    try:
        printed = subprocess.run(
            [environ.get("RUSTC") or "rustc", "--print", "sysroot"],
            env=dict(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=60,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(printed.strip())


def _found(sysroot: Path) -> Rust:
    """Where the Rust in ``sysroot`` is from, by what its installer has left there."""
    if (sysroot / "lib" / "rustlib" / "multirust-channel-manifest.toml").is_file():
        return Rust(sysroot, toolchain=sysroot.name)
    if sysroot != Path("/usr"):
        return Rust(sysroot)
    name = ""
    if Path("/var/lib/dpkg/info/rustc-web.list").is_file():
        name = "-web"  # Debian's newer Rust, for browsers
    return Rust(sysroot, "", _distribution(Path("/etc/os-release")), f"libstd-rust{name}-dev")


def _distribution(os_release: Path) -> str:
    """``ID`` of os-release(5), or empty."""
    try:
        text = os_release.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(r"^ID=[\"']?([^\"'\n]*)", text, re.MULTILINE)
    return found[1] if found else ""
