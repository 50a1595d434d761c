"""How zig compiles the sources of its runtime libraries, learned from zig itself.

zig prints the command that it compiles a C++ file of the caller's with
(``--verbose-cc``) in a tenth of a second. Its own libraries get the same target,
headers and macros, and some flags of their own, which have stayed the same from
0.15 to 0.17 and are written down here. For any other version zig is made to
print those too: it builds the libraries from a copy of its lib directory in
which their sources are empty files.
"""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES, Architecture, Version
from manylinux_shim._processes import run, zig_environment
from manylinux_shim.runtimes._excerpt import HANDLERS, STEM
from manylinux_shim.runtimes._objects import unwritable
from manylinux_shim.runtimes._sources import (
    LIBRARIES,
    is_partly_needed,
    is_whole,
    stems_of,
    unit_of,
)

_LIB = "{lib}"
"""Stands for zig's own lib directory, which build isolation moves around."""

_HIDDEN = "-fvisibility=hidden -fvisibility-inlines-hidden"
_ANNOTATIONS_DISABLED = (
    "-D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS -D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS"
)
_UNWIND = (
    f"-w -I {_LIB}/libunwind/include -D_LIBUNWIND_HIDE_SYMBOLS -Wa,--noexecstack {_HIDDEN}"
    " -fvisibility-global-new-delete=force-hidden -D_LIBUNWIND_IS_NATIVE_ONLY"
)
# What zig says after the flags that a caller's own file gets; without warnings.
_OWN_FLAGS: Dict[str, str] = {
    "libcxx.cpp": "-w -DLIBC_NAMESPACE=__llvm_libc_common_utils -D_LIBCPP_BUILDING_LIBRARY"
    " -DLIBCXX_BUILDING_LIBCXXABI -D_LIBCPP_HAS_NO_PRAGMA_SYSTEM_HEADER"
    f" {_HIDDEN} -faligned-allocation -std=c++23 -I {_LIB}/libcxx/include"
    f" -I {_LIB}/libcxxabi/include -I {_LIB}/libcxx/src -I {_LIB}/libcxx/libc",
    "libcxxabi.cpp": "-w -D_LIBCPP_BUILDING_LIBRARY -D_LIBCXXABI_BUILDING_LIBRARY"
    f" {_HIDDEN} -fstrict-aliasing -std=c++23 -I {_LIB}/libcxxabi/include"
    f" -I {_LIB}/libcxx/include -I {_LIB}/libcxx/src",
    "libunwind.cpp": f"-fno-exceptions -fno-rtti {_UNWIND}",
    "libunwind.c": f"-std=c99 -fexceptions {_UNWIND}",
    "libunwind.S": _UNWIND,
}
_KNOWN = re.compile(r"0\.(15|16|17)\.\d+")
"""Versions of zig whose flags these are: a test holds them against zig's own."""
_TRIED_TOGETHER = re.compile(r"0\.(14|15|16|17)\.\d+")

_NOT_BUILT = re.compile(r"/(experimental|pstl|support)/|/(int128_builtins|cxa_noexception)\.")
"""Sources in those versions that zig leaves alone."""

_UNWINDER = re.compile(r"libunwind/(?!src/gcc_personality_v0\.)")
"""What is left alone where there is another unwinder: a context of one means nothing to the
other. The personality of C works with either."""

_SOURCE = re.compile(r"(?:.*/)?((?:libcxxabi|libcxx|libunwind)/src/.+\.(?:cpp|c|S))")

# Of what zig prints, this is about the one file it compiles, about debug
# information, or about a caller's own code and not that of a library.
_DROPPED_WITH_VALUE = ("-o", "-MF", "--serialize-diagnostics")
_DROPPED = re.compile(
    r"-c|-M[DVG]|-g.*|-f(no-)?(function|data)-sections|-DHAVE___CXA_THREAD_ATEXIT_IMPL"
)
# HAVE___CXA_THREAD_ATEXIT_IMPL makes a strong reference to GLIBC_2.18 out of a
# weak one that is looked for when the program runs: without it one object does
# the same on every glibc.

