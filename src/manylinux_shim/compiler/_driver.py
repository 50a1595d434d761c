"""The compiler that the real backend calls as ``CC``, ``CXX``, ``AR`` and linker.

Run through one of the small scripts that ``_tools`` writes, which start Python
on nothing but the standard library and call ``main`` with::

    CONFIGURATION TOOL ARGUMENT...

``TOOL`` is ``cc``, ``c++``, ``fc``, ``ar``, ``ranlib`` or ``ld``; ``CONFIGURATION`` is a
file of ``key<TAB>value`` lines that ``_tools`` describes. Where zig is stands in
the environment, because build isolation moves it from build to build and the
path of a compiler should stay. Compiling becomes clang, linking becomes lld,
both inside zig; this process replaces itself by them wherever it can.
"""

from __future__ import annotations

import os
import sys

from manylinux_shim._errors import ShimError
from manylinux_shim.compiler import _job_slots, _newer, _pragmas
from manylinux_shim.compiler._answers import answer
from manylinux_shim.compiler._arguments import expand_response_files, parse
from manylinux_shim.compiler._command import Command, Target
from manylinux_shim.compiler._host_libraries import NO_OPENMP, WAY_OUT, explanations, take_from_host
from manylinux_shim.compiler._linking import link_arguments
from manylinux_shim.compiler._places import OBJECTS_VARIABLE, mapped
from manylinux_shim.compiler._prefixes import (
    in_packages,
    includes_in_prefixes,
    with_libraries_of_prefixes,
)
from manylinux_shim.runtimes import AHEAD_VARIABLE, TWIN_MADE, runtime_inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, NoReturn, Sequence, Tuple

ZIG_VARIABLE = "_MANYLINUX_SHIM_ZIG"
ZIG_LIB_VARIABLE = "_MANYLINUX_SHIM_ZIG_LIB"
LINKS_VARIABLE = "_MANYLINUX_SHIM_LINKS"
"""A directory where each link leaves what went into it; ``sbom._links`` reads that."""

LACKING = "lacking"
"""The file there with what the last compile or link that failed did not find: ``header`` or
``library``, a tab and its name in each line."""

_ASKS_THE_PROCESSOR = {
    "x86_64": "__cpu_model",
    "i686": "__cpu_model",
    "aarch64": "__aarch64_cpu_features",
}
"""By architecture: a symbol of what tells processors apart."""

_NEVER_SUPPLIED = ("_Z", "Py", "_Py", "__cxa_", "_Unwind_")
"""How names begin that are C++'s and Python's, of which nearly every link lacks some."""

_NOT_FOUND = "' file not found"
_QUIET = (
    "--no-default-config",
    # What is said to the compiler for the link, or by gcc's users to gcc, is
    # no news to theirs; with -Werror it would be an error.
    "-Wno-unused-command-line-argument",
    "-Wno-ignored-optimization-argument",
    "-Wno-unknown-warning-option",
    # Warnings for the gcc of the manylinux images, errors for clang by default.
    # What they hide at compile time, the proof finds in the wheel.
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=incompatible-function-pointer-types",
    "-Wno-error=int-conversion",
)


_UNUSED = ("--start-no-unused-arguments", "--end-no-unused-arguments")
"""Between these, what a compile has no use for is no error, whatever warnings are errors."""


class Configuration:
    """One build's toolchain, as ``_tools`` wrote it down."""

    def __init__(self, path: str) -> None:
        values: Dict[str, List[str]] = {}
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                key, _, value = line.rstrip("\n").partition("\t")
                values.setdefault(key, []).append(value)

        def one(key: str) -> str:
            return values.get(key, [""])[0]

        def pairs(key: str) -> Dict[str, str]:
            return dict(tuple(v.split("\t", 1)) for v in values.get(key, []))  # type: ignore[misc]

        self.tools = os.path.dirname(os.path.abspath(path))
        self.multiarch = one("multiarch")
        self.architecture = one("architecture")
        self.sysroot = one("sysroot")
        self.zig_target = one("zig-target")
        self.runtimes = one("runtimes")
        self.supply = one("supply") == "1"
        self.prefix_includes = values.get("prefix-include", [])
        self.prefix_libraries = values.get("prefix-library", [])
        self.packages = values.get("package", [])
        self.fortran = values.get("fortran", [])
        self.cpu_flags = values.get("cpu", [])
        self.c_flags = values.get("c", [])
        self.cxx_flags = values.get("cxx", [])
        self.link_flags = values.get("link", [])
        self.target = Target(
            family=one("family"),
            libraries=pairs("library"),
            loader=one("loader"),
            includes=pairs("include"),
            host_includes=values.get("host-include", []),
            host_libraries=values.get("host-library", []),
            from_host=values.get("from-host", []),
            compilers_libraries=one("compilers-libraries"),
            native=one("native") == "1",
            strip=one("strip") != "0",
            strip_symbols=one("strip") == "1",
            debug_files=one("debug-files") == "1",
            x86=one("x86") == "1",
        )


