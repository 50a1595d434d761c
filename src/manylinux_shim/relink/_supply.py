"""The library that goes into a wheel for what the target's glibc lacks.

Compiled by zig for that glibc and architecture, with nothing visible but the functions
that the wheel needs, and kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Collection, List, NamedTuple, Optional, Sequence

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim._processes import run, zig_environment
from manylinux_shim.supply import COMPILED_WITH, SOURCE_DIRECTORY, exported_name, sources_of
from manylinux_shim.sysroot import ALWAYS_LINKED, Sysroot, sysroot
from manylinux_shim.zig import Zig, make_once

_LIBRARIES = ("c", "pthread", "dl", "resolv")
# Kept loaded once it is: a thread that ends later runs code of it.
LINK_FLAGS = (
    "-shared", "--strip-all", "--gc-sections", "--hash-style=gnu", "--build-id=sha1",
    "-z", "defs", "-z", "now", "-z", "relro", "-z", "nodelete", "-z", "noexecstack",
)  # fmt: skip


class Library(NamedTuple):
    """A finished library."""

    soname: str
    data: bytes
    source: Optional[Path] = None
    """The static library of this machine whose parts it has; None if all of it is ours."""
    version: str = ""
    """The version of its symbols, where they have one."""


def library(
    zig: Zig, arch: Architecture, policy: Policy, names: Collection[str], cache: Path
) -> Library:
    """The library that has ``names`` (of the catalogue) on ``arch`` for ``policy``'s glibc.

    Its soname has a hash of what it is made of, so that two wheels in one process share
    it or have one each. Raises ToolchainError with zig's own words when zig cannot make it.
    """
    wanted = sorted(names)
    sources = [SOURCE_DIRECTORY / name for name in sources_of(wanted)]
    target = arch.zig_target(policy)
    made_of = [zig.version, target, *wanted, *COMPILED_WITH, *LINK_FLAGS]
    made_of += [source.read_text(encoding="utf-8") for source in sources]
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]
    soname = f"libmanylinux_shim_{digest}.so"
    parts = sysroot(zig, arch, policy, cache)

    def make(staging: Path) -> None:
        _make(zig, arch, parts, sources, wanted, soname, staging)

    directory = make_once(cache / "supplied" / f"{target}-{digest}", make)
    return Library(soname, (directory / soname).read_bytes())


def _make(
    zig: Zig,
    arch: Architecture,
    parts: Sysroot,
    sources: Sequence[Path],
    names: Sequence[str],
    soname: str,
    staging: Path,
) -> None:
    scratch = staging / "scratch"
    scratch.mkdir()
    inputs = compile_sources(zig, arch, parts, sources, scratch)
    visible = "; ".join(exported_name(name) for name in names)
    script = f"{{ global: {visible}; local: *; }};\n"
    (scratch / "visible.map").write_text(script, encoding="utf-8")
    inputs += libraries_of(parts, *_LIBRARIES)
    named = ["-soname", soname, "--version-script", "visible.map", "-o", str(staging / soname)]
    run_zig(zig, scratch, ["ld.lld", *parts.link_flags, *LINK_FLAGS, *named, *inputs])
    shutil.rmtree(scratch)


def compile_sources(
    zig: Zig, arch: Architecture, parts: Sysroot, sources: Sequence[Path], scratch: Path
) -> List[str]:
    """The objects, in ``scratch``, that ``sources`` become."""
    flags = [flag.replace("{lib}", str(zig.lib)) for flag in parts.c_flags]
    for source in sources:
        shutil.copyfile(source, scratch / source.name)
        compile_one = ["clang", *flags, *arch.cpu_flags, *COMPILED_WITH, "-c", source.name]
        run_zig(zig, scratch, [*compile_one, "-o", f"{source.stem}.o"])
    return [f"{source.stem}.o" for source in sources]


def libraries_of(parts: Sysroot, *names: str) -> List[str]:
    """The linker's arguments for the target's own libraries."""
    always = parts.lib / ALWAYS_LINKED
    found = (parts.lib / f"lib{name}.so" for name in names)
    return [
        *([str(always)] if always.is_file() else []),
        *("--as-needed", *(str(path) for path in found if path.exists())),
    ]


def run_zig(zig: Zig, scratch: Path, command: List[str]) -> None:
    """Run one of zig's tools in ``scratch``; ToolchainError with its words if it fails."""
    environment = zig_environment(scratch / "zig-cache")
    done = run([str(zig.executable), *command], cwd=scratch, environment=environment)
    if done.returncode != 0:
        raise ToolchainError(
            f"zig cannot compile what this glibc lacks. It said:\n{done.stdout.strip()[-2000:]}",
            "If the disk is full, free some space.",
        )
