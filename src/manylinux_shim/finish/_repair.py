"""What is changed in the real backend's wheel before it is proven.

Each step is taken only where the verdict asks for it, and is followed by a new
verdict: a wheel that needs nothing comes through as it is.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from manylinux_shim._errors import ShimError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import Policy, lowest_policy
from manylinux_shim.audit import Verdict, audit_wheel
from manylinux_shim.audit import reasons as kinds
from manylinux_shim.finish._run_paths import own_run_paths
from manylinux_shim.libraries import Prefix, directories, sonames
from manylinux_shim.wheel import WheelName, repack

_RELINKABLE = (kinds.SYMBOL_VERSION, kinds.SYMBOL, kinds.RELR)
"""What linking against an older glibc may change."""

COMPILERS_LIBRARIES = (
    "libgfortran.so.*", "libquadmath.so.*", "libgomp.so.*", "libomp.so", "libomp.so.*",
    "libflang_rt.runtime.so",
)  # fmt: skip
"""Libraries that compilers bring for their own code: they are part of what was built, no
library of this machine, and go into the wheel without being asked for."""


@dataclass(frozen=True)
class Repaired:
    """A wheel that is about to be proven, and what was done to it."""

    verdict: Verdict
    grafted: Tuple[str, ...] = ()
    """Members that are libraries of this machine."""
    sources: Optional[Mapping[str, Path]] = None
    """Where those came from, as far as that is known."""
    supplied: Mapping[str, Optional[Path]] = field(default_factory=dict)
    """Members that relinking has added -> this machine's library whose parts they are, if any."""
    relinked: Optional[Policy] = None
    """The policy whose glibc it was linked against again."""

    @property
    def wheel(self) -> Path:
        """The wheel as it now is."""
        return self.verdict.wheel


def repaired(
    verdict: Verdict,
    plan: Plan,
    search: Iterable[str],
    prefixes: Sequence[Prefix],
    epoch: Optional[int],
) -> Repaired:
    """The wheel of ``verdict`` with what it lacks: libraries inside, run paths, an older glibc.

    ``search`` are directories with libraries that it was linked with, ``prefixes`` those
    whose libraries go in without being asked for. Works in
    the wheel's own directory. Raises PolicyError or another ShimError where
    what was asked for cannot be done.
    """
    state = Repaired(verdict)
    named = directories(prefix.lib for prefix in prefixes)
    search = [*named, *search]
    if plan.settings.repair:
        state = _grafted(state, plan, search)
    elif plan.mode in ("zig", "relink") or prefixes:
        state = _grafted(state, plan, search, only=(*COMPILERS_LIBRARIES, *sonames(prefixes)))
    state = _with_own_run_paths(state, plan)
    state = _with_newer(state, plan, search if plan.settings.repair else named)
    if plan.mode == "relink" or (plan.mode == "zig" and state.grafted):
        state = _relinked(state, plan, [prefix.root for prefix in prefixes], epoch)
    return state


_OPENMP = re.compile(r"lib(gomp|omp|iomp5)\b")


def openmp_runtimes(names: Iterable[str]) -> Tuple[str, ...]:
    """The members that are OpenMP runtimes, by their names; of one file name the first."""
    found: Dict[str, str] = {}
    for name in names:
        file = name.rpartition("/")[2]
        if _OPENMP.match(file):
            found.setdefault(file, name)
    return tuple(found.values())


def _audited(state: Repaired, wheel: Path, plan: Plan) -> Repaired:
    return replace(state, verdict=audit_wheel(wheel, exclude=plan.settings.exclude))


def _scratch(state: Repaired, name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=state.wheel.parent))