def main(arguments: Sequence[str]) -> int:
    """Do what one compiler, archiver or linker call asks for; the exit code."""
    tool, given = arguments[1], arguments[2:]
    zig = os.environ.get(ZIG_VARIABLE)
    if not zig:
        return _fail("this compiler works inside of a build by manylinux-shim only")
    if tool in ("ar", "ranlib"):
        _replace([zig, tool, *given])
    configuration = Configuration(arguments[0])
    if tool == "ld":
        _replace([zig, "ld.lld", *configuration.link_flags, *given])
    words = in_packages(expand_response_files(given), configuration.packages)
    if tool == "fc":
        from manylinux_shim.compiler import _fortran

        if _fortran.compiles_only(words):
            _replace([*configuration.fortran, *given])
        return _link_fortran(zig, configuration, words)
    return _call(zig, configuration, words, cxx=tool == "c++")


def _link_fortran(zig: str, configuration: Configuration, words: Sequence[str]) -> int:
    """Compile what is Fortran among the inputs by its compiler, and link everything by ours."""
    import tempfile

    from manylinux_shim.compiler import _fortran

    libraries = configuration.target.compilers_libraries
    link, sources = _fortran.link_words(words, libraries)
    if not sources:
        return _call(zig, configuration, link, cxx=False)
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as directory:
        for number, (place, path) in enumerate(sources):
            item = f"{directory}/{number}.o"
            own = [*configuration.fortran, *_fortran.options(words, sources)]
            status, _ = _run([*own, "-c", path, "-o", item], capture=False)
            if status != 0:
                return status
            link[place] = item
        return _call(zig, configuration, link, cxx=False)


def _call(zig: str, configuration: Configuration, words: Sequence[str], *, cxx: bool) -> int:
    command = parse(words, configuration.target, cxx=cxx)
    if command.error:
        return _fail(command.error)
    for notice in command.notices:
        _say(notice)
    try:
        return _carry_out(zig, configuration, command, words)
    except ShimError as error:
        return _fail(str(error))


def _carry_out(
    zig: str, configuration: Configuration, command: Command, words: Sequence[str]
) -> int:
    if command.cxx and (command.links or "-c" in command.compiler):
        _tell(os.path.abspath(command.output or "a.out"))
    if not command.links:
        source = command.files[0] if len(command.files) == 1 else ""
        return _clang(zig, configuration, command, command.compiler, source)
    if not command.inputs:
        return _reply(zig, configuration, command, words)
    return _link(zig, configuration, command)


def _clang(
    zig: str, configuration: Configuration, command: Command, own: Sequence[str], source: str
) -> int:
    """Compile ``source`` with the caller's ``own`` arguments, among which it is.

    What the target's glibc lacks is named with the one that has it.
    """
    clang = [zig, "clang"]
    words = _compile(configuration, command, own)
    if _pragmas.mentioned_in(source):
        status, said = _with_pragmas(clang, words, configuration, command, source)
    else:
        status, said = _once(zig, configuration, command, words, source)
        if status != 0 and _pragmas.NEEDED in said and source:
            # They may stand in a header.
            status, said = _with_pragmas(clang, words, configuration, command, source)
    if status != 0 and configuration.supply and "-" not in own:
        from manylinux_shim.supply import without_declarations

        # What glibc has by now is in older code as a function of its own.
        fewer = without_declarations(said)
        again = (status, said)
        if fewer:
            again = _once(zig, configuration, command, [*words, *fewer], source)
        status, said = again if again[0] == 0 else (status, said)
    sys.stderr.write(said)
    if status != 0:
        _note_lacking("header", said, "error: '", _NOT_FOUND)
    if status != 0 and "'omp.h' file not found" in said:
        _say(f"{NO_OPENMP}. {WAY_OUT}")
    if _newer.is_about_names(said):
        _explain(configuration, command, *_newer.complained_of(said))
    return status