_NEW_LONG_DOUBLE = "-mabi=ieeelongdouble"
"""What zig 0.17 gives to ppc64le whatever the glibc, and glibc has since 2.32 only."""

_ADDED = "-g0 -ffunction-sections -fdata-sections"
"""Debug information costs a third of the time; the linker leaves out unused sections."""

_SIZE_OPTIMISED = {"cxa_demangle": "-Oz", "locale": "-Os"}
"""Units with these large sources, in place of ``-O2``: that takes a fifth off the time of
``streams`` and an eighth off its size, off the demangler a third and a sixth. A program that
reads numbers from streams takes a fifth longer with it, formatting and strings take as long."""

_ADDED_FOR = {
    "cxa_default_handlers": f"-DLIBCXXABI_NON_DEMANGLING_TERMINATE -I {_LIB}/libcxxabi/src"
}
"""An option of libc++abi's own: its demangler, which is 160 KB, is not in every extension.
``terminate.h`` spells the name; it is compiled before the source, which is moved for it."""

_FOR_CXX = "-D_LIBCPP_TYPEINFO_COMPARISON_IMPLEMENTATION=2 -D_LIBCXXABI_FORGIVING_DYNAMIC_CAST"
"""Types are the same where their names are, as for libstdc++: each file may have its own
``type_info``, which libc++ would tell apart by address. Switches of LLVM's own."""

_RAISES = "cxa_exception"
"""The source of libc++abi that raises exceptions."""
_RESUMED = "-D_Unwind_RaiseException="
"""What raises exceptions in libc++abi, where the unwinder is GCC's. For an exception that is
new or of C++, ``_Unwind_Resume_or_Rethrow`` is the same. But ``throw;`` can meet what is not:
the end of a thread (``pthread_exit``, ``pthread_cancel``), which has to go on and not to be
raised anew; libstdc++ calls it so too (``eh_throw.cc``)."""

_RESUMES = "_Unwind_Resume_or_Rethrow"
_RESUMES_ON_ARM = "__manylinux_shim_resume"
_HEADER_FOR_ARM = "resumes.h"
_RESUMING_ON_ARM = """\
// On ARM libc++abi notes an exception that runs through cleanups (EHABI, section 8.4.1), and
// takes the catch-all handler that the end of a thread runs through for one. The handler's
// throw; is the end of that note: else the next cleanup would find it, and terminate.
#include <string.h>
#include <unwind.h>

struct __manylinux_shim_globals { // __cxa_eh_globals, EHABI, section 8.2
    void *caught;
    unsigned int uncaught;
    void *propagating;
};

extern "C" __attribute__((visibility("default"))) void *__manylinux_shim_get_globals(void)
    __asm__("__cxa_get_globals");
extern "C" _Unwind_Reason_Code _Unwind_Resume_or_Rethrow(_Unwind_Exception *);

extern "C" _Unwind_Reason_Code
__manylinux_shim_resume(_Unwind_Exception *exception)
{
    // LLVM's own are "CLNGC++" and one more byte, as a number.
    if (memcmp((const char *)&exception->exception_class + 1, "++CGNLC", 7) != 0) {
        ((__manylinux_shim_globals *)__manylinux_shim_get_globals())->propagating = 0;
    }
    return _Unwind_Resume_or_Rethrow(exception);
}
"""

_WIDE = ("-D_LIBCPP_HAS_WIDE_CHARACTERS", "-D_LIBCPP_HAS_WIDE_CHARACTERS=1")
_NOT_WIDE = ("-D_LIBCPP_HAS_WIDE_CHARACTERS=0", "-D_LIBCPP_HAS_NO_WIDE_CHARACTERS")
"""libc++'s own option, since LLVM 20 (zig 0.15) and before."""

_EMPTY_LIB = "lib-of-empty-sources"
_LIB_WORD = re.compile(rf"^(.*/)?{_EMPTY_LIB}(?=/|$)")

_ZIG_CPU = {"arm": "generic+v7a+vfp3d16"}
"""The table's ``cpu_flags`` in zig's own words."""


