"""A parsed command whose sources have become objects -> lld's arguments. Pure."""

from __future__ import annotations

from manylinux_shim.compiler._rules import LIBC_LIBRARIES, RUNTIME_LIBRARIES, UNWINDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

    from manylinux_shim.compiler._command import Command, Target


WHEEL_ROOM = "$ORIGIN:$ORIGIN/" + "=" * 240
"""The run path of what may need a library of the wheel, and was given none into the wheel.

Where that library will be is known when the wheel is finished: the second entry is room for
the way there. A RUNPATH serves only the file that has it, so each needs its own.
"""


def link_arguments(
    command: Command, target: Target, base: Sequence[str], runtime: Sequence[str] = ()
) -> List[str]:
    """lld's arguments.

    ``base`` is what zig itself gives to lld for this target, ``runtime`` the
    objects of the compiler's own libraries that the link needs. Undefined
    symbols come out as warnings, for the driver to judge.
    """
    output = command.output or "a.out"
    if command.relocatable:
        return [*base, "-r", "-o", output, *filter(None, command.linker)]
    arguments = [*base, "--eh-frame-hdr", "--undefined-version", "--allow-shlib-undefined"]
    arguments += ["--no-demangle", "-z", "defs", "--warn-unresolved-symbols", "-o", output]
    arguments += ["--error-limit=0"]  # what is undefined has to be known whole
    arguments.append("--build-id=sha1")  # debuggers and crash reports find a file by it
    if command.shared:
        arguments.append("-shared")
    elif command.static:
        arguments += ["-static", "--no-dynamic-linker", "--gc-sections"]
        arguments += ["-pie"] if command.pie else []
    else:
        arguments += ["-pie" if command.pie else "--no-pie", "--dynamic-linker", target.loader]
        if command.startfiles and "crt1" in target.libraries:
            arguments.append(target.libraries["crt1"])
    if target.strip:
        arguments.append("--strip-all" if target.strip_symbols else "--strip-debug")
    run_path = effective_run_path(command.run_paths)
    if command.recorded and takes_libraries(command) and not _leads_inside(run_path):
        run_path = f"{run_path}:{WHEEL_ROOM}" if run_path else WHEEL_ROOM
    arguments += ["-rpath", run_path] if run_path else []
    arguments += _with_libraries(command, target)
    arguments += [target.libraries["always"]] if "always" in target.libraries else []
    if runtime:
        # Nobody imports what a wheel links in statically: two libc++ in one
        # process must not see each other.
        arguments += ["--gc-sections", "-z", "nostart-stop-gc", *runtime]
        arguments += [word for path in runtime for word in ("--exclude-libs", _name(path))]
    if command.static:
        return [*arguments, "--start-group", *command.archives, "--end-group"]
    # After all of the caller's: what objects use without naming the library is
    # found, as on systems where libc is one (glibc 2.34 and later, musl).
    arguments += ["-Bdynamic", "--as-needed"]
    if command.stdlib:
        arguments += system_libraries(target)
    return arguments


def takes_libraries(command: Command) -> bool:
    """Whether it may need libraries of this build, which the wheel then has."""
    words = command.linker
    return not command.static and any(
        ".so" in word.rpartition("/")[2] or (word.startswith("-l") and not is_provided(word))
        for word in words
    )


def system_libraries(target: Target) -> List[str]:
    """The stubs of what every system has: libc's libraries and the unwinder."""
    named = (target.libraries.get(name) for name in (*LIBC_LIBRARIES, UNWINDER))
    return list(dict.fromkeys(path for path in named if path))


def effective_run_path(given: Sequence[str]) -> str:
    """The run path to link with, of those that were given.

    What leads into the wheel stands alone. What leads elsewhere is kept where
    there is nothing else, to the letter: CMake puts the build tree there, with
    colons to make room, and insists on finding it when it installs. It is taken
    out of the finished wheel.
    """
    whole = ":".join(given)
    entries = [entry for entry in whole.split(":") if entry]
    inside = [entry for entry in entries if _leads_inside(entry)]
    return ":".join(inside) if inside and inside != entries else whole


def _leads_inside(entry: str) -> bool:
    return entry.startswith(("$ORIGIN", "${ORIGIN}"))


def _name(path: str) -> str:
    return path[path.rfind("/") + 1 :]


def _with_libraries(command: Command, target: Target) -> List[str]:
    """The caller's own arguments, with ``-l`` of the target's libraries resolved."""
    if command.static:
        return [*command.start, *(word for word in command.linker if not is_provided(word))]
    resolved: List[str] = []
    dynamic = True
    for word in command.linker:
        if word in ("-Bstatic", "-dn", "-non_shared", "-static"):
            dynamic = False
        elif word in ("-Bdynamic", "-dy", "-call_shared"):
            dynamic = True
        name = word[2:] if word.startswith("-l") else _host_libc(word, target)
        if name in target.libraries:
            # Between -Bstatic and -Bdynamic it is left to the end: stubs are dynamic.
            if dynamic:
                resolved += ["--push-state", "--as-needed"] if name == UNWINDER else []
                resolved.append(target.libraries[name])
                resolved += ["--pop-state"] if name == UNWINDER else []
        elif is_provided(word):
            pass  # part of libc on this target, or added when the link needs it
        elif command.shared and name.startswith("python") and name[6:7].isdigit():
            pass  # an extension gets Python's API from the program that loads it
        else:
            resolved.append(word)
    return resolved


def _host_libc(word: str, target: Target) -> str:
    """The name of the libc library that ``word`` is on the host, as find_library gives it."""
    directory, _, file = word.rpartition("/")
    stem, _, suffix = file.partition(".")
    name = stem[3:] if stem.startswith("lib") else ""
    known = directory in target.host_libraries and name in LIBC_LIBRARIES
    return name if known and suffix.startswith(("so", "a")) else ""


def is_provided(word: str) -> bool:
    """Whether ``-l`` of it is part of libc, or added when the link needs it."""
    provided = (*LIBC_LIBRARIES, *RUNTIME_LIBRARIES, UNWINDER)
    return not word or (word.startswith("-l") and word[2:] in provided)
