"""What code asks of the processor by the compiler's own means, answered truthfully.

``__builtin_cpu_supports``, ``__builtin_cpu_is``, ``target_clones`` and resolvers of ifuncs look
at variables that the compiler's library fills. zig's has them since 0.17, and says no to all.
These stand in their place on x86 and aarch64; others are zig's.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import FrozenSet, Tuple

from manylinux_shim.runtimes._objects import run

_SOURCES = Path(__file__).with_name("processor")
_OF_X86 = ("x86.c", frozenset(("__cpu_model", "__cpu_features2", "__cpu_indicator_init")))
_OF_AARCH64 = (
    "aarch64.c",
    frozenset(("__aarch64_cpu_features", "__init_cpu_features_resolver", "__init_cpu_features")),
)
_BY_ARCHITECTURE = {"x86_64": _OF_X86, "x86": _OF_X86, "aarch64": _OF_AARCH64}

_FLAGS = (
    "-O2", "-std=gnu11", "-fPIC", "-ffreestanding", "-fno-builtin", "-fno-stack-protector",
    "-nostdinc", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables",
)  # fmt: skip
# A resolver runs before what is called from elsewhere has an address, and before anything that
# needs more than the baseline may run.


def source(target: str) -> Tuple[str, FrozenSet[str]]:
    """The source file for zig's ``target`` and the symbols that it defines; none for most."""
    return _BY_ARCHITECTURE.get(target.partition("-")[0], ("", frozenset()))


def object_name(target: str) -> str:
    """What the object for zig's ``target`` is called, after what it is made of."""
    name, _ = source(target)
    made_of = "\0".join((target, *_FLAGS)).encode() + (_SOURCES / name).read_bytes()
    return f"processor-{hashlib.sha256(made_of).hexdigest()[:32]}.o"


def build(zig: str, target: str, output: Path, lock: int) -> None:
    """Compile it for zig's ``target``, whose libc's version does not matter; ToolchainError."""
    name, _ = source(target)
    architecture, _, libc = target.partition("-")
    triple = {"x86": "i386"}.get(architecture, architecture) + "-" + libc.partition(".")[0]
    command = [zig, "clang", "-target", triple, *_FLAGS, "-c", str(_SOURCES / name)]
    with tempfile.TemporaryDirectory(prefix=".processor-", dir=output.parent) as scratch:
        made = Path(scratch) / "processor.o"
        run([*command, "-o", str(made)], lock, what="what tells processors apart", cwd=scratch)
        made.replace(output)
