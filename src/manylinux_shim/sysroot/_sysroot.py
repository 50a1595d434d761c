"""What one target is compiled and linked against, made once and kept in the cache.

zig generates stub libraries of any glibc from its symbol tables in a third of a
second, and knows which headers and macros go with them. Both are learned from
the commands that it prints (``--verbose-cc``, ``--verbose-link``) while it
builds an empty program, so that nothing about zig's inside is repeated here;
from then on clang and lld, which are part of zig, are called directly.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture, Policy, Version
from manylinux_shim._processes import processors, zig_environment
from manylinux_shim.sysroot._predefined import predefined
from manylinux_shim.zig import Zig, make_once

_LAYOUT = 6
"""Counts up when what stands in a sysroot changes, so that an old one is not used."""

_LIB = "{lib}"
"""Stands for zig's own ``lib`` directory, which build isolation moves around."""

# zig prints these with what follows them; all else in its command is optimisation,
# debug information and the CPU's features, which are the caller's to choose.
_KEPT_WITH_VALUE = ("-target", "-isystem")
_KEPT = ("-nostdinc", "-nostdinc++", "-mhard-float", "-msoft-float")
_KEPT_PREFIXES = ("-D", "-mabi=", "-mfloat-abi=")
# zig 0.17 gives it for every glibc; before 2.32 there is no such long double, and
# printf itself would need that version.
_NOT_KEPT = (
    "-DNDEBUG",
    "-mabi=ieeelongdouble",
    # zig means its own static libc++ alone; without them what the standard library has is seen
    # by other files under -fvisibility=hidden too, as with GCC.
    "-D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS",
    "-D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS",
)
_CXX_ADDED = ("-D_LIBCPP_TYPEINFO_COMPARISON_IMPLEMENTATION=2",)
"""What C++ is compiled with: two ``type_info`` of one name are one, as for libstdc++."""
_OWN_LINKER_FLAGS = ("-m", "-mllvm")

_PROBE_C = "int main(void) { return 0; }\n"
_PROBE_CXX = "int probe(void) { return 0; }\n"

# Who exports what: libgcc's own version scripts (libgcc-std.ver, libgcc-glibc.ver).
# What else is in it, compiler_rt has too.
_LIBGCC_S: Dict[str, Tuple[str, ...]] = {
    "GCC_3.0": (
        "_Unwind_DeleteException",
        "_Unwind_Find_FDE",
        "_Unwind_ForcedUnwind",
        "_Unwind_GetDataRelBase",
        "_Unwind_GetGR",
        "_Unwind_GetIP",
        "_Unwind_GetLanguageSpecificData",
        "_Unwind_GetRegionStart",
        "_Unwind_GetTextRelBase",
        "_Unwind_RaiseException",
        "_Unwind_Resume",
        "_Unwind_SetGR",
        "_Unwind_SetIP",
    ),
    "GCC_3.3": (
        "_Unwind_Backtrace",
        "_Unwind_FindEnclosingFunction",
        "_Unwind_GetCFA",
        "_Unwind_Resume_or_Rethrow",
    ),
    "GCC_4.2.0": ("_Unwind_GetIPInfo",),
}
# The same for ARM's own unwinder (config/arm/libgcc-bpabi.ver).
_LIBGCC_S_ARM: Dict[str, Tuple[str, ...]] = {
    "GCC_3.0": (
        "_Unwind_DeleteException",
        "_Unwind_ForcedUnwind",
        "_Unwind_GetDataRelBase",
        "_Unwind_GetLanguageSpecificData",
        "_Unwind_GetRegionStart",
        "_Unwind_GetTextRelBase",
        "_Unwind_RaiseException",
        "_Unwind_Resume",
    ),
    "GCC_3.3": ("_Unwind_GetCFA", "_Unwind_Resume_or_Rethrow"),
    "GCC_3.5": (
        "_Unwind_Complete",
        "_Unwind_VRS_Get",
        "_Unwind_VRS_Pop",
        "_Unwind_VRS_Set",
        "__aeabi_unwind_cpp_pr0",
        "__aeabi_unwind_cpp_pr1",
        "__aeabi_unwind_cpp_pr2",
        "__gnu_unwind_frame",
    ),
    "GCC_4.3.0": ("_Unwind_Backtrace",),
}


_FRAMES = ("__deregister_frame", "__register_frame")
"""By these the unwinder learns of code that was made while the program ran."""


def _frames(arch: Architecture) -> Dict[str, Tuple[str, ...]]:
    """Those two, in the version of glibc where older ones of it had them (libgcc-glibc.ver)."""
    version = {"x86_64": "GCC_3.0", "s390x": "GLIBC_2.2"}.get(arch.name, "GLIBC_2.0")
    return {version: (*_LIBGCC_S.get(version, ()), *_FRAMES)}


# What clang's unwind tables for ARM name so that a linker pulls in the unwinder
# (EHABI, section 9.2). The unwinder has them itself and never calls these.
_ARM_UNWIND = "".join(
    f".weak __aeabi_unwind_cpp_pr{n}\n.hidden __aeabi_unwind_cpp_pr{n}\n"
    f".type __aeabi_unwind_cpp_pr{n}, %function\n__aeabi_unwind_cpp_pr{n}: bx lr\n"
    for n in range(3)
)
ALWAYS_LINKED = "unwind.o"
"""An object that every link on this target gets, where there is one."""