def _once(
    zig: str, configuration: Configuration, command: Command, words: List[str], source: str
) -> Tuple[int, str]:
    """Compile, or take what was compiled before; the exit code, and what was said."""
    if os.environ.get(OBJECTS_VARIABLE):
        from manylinux_shim.compiler._cached import compiled

        target = configuration.target
        system = _system(configuration, command)
        stripped = target.strip_symbols and not target.debug_files
        done = compiled(zig, words, source, system, _run, stripped=stripped)
        if done is not None:
            return done
    return _run([zig, "clang", *words])


def _with_pragmas(
    clang: List[str],
    words: List[str],
    configuration: Configuration,
    command: Command,
    source: str,
) -> Tuple[int, str]:
    """Compile ``source`` with those pragmas of GCC's that clang does not know by themselves."""
    if not any(word in ("-c", "-S") for word in words):
        return _run([*clang, *words])
    import tempfile

    from manylinux_shim.compiler._pragma_macros import (
        files_named,
        files_with_pragmas,
        macros_defined,
        read,
    )

    architecture = configuration.architecture
    place = words.index("-o") + 1 if "-o" in words else 0
    name = source.rpartition("/")[2].rpartition(".")[0]
    output = words[place] if place else f"{name}.{'s' if '-S' in words else 'o'}"
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as directory:
        text = f"{directory}/{name}.i"
        preprocessing = _pragmas.preprocessing(words, output, text)
        defining: List[str] = []
        files = [source] if _pragmas.mentioned_in(source) else []
        while True:
            if files:
                defining = macros_defined(_run, [*clang, *words], architecture, directory, files)
            status, said = _run([*clang, *defining, *preprocessing])
            as_it_is = read(text) if status == 0 else ""
            found = files_with_pragmas(as_it_is) if status == 0 else files_named(said)
            more = [f for f in found if f not in files and _pragmas.mentioned_in(f)]
            if not more:
                break
            files += more
        if status != 0:
            return status, said
        other = _pragmas.translated(as_it_is, architecture)
        if other == as_it_is:
            return _run([*clang, *words])
        with open(text, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.write(other)
        arguments = _pragmas.preprocessed(words, source, text, cxx=command.cxx)
        arguments += [] if place else ["-o", output]
        return _run([*clang, *arguments])


def _explain(
    configuration: Configuration, command: Command, names: Sequence[str], headers: Sequence[str]
) -> None:
    """Say of names that are not there which glibc has them, if one has; once for each."""
    for explanation in _newer.explanations(
        names,
        headers,
        f"{configuration.tools}/{_newer.NEWER_TABLE}",
        architecture=configuration.architecture,
        supply=configuration.supply,
    ):
        if explanation not in command.notices:
            command.notices.append(explanation)
            _say(explanation)


def _note_lacking(kind: str, said: str, before: str, after: str) -> None:
    """Leave for the end of the build what was not found: asking who has it takes its time.

    One that failed for another reason leaves nothing, so that nobody is told of the one before.
    """
    directory = os.environ.get(LINKS_VARIABLE)
    lines = (line.partition(before)[2] for line in said.splitlines())
    names = [
        (line.partition(after)[0] if after else line).strip()
        for line in lines
        if after in line and line
    ]
    if not directory:
        return
    try:
        with open(f"{directory}/{LACKING}", "w", encoding="utf-8", errors="replace") as file:
            file.writelines(f"{kind}\t{name}\n" for name in dict.fromkeys(names))
    except OSError:
        pass  # the build fails anyway, and has said why


def _tell(line: str) -> None:
    """Tell who compiles ahead, if anybody does."""
    pipe = os.environ.get(AHEAD_VARIABLE)
    if not pipe:
        return
    # Nobody listens any more, or the pipe is full: then nobody needs to know.
    try:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        os.write(descriptor, os.fsencode(line + "\n"))
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _compile(configuration: Configuration, command: Command, own: Sequence[str]) -> List[str]:
    """clang's arguments: ours that the caller may override, the caller's, the system's."""
    arguments = [*_QUIET, f"--sysroot={configuration.sysroot}", *configuration.cpu_flags]
    if configuration.target.family == "manylinux":
        # What chooses between versions of a function on aarch64 is in this library of the
        # compiler's: without it, clang takes the default one. musl's loader cannot choose.
        arguments += [*_UNUSED[:1], "-rtlib=compiler-rt", *_UNUSED[1:]]
    if configuration.target.debug_files:
        arguments.append("-g")
    # __FILE__ and debug information must not tell where the build was.
    arguments += mapped()
    if configuration.prefix_includes:
        for directory in includes_in_prefixes(own, configuration.prefix_includes):
            arguments += ["-I", directory]
    arguments += _overflowing(own)
    if not any(word.endswith("unknown-pragmas") for word in own):
        # With -Wall clang tells of those that are GCC's, which GCC does not.
        arguments.append("-Wno-unknown-pragmas")
    for directory in configuration.prefix_includes:
        arguments += ["-isystem", directory]
    arguments += _system(configuration, command)
    if configuration.target.native:
        for directory in configuration.target.host_includes:
            arguments += ["-idirafter", directory]
    return arguments


def _system(configuration: Configuration, command: Command) -> List[str]:
    """The arguments that stand for the system: its headers are zig's, and of the sysroot."""
    system = configuration.cxx_flags if command.cxx else configuration.c_flags
    lib = os.environ.get(ZIG_LIB_VARIABLE, "")
    return [flag.replace("{lib}", lib) for flag in system]


def _overflowing(own: Sequence[str]) -> List[str]:
    """The caller's arguments, with what Pythons say of overflow said as those since 3.12 do.

    Before it was ``-fwrapv``, which was the same to GCC until its version 8, and is less to
    clang. So sources that do not see Python's headers are compiled alike for all Pythons.
    """
    said = ("-fwrapv", "-fno-strict-overflow")
    others = ("-fno-wrapv", "-fno-wrapv-pointer", "-fstrict-overflow", "-ftrapv")
    if not any(word in said for word in own) or any(word in others for word in own):
        return list(own)
    return ["-fno-strict-overflow", *(word for word in own if word not in said)]


def _reply(zig: str, configuration: Configuration, command: Command, words: Sequence[str]) -> int:
    """Answer a question: ours where things are, lld's or clang's all else."""
    target = configuration.target
    libraries = [*configuration.prefix_libraries, f"{configuration.sysroot}/lib"]
    libraries += target.host_libraries if target.native else []
    known = answer(
        words, multiarch=configuration.multiarch, tools=configuration.tools, libraries=libraries
    )
    if known is not None:
        print(known)
        return 0
    if any(word in ("--version", "-v", "-V") for word in command.linker):
        return _replace([zig, "ld.lld", "--version"])
    asked = ["-dumpversion" if word == "-dumpfullversion" else word for word in command.compiler]
    if "--version" in asked or "-dumpversion" in asked:
        # The target alone: clang would warn that the rest is unused.
        triple = configuration.c_flags[configuration.c_flags.index("-target") + 1]
        return _replace([zig, "clang", "-target", triple, *asked])
    return _replace([zig, "clang", *_compile(configuration, command, asked)])


def _link(zig: str, configuration: Configuration, command: Command) -> int:
    if not command.sources:
        return _link_objects(zig, configuration, command)
    import tempfile

    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as directory:
        for number, (place, path, language) in enumerate(command.sources):
            item = f"{directory}/{number}.o"
            own = [*command.compiler, "-c", *(["-x", language] if language else []), path]
            status = _clang(zig, configuration, command, [*own, "-o", item], path)
            if status != 0:
                return status
            command.linker[place] = item
        return _link_objects(zig, configuration, command)


def _link_objects(zig: str, configuration: Configuration, command: Command) -> int:
    lld = [zig, "ld.lld"]
    record = _record(command)
    command.recorded = bool(record)
    prefixes = configuration.prefix_libraries
    command.linker = with_libraries_of_prefixes(command.linker, prefixes)
    base = [*configuration.link_flags, *_recording(record)]
    take_from_host(command, configuration.target)
    if command.static and not command.shared:
        _add_static_musl(zig, configuration, command)
    status, said = _run([*lld, *link_arguments(command, configuration.target, base)])
    rest, undefined = _undefined(said)
    names = [name for name in undefined if name.startswith("_") and not _is_python(command, name)]
    # When it failed as well: what is undefined may be reached in a way that only a definition
    # in the same file allows, as the compiler's own __cpu_model is.
    runtime: List[str] = []
    twin, started, words = "", None, []
    supplied = _supplied(configuration, undefined)
    if names or supplied:
        runtime, shared = _runtime(zig, configuration, names) if names else ([], [])
        if supplied:
            functions = _functions(zig, configuration)
            runtime = [*runtime, functions]
            shared = [*shared, functions] if shared else []
        if record and shared:
            from manylinux_shim.compiler import _twin

            twin = _twin.place_of_twin(command, record)
            words = _twin.twin_arguments(command, configuration.target, base, shared, twin)
            started = _start([*lld, *words]) if twin else None
        if runtime:
            again = link_arguments(command, configuration.target, base, runtime)
            status, said = _run([*lld, *again])
            rest, undefined = _undefined(said)
    if started and not _end_of_twin(started, undefined):
        _remove(twin)
    if rest:
        sys.stderr.write(rest)
        if status != 0:
            _note_lacking("library", rest, "unable to find library -l", "")
        for explanation in explanations(rest, configuration.target):
            _say(explanation)
    missing = {n: where for n, where in undefined.items() if not _is_python(command, n)}
    if any(name.startswith("_Z") for name in missing):
        from manylinux_shim.compiler._gcc_objects import other_library, refusal

        def spelled() -> Dict[str, str]:
            words = link_arguments(command, configuration.target, base, runtime)
            return _demangled([*lld, *words], undefined)

        why = refusal(missing, spelled) or other_library(missing, command.linker, spelled)
        if why:
            _remove(command.output or "a.out")
            return _fail(why)
    refused = bool(missing) and (command.strict or not command.shared)
    for name, where in missing.items():
        sys.stderr.write(f"ld.lld: {'error' if refused else 'warning'}: undefined symbol: {name}\n")
        sys.stderr.write(where)
    if missing:
        _explain(configuration, command, list(missing), ())
    if status == 0 and not refused:
        if record:
            with open(f"{record}.output", "w", errors="surrogateescape") as file:
                file.write(f"{os.getcwd()}\n{command.output or 'a.out'}")
            for place in (record, twin) if supplied else ():
                if place:
                    with open(f"{place}.supplied", "w") as file:
                        file.write("\n".join(supplied))
        if record and configuration.target.debug_files:
            from manylinux_shim.compiler._debug import whole_link

            last = link_arguments(command, configuration.target, base, runtime)
            for done in (last, words if twin and os.path.exists(twin) else []):
                whole = whole_link(done, os.path.dirname(record)) if done else []
                if whole:
                    _run([*lld, *whole])
        if twin:
            _note_twin(zig, configuration, command, twin)
        return 0
    _remove(command.output or "a.out")
    return status or 1


def _end_of_twin(started: Tuple[int, int], undefined: Dict[str, str]) -> bool:
    """Whether the twin is whole: it lacks nothing that the file itself does not."""
    status, said = _end(*started)
    return status == 0 and set(_undefined(said)[1]) <= set(undefined)


def _note_twin(zig: str, configuration: Configuration, command: Command, twin: str) -> None:
    """Write down whose twin it is, were it none, and tell who compiles ahead."""
    from manylinux_shim.compiler._twin import note

    note(twin, command.output or "a.out", zig, f"{configuration.tools}/configuration")
    _tell(TWIN_MADE)


def _record(command: Command) -> str:
    """What the names of this link's record begin with; empty where nobody reads it."""
    directory = os.environ.get(LINKS_VARIABLE)
    return f"{directory}/{os.urandom(8).hex()}" if directory and not command.relocatable else ""


def _recording(record: str) -> List[str]:
    """Have lld write down which libraries it read, and what it took out of archives."""
    if not record:
        return []
    return [f"--dependency-file={record}.inputs", f"--why-extract={record}.extracted"]


def _add_static_musl(zig: str, configuration: Configuration, command: Command) -> None:
    """The libc of a static program; Rust brings its own start files, and libc with them."""
    # zig's own answers, which come with its musl, are no to every question.
    name = _ASKS_THE_PROCESSOR.get(configuration.architecture)
    truthful = _runtime(zig, configuration, [name])[0] if name else []
    own = [word[2:] for word in command.linker if word.startswith("-L")]
    if "-lc" in command.linker and any(os.path.exists(f"{d}/libc.a") for d in own):
        command.archives = [*truthful, "-lc"]
        return
    from manylinux_shim.sysroot import static_musl

    start, archives = static_musl(zig, configuration.zig_target, configuration.sysroot)
    command.archives = [*truthful, *archives]
    if command.startfiles:
        command.start = [start if command.pie else configuration.target.libraries["crt1"]]


def _runtime(
    zig: str, configuration: Configuration, undefined: Sequence[str]
) -> Tuple[List[str], List[str]]:
    """The inputs that define these symbols; the same with the C++ library outside, if C++ is."""
    found = runtime_inputs(zig, configuration.zig_target, configuration.runtimes, undefined)
    return found[:1], found[1:]


def _supplied(configuration: Configuration, undefined: Dict[str, str]) -> List[str]:
    """Which of these names are functions that we have and the target's glibc lacks."""
    names = [name for name in undefined if not name.startswith(_NEVER_SUPPLIED)]
    if not names or not configuration.supply:
        return []
    from manylinux_shim.supply import can_link

    return [name for name in names if can_link(name, configuration.architecture)]


def _functions(zig: str, configuration: Configuration) -> str:
    """The static library that has them."""
    from manylinux_shim.supply import archive

    lib = os.environ.get(ZIG_LIB_VARIABLE, "")
    flags = [*configuration.cpu_flags, *(f.replace("{lib}", lib) for f in configuration.c_flags)]
    return archive(zig, configuration.sysroot, flags, configuration.architecture)


def _is_python(command: Command, name: str) -> bool:
    """Whether the program that loads an extension is to provide ``name``."""
    return command.shared and name.startswith(("Py", "_Py"))


def _undefined(said: str) -> Tuple[str, Dict[str, str]]:
    """lld's output without its warnings of undefined symbols, and those: name and places."""
    rest: List[str] = []
    undefined: Dict[str, str] = {}
    name = ""
    for line in said.splitlines(keepends=True):
        _, found, symbol = line.partition("undefined symbol: ")
        if found and "warning:" in line:
            name = symbol.strip()
            undefined[name] = ""
        elif name and line.startswith(">>>"):
            undefined[name] += line
        elif line.strip():
            name = ""
            rest.append(line)
    return "".join(rest), undefined


def _demangled(link: List[str], undefined: Dict[str, str]) -> Dict[str, str]:
    """Symbol -> what it is called in C++, from the same link said again: the order is the same."""
    _, said = _run(["--demangle" if word == "--no-demangle" else word for word in link])
    spelled = list(_undefined(said)[1])
    return dict(zip(undefined, spelled)) if len(spelled) == len(undefined) else {}


def _run(command: List[str], *, capture: bool = True) -> Tuple[int, str]:
    """Exit code and what was said on stderr. subprocess would cost what compiling costs."""
    sys.stdout.flush()
    sys.stderr.flush()
    slot = _job_slots.take()
    try:
        return _end(*_start(command)) if capture else (_wait(_spawn(command)), "")
    finally:
        _job_slots.give_back(slot)


def _start(command: List[str]) -> Tuple[int, int]:
    """A process, and the descriptor that its stderr is read from."""
    reading, writing = os.pipe()
    process = _spawn(command, writing, reading)
    os.close(writing)
    return process, reading


def _spawn(command: List[str], stderr: int = 2, unwanted: int = -1) -> int:
    """A process whose stderr is a descriptor of ours; ``unwanted`` is not left open in it."""
    if hasattr(os, "POSIX_SPAWN_DUP2"):
        actions: List[Tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, stderr, 2)] if stderr != 2 else []
        actions += [(os.POSIX_SPAWN_CLOSE, d) for d in (unwanted, stderr) if d > 2]
        return os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    process = os.fork()  # PyPy has no posix_spawn
    if process == 0:
        try:
            os.dup2(stderr, 2)
            os.execv(command[0], command)  # noqa: S606 - a list of arguments, no shell
        finally:
            os._exit(127)
    return process


def _end(process: int, reading: int) -> Tuple[int, str]:
    with open(reading, encoding="utf-8", errors="replace") as pipe:
        said = pipe.read()
    return _wait(process), said


def _wait(process: int) -> int:
    status = os.waitpid(process, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _replace(command: List[str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # noqa: S606 - a list of arguments, no shell


def _remove(path: str) -> None:
    if os.path.isfile(path):
        os.unlink(path)


def _say(message: str) -> None:
    sys.stderr.write(f"manylinux-shim: {message}\n")


def _fail(message: str) -> int:
    _say(f"error: {message}")
    return 1
