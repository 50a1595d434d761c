"""What a wheel has earned, what it claims, and what stands in between: a value."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Tuple

from manylinux_shim._platforms import Architecture, Policy, Version, parse_platform_tag
from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit import reasons as kinds
from manylinux_shim.audit._policies import ALWAYS, NEVER, Floor, floor_of, policies
from manylinux_shim.audit._requirements import libc_of
from manylinux_shim.audit.reasons import KINDS, Reason, Requirement
from manylinux_shim.elf import ElfFacts


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
    stable_abi: Tuple[Reason, ...] = ()
    """What it uses beyond the stable ABI, if it says ``abi3``: no matter of platform tags."""
    python_tags: Tuple[Tuple[str, Reason], ...] = ()
    """Tags such as ``cp312-abi3`` whose interpreters do not import all its modules, and why."""
    without_init: Tuple[str, ...] = ()
    """Files that have a module's suffix, and no function by which Python imports one."""
    notes: Tuple[str, ...] = ()
    """What is worth knowing and against no policy."""

    @property
    def pure(self) -> bool:
        """Whether there is no ELF file in it that a system could run or load.

        Object files are data: nothing depends on what they are for.
        """
        return not any(facts.loadable for facts in self.files)

    @property
    def family(self) -> str:
        """The family that the wheel is built for, ``"manylinux"`` where it says nothing."""
        for tag in self.earned:
            parsed = parse_platform_tag(tag)
            if parsed is not None:
                return parsed[0].family
        return family_of(self.files, self.architecture, self.claimed)

    @property
    def policies(self) -> Tuple[Policy, ...]:
        """All policies of its architecture, the most compatible of each family first."""
        return policies(self.architecture, self.newest_glibc) if self.architecture else ()

    @property
    def needed_libc(self) -> Dict[str, Floor]:
        """The oldest libc on which all its files work, by family; a family that
        has none is left out.
        """
        if self.architecture is None or self.general:
            return {}
        needed: Dict[str, Floor] = {"manylinux": ALWAYS, "musllinux": ALWAYS}
        for requirement in self.requirements:
            needed[requirement.family] = max(needed[requirement.family], requirement.floor)
        return {family: floor for family, floor in needed.items() if floor < NEVER}

    def against(self, policy: Policy) -> Tuple[Reason, ...]:
        """What stands between the wheel and ``policy``, the worst first; empty if proven."""
        if self.pure:
            return (why.no_files(policy),)
        found = list(self.general)
        if self.architecture is not None:
            oldest = next(p for p in self.policies if p.family == policy.family)
            if policy < oldest:
                # What it has or needs cannot change that.
                return (why.no_such_policy(policy, oldest, self.architecture),)
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
        found = [*self.general, *self._about_claims(), *self.stable_abi]
        found += [reason for _, reason in self.python_tags]
        family = self.family
        own = [policy for policy in self.policies if policy.family == family]
        floors = [floor_of(policy) for policy in own]
        for requirement in self.requirements:
            if requirement.family != family:
                continue
            refused = bisect_left(floors, requirement.floor)
            if requirement.floor >= NEVER:
                found.append(requirement.stated(None))
            elif refused:
                found.append(requirement.stated(own[refused - 1]))
        return _sorted(found)

    def unproven(self) -> Tuple[Tuple[str, Tuple[Reason, ...]], ...]:
        """The claimed tags that the wheel does not keep, each with the reasons.

        Platform tags, Python's with the ABI's, and ``abi3`` where that can be checked.
        """
        denied = [(tag, reasons) for tag in self.claimed if (reasons := self._denied(tag))]
        pythons: Dict[str, List[Reason]] = {}
        for tag, reason in self.python_tags:
            pythons.setdefault(tag, []).append(reason)
        denied += [(tag, _sorted(reasons)) for tag, reasons in pythons.items()]
        return (*denied, *([("abi3", self.stable_abi)] if self.stable_abi else []))

    @property
    def truthful(self) -> bool:
        """Whether every tag that the wheel bears is proven, or not disproven where it is abi3."""
        return not self.unproven()

    def __bool__(self) -> bool:
        return self.truthful

    def _about_claims(self) -> Iterable[Reason]:
        for tag in self.claimed:
            yield from (reason for reason in self._denied(tag) if reason.kind == kinds.TAG)

    def _denied(self, tag: str) -> Tuple[Reason, ...]:
        """What speaks against the wheel bearing ``tag``."""
        if tag == "any":
            return () if self.pure else (why.not_any(self.files),)
        parsed = parse_platform_tag(tag)
        if parsed is not None:
            policy, arch = parsed
            if self.pure:
                return (why.no_files(policy),)
            if arch != self.machine:
                return _sorted([why.other_machine(tag, self.machine), *self.general])
            return self.against(policy)
        if not tag.startswith("linux_"):
            return (why.not_linux(tag),)
        if self.pure:
            return (why.no_files(None),)
        # linux_<arch> claims this machine only, and nothing of its libraries.
        machine = [
            reason
            for reason in self.general
            if reason.kind == kinds.MACHINE and reason.library != self.machine
        ]
        if tag != f"linux_{self.machine}":
            machine.append(why.other_machine(tag, self.machine))
        return tuple(machine)


def family_of(
    files: Tuple[ElfFacts, ...], arch: Optional[Architecture], claimed: Tuple[str, ...]
) -> str:
    """The family that a wheel's files are built for; where they say nothing, that of its tags."""
    if arch is not None:
        libcs = [libc for libc in (libc_of(f, arch) for f in files) if libc is not None]
        if libcs:
            return libcs[0]
        if arch.triplet_musl in [f.triplet for f in files]:
            return "musllinux"
    families = {parsed[0].family for parsed in map(parse_platform_tag, claimed) if parsed}
    return "musllinux" if families == {"musllinux"} else "manylinux"


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
