"""One gcc command line, taken apart. Pure functions; nothing is done here.

Nothing is imported either that Python does not have loaded: the driver starts
anew for every compiler call, and its start is what a build pays for.
"""

from __future__ import annotations

from manylinux_shim.compiler._command import Command, Target
from manylinux_shim.compiler._rules import (
    COMPLETED,
    LIBC_LIBRARIES,
    LINKER_RULES,
    NOTICE,
    PROFILING,
    RUNTIME_LIBRARIES,
    SPELLED,
    UNWINDER,
    Rule,
    compiler_rules,
    is_for_gccs_optimiser,
    match,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence

_WITH_VALUE = frozenset(
    "-o -I -D -U -include -imacros -isystem -iquote -idirafter -iprefix -iwithprefix"
    " -iwithprefixbefore -isysroot -MF -MT -MQ -x -Xclang -Xpreprocessor -Xassembler -Xlinker"
    " -L -l -u -z -T -e -h -R -rpath -soname -target -arch --param -aux-info -B -mllvm -A"
    " -dumpbase -dumpbase-ext -dumpdir -wrapper -framework -G -specs --sysroot".split()
)
_FOR_LINKER = frozenset("-u -z -T -e -h -R -rpath -soname".split())
_OF_THIS_BUILD = frozenset("-target -arch -B -specs --sysroot -isysroot -aux-info -wrapper".split())
_LINKER_WITH_VALUE = frozenset(
    "-rpath --rpath -rpath-link --rpath-link -soname --soname -h -z -m -T --script"
    " --version-script -version-script --dynamic-list -Map --Map -e --entry -u --undefined"
    " --defsym -defsym --exclude-libs -exclude-libs --wrap -wrap -dynamic-linker --dynamic-linker"
    " -I -R -L -l -plugin --plugin --sysroot --image-base --section-start -init -fini"
    " --export-dynamic-symbol --export-dynamic-symbol-list -y --trace-symbol"
    " --retain-symbols-file -a -o".split()
)
_SEARCH = ("-isystem", "-iquote", "-idirafter", "-I")
_NO_LINK = frozenset("-c -S -E -M -MM -fsyntax-only".split())
_CXX_SUFFIXES = (".cc", ".cp", ".cxx", ".cpp", ".CPP", ".c++", ".C", ".ii", ".cppm", ".CC")
_C_SUFFIXES = (".c", ".i", ".s", ".S", ".sx")
_FORTRAN_SUFFIXES = (".f", ".for", ".ftn", ".f77", ".f90", ".f95", ".f03", ".f08", ".F", ".F90")
_IGNORED = frozenset(
    "-static-libgcc -shared-libgcc -static-libstdc++ -no-canonical-prefixes".split()
)


def expand_response_files(arguments: Sequence[str]) -> List[str]:
    """``@file`` replaced by the arguments in it, as GCC does; unreadable ones stay."""
    expanded: List[str] = []
    for argument in arguments:
        if argument.startswith("@") and len(argument) > 1:
            try:
                # The builtin: pathlib alone would double the driver's start.
                with open(argument[1:], encoding="utf-8", errors="surrogateescape") as file:
                    expanded += expand_response_files(split_words(file.read()))
                continue
            except OSError:
                pass
        expanded.append(argument)
    return expanded


def split_words(text: str) -> List[str]:
    """Words as GCC's response files have them: both kinds of quotes, a backslash escapes."""
    words: List[str] = []
    word: Optional[str] = None
    quote = ""
    characters = iter(text)
    for c in characters:
        if c == "\\":
            word = (word or "") + next(characters, "")
        elif quote:
            if c == quote:
                quote = ""
            else:
                word = (word or "") + c
        elif c in "\"'":
            quote = c
            word = word or ""
        elif not c.isspace():
            word = (word or "") + c
        elif word is not None:
            words.append(word)
            word = None
    return words if word is None else [*words, word]


def parse(arguments: Sequence[str], target: Target, *, cxx: bool = False) -> Command:
    """Take a command line apart. ``cxx``: it was given to the C++ driver.

    What cannot be done is in the result's ``error``.
    """
    command = Command(cxx=cxx, links=not any(a in _NO_LINK for a in arguments))
    rules = compiler_rules(x86=target.x86, strip=target.strip and not target.debug_files)
    language = ""
    left_out: List[str] = []
    words = iter(arguments)
    for word in words:
        if word == "-x":
            value = next(words, "none")
            language = "" if value == "none" else value
            command.cxx = command.cxx or "c++" in value
        elif word == "--param":
            left_out.append(f"{word} {next(words, '')}")
        elif word in _WITH_VALUE:
            following = next(words, None)
            if following is None:
                command.error = f"argument to {word!r} is missing"
            else:
                _with_value(command, target, word, following)
        elif not word.startswith("-") or word == "-":
            _input(command, word, language, cxx=cxx)
        elif not _driver_option(command, target, word):
            rule = match(rules, word)
            if rule is None and is_for_gccs_optimiser(word):
                left_out.append(word)
            elif rule is None and word in SPELLED:
                command.compiler += SPELLED[word]
            elif rule is None:
                command.compiler.append(word)
                if word in COMPLETED:
                    command.compiler.append(COMPLETED[word])
            else:
                _note(command, rule, word)
        if command.error:
            break
    if left_out:
        command.notices.append(f"{' '.join(left_out)}: left out, for GCC's optimiser only")
    return command


def _note(command: Command, rule: Rule, argument: str) -> None:
    if rule.action == NOTICE:
        command.notices.append(f"{argument} is left out: {rule.reason}")


def _input(command: Command, path: str, language: str, *, cxx: bool) -> None:
    name = path[path.rfind("/") + 1 :]
    suffix = name[name.rfind(".") :] if "." in name else ""
    if suffix in _FORTRAN_SUFFIXES and not language:
        command.error = (
            f"{path}: zig has no Fortran compiler. Call $FC, which is GCC's where one for the"
            " target is installed (gfortran)"
        )
        return
    command.inputs += 1
    if suffix in _CXX_SUFFIXES and not language:
        command.cxx = True
    if cxx and suffix in (".c", ".i") and not language:
        language = "c++"  # as g++ takes them
    if not command.links:
        command.compiler += ["-x", language, path, "-x", "none"] if language else [path]
        command.files.append(path)
    elif language or path == "-" or suffix in _CXX_SUFFIXES + _C_SUFFIXES:
        command.sources.append((len(command.linker), path, language))
        command.linker.append("")
    else:
        command.linker.append(path)


def _with_value(command: Command, target: Target, option: str, value: str) -> None:
    if option == "-o":
        command.output = value
        if not command.links:
            command.compiler += [option, value]
    elif option in _SEARCH:
        command.compiler += search_directory(target, option, value)
    elif option == "-L":
        _library_directory(command, target, value)
    elif option == "-l":
        _library(command, value)
    elif option == "-Xlinker":
        _linker_words(command, target, [value])
    elif option in _FOR_LINKER:
        _linker_words(command, target, [option, value])
    elif option not in _OF_THIS_BUILD:
        command.compiler += [option, value]


def search_directory(target: Target, option: str, directory: str) -> List[str]:
    """An include directory, or what stands in its place.

    Python's own headers are staged for the target. The host's libc headers must
    not come before the target's: a native build looks there last, for the
    headers of other libraries; a cross build never does.
    """
    plain = directory.rstrip("/") or "/"
    while "//" in plain:
        plain = plain.replace("//", "/")
    for original, staged in target.includes.items():
        if plain == original or plain.startswith(original + "/"):
            return [option, staged + plain[len(original) :]]
    if plain in target.host_includes:
        return ["-idirafter", plain] if target.native else []
    return [option, directory]


def _driver_option(command: Command, target: Target, word: str) -> bool:
    """Whether ``word`` was an option of the driver's own, and has been dealt with."""
    if word.startswith("-Wl,"):
        _linker_words(command, target, word[4:].split(","))
    elif word.startswith("-L"):
        _library_directory(command, target, word[2:])
    elif word.startswith("-l"):
        _library(command, word[2:])
    elif word.startswith("-I"):
        command.compiler += search_directory(target, "-I", word[2:])
    elif word.startswith(("-isystem", "-iquote")) and word not in _SEARCH:
        option = "-isystem" if word.startswith("-isystem") else "-iquote"
        command.compiler += search_directory(target, option, word[len(option) :])
    elif word.startswith("-rpath="):
        _linker_words(command, target, ["-rpath", word[7:]])
    elif word.startswith(("-z", "-u", "-R", "-T")):
        _linker_words(command, target, [word[:2], word[2:]])
    elif word.startswith("-fuse-ld=") or word in _IGNORED:
        pass  # lld it is, and the compiler's own libraries are linked statically
    elif word in PROFILING or word.startswith(("-fprofile-generate", "-fprofile-instr-generate")):
        command.error = (
            f"{word}: zig has no library that writes profiles. Leave it out, or build with"
            " -C mode=check, where the compiler is yours"
        )
    elif word.partition("=")[0] in ("-fopenmp", "-flto"):
        # How many jobs GCC is to take, in its spelling; clang's own values are kinds.
        command.compiler.append("-flto" if _is_count_of_jobs(word) else word)
        command.linker += ["-lomp"] if "openmp" in word else ["--lto-O2"]
    elif word in ("-static", "-static-pie"):
        command.static = True
        command.pie = word == "-static-pie"
        if target.family == "manylinux" and command.links:
            command.error = (
                f"{word}: zig has no static glibc. A static program runs on glibc systems too"
                " when it is built with -C policy=musllinux_1_2"
            )
    elif word in ("-pie", "-no-pie", "-nopie"):
        command.pie = word == "-pie"
    elif word in ("-nostdlib", "-nodefaultlibs", "-nostartfiles"):
        command.stdlib = command.stdlib and word == "-nostartfiles"
        command.startfiles = command.startfiles and word == "-nodefaultlibs"
    elif word == "-shared":
        command.shared = True
    elif word == "-r":
        command.relocatable = True
    elif word == "-rdynamic":
        command.linker.append("--export-dynamic")
    elif word == "-s":
        command.linker.append("--strip-all")
    else:
        return word in _NO_LINK and _keep(command, word)
    return True


def _keep(command: Command, word: str) -> bool:
    command.compiler.append(word)
    return True


def _is_count_of_jobs(word: str) -> bool:
    value = word.partition("=")[2]
    return word.startswith("-flto=") and (value.isdecimal() or value in ("auto", "jobserver"))


def _library(command: Command, name: str) -> None:
    command.inputs += 1
    if name.startswith(":lib"):
        # A file's exact name; of the sysroot's libraries each has one.
        stem = name[4:].partition(".so")[0].partition(".a")[0]
        if stem in (*LIBC_LIBRARIES, UNWINDER, *RUNTIME_LIBRARIES):
            name = stem
    command.linker.append(f"-l{name}")


def _library_directory(command: Command, target: Target, directory: str) -> None:
    foreign = not target.native and (directory.rstrip("/") or "/") in target.host_libraries
    if directory and not foreign:
        command.linker.append(f"-L{directory}")


def _linker_words(command: Command, target: Target, words: Sequence[str]) -> None:
    """Arguments for the linker itself, from ``-Wl,`` and ``-Xlinker``."""
    remaining = iter(words)
    for word in remaining:
        option, value = word, ""
        if command.linker and command.linker[-1] in _LINKER_WITH_VALUE:
            # The option came alone: -Xlinker -rpath -Xlinker DIR, or in two -Wl.
            option, value = command.linker.pop(), word
        elif word in _LINKER_WITH_VALUE:
            following = next(remaining, None)
            if following is None:
                command.linker.append(word)
                return
            value = following
        _linker_option(command, target, option, value)


def _linker_option(command: Command, target: Target, option: str, value: str) -> None:
    name, equals, joined = option.partition("=")
    argument = value or joined
    if option.startswith("-R") and len(option) > 2:
        name, argument = "-R", option[2:]
    bare = name.lstrip("-")
    if bare in ("rpath", "R"):
        command.run_paths.append(argument)
    elif name == "-l" or (option.startswith("-l") and not equals):
        _library(command, value or option[2:])
    elif name == "-L":
        _library_directory(command, target, argument)
    elif option.startswith("-L") and not equals:
        _library_directory(command, target, option[2:])
    elif bare == "no-undefined" or (name == "-z" and argument in ("defs", "nodefs")):
        command.strict = argument != "nodefs"
    elif bare == "unresolved-symbols":
        command.strict = argument == "report-all"
    elif bare == "o":
        command.output = argument
    elif bare not in ("rpath-link", "dynamic-linker", "sysroot", "I", "m"):  # the target's own
        rule = match(LINKER_RULES, option)
        if rule is not None:
            _note(command, rule, option)
        else:
            command.linker += [option, value] if value else [option]
