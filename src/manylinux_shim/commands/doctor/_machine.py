"""What this machine has for a build: Python, zig, compilers, Rust, the cache."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, List, Mapping

from manylinux_shim._errors import ShimError
from manylinux_shim._plan import USER_COMPILER, Plan
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.commands.doctor._findings import Findings
from manylinux_shim.environment import missing

_ROOM = 200_000_000
"""Bytes that a first build of C++ for one target takes at most, with room for the build."""


def python(findings: Findings) -> None:
    """The Python that runs this, which is the one that it speaks for."""
    findings.fact(
        "python",
        f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}",
        "a frontend may choose another one",
    )


def zig(findings: Findings, plan: Plan) -> None:
    """The zig that a build would use, and whether it knows the libc that is asked for."""
    from manylinux_shim.zig import REQUIREMENT, find_zig

    try:
        found = find_zig()
    except ShimError as error:
        findings.fact("zig", "not here", f"an isolated build installs {REQUIREMENT}")
        if "(" in error.message:  # candidates that will not do
            findings.notes.append(error.message)
        return
    newest = found.newest_glibc()
    findings.fact("zig", f"{found.version}, {found.executable}", f"knows glibc up to {newest}")
    linked = plan.linked
    if linked is not None and linked.family == "manylinux" and linked.version > newest:
        findings.problem(
            f"zig {found.version} does not know glibc {linked.version} ({linked})",
            f"The highest policy that it links for is {Policy('manylinux', newest)}.",
        )


def tools(findings: Findings, plan: Plan, project: Path) -> None:
    """What grafting and linking again need besides, and this environment has not."""
    wanted = [requirement for requirement in missing(plan, project) if "zig" not in requirement]
    if wanted:
        findings.fact("tools", ", ".join(wanted), "not here: an isolated build installs them")


def headers(findings: Findings, plan: Plan) -> None:
    """Python's own headers, brought into the target's form as a build does."""
    from manylinux_shim.target_python import staged_headers

    if plan.target is None or plan.linked is None:
        return
    multiarch = plan.target.triplet(plan.linked.family, sys.version_info[:2])
    here = sysconfig.get_config_var("MULTIARCH") or multiarch
    try:
        with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch:
            found = staged_headers(Path(scratch), plan.target, here, plan.linked.family)
    except ShimError as error:
        findings.error(error)
        return
    if found:
        findings.fact("headers", next(iter(found)), f"adapted for {plan.target.name}")
    else:
        findings.problem(
            f"there is no pyconfig.h in {sysconfig.get_path('platinclude')}",
            "Install the rest of this Python's headers.",
        )


def compiler(findings: Findings, environ: Mapping[str, str]) -> None:
    """The C compiler of this machine, where that is the one to be used."""
    variable = next((name for name in USER_COMPILER if environ.get(name, "").strip()), "")
    command = environ.get(variable) or sysconfig.get_config_var("CC") or "cc"
    try:
        program = shlex.split(command)[0]
    except (IndexError, ValueError):
        findings.problem(f"{variable} is {command!r}, which is no command", f"Correct {variable}.")
        return
    path = shutil.which(program)
    if path is not None:
        findings.fact("compiler", path, variable or "what this Python was built with")
        return
    findings.problem(
        f"there is no C compiler {program!r} on the path"
        + (f", and {variable} names it" if variable else ""),
        f"Correct or unset {variable}."
        if variable
        else "Install one (build-essential on Debian and Ubuntu, gcc on Fedora and RHEL, build-base"
        " on Alpine), set CC, or leave the compiling to zig: `-C mode=zig`.",
    )


def foreign_compilers(findings: Findings, target: Architecture, environ: Mapping[str, str]) -> None:
    """The compilers for another architecture, where those are to be used."""
    from manylinux_shim.environment import foreign_compilers as find

    try:
        found = find(target, environ)
    except ShimError as error:
        findings.error(error)
        return
    for tool, language in (("cc", "C"), ("c++", "C++"), ("fc", "Fortran")):
        here = shlex.join(found[tool]) if tool in found else "not here"
        findings.fact(f"{language} for {target.name}", here)


def libc(findings: Findings) -> None:
    """What the host's libc allows a wheel to be."""
    from manylinux_shim._platforms import host_family

    if host_family() != "manylinux":
        findings.fact("libc", "musl")
        return
    version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[2]
    policy = "manylinux_" + "_".join(version.split(".")[:2])
    findings.fact("libc", f"glibc {version}", f"its newest symbols make a wheel {policy}")


def cache(findings: Findings, environ: Mapping[str, str]) -> None:
    """The toolchain's cache, its size, and what the disk has left."""
    from manylinux_shim.zig import cache_root, entries

    notices: List[str] = []
    try:
        root = cache_root(environ, notices.append)
        sizes = [entry.size for entry in entries(root)]
    except ShimError as error:
        findings.error(error)
        return
    findings.notes += notices
    free = shutil.disk_usage(root).free
    findings.fact(
        "cache",
        f"{root}: {sum(sizes) / 1e6:.1f} MB in {len(sizes)} parts; {free / 1e9:.1f} GB free",
        "`manylinux-shim cache` lists them",
    )
    if free < _ROOM:
        findings.problem(
            f"{root} has {free / 1e6:.0f} MB left, and a first build may need {_ROOM / 1e6:.0f}",
            "Free some disk space, or set MANYLINUX_SHIM_CACHE_DIR to a directory elsewhere.",
        )


def rust(
    findings: Findings, plan: Plan, document: Mapping[str, Any], environ: Mapping[str, str]
) -> None:
    """Rust and the targets that it has, where the project compiles it."""
    from manylinux_shim.environment import compiles_rust, require_standard_library, rust_sysroot

    if not compiles_rust(document):
        return
    sysroot = rust_sysroot(environ)
    if sysroot is None or shutil.which(environ.get("CARGO") or "cargo") is None:
        findings.problem(
            f"the project is built with Rust, and {'cargo' if sysroot else 'rustc'} does not run"
            " here",
            "Install Rust: rustup, or your system's packages rustc and cargo.",
        )
        return
    targets = sorted(path.parent.name for path in sysroot.glob("lib/rustlib/*/lib"))
    findings.fact("rust", f"{sysroot}: {', '.join(targets)}")
    if plan.target is None or plan.linked is None:
        return
    try:
        require_standard_library(plan.target, plan.linked.family, environ)
    except ShimError as error:
        findings.error(error)
