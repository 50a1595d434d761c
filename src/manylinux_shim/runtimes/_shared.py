"""The C++ library of one target as a shared library, for files that exchange C++.

LLVM's libc++ and libc++abi whole, with LLVM's own annotations of what others see; the
unwinder is the system's with glibc, and part of the library on musl. It is made once
for each zig and libc, on all cores. Its name is known before, so that files are linked
against a stub of it, and it is made where there is a use for it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Collection, Dict, Sequence, Tuple

from manylinux_shim import _processes
from manylinux_shim.runtimes import LAYOUT, place_of
from manylinux_shim.runtimes._closure import Builder
from manylinux_shim.runtimes._commands import Commands, commands
from manylinux_shim.runtimes._objects import definitions, make_file, run

VERSION = "LIBCXX_1"
"""The version of every symbol: of libstdc++ some have the same name, and a loader that finds
that library first must not take its for ours."""

_SCRIPT = f"{VERSION} {{ global: *; }};\n"

_FLAGS = (
    "-shared", "--strip-all", "--eh-frame-hdr", "--gc-sections", "--icf=safe", "--build-id=sha1",
    "--hash-style=gnu", "-z", "now", "-z", "relro", "-z", "noexecstack", "-z", "defs",
    # What is defined once is bound here; operators new and delete, which are weak, are the
    # program's to replace.
    "-Bsymbolic-non-weak",
)  # fmt: skip


_CONFIG = "libcxx/include/__config"
"""The header of libc++ that has its version."""

_ABI = ("-mabi=", "-march=", "-mcpu=", "-mfloat-abi=", "-mfpu=")

_STT_OBJECT, _STT_FUNC, _STT_TLS = 1, 2, 6
_TYPES = {_STT_OBJECT: "%object", _STT_FUNC: "%function", _STT_TLS: "%tls_object"}


def shared_runtime(
    zig: str,
    zig_target: str,
    directory: str,
    link_flags: Sequence[str],
    libraries: Sequence[str],
    *,
    jobs: int = 0,
) -> Path:
    """The shared library for ``zig_target``, made if it is not in ``directory`` yet.

    ``directory`` is as for ``runtime_inputs``; ``link_flags`` and ``libraries`` are the
    sysroot's own. Raises ToolchainError.
    """
    path = shared_path(zig, zig_target, directory)
    if path.exists():
        return path
    place = Path(place_of(directory, zig_target))
    count = jobs or _processes.jobs(os.environ)
    with Builder(zig, zig_target, place, count, visible=True) as builder:
        objects = builder.everything()
        objects += builder.builtins([], objects)

    def make(staging: Path, lock: int) -> None:
        script = staging.with_name(f".{path.name}.making.map")
        script.write_text(_SCRIPT, encoding="utf-8")
        named = ["-soname", path.name, "--version-script", str(script), "-o", str(staging)]
        inputs = [*map(str, objects), "--as-needed", *libraries]
        run([zig, "ld.lld", *link_flags, *_FLAGS, *named, *inputs], lock, what=path.name)

    return make_file(path, make)


def shared_path(zig: str, zig_target: str, directory: str) -> Path:
    """Where ``shared_runtime`` is, or will be; its name is its soname."""
    place = Path(place_of(directory, zig_target))
    return place / "shared" / zig_target / _soname(commands(zig, zig_target, place))


def _soname(known: Commands) -> str:
    """A name with a hash of what it is made from: two wheels share it or have one each."""
    visible = known.visible()
    found = hashlib.sha256(repr((LAYOUT, known.target, visible.flags, _FLAGS)).encode())
    for source in (*visible.sources.values(), _CONFIG):
        found.update(source.encode())
        found.update(Path(known.lib, source).read_bytes())
    return f"libc++-{found.hexdigest()[:12]}.so.1"


def stub(
    zig: str, zig_target: str, place: Path, names: Collection[str], objects: Sequence[Path]
) -> Path:
    """What stands for the shared library in a link: it defines what ``objects`` do of ``names``.

    ``objects`` are of C++ and its unwinder, in ``place``. Raises ToolchainError.
    """
    known = commands(zig, zig_target, place)
    symbols: Dict[str, Tuple[int, int]] = {}
    for path in objects:
        found = definitions(path)
        symbols.update((name, found[name]) for name in names if name in found)
    soname = _soname(known)
    digest = hashlib.sha256(repr((soname, sorted(symbols))).encode()).hexdigest()[:32]
    words = known.flags["libcxxabi.cpp"]
    flags = ["-target", words[words.index("-target") + 1], "-Qunused-arguments"]
    flags += (word for word in words if word.startswith(_ABI))

    def make(staging: Path, lock: int) -> None:
        beside = {kind: f"{staging}.{kind}" for kind in ("s", "o", "map")}
        Path(beside["s"]).write_text(_assembly(symbols), encoding="utf-8")
        Path(beside["map"]).write_text(_SCRIPT, encoding="utf-8")
        what = f"a stub of {soname}"
        named = [beside["s"], "-o", beside["o"]]
        run([zig, "clang", *flags, "-c", *named], lock, what=what)
        named = ["-soname", soname, "--version-script", beside["map"], beside["o"]]
        run([zig, "ld.lld", "-shared", *named, "-o", str(staging)], lock, what=what)

    return make_file(place / "stubs" / f"{digest}.so", make)


def _assembly(symbols: Dict[str, Tuple[int, int]]) -> str:
    lines = []
    for name, (kind, size) in sorted(symbols.items()):
        section = '.tdata,"awT",%progbits' if kind == _STT_TLS else '.data,"aw",%progbits'
        lines.append(f".section {section if kind != _STT_FUNC else '.text'}")
        lines.append(f'.globl "{name}"\n.type "{name}", {_TYPES.get(kind, "%object")}')
        lines.append(f'"{name}":')
        if kind != _STT_FUNC:
            lines.append(f'.zero {max(size, 1)}\n.size "{name}", {size}')
    return "\n".join([*lines, ""])