# What computes with ppc64le's older long double, a pair of doubles: in GCC's
# library alone (config/rs6000/libgcc-ppc64.ver), and nowhere in zig's.
_LIBGCC_S_PAIRS: Dict[str, Tuple[str, ...]] = {
    "GCC_3.4.4": ("__gcc_qadd", "__gcc_qdiv", "__gcc_qmul", "__gcc_qsub"),
}


@dataclass(frozen=True)
class Sysroot:
    """One target's stub libraries, start files and flags."""

    directory: Path
    c_flags: Tuple[str, ...]
    """What clang needs for C; ``{lib}`` stands for zig's lib directory."""
    cxx_flags: Tuple[str, ...]
    link_flags: Tuple[str, ...]
    loader: str
    """The program interpreter's path on the target."""

    @property
    def lib(self) -> Path:
        """The directory of the stub libraries."""
        return self.directory / "lib"


def _of_this_zig(zig: Zig, cache: Path) -> Path:
    return cache / f"zig-{zig.version}"


def runtimes_directory(zig: Zig, arch: Architecture, policy: Policy, cache: Path) -> Path:
    """Where the runtime libraries of ``arch`` are kept, for all versions of the libc."""
    return _of_this_zig(zig, cache) / f"runtimes-{arch.name}-{policy.family}"


def sysroot(zig: Zig, arch: Architecture, policy: Policy, cache: Path) -> Sysroot:
    """The sysroot for ``policy`` on ``arch``, made if it is not in the cache yet.

    Raises ToolchainError with zig's own words when zig cannot make it.
    """
    target = arch.zig_target(policy)
    newer = _is_newer(target, policy)
    name = f"{target}-{_LAYOUT}-for-{policy.version}" if newer else f"{target}-{_LAYOUT}"
    directory = _of_this_zig(zig, cache) / name

    def make(staging: Path) -> None:
        _make(zig, arch, target, staging)
        if newer:
            from manylinux_shim.sysroot._newer_symbols import hide_newer  # musl, ppc64le

            hide_newer(staging / "lib", policy)

    make_once(directory, make)
    macros = predefined(target)
    return Sysroot(
        directory,
        (*_lines(directory / "c.flags"), *macros),
        (*_CXX_ADDED, *_lines(directory / "cxx.flags"), *macros),
        _lines(directory / "link.flags"),
        (directory / "loader").read_text(encoding="utf-8").strip(),
    )


def _is_newer(target: str, policy: Policy) -> bool:
    """Whether zig's ``target`` has a newer libc than ``policy`` promises."""
    _, _, version = target.rpartition("-")[2].partition(".")
    if policy.family != "manylinux" or not version:
        return policy.family == "musllinux"
    return Version(*map(int, version.split(".")[:2])) > policy.version


def _make(zig: Zig, arch: Architecture, target: str, staging: Path) -> None:
    scratch = staging / "scratch"
    scratch.mkdir()
    (scratch / "probe.c").write_text(_PROBE_C, encoding="utf-8")
    (scratch / "probe.cpp").write_text(_PROBE_CXX, encoding="utf-8")
    program = scratch / "probe"
    without = ["-fno-compiler-rt", "-fno-ubsan-rt"]
    common = ["-OReleaseSmall", "--verbose-cc", "-target", target]
    # Not linked, so libc++ is named for its headers and nothing of it is built.
    cxx = _start(zig, scratch, ["build-obj", *common, "-lc++", "probe.cpp", "-femit-bin=probe.o"])
    c = _start(
        zig,
        scratch,
        [
            "build-exe",
            *common,
            *without,
            "--verbose-link",
            "-lc",
            "-dynamic",
            "-fPIE",
            "probe.c",
            f"-femit-bin={program}",
            f"-j{_jobs()}",
        ],
    )
    printed_c, printed_cxx = _printed(c), _printed(cxx)
    link = _command(printed_c, "ld.lld", str(program), target)
    _save_flags(zig, staging / "c.flags", _command(printed_c, "clang", "probe.c", target))
    _save_flags(zig, staging / "cxx.flags", _command(printed_cxx, "clang", "probe.cpp", target))
    own = [f"{a} {b}" for a, b in zip(link, link[1:]) if a in _OWN_LINKER_FLAGS]
    if arch.name == "s390x":
        # Its DT_HASH has 64-bit entries (s390x ABI supplement), and lld writes 32-bit ones.
        own.append("--hash-style=gnu")
    (staging / "link.flags").write_text("\n".join(" ".join(own).split()), encoding="utf-8")
    loaders = [b for a, b in zip(link, link[1:]) if a.lstrip("-") == "dynamic-linker"]
    (staging / "loader").write_text(loaders[0] if loaders else "", encoding="utf-8")
    lib = staging / "lib"
    lib.mkdir()
    _copy_libraries([scratch / word for word in link if word not in loaders], lib)
    flags = [f.replace(_LIB, str(zig.lib)) for f in _lines(staging / "c.flags")]
    flags += [*arch.cpu_flags, "-Wno-unused-command-line-argument"]
    if "musl" not in target:
        table = _LIBGCC_S_ARM if arch.zig == "arm" else {**_LIBGCC_S, **_frames(arch)}
        if arch.zig == "powerpc64le":
            table = {**table, **_LIBGCC_S_PAIRS}
            with (lib / "libc.so").open("a", encoding="utf-8") as script:
                script.write("INPUT ( AS_NEEDED ( libgcc_s.so ) )\n")
        _make_libgcc_s(zig, arch, table, flags, own, lib / "libgcc_s.so", scratch)
    if arch.zig == "arm":
        (scratch / "unwind.s").write_text(_ARM_UNWIND, encoding="utf-8")
        _tool(zig, arch, scratch, "clang", *flags, "-c", "unwind.s", "-o", str(lib / ALWAYS_LINKED))
    shutil.rmtree(scratch)


