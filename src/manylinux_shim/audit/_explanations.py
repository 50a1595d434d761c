"""The reasons in words: what is wrong, what a policy allows, what to do about it.

``{policy}`` and ``{libc}`` are filled in when a requirement meets a policy.
"""

from __future__ import annotations

from typing import Optional, Tuple

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.audit import reasons as kinds
from manylinux_shim.audit._policies import NEVER, Floor, glibc_version
from manylinux_shim.audit.reasons import Reason, Requirement
from manylinux_shim.elf import ElfFacts

_LINK_OLDER = 'Link against an older glibc (mode = "zig"), or claim the newer policy.'
_OUTSIDE = (
    "Link it statically, have it grafted into the wheel (`repair = true`), or name it in"
    " `exclude` if another package provides it at run time."
)


def run_path(facts: ElfFacts, entry: str) -> Reason:
    return Reason(
        None, facts.name, kinds.RUN_PATH, library=entry,
        allowed="a run path that leads out of the wheel",
        remedy="Link without -rpath, or with one that begins with $ORIGIN.",
    )  # fmt: skip


def executable_stack(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.EXECUTABLE_STACK,
        allowed="glibc 2.41 and later refuse to load what asks for an executable stack",
        remedy="Link with -Wl,-z,noexecstack, and end assembler sources with"
        " a .note.GNU-stack section.",
    )  # fmt: skip


def isa(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.ISA, version=f"x86-64-v{facts.isa_needed}",
        allowed="the tag promises any x86-64 processor, and its note asks for a newer one",
        remedy="Compile without -march, and choose faster code at run time.",
    )  # fmt: skip


def suffix(facts: ElfFacts, arch: Architecture) -> Reason:
    return Reason(
        None, facts.name, kinds.SUFFIX, library=facts.triplet,
        allowed=f"the name is for another platform than its code, which is {arch.name}",
        remedy="Tell the build the target's EXT_SUFFIX: no Python there looks for this name.",
    )  # fmt: skip


def library(facts: ElfFacts, soname: str) -> Reason:
    """A library that the wheel has not."""
    remedy = _OUTSIDE
    if soname.startswith("libpython"):
        remedy = "Do not link an extension with libpython: the interpreter has its symbols."
    return Reason(
        None, facts.name, kinds.LIBRARY, library=soname,
        allowed="{policy} does not allow it outside the wheel", remedy=remedy,
    )  # fmt: skip


def hidden_library(
    facts: ElfFacts, soname: str, hidden: ElfFacts, way: Optional[str], root: Optional[str]
) -> Reason:
    """A library that is in the wheel as ``hidden``, and is not found there.

    ``way`` is the run path that leads to it, None if there can be none; ``root`` is the file
    with which a process begins that does not find it.
    """
    allowed = "it is in the wheel, and the loader does not look there"
    if root is not None and root != facts.name:
        allowed += f" in a process that begins with {root}"
    if way is not None:
        remedy = f"It is in the wheel as {hidden.name}: give the run path {way} to {facts.name}."
    else:
        remedy = (
            f"No run path leads from where {facts.name} is installed to {hidden.name}: link that"
            " statically, or put the program into the package and start it by an entry point."
        )
    return Reason(
        None, facts.name, kinds.LIBRARY, library=soname, allowed=allowed, remedy=remedy
    )  # fmt: skip


def wrong_libc(facts: ElfFacts, family: str) -> Requirement:
    other = "musl" if family == "manylinux" else "glibc"
    return Requirement(
        family, NEVER,
        Reason(
            None, facts.name, kinds.LIBC,
            allowed=f"it is linked with {other}, which {family} systems do not have",
            remedy=f"Build the whole wheel for one libc: {family} wheels are another build.",
        ),
    )  # fmt: skip


def musl_suffix(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.SUFFIX, library=facts.triplet,
        allowed="its name is one that only a Python on musl looks for",
        remedy="Tell the build the target's EXT_SUFFIX.",
    )  # fmt: skip


def relr(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.RELR,
        allowed="packed relocations (DT_RELR), which the loader of {libc} does not know",
        remedy="Link with -Wl,-z,nopack-relative-relocs, or claim the newer policy.",
    )  # fmt: skip


def symbol(facts: ElfFacts, name: str, floor: Floor) -> Reason:
    since = ".".join(map(str, floor if floor[2] else floor[:2]))
    return Reason(
        None, facts.name, kinds.SYMBOL, name,
        allowed=f"{{policy}} allows {{libc}}, and it is there since {since}",
        remedy="Do without the function, or claim the newer policy.",
    )  # fmt: skip


def nobody_has(facts: ElfFacts, name: str, libc: str) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL, name,
        allowed=f"neither Python, {libc}, the wheel nor an allowed library that it needs has it",
        remedy="Link the library that defines it (or bundle it and name it when linking).",
    )  # fmt: skip


def not_in_own(facts: ElfFacts, name: Optional[str], version: str, library: str) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL_VERSION, name, version, library,
        allowed="the wheel brings this library along, and that one does not have it",
        remedy="Bundle the library that this file was linked with.",
    )  # fmt: skip


def no_such_version(
    facts: ElfFacts, name: str, version: str, library: str, arch: Architecture
) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL, name, version, library,
        allowed=f"no glibc for {arch.name} has this symbol at this version",
        remedy="Link against a glibc for this architecture, not one of a distribution's own.",
    )  # fmt: skip


