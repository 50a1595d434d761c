"""musl itself, for programs that are linked statically: made by zig, on the first such link.

A program linked so needs no library of the system, and runs on every Linux of
its architecture, whatever libc that has.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import List

from manylinux_shim._errors import ToolchainError
from manylinux_shim._programs import run, zig_environment
from manylinux_shim.toolchain._cache import make_once

START = "rcrt1.o"
"""What starts a static program that can be loaded anywhere."""


def static_musl(zig: str, zig_target: str, sysroot: str) -> Path:
    """The directory of ``rcrt1.o``, ``libc.a`` and what zig links with them.

    Made beside ``sysroot`` if it is not there yet: zig compiles some 1,400 files,
    which takes half a minute. Raises ToolchainError with zig's own words.
    """
    directory = Path(f"{sysroot}-static")
    return make_once(directory, lambda staging: _make(zig, zig_target, staging))


def archives(directory: Path) -> List[str]:
    """The archives of ``static_musl`` in link order."""
    return (directory / "order").read_text(encoding="utf-8").split("\n")


def _make(zig: str, zig_target: str, staging: Path) -> None:
    scratch = staging / "scratch"
    scratch.mkdir()
    (scratch / "probe.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    options = ("-OReleaseFast", "--verbose-link", "-static", "-fPIE", "-lc", "-fno-ubsan-rt")
    command = [zig, "build-exe", *options, "-target", zig_target, "probe.c", "-femit-bin=probe"]
    done = run(command, cwd=scratch, environment=zig_environment(scratch / "cache"))
    links = [line for line in done.stdout.splitlines() if line.startswith("ld.lld ")]
    if done.returncode != 0 or not links:
        raise ToolchainError(
            f"zig cannot build musl for {zig_target}. It said:\n{done.stdout[-1000:]}",
            "If the disk is full, free some space.",
        )
    parts = [scratch / word for word in shlex.split(links[-1]) if word.endswith((".a", START))]
    for part in parts:
        shutil.copyfile(part, staging / part.name)
    order = [part.name for part in parts if part.suffix == ".a"]
    (staging / "order").write_text("\n".join(order), encoding="utf-8")
    shutil.rmtree(scratch)
