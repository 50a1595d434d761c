"""What a link gets of the functions that its target's glibc lacks: a static library."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Dict, List, Sequence

from manylinux_shim._errors import ToolchainError
from manylinux_shim._processes import run, zig_environment
from manylinux_shim.supply._catalogue import IN_SOURCE, linkable
from manylinux_shim.zig import make_once

SOURCE_DIRECTORY = Path(__file__).with_name("sources")

COMPILED_WITH = (
    "-O2", "-std=gnu11", "-fPIC", "-fno-builtin", "-ffunction-sections", "-fdata-sections",
    "-fno-asynchronous-unwind-tables", "-w",
)  # fmt: skip
"""How the sources are compiled, besides the target's own flags."""

_HIDDEN = ("-fvisibility=hidden", "-include", "weak.h")
NAME = "libsupplied.a"


def archive(zig: str, sysroot: str, flags: Sequence[str], arch: str) -> str:
    """The path of the library for one target, made beside its ``sysroot`` if it is not there.

    ``flags`` are clang's for the target, with nothing left to fill in; ``arch`` is named as in
    a wheel's tag. All that it defines is hidden, and weak: a function that the project has
    itself comes first. Raises ToolchainError with zig's own words.
    """
    sources = linkable(arch)
    hashed = hashlib.sha256("\0".join((*COMPILED_WITH, *_HIDDEN)).encode())
    for name, functions in sorted(sources.items()):
        hashed.update("\0".join(functions).encode())
        hashed.update((SOURCE_DIRECTORY / name).read_bytes())
    directory = Path(f"{sysroot}-supplied-{hashed.hexdigest()[:12]}")
    made = make_once(directory, lambda staging: _make(zig, flags, sources, staging))
    return f"{made}/{NAME}"


def _make(zig: str, flags: Sequence[str], sources: Dict[str, List[str]], staging: Path) -> None:
    scratch = staging / "scratch"
    scratch.mkdir()
    objects = []
    for name, functions in sorted(sources.items()):
        shutil.copyfile(SOURCE_DIRECTORY / name, scratch / name)
        weak = (f"#pragma weak {IN_SOURCE.get(function, function)}\n" for function in functions)
        (scratch / "weak.h").write_text("".join(weak), encoding="utf-8")
        objects.append(f"{name[:-2]}.o")
        _run(zig, scratch, ["clang", *flags, *COMPILED_WITH, *_HIDDEN, "-c", name])
    _run(zig, scratch, ["ar", "crsD", f"../{NAME}", *objects])
    shutil.rmtree(scratch)


def _run(zig: str, scratch: Path, command: Sequence[str]) -> None:
    done = run([zig, *command], cwd=scratch, environment=zig_environment(scratch / "zig-cache"))
    if done.returncode != 0:
        raise ToolchainError(
            f"zig cannot compile what this glibc lacks. It said:\n{done.stdout.strip()[-2000:]}",
            "If the disk is full, free some space.",
        )