@dataclass(frozen=True)
class Commands:
    """How to compile each source of the runtime libraries for one target."""

    lib: str
    """zig's own lib directory."""
    target: str
    """The target compiled for: the oldest libc, whose objects serve on every newer one."""
    cpu: str
    """zig's ``-mcpu``; empty where the architecture's own default is meant."""
    flags: Dict[str, List[str]]
    """By library and suffix, as in ``libcxx.cpp``."""
    sources: Dict[str, str]
    """Stem of a source file -> its path below ``lib``, in link order."""
    together: bool
    """Whether sources are compiled together; each alone is for versions that nobody has tried."""

    def visible(self) -> Commands:
        """The same, with what LLVM means others to see seen by them: for a shared library."""
        hidden = {*_HIDDEN.split(), *_ANNOTATIONS_DISABLED.split()}
        kept = {kind: [f for f in flags if f not in hidden] for kind, flags in self.flags.items()}
        return replace(self, flags=kept)

    def unit(self, stem: str) -> str:
        """The unit that the source called ``stem`` is compiled in."""
        return unit_of(stem) if self.together else stem

    def members(self, unit: str) -> List[str]:
        """Paths below ``lib`` of what ``unit`` is made of; none if this zig has no such sources."""
        stems = stems_of(unit) if self.together else (unit,)
        return [self.sources[stem] for stem in stems if stem in self.sources]

    def excerpts(self, unit: str, directory: Path) -> Dict[str, Path]:
        """Member of ``unit`` -> the file in ``directory`` that is compiled in its stead."""
        stems = {STEM} if self.is_part(unit) else set()
        stems |= {HANDLERS} if self.together else set()
        members = self.members(unit)
        return {path: directory / Path(path).name for path in members if Path(path).stem in stems}

    def header(self, unit: str, directory: Path) -> Optional[Tuple[Path, str]]:
        """A header of ours that ``unit`` is compiled with, in ``directory``, and its text."""
        stems = [Path(path).stem for path in self.members(unit)]
        if self.target.startswith("arm-") and _has_gccs_unwinder(self.target) and _RAISES in stems:
            return directory / _HEADER_FOR_ARM, _RESUMING_ON_ARM
        return None

    def compile(
        self,
        zig: str,
        unit: str,
        excerpts: Optional[Mapping[str, Path]] = None,
        header: Optional[Path] = None,
    ) -> List[str]:
        """The command for all sources of ``unit``, to which ``-o FILE`` is added."""
        members = self.members(unit)
        kind = members[-1].split("/", 1)[0] + Path(members[-1]).suffix
        stems = [Path(path).stem for path in members]
        level = next((_SIZE_OPTIMISED[stem] for stem in stems if stem in _SIZE_OPTIMISED), "-O2")
        flags = [level if flag == "-O2" else flag for flag in self.flags[kind]]
        if self.is_part(unit):
            flags = [*(flag for flag in flags if flag not in _WIDE), *_NOT_WIDE]
        flags += (flag for stem in stems for flag in _ADDED_FOR.get(stem, "").split())
        flags = [flag.replace(_LIB, self.lib) for flag in flags]
        flags += _FOR_CXX.split() if kind.endswith(".cpp") else ()
        if _has_gccs_unwinder(self.target) and _RAISES in stems:
            flags.append(_RESUMED + (_RESUMES_ON_ARM if header is not None else _RESUMES))
        # Symbols and messages must not tell where zig was installed, or the cache is.
        flags.append(f"-ffile-prefix-map={self.lib}=zig")
        flags += (f"-ffile-prefix-map={path.parent}=zig" for path in (excerpts or {}).values())
        flags += () if header is None else ("-include", str(header))
        *others, last = (str((excerpts or {}).get(path, f"{self.lib}/{path}")) for path in members)
        flags += (word for path in others for word in ("-include", path))
        return [zig, "clang", *flags, "-c", last]

    def is_part(self, unit: str) -> bool:
        """Whether ``unit`` is compiled without what hardly a program needs."""
        return self.together and is_partly_needed(unit) and not is_whole(unit)


_ALIGNED_ALLOCATION = Version(2, 16)
"""The glibc from which on zig's libc++ has ``operator new`` for over-aligned types."""