def _grafted(
    state: Repaired, plan: Plan, search: Iterable[str], only: Sequence[str] = ("*",)
) -> Repaired:
    from manylinux_shim.graft import graft  # seldom needed

    try:
        done = graft(
            state.wheel,
            state.verdict,
            _scratch(state, "graft"),
            policy=plan.policy,
            exclude=plan.settings.exclude,
            search=search,
            only=only,
            notice=say,
        )
    except ShimError as error:
        # Who installs from an sdist is not stopped: what is missing elsewhere is here.
        if plan.mode != "check" or plan.settings.policy is not None:
            raise
        say(str(error))
        return state
    if done.wheel == state.wheel:
        return state
    after = _audited(state, done.wheel, plan)
    runtimes = openmp_runtimes(facts.name for facts in after.verdict.files)
    if len(runtimes) > 1:
        say(
            f"a process that loads this wheel gets {len(runtimes)} OpenMP runtimes"
            f" ({', '.join(runtimes)}), each with threads of its own: link all files with one"
        )
    return replace(after, grafted=done.members, sources=done.sources)


def _with_newer(state: Repaired, plan: Plan, search: Sequence[str]) -> Repaired:
    """With those libraries inside that every system has, but too old a one.

    Of this machine's with ``repair`` alone, but for the compiler's own; without it, ``search``
    are the prefixes' directories.
    """
    arch = state.verdict.architecture
    if arch is None or state.verdict.family != "manylinux":
        return state
    from manylinux_shim.graft import graft_newer, system_directories

    here = [*search, *system_directories(arch)]
    by_compiler = plan.settings.repair or plan.mode in ("zig", "relink")
    done = graft_newer(
        state.verdict,
        state.wheel.parent / "newer",
        policy=plan.policy or lowest_policy(arch),
        search={
            "libz.so.1": here if plan.settings.repair else search,
            "libatomic.so.1": here if by_compiler else search,
        },
        notice=say,
    )
    if done.wheel == state.wheel:
        return state
    return replace(
        _audited(state, done.wheel, plan),
        grafted=(*state.grafted, *done.members),
        sources={**(state.sources or {}), **done.sources},
    )


def _with_own_run_paths(state: Repaired, plan: Plan) -> Repaired:
    """With run paths that lead to libraries in the wheel, and none that lead out of it."""
    changed = own_run_paths(state.verdict)
    if not changed:
        return state
    directory = _scratch(state, "run-paths")
    platforms = WheelName.parse(state.wheel.name).platforms
    return _audited(
        state, repack(state.wheel, directory, platforms=platforms, changed=changed), plan
    )


def _relinked(
    state: Repaired, plan: Plan, prefixes: Sequence[Path], epoch: Optional[int]
) -> Repaired:
    """Linked again for the policy asked for; without one, for the lowest that can be had.

    What relinking cannot change is left to be refused, or to earn a newer tag.
    """
    for policy in _aims(state.verdict, plan):
        if any(r.kind not in _RELINKABLE for r in state.verdict.against(policy)):
            return state
        from manylinux_shim.relink import relink_wheel

        try:
            again = relink_wheel(
                state.wheel,
                policy,
                _scratch(state, f"relinked-{policy}"),
                exclude=plan.settings.exclude,
                prefixes=prefixes,
                epoch=epoch,
                notice=say,
            )
        except ShimError as error:
            if plan.policy is None:
                continue
            raise _with_way_out(error, state) from error
        done = _audited(state, again.wheel, plan)
        if plan.policy is not None or done.verdict.proves(policy):
            return replace(done, supplied=again.supplied, relinked=policy)
    return state


def _with_way_out(error: ShimError, state: Repaired) -> ShimError:
    """The error, and the policy for which nothing needs to be linked again."""
    earned = next((p for p in state.verdict.policies if state.verdict.proves(p)), None)
    if earned is None:
        return error
    what = "With what this machine has grafted, it" if state.grafted else "As it is, it"
    way_out = f'{what} keeps what {earned} promises: `policy = "{earned}"`.'
    return type(error)(error.message, "\n".join(filter(None, (error.remedy, way_out))))


def _aims(verdict: Verdict, plan: Plan) -> List[Policy]:
    """The policies to link again for, in the order to try; none where there is no need."""
    if verdict.architecture is None or verdict.family != "manylinux":
        return []
    if plan.policy is not None:
        return [] if verdict.proves(plan.policy) else [plan.policy]
    lowest = lowest_policy(verdict.architecture)
    candidates = [p for p in verdict.policies if p.family == "manylinux" and p >= lowest]
    earned = next((at for at, p in enumerate(candidates) if verdict.proves(p)), len(candidates))
    return candidates[:earned]
