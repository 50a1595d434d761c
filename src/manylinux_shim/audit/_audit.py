"""A wheel's facts and the tables -> a verdict: what it has earned, and why not more."""

from __future__ import annotations

import posixpath
from collections import Counter
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from manylinux_shim._platforms import Architecture, Version
from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit._abi3 import oldest_python, violations
from manylinux_shim.audit._interpreters import unserved, without_init
from manylinux_shim.audit._policies import floor_of, policies
from manylinux_shim.audit._python_api import Interpreters, asked_of_python
from manylinux_shim.audit._reading import read_files
from manylinux_shim.audit._requirements import Judge, strayed
from manylinux_shim.audit._scope import exchanging
from manylinux_shim.audit._symbols import GlibcTable, MuslTable
from manylinux_shim.audit._verdict import Verdict, family_of
from manylinux_shim.audit.reasons import Reason, Requirement
from manylinux_shim.elf import ElfFacts
from manylinux_shim.wheel import WheelName


def audit_wheel(
    path: Path, *, zig_lib: Optional[Path] = None, exclude: Sequence[str] = ()
) -> Verdict:
    """The verdict over the wheel at ``path``.

    ``zig_lib`` is the ``lib`` directory of a zig whose tables to use; without
    one, an installed ziglang's if newer than ours, else ours. ``exclude`` has
    patterns (as ``fnmatch`` knows them) of sonames that another package
    provides at run time.

    Raises WheelError if the file cannot be read as a wheel, ElfError if an ELF
    file in it breaks the format.
    """
    name = WheelName.parse(path.name)
    files = read_files(path)
    return judge(path, name, files, GlibcTable.load(zig_lib), MuslTable.load(zig_lib), exclude)


def judge(
    path: Path,
    name: WheelName,
    files: Tuple[ElfFacts, ...],
    glibc: GlibcTable,
    musl: MuslTable,
    exclude: Sequence[str] = (),
) -> Verdict:
    """The verdict over facts: a pure function but for the tables it looks into."""
    machine = machine_of(files, name.platforms)
    native = tuple(f for f in files if f.loadable and f.runs_on(machine))
    foreign = [f for f in files if f.loadable and not f.runs_on(machine)]
    arch = next((f.architecture for f in native if f.machine_name == machine), None)
    general = [why.foreign(f, machine) for f in foreign if _is_misplaced(f, native)]
    notes = [
        f"{f.name} is for {f.machine_name} and taken for data"
        for f in foreign
        if not _is_misplaced(f, native)
    ]
    stable: Tuple[Reason, ...] = ()
    oldest = oldest_python(name)
    if oldest is not None and native:
        stable = violations(native, oldest, Interpreters.load().stable)
    of_python = asked_of_python(native, name)
    notes += of_python.notes
    for f in native:
        general += [why.not_openable(f)] if f.no_open and not f.executable else []
        general += [why.needs_a_path(f, soname) for soname in f.needed if "/" in soname]
    no_init = tuple(f.name for f in without_init(native))
    notes += [
        f"{file} has the suffix of a module, and no PyInit function: Python cannot import it"
        for file in no_init
    ]
    requirements: List[Requirement] = []
    if arch is not None:
        court = Judge(arch, native, glibc, musl, exclude)
        scope = court.scope(family_of(files, arch, name.platforms))
        for facts in native:
            requirements += court.requirements(facts)
            notes += [
                f"{facts.name} has a run path out of the wheel, {entry}, and needs nothing there"
                for entry in strayed(facts, scope, harmless=True)
            ]
            if facts.text_relocations:
                notes.append(f"{facts.name} has text relocations, which SELinux may forbid")
        notes += [
            f"{user} and {library} exchange C++, and each has a C++ runtime of its own"
            for user, library in exchanging(native)
        ]
    elif native:
        general.append(why.unknown_machine(native[0]))
    return Verdict(
        wheel=path,
        files=files,
        architecture=arch,
        machine=machine,
        claimed=name.platforms,
        earned=_earned(files, native, arch, machine, name, general, requirements, glibc.newest),
        general=tuple(general),
        requirements=tuple(requirements),
        newest_glibc=glibc.newest,
        stable_abi=stable,
        python_tags=unserved(native, name) + of_python.lacking,
        without_init=no_init,
        notes=tuple(notes),
    )


def _earned(
    files: Tuple[ElfFacts, ...],
    native: Tuple[ElfFacts, ...],
    arch: Optional[Architecture],
    machine: str,
    name: WheelName,
    general: List[Reason],
    requirements: List[Requirement],
    newest: Version,
) -> Tuple[str, ...]:
    if not any(facts.loadable for facts in files):
        return ("any",)
    tags: List[str] = []
    if arch is not None and not general:
        found: Dict[str, Tuple[str, ...]] = {}
        for policy in policies(arch, newest):
            if policy.family not in found and all(
                requirement.family != policy.family or requirement.floor <= floor_of(policy)
                for requirement in requirements
            ):
                found[policy.family] = policy.tags(arch.name)
        if len(found) == 2 and not all(facts.static for facts in native):
            # An extension that needs no libc at all runs on both, but is built
            # for the Python whose name it bears.
            found = {family: found[family] for family in (family_of(files, arch, name.platforms),)}
        tags = [tag for family_tags in found.values() for tag in family_tags]
    return tuple(tags) or (f"linux_{machine}",)


def machine_of(files: Tuple[ElfFacts, ...], claimed: Tuple[str, ...]) -> str:
    """The machine that a wheel is for: the one it claims, if a file is for that."""
    machines = Counter(f.machine_name for f in files if f.loadable)
    if not machines:
        machines = Counter(f.machine_name for f in files)
    for tag in claimed:
        for machine in machines:
            if tag.endswith(f"_{machine}"):
                return machine
    if "armv7l" in machines and all(machine.startswith("armv") for machine in machines):
        # Whatever older code is beside it, it takes such a processor.
        return "armv7l"
    return machines.most_common(1)[0][0] if machines else ""


def _is_misplaced(facts: ElfFacts, native: Tuple[ElfFacts, ...]) -> bool:
    """Whether a file for another machine stands where this machine would load it.

    What is carried as data (firmware, a library for each of several machines)
    harms nobody.
    """
    base = posixpath.basename(facts.name)
    if any(posixpath.basename(f.name) == base for f in native):
        return False
    return (
        facts.extension_module
        or facts.triplet is not None
        or base.endswith((".abi3.so", ".abi3t.so"))
        or (base.startswith("lib") and ".so" in base)
        or ".data/scripts/" in facts.name
        or any(base in f.needed for f in native)
    )