def oldest_target(zig_target: str) -> Tuple[str, Architecture]:
    """``zig_target`` with the oldest glibc whose objects serve it, and its architecture.

    That is the oldest that zig links against, or the oldest with which libc++
    is whole, where the target is no older than that. Raises ToolchainError for
    an architecture that is not in the table.
    """
    parts = zig_target.split("-")
    for arch in ARCHITECTURES.values():
        if arch.zig == parts[0]:
            abi, _, version = parts[-1].partition(".")
            if abi.startswith("gnu"):
                wanted = Version(*map(int, (version or "2.17").split(".")[:2]))
                whole = _ALIGNED_ALLOCATION if wanted >= _ALIGNED_ALLOCATION else Version(0, 0)
                abi += f".{max(arch.lowest_glibc, whole)}"
            return f"{arch.zig}-linux-{abi}", arch
    raise ToolchainError(
        f"no runtime libraries for the target {zig_target}",
        f"Known architectures are: {', '.join(ARCHITECTURES)}.",
    )


def commands(zig: str, zig_target: str, directory: Path) -> Commands:
    """The commands for ``zig_target``; zig is started for a probe, nothing is built.

    They are kept in ``directory``, which is this target's own, for as long as zig stays
    where it is. Raises ToolchainError with zig's own words when it has none.
    """
    kept = directory / "commands.json"
    known = _read_kept(kept, zig)
    if known is not None:
        return known
    target, arch = oldest_target(zig_target)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".probe-", dir=directory) as name:
            scratch = Path(name)
            found = _ask(zig, target, arch, scratch)
            (scratch / kept.name).write_text(json.dumps({"zig": zig, **asdict(found)}), "utf-8")
            (scratch / kept.name).replace(kept)
    except OSError as error:
        raise unwritable(directory, error) from error
    return found


def _read_kept(path: Path, zig: str) -> Optional[Commands]:
    try:
        kept = json.loads(path.read_text("utf-8"))
        return Commands(**kept) if kept.pop("zig") == zig else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ask(zig: str, target: str, arch: Architecture, scratch: Path) -> Commands:
    probe = _printed(zig, scratch, ["build-obj", "-femit-bin=probe.o"], target, arch)
    prefix = next(_commands_in(probe, "probe.cpp"), [])
    headers = [word for word in prefix if word.endswith("/libcxx/include")]
    if not headers:
        raise _refused(target, probe)
    lib = headers[0][: -len("/libcxx/include")]
    version = _version(zig)
    if _KNOWN.fullmatch(version):
        flags = _known_flags(prefix, lib, target)
        sources = _sources_in(lib)
    else:
        flags, sources = _learn(zig, lib, target, arch, scratch)
    if _has_gccs_unwinder(target):
        sources = {stem: path for stem, path in sources.items() if not _UNWINDER.match(path)}
    return Commands(
        lib,
        target,
        _ZIG_CPU.get(arch.zig, ""),
        {
            kind: _cleaned(words, arch, glibc=_has_gccs_unwinder(target))
            for kind, words in flags.items()
        },
        dict(sorted(sources.items(), key=lambda item: _link_order(item[1]))),
        _TRIED_TOGETHER.fullmatch(version) is not None,
    )


def _has_gccs_unwinder(target: str) -> bool:
    """Whether libgcc_s unwinds on ``target``: with glibc, which ends its threads by it."""
    return "gnu" in target


def _link_order(source: str) -> Tuple[int, str]:
    return LIBRARIES.index(source.split("/", 1)[0]), source


def _printed(
    zig: str, scratch: Path, action: Sequence[str], target: str, arch: Architecture
) -> str:
    (scratch / "probe.cpp").write_text("int probe(void) { return 0; }\n", encoding="utf-8")
    cpu = [f"-mcpu={_ZIG_CPU[arch.zig]}"] if arch.zig in _ZIG_CPU else []
    flags = ["-OReleaseFast", "-fPIC", "--verbose-cc", "-lc++", "-target", target, *cpu]
    environment = zig_environment(scratch / "zig-cache")
    return run([zig, *action, *flags, "probe.cpp"], cwd=scratch, environment=environment).stdout


