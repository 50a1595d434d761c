"""The library that goes into a wheel for what an older libstdc++ or libgcc_s lacks.

Linked by zig from objects of this machine's libstdc++.a, against a stub that has what
the older one has. One for the whole wheel: what files throw at each other has one type.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Dict, List, Sequence

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.audit import GlibcTable, floor_of, version_floor
from manylinux_shim.elf import Definition, RelocatableObject
from manylinux_shim.relink._libstdcxx import Libstdcxx
from manylinux_shim.relink._references import CXX_VERSION, LIBSTDCXX
from manylinux_shim.relink._selection import Selection
from manylinux_shim.relink._supply import (
    LINK_FLAGS,
    Library,
    compile_sources,
    libraries_of,
    run_zig,
)
from manylinux_shim.supply import CXX_NAMES, SOURCE_DIRECTORY, can_supply, sources_of
from manylinux_shim.sysroot import Sysroot, sysroot
from manylinux_shim.zig import Zig, make_once

# A symbol that the library has itself is its own, whoever else has one of that name.
_FLAGS = ("--eh-frame-hdr", "-Bsymbolic")


def cxx_library(
    zig: Zig, arch: Architecture, policy: Policy, selection: Selection, gcc: Libstdcxx, cache: Path
) -> Library:
    """The library with what was selected of ``gcc``'s.

    Raises ToolchainError with zig's own words when zig cannot link it.
    """
    target = arch.zig_target(policy)
    objects = {
        name: RelocatableObject(gcc.members[name]).without_definitions(left)
        for name, left in selection.members.items()
    }
    for name in sorted(selection.builtins):
        found = gcc.builtin(name)
        if found is not None:
            objects[f"libgcc.a: {name}"] = found.with_visible(selection.builtins)
    sources = [SOURCE_DIRECTORY / name for name in sources_of(_supplied(selection, arch, policy))]
    stub = _stub(objects, sources, gcc.there(arch, policy), arch)
    exported = sorted(selection.exported | selection.builtins)
    hashed = hashlib.sha256()
    for part in (zig.version, target, *LINK_FLAGS, *_FLAGS, CXX_VERSION, *exported, *stub):
        hashed.update(f"{part}\0".encode())
    for name, data in objects.items():
        hashed.update(f"{name}\0".encode() + data)
    for source in (*sources, *([gcc.builtins] if gcc.builtins else ())):
        hashed.update(source.read_bytes())
    digest = hashed.hexdigest()[:12]
    soname, version = f"libmanylinux_shim_cxx_{digest}.so", f"{CXX_VERSION}_{digest}"
    parts = sysroot(zig, arch, policy, cache)

    def make(staging: Path) -> None:
        scratch = staging / "scratch"
        scratch.mkdir()
        inputs = compile_sources(zig, arch, parts, sources, scratch)
        for number, data in enumerate(objects.values()):
            (scratch / f"{number}.o").write_bytes(data)
            inputs.append(f"{number}.o")
        if stub:
            _make_stub(zig, arch, parts, stub, scratch)
            inputs.append(LIBSTDCXX)
        inputs += [str(gcc.builtins)] if gcc.builtins else []
        inputs += libraries_of(parts, "c", "pthread", "dl", "m", "gcc_s")
        script = f"{version} {{ global: {'; '.join(exported)}; local: *; }};\n"
        (scratch / "visible.map").write_text(script, encoding="utf-8")
        named = ["-soname", soname, "--version-script", "visible.map", "-o"]
        flags = [*parts.link_flags, *LINK_FLAGS, *_FLAGS, *named, str(staging / soname)]
        run_zig(zig, scratch, ["ld.lld", *flags, *inputs])
        shutil.rmtree(scratch)

    source = gcc.archive if selection.members else gcc.builtins
    directory = make_once(cache / "supplied" / f"{target}-{digest}", make)
    return Library(soname, (directory / soname).read_bytes(), source, version)


def _supplied(selection: Selection, arch: Architecture, policy: Policy) -> List[str]:
    """What it needs of glibc, or of a newer libstdc++, that there is a source of ours for."""
    table, floor = GlibcTable.load(), floor_of(policy)
    names = []
    for name in sorted(selection.outside):
        versions = [each.version for each in table.versions(arch, name)]
        lacking = bool(versions) and min(versions) > floor
        if name in CXX_NAMES or (lacking and can_supply(name, arch.name)):
            names.append(name)
    return names


def _stub(
    objects: Dict[str, bytes],
    sources: Sequence[Path],
    there: Sequence[Definition],
    arch: Architecture,
) -> List[Definition]:
    """What the older library has of that which these name: each in the newest version."""
    named = {
        symbol.name
        for data in objects.values()
        for symbol in RelocatableObject(data).symbols
        if not symbol.defined
    }
    texts = [source.read_text(encoding="utf-8") for source in sources]
    newest: Dict[str, Definition] = {}
    for each in sorted(there, key=lambda d: version_floor(d.version, arch)):
        if each.name in named or any(each.name in text for text in texts):
            newest[each.name] = each
    return sorted(newest.values())


def _make_stub(
    zig: Zig, arch: Architecture, parts: Sysroot, stub: Sequence[Definition], scratch: Path
) -> None:
    lines: List[str] = []
    versions: Dict[str, List[str]] = {}
    for each in stub:
        versions.setdefault(each.version, []).append(each.name)
        section, kind, body = ".text", "%function", ".long 0"
        if each.is_data:
            section, kind, body = ".data", "%object", f".zero {max(each.size, 1)}"
        if each.is_thread_local:
            section, kind = '.section .tdata,"awT",%progbits', "%tls_object"
        lines += [section, f".globl {each.name}", f".type {each.name},{kind}"]
        lines += [f".size {each.name},{max(each.size, 1)}", f"{each.name}: {body}"]
    (scratch / "stub.s").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (scratch / "stub.map").write_text(
        "".join(f"{v} {{ global: {'; '.join(names)}; }};\n" for v, names in versions.items()),
        encoding="utf-8",
    )
    flags = [flag.replace("{lib}", str(zig.lib)) for flag in parts.c_flags]
    run_zig(zig, scratch, ["clang", *flags, *arch.cpu_flags, "-c", "stub.s", "-o", "stub.o"])
    own = [
        "-shared",
        "-soname",
        LIBSTDCXX,
        "--version-script",
        "stub.map",
        "-o",
        LIBSTDCXX,
        "stub.o",
    ]
    run_zig(zig, scratch, ["ld.lld", *parts.link_flags, *own])