def banned(facts: ElfFacts, name: str, library: str) -> Reason:
    return Reason(
        None, facts.name, kinds.SYMBOL, name, None, library,
        allowed="it is internal to the library, and not every build of that has it",
        remedy="Use the library's public functions, or link it statically.",
    )  # fmt: skip


def version(facts: ElfFacts, name: Optional[str], version: str, library: str) -> Reason:
    if version == "GLIBC_PRIVATE":
        allowed = "it is private to one build of glibc, and {policy} allows none of that"
    elif glibc_version(version) is not None:
        allowed = "{policy} allows {libc}"
    else:
        allowed = "{policy} has no " + version
    return Reason(
        None, facts.name, kinds.SYMBOL_VERSION, name, version, library,
        allowed=allowed, remedy=_LINK_OLDER,
    )  # fmt: skip


def foreign(facts: ElfFacts, machine: str) -> Reason:
    return Reason(
        None, facts.name, kinds.MACHINE, library=facts.machine_name,
        allowed=f"the wheel is for {machine}",
        remedy="Build it for the wheel's architecture, or leave it out.",
    )  # fmt: skip


def unknown_machine(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.MACHINE, library=facts.machine_name,
        allowed="no manylinux or musllinux policy is known for this machine",
        remedy="Build for an architecture that policies know, or leave the tag linux_*.",
    )  # fmt: skip


def other_machine(tag: str, machine: str) -> Reason:
    return Reason(
        None, "", kinds.TAG, library=tag,
        allowed=f"the files in the wheel are for {machine}",
        remedy="Build the wheel for the architecture that it is tagged for.",
    )  # fmt: skip


def not_any(files: Tuple[ElfFacts, ...]) -> Reason:
    return Reason(
        None, files[0].name, kinds.TAG, library="any",
        allowed="the wheel says it runs anywhere, and has an ELF file",
        remedy="Tag the wheel for the platform that its files are for.",
    )  # fmt: skip


def no_files(policy: Optional[Policy]) -> Reason:
    return Reason(
        policy, "", kinds.TAG,
        allowed="the wheel is tagged for a platform, and has no ELF file",
        remedy="If an extension is missing, see why it was not built; else tag it py3-none-any.",
    )  # fmt: skip


def not_linux(tag: str) -> Reason:
    return Reason(
        None, "", kinds.TAG, library=tag,
        allowed="it is no platform of Linux, so nothing here can prove it",
        remedy="Audit wheels for Linux only.",
    )  # fmt: skip


def no_such_policy(policy: Policy, oldest: Policy, arch: Architecture) -> Reason:
    return Reason(
        policy, "", kinds.TAG, library=policy.name,
        allowed=f"{policy.family} begins at {oldest.name} on {arch.name}",
        remedy=f"Claim {oldest.name} or newer.",
    )  # fmt: skip


def not_stable(
    facts: ElfFacts, symbol: str, since: Optional[Tuple[int, int]], oldest: Tuple[int, int]
) -> Reason:
    tagged = f"{oldest[0]}.{oldest[1]}"
    if since is None:
        allowed = "it is not in the stable ABI, and the wheel says abi3"
        remedy = "Use a function of the limited API, or build a wheel for each Python."
    else:
        allowed = f"the wheel says Python {tagged}, and it is stable since {since[0]}.{since[1]}"
        remedy = f"Set Py_LIMITED_API for {tagged}, or tag the wheel cp{since[0]}{since[1]}-abi3."
    return Reason(
        None, facts.name, kinds.STABLE_ABI, symbol, allowed=allowed, remedy=remedy
    )  # fmt: skip


def no_loader(facts: ElfFacts) -> Reason:
    """A program whose ``PT_INTERP`` is a path of the machine that linked it."""
    return Reason(
        None, facts.name, kinds.LIBRARY, library=facts.interpreter,
        allowed="the program names a loader that is there on no system",
        remedy="Link it without --dynamic-linker, by a compiler that is for all systems.",
    )  # fmt: skip


def not_in_python(facts: ElfFacts, symbol: str, version: str) -> Reason:
    """A symbol of Python's that the interpreter of a tag does not have."""
    return Reason(
        None, facts.name, kinds.PYTHON_TAG, symbol,
        allowed=f"Python {version} does not have it",
        remedy="Leave the call out for this Python, or name the wheel for one that has it.",
    )  # fmt: skip


def not_imported(facts: ElfFacts, tag: str) -> Reason:
    """A module whose file an interpreter of ``tag`` does not look at."""
    _, _, suffix = facts.name.rpartition("/")[2].partition(".")
    return Reason(
        None,
        facts.name,
        kinds.PYTHON_TAG,
        allowed=f"the wheel says {tag}, and this module is there as .{suffix}",
        remedy="Name the wheel for the Pythons that it was built for, or build it for each.",
    )


def not_openable(facts: ElfFacts) -> Reason:
    """A library that the loader refuses to open while a program runs (``DF_1_NOOPEN``)."""
    return Reason(
        None,
        facts.name,
        kinds.LIBRARY,
        allowed="it is marked not to be opened by a running program, as Python does",
        remedy="Link it without `-z nodlopen`.",
    )


def needs_a_path(facts: ElfFacts, soname: str) -> Reason:
    """A needed library that is a path, where the loader looks and nowhere else."""
    return Reason(
        None,
        facts.name,
        kinds.LIBRARY,
        library=soname,
        allowed="it is needed by a path, which is of the machine that linked it",
        remedy="Give that library a soname (-Wl,-soname), or link it by -l.",
    )
