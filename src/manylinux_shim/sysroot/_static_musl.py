"""musl itself, for programs that are linked statically: made by zig, on the first such link.

A program linked so needs no library of the system, and runs on every Linux of
its architecture, whatever libc that has.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import List, Tuple

from manylinux_shim._errors import ToolchainError
from manylinux_shim._processes import run, zig_environment
from manylinux_shim.zig import make_once

_START = "rcrt1.o"


def static_musl(zig: str, zig_target: str, sysroot: str) -> Tuple[str, List[str]]:
    """What starts a static program that can be loaded anywhere, and its archives in link order.

    Made beside ``sysroot`` if it is not there yet: zig compiles some 1,400 files,
    which takes half a minute. Raises ToolchainError with zig's own words.
    """
    directory = Path(f"{sysroot}-static")
    make_once(directory, lambda staging: _make(zig, zig_target, staging))
    order = (directory / "order").read_text(encoding="utf-8").split("\n")
    return f"{directory}/{_START}", [f"{directory}/{name}" for name in order]


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
    parts = [scratch / word for word in shlex.split(links[-1]) if word.endswith((".a", _START))]
    for part in parts:
        shutil.copyfile(part, staging / part.name)
    order = [part.name for part in parts if part.suffix == ".a"]
    (staging / "order").write_text("\n".join(order), encoding="utf-8")
    shutil.rmtree(scratch)
