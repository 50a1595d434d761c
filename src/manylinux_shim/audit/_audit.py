"""A wheel's facts and the tables -> a verdict: what it has earned, and why not more."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from manylinux_shim._platforms import Architecture, Policy, Version, parse_platform_tag
from manylinux_shim.audit import _reasons as kinds
from manylinux_shim.audit._elf import MAGIC, ElfFacts, read_elf
from manylinux_shim.audit._policies import NEVER, Floor, floor_of, policies
from manylinux_shim.audit._reasons import KINDS, Reason, Requirement
from manylinux_shim.audit._requirements import Judge, extension_triplet, libc_of
from manylinux_shim.audit._scope import Scope
from manylinux_shim.audit._symbols import GlibcTable, MuslTable
from manylinux_shim.wheel import Archive, WheelName


@dataclass(frozen=True)
class Verdict:
    """What a wheel has earned, what it claims, and what stands in between."""

    wheel: Path
    """The wheel's path."""
    files: Tuple[ElfFacts, ...]
    """Every ELF file in it, in the order of the archive."""
    architecture: Optional[Architecture]
    """The architecture of its files; None if it has none, or one that no policy knows."""
    machine: str
    """The same for people: also where no policy knows it."""
    claimed: Tuple[str, ...]
    """The platform tags of the file name."""
    earned: Tuple[str, ...]
    """The platform tags proven: those of the most compatible policy, ``linux_<arch>``
    if there is none, ``any`` for a wheel without ELF files."""
    general: Tuple[Reason, ...]
    """What is wrong whatever the policy."""
    requirements: Tuple[Requirement, ...] = field(repr=False)
    """What its files ask for, with the libc that has it."""
    newest_glibc: Version
    """The newest glibc that the table of symbols knows."""
    notes: Tuple[str, ...] = ()
    """What is worth knowing and against no policy."""

    @property
    def pure(self) -> bool:
        """Whether there is no ELF file in it."""
        return not self.files

    @property
    def family(self) -> str:
        """The family that the wheel is built for, ``"manylinux"`` where it says nothing."""
        for tag in self.earned:
            parsed = parse_platform_tag(tag)
            if parsed is not None:
                return parsed[0].family
        return _family(self.files, self.architecture, self.claimed)

    @property
    def policies(self) -> Tuple[Policy, ...]:
        """All policies of its architecture, the most compatible of each family first."""
        return policies(self.architecture, self.newest_glibc) if self.architecture else ()

    def against(self, policy: Policy) -> Tuple[Reason, ...]:
        """What stands between the wheel and ``policy``, the worst first; empty if proven."""
        if self.pure:
            return (_no_files(policy),)
        found = list(self.general)
        if self.architecture is not None:
            oldest = [p for p in self.policies if p.family == policy.family][0]
            if policy < oldest:
                found.append(_no_such_policy(policy, oldest, self.architecture))
        stated = (requirement.against(policy) for requirement in self.requirements)
        found += [reason for reason in stated if reason is not None]
        return _sorted(found)

    def proves(self, policy: Policy) -> bool:
        """Whether the wheel keeps what ``policy`` promises on its architecture."""
        if self.architecture is None or self.general:
            return False
        return not self.against(policy)

    @property
    def reasons(self) -> Tuple[Reason, ...]:
        """Everything that stands between the wheel and any better tag, the worst first.

        Of the family that it is built for; with each reason the newest policy
        that it stands against. What is wrong with the tags it claims is among them.
        """
        found = list(self.general) + list(self._about_claims())
        own = [policy for policy in self.policies if policy.family == self.family]
        for requirement in self.requirements:
            if requirement.family != self.family:
                continue
            refused = [p for p in own if floor_of(p) < requirement.floor]
            if requirement.floor >= NEVER:
                found.append(requirement.stated(None))
            elif refused:
                found.append(requirement.stated(refused[-1]))
        return _sorted(found)

    def unproven(self) -> Tuple[Tuple[str, Tuple[Reason, ...]], ...]:
        """The claimed tags that the wheel does not keep, each with the reasons."""
        return tuple((tag, reasons) for tag in self.claimed if (reasons := self._denied(tag)))

    @property
    def truthful(self) -> bool:
        """Whether every platform tag that the wheel bears is proven."""
        return not any(self._denied(tag) for tag in self.claimed)

    def __bool__(self) -> bool:
        return self.truthful

    def _about_claims(self) -> Iterable[Reason]:
        for tag in self.claimed:
            yield from (reason for reason in self._denied(tag) if reason.kind == kinds.TAG)

    def _denied(self, tag: str) -> Tuple[Reason, ...]:
        """What speaks against the wheel bearing ``tag``."""
        if tag == "any":
            return () if self.pure else (_not_any(self.files),)
        parsed = parse_platform_tag(tag)
        if parsed is not None:
            policy, arch = parsed
            if self.pure:
                return (_no_files(policy),)
            if arch != self.machine:
                return _sorted([_other_machine(tag, self.machine), *self.general])
            return self.against(policy)
        if not tag.startswith("linux_"):
            return (_not_linux(tag),)
        if self.pure:
            return (_no_files(None),)
        # linux_<arch> claims this machine only, and nothing of its libraries.
        machine = [reason for reason in self.general if reason.kind == kinds.MACHINE]
        if tag != f"linux_{self.machine}":
            machine.append(_other_machine(tag, self.machine))
        return tuple(machine)


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


