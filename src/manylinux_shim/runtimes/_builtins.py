"""compiler_rt: the arithmetic that a processor cannot do in one instruction.

It is written in Zig, one routine or a few in each file, and compiled as one
whole. Here its root file is cut down to the routines that a link needs, which
takes a second where the whole takes four.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Collection, Dict, FrozenSet, List, Set

from manylinux_shim.runtimes._objects import run

_EXPORTED = re.compile(
    r'(?:name = |, )"([A-Za-z_]\w*)"|@export\(&?([A-Za-z_]\w*),|fn (__aeabi_\w+)'
)
"""How a file says which symbols it defines, in zig 0.13 to 0.17."""

_IMPORT = re.compile(r'^\s*_ = @import\("compiler_rt/(.+)\.zig"\);\s*$')

# As zig builds its own: it must not call itself, and cannot check its stack.
_FLAGS = "-OReleaseFast -fPIC -fstrip -fno-builtin -fno-stack-check -fno-stack-protector"
_SECTIONS = "-ffunction-sections -fdata-sections"


def exported(lib: str) -> Dict[str, FrozenSet[str]]:
    """Symbol -> the files of compiler_rt, without suffix, that may define it.

    Those of the root file itself, which are always built, have no file.
    """
    found: Dict[str, Set[str]] = {}
    for path in sorted(Path(lib, "compiler_rt").glob("*.zig")):
        for names in _EXPORTED.findall(path.read_text(encoding="utf-8")):
            for name in filter(None, names):
                found.setdefault(name, set()).add(path.stem)
    for names in _EXPORTED.findall(Path(lib, "compiler_rt.zig").read_text(encoding="utf-8")):
        for name in filter(None, names):
            found.setdefault(name, set())
    return {name: frozenset(files) for name, files in found.items()}


def build(
    zig: str, lib: str, target: str, cpu: str, files: Collection[str], output: Path, lock: int
) -> None:
    """One object with the routines of ``files``; ToolchainError when zig cannot."""
    with tempfile.TemporaryDirectory(prefix=".builtins-", dir=output.parent) as name:
        scratch = Path(name)
        (scratch / "compiler_rt").symlink_to(Path(lib, "compiler_rt"))
        root = Path(lib, "compiler_rt.zig").read_text(encoding="utf-8")
        (scratch / "compiler_rt.zig").write_text(_only(root, files), encoding="utf-8")
        cache = ["--cache-dir", f"{scratch}/cache", "--global-cache-dir", f"{scratch}/cache"]
        command = [zig, "build-obj", *_FLAGS.split(), *_SECTIONS.split(), "-target", target]
        command += [f"-mcpu={cpu}"] if cpu else []
        command += [*cache, f"-femit-bin={scratch}/compiler_rt.o", "compiler_rt.zig"]
        run(command, lock, what="compiler_rt", cwd=str(scratch))
        os.replace(scratch / "compiler_rt.o", output)  # noqa: PTH105 - as make_file does


def _only(root: str, files: Collection[str]) -> str:
    lines: List[str] = []
    for line in root.splitlines():
        match = _IMPORT.match(line)
        if match is None or match[1] in files:
            lines.append(line)
    return "\n".join(lines) + "\n"