def _refused(target: str, said: str) -> ToolchainError:
    return ToolchainError(
        f"zig does not say how it compiles its C++ library for {target}. It said:\n"
        f"{said.strip()[-2000:]}",
        "If the disk is full, free some space. Another zig version may know this target.",
    )


def _version(zig: str) -> str:
    return run([zig, "version"]).stdout.strip()


def _commands_in(printed: str, source: str = "") -> Iterator[List[str]]:
    for line in printed.splitlines():
        # zig's own path comes first, whatever it is.
        if " clang " in line:
            words = shlex.split(line)
            if "-c" in words and source in (words[2], "") and words[1] == "clang":
                yield words[2:]


def _known_flags(prefix: List[str], lib: str, target: str) -> Dict[str, List[str]]:
    words = iter(prefix[1:])
    common: List[str] = []
    for word in words:
        if word == "-isystem":
            path = next(words).replace(lib, _LIB)
            if path.split("/")[1] not in LIBRARIES:
                common += [word, path]
        else:
            common.append(word)
    hard_float = target.startswith("arm-") and target.split(".")[0].endswith("hf")
    own = {kind: flags.split() for kind, flags in _OWN_FLAGS.items()}
    for kind in own:
        if hard_float and kind.startswith("libunwind"):
            own[kind].append("-DCOMPILER_RT_ARMHF_TARGET")
    return {kind: [*common, *flags] for kind, flags in own.items()}


def _sources_in(lib: str) -> Dict[str, str]:
    found = (
        path.relative_to(lib).as_posix()
        for library in LIBRARIES
        for path in Path(lib, library, "src").rglob("*")
        if path.suffix in (".cpp", ".c", ".S")
    )
    return {Path(source).stem: source for source in found if not _NOT_BUILT.search(source)}


def _learn(
    zig: str, lib: str, target: str, arch: Architecture, scratch: Path
) -> Tuple[Dict[str, List[str]], Dict[str, str]]:
    """Flags and sources, from zig's own commands for empty files in place of the sources."""
    empty = scratch / _EMPTY_LIB
    empty.mkdir()
    for entry in Path(lib).iterdir():
        if entry.name not in LIBRARIES:
            (empty / entry.name).symlink_to(entry)
    for library in LIBRARIES:
        for path in Path(lib, library, "src").rglob("*"):
            if path.suffix in (".cpp", ".c", ".S"):
                copy = empty / path.relative_to(lib)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.touch()
    action = ["build-lib", "-dynamic", "-fno-compiler-rt", "-femit-bin=probe.so"]
    printed = _printed(zig, scratch, [*action, "--zig-lib-dir", str(empty)], target, arch)
    flags: Dict[str, List[str]] = {}
    sources: Dict[str, str] = {}
    for words in _commands_in(printed):
        match = next(filter(None, map(_SOURCE.fullmatch, words)), None)
        if match is None:
            continue
        source = match[1]
        kind = source.split("/", 1)[0] + source[source.rindex(".") :]
        # Some versions name the directory by its full path, some from where they stand.
        flags[kind] = [_LIB_WORD.sub(_LIB, word) for word in words if word != match[0]]
        sources[Path(source).stem] = source
    if any(not any(kind.startswith(f"{library}.") for kind in flags) for library in LIBRARIES):
        raise _refused(target, printed)
    return flags, sources


def _cleaned(words: Sequence[str], arch: Architecture, *, glibc: bool) -> List[str]:
    kept: List[str] = []
    rest = iter(words)
    for word in rest:
        if word in _DROPPED_WITH_VALUE:
            next(rest)
        elif word in ("-Xclang", "-Xclangas"):
            value = next(rest)
            # The CPU of the wheel's tag, where the table has one, and not zig's.
            if not arch.cpu_flags:
                kept += [word, value]
        elif not _DROPPED.fullmatch(word) and not (glibc and word == _NEW_LONG_DOUBLE):
            kept.append(word)
    return [*kept, *arch.cpu_flags, *_ADDED.split()]