def read_files(path: Path) -> Tuple[ElfFacts, ...]:
    """The facts of every ELF file in the archive, one inflated at a time."""
    found = []
    with Archive(path) as archive:
        for member in archive.members:
            if not member.is_dir and member.size >= len(MAGIC):
                if archive.head(member, len(MAGIC)) == MAGIC:
                    found.append(read_elf(member.name, archive.read(member)))
    return tuple(found)


def judge(
    path: Path,
    name: WheelName,
    files: Tuple[ElfFacts, ...],
    glibc: GlibcTable,
    musl: MuslTable,
    exclude: Sequence[str] = (),
) -> Verdict:
    """The verdict over facts: a pure function but for the tables it looks into."""
    machine = _machine(files, name.platforms)
    native = tuple(f for f in files if f.loadable and f.machine_name == machine)
    foreign = [f for f in files if f.loadable and f.machine_name != machine]
    arch = next((f.architecture for f in native), None)
    general = [_foreign(f, machine) for f in foreign if _is_misplaced(f, native)]
    notes = [
        f"{f.name} is for {f.machine_name} and taken for data"
        for f in foreign
        if not _is_misplaced(f, native)
    ]
    requirements: List[Requirement] = []
    if arch is not None:
        scope = Scope(native)
        court = Judge(arch, scope, native, glibc, musl, exclude)
        for facts in native:
            requirements += court.requirements(facts)
            if facts.text_relocations:
                notes.append(f"{facts.name} has text relocations, which SELinux may forbid")
    elif native:
        general.append(_unknown_machine(native[0]))
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
    if not files:
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
            found = {family: found[family] for family in (_family(files, arch, name.platforms),)}
        tags = [tag for family_tags in found.values() for tag in family_tags]
    return tuple(tags) or (f"linux_{machine}",)


def _family(
    files: Tuple[ElfFacts, ...], arch: Optional[Architecture], claimed: Tuple[str, ...]
) -> str:
    """The family that a wheel's files are built for; where they say nothing, that of its tags."""
    if arch is not None:
        libcs = [libc for libc in (libc_of(f, arch) for f in files) if libc is not None]
        if libcs:
            return libcs[0]
        if arch.triplet_musl in [extension_triplet(f.name) for f in files]:
            return "musllinux"
    families = {parsed[0].family for parsed in map(parse_platform_tag, claimed) if parsed}
    return "musllinux" if families == {"musllinux"} else "manylinux"


def _machine(files: Tuple[ElfFacts, ...], claimed: Tuple[str, ...]) -> str:
    """The machine that a wheel is for: the one it claims, if a file is for that."""
    machines = Counter(f.machine_name for f in files if f.loadable)
    if not machines:
        machines = Counter(f.machine_name for f in files)
    for tag in claimed:
        for machine in machines:
            if tag.endswith(f"_{machine}"):
                return machine
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
        or extension_triplet(facts.name) is not None
        or base.endswith(".abi3.so")
        or (base.startswith("lib") and ".so" in base)
        or ".data/scripts/" in facts.name
        or any(base in f.needed for f in native)
    )


def _sorted(reasons: Iterable[Reason]) -> Tuple[Reason, ...]:
    """The worst first, then by file, each once."""
    rank = {kind: at for at, kind in enumerate(KINDS)}
    return tuple(
        sorted(
            dict.fromkeys(reasons),
            key=lambda r: (
                r.policy is not None,
                rank.get(r.kind, len(rank)) if r.policy is None else 0,
                (-r.policy.version.major, -r.policy.version.minor) if r.policy else (0, 0),
                rank.get(r.kind, len(rank)),
                r.file,
                r.version or "",
                r.symbol or "",
            ),
        )
    )


def _foreign(facts: ElfFacts, machine: str) -> Reason:
    return Reason(
        None, facts.name, kinds.MACHINE, library=facts.machine_name,
        allowed=f"the wheel is for {machine}",
        remedy="Build it for the wheel's architecture, or leave it out.",
    )  # fmt: skip


def _unknown_machine(facts: ElfFacts) -> Reason:
    return Reason(
        None, facts.name, kinds.MACHINE, library=facts.machine_name,
        allowed="no manylinux or musllinux policy is known for this machine",
        remedy="Build for an architecture that policies know, or leave the tag linux_*.",
    )  # fmt: skip


def _other_machine(tag: str, machine: str) -> Reason:
    return Reason(
        None, "", kinds.TAG, library=tag,
        allowed=f"the files in the wheel are for {machine}",
        remedy="Build the wheel for the architecture that it is tagged for.",
    )  # fmt: skip


def _not_any(files: Tuple[ElfFacts, ...]) -> Reason:
    return Reason(
        None, files[0].name, kinds.TAG, library="any",
        allowed="the wheel says it runs anywhere, and has an ELF file",
        remedy="Tag the wheel for the platform that its files are for.",
    )  # fmt: skip


def _no_files(policy: Optional[Policy]) -> Reason:
    return Reason(
        policy, "", kinds.TAG,
        allowed="the wheel is tagged for a platform, and has no ELF file",
        remedy="If an extension is missing, see why it was not built; else tag it py3-none-any.",
    )  # fmt: skip


def _not_linux(tag: str) -> Reason:
    return Reason(
        None, "", kinds.TAG, library=tag,
        allowed="it is no platform of Linux, so nothing here can prove it",
        remedy="Audit wheels for Linux only.",
    )  # fmt: skip


def _no_such_policy(policy: Policy, oldest: Policy, arch: Architecture) -> Reason:
    return Reason(
        policy, "", kinds.TAG, library=policy.name,
        allowed=f"{policy.family} begins at {oldest.name} on {arch.name}",
        remedy=f"Claim {oldest.name} or newer.",
    )  # fmt: skip