def _jobs() -> int:
    """Twice the cores: with as many jobs as two cores, zig 0.16 and 0.17 do one thing at a time."""
    return 2 * processors()


def _start(zig: Zig, scratch: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
    # zig's own cache is of no use afterwards, so it goes with the scratch directory.
    cache = scratch / f"zig-cache-{arguments[0]}"
    return subprocess.Popen(
        [str(zig.executable), *arguments],
        cwd=scratch,
        env=zig_environment(cache),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


def _printed(process: subprocess.Popen[str]) -> str:
    return process.communicate()[0]


def _command(printed: str, tool: str, subject: str, target: str) -> List[str]:
    """The last command in ``printed`` that runs ``tool`` on ``subject``."""
    for line in reversed(printed.splitlines()):
        if tool in line and subject in line:
            words = shlex.split(line)
            if subject in words and tool in (words[0], *words[1:2]):
                return words
    raise ToolchainError(
        f"zig cannot make a sysroot for {target}. It said:\n{printed.strip()[-2000:]}",
        "If the disk is full, free some space. Another zig version may know this target.",
    )


def _save_flags(zig: Zig, path: Path, command: List[str]) -> None:
    lib = str(zig.lib)
    path.write_text("\n".join(word.replace(lib, _LIB) for word in _kept(command)), encoding="utf-8")


def _kept(command: List[str]) -> Iterator[str]:
    words = iter(command)
    for word in words:
        if word in _KEPT_WITH_VALUE:
            yield word
            yield next(words)
        elif word == "-Xclang":
            next(words)
        elif word not in _NOT_KEPT and (word in _KEPT or word.startswith(_KEPT_PREFIXES)):
            yield word


def _copy_libraries(link: List[Path], lib: Path) -> None:
    names = []
    for source in link:
        is_library = ".so" in source.name or source.suffix in (".a", ".o")
        if is_library and source.name != "probe.o" and source.is_file():
            shutil.copyfile(source, lib / source.name)
            names.append(source.name)
    for name in names:
        stem = name.split(".so.")[0]
        if ".so." in name and stem not in ("libc", "libld"):
            (lib / f"{stem}.so").symlink_to(name)
    if "libc.so.6" in names:
        # As glibc installs it: what -lc means is a script that names the three parts.
        (lib / "libc.so").write_text(
            "GROUP ( libc.so.6 libc_nonshared.a AS_NEEDED ( libld.so.2 ) )\n", encoding="utf-8"
        )


def _make_libgcc_s(
    zig: Zig,
    arch: Architecture,
    table: Mapping[str, Sequence[str]],
    flags: List[str],
    link: List[str],
    output: Path,
    scratch: Path,
) -> None:
    """A stub of GCC's library, which every manylinux policy allows, with what ``table`` has.

    Its unwinder is C++'s, Rust's and glibc's own.
    """
    names = [name for version in table.values() for name in version]
    (scratch / "gcc_s.s").write_text(
        ".text\n" + "".join(f".globl {n}\n.type {n}, %function\n{n}:\n" for n in names),
        encoding="utf-8",
    )
    (scratch / "gcc_s.map").write_text(
        "".join(f"{v} {{ global: {'; '.join(names)}; }};\n" for v, names in table.items()),
        encoding="utf-8",
    )
    _tool(zig, arch, scratch, "clang", *flags, "-c", "gcc_s.s", "-o", "gcc_s.o")
    named = ("-soname", "libgcc_s.so.1", "--version-script", "gcc_s.map")
    own = " ".join(link).split()
    _tool(zig, arch, scratch, "ld.lld", *own, "-shared", *named, "gcc_s.o", "-o", str(output))


def _tool(zig: Zig, arch: Architecture, scratch: Path, *command: str) -> None:
    process = _start(zig, scratch, command)
    printed = _printed(process)
    if process.returncode != 0:
        raise ToolchainError(
            f"zig cannot make a sysroot for {arch.name}. It said:\n{printed.strip()[-2000:]}",
            "If the disk is full, free some space.",
        )


def _lines(path: Path) -> Tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8").split("\n")) if path.stat().st_size else ()
