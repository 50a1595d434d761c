"""What a verdict is worth: the tags that the wheel may bear, or why it may not. No proof, no wheel.

The verdict is that over the finished wheel; what could be mended, has been.
"""

from __future__ import annotations

import platform
import sysconfig
from dataclasses import replace
from typing import Collection, List, Tuple

from manylinux_shim._errors import PolicyError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import parse_platform_tag
from manylinux_shim.audit import Verdict, reasons, render_refusal


def refuse_other_machine(verdict: Verdict, plan: Plan) -> None:
    """PolicyError when the wheel's files are for another architecture than the build's."""
    if plan.target is not None and verdict.architecture is not plan.target:
        raise PolicyError(
            f"{verdict.wheel.name} has files for {verdict.machine}, and this build is for"
            f" {plan.target.name}",
            "Take the other files out of the wheel, or build for their architecture.",
        )


def proven_tags(verdict: Verdict, plan: Plan, grafted: Collection[str] = ()) -> Tuple[str, ...]:
    """The platform tags to write; PolicyError when what was asked for is not earned.

    ``grafted`` are members that are libraries of another place.
    """
    for file, symbol in not_in_this_python(verdict):
        raise PolicyError(
            f"{verdict.wheel.name}: {file} needs {symbol}, which"
            f" {platform.python_implementation()} {platform.python_version()} does not have",
            "Correct the name, or leave the call out for this Python version.",
        )
    for tag, reason in verdict.python_tags:
        raise PolicyError(
            f"{verdict.wheel.name} says {tag}, which is not so:\n{reason.statement}",
            reason.remedy,
        )
    if plan.settings.require_native and verdict.without_init:
        raise PolicyError(
            f"{verdict.without_init[0]} has the suffix of a module, and Python cannot import it:"
            " it has no PyInit function of that name, and require-native is set",
            "Export PyInit_<name>. A library for ctypes is better named lib<name>.so.",
        )
    earned = [tag for tag in verdict.earned if parse_platform_tag(tag)]
    if plan.policy is not None and plan.target is not None:
        if plan.policy not in verdict.policies:
            known = [p.name for p in verdict.policies if p.family == plan.policy.family]
            raise PolicyError(
                f"policy {plan.policy} is not known for {plan.target.name}",
                f"The highest is {known[-1]}." if known else "",
            )
        if not verdict.proves(plan.policy):
            raise PolicyError(render_refusal(_told_apart(verdict, plan, grafted), plan.policy))
        if len({tag.partition("linux")[0] for tag in earned}) > 1:
            # A static program runs on both libcs, and on older ones.
            return tuple(earned)
        return plan.policy.tags(plan.target.name)
    if not earned:
        refusal = render_refusal(verdict, None)
        if plan.mode != "check" or plan.settings.policy is not None:
            raise PolicyError(refusal)
        say(refusal)
        return verdict.earned
    return tuple(earned)


_NOT_OURS = (
    "This build's compiler has not linked it, which links for {libc}: call the one that $CC names,"
    ' or set `mode = "relink"`, which links finished files again for an older glibc.'
)
_VERSIONS_OF_SYSTEMS = ("GLIBC_", "GLIBCXX_", "CXXABI_", "GCC_")


def _told_apart(verdict: Verdict, plan: Plan, grafted: Collection[str]) -> Verdict:
    """``verdict`` with what to do about files that another linker than ours has made.

    Ours has stubs of one glibc: it knows no version that is newer.
    """
    if plan.mode != "zig" or plan.linked is None or plan.linked.family != "manylinux":
        return verdict
    remedy = _NOT_OURS.format(libc=f"glibc {plan.linked.version}")
    requirements = []
    for requirement in verdict.requirements:
        reason = requirement.reason
        of_systems = (reason.version or "").startswith(_VERSIONS_OF_SYSTEMS)
        if reason.kind == reasons.SYMBOL_VERSION and of_systems and reason.file not in grafted:
            requirement = replace(requirement, reason=replace(reason, remedy=remedy))
        requirements.append(requirement)
    return replace(verdict, requirements=tuple(requirements))


def not_in_this_python(verdict: Verdict) -> List[Tuple[str, str]]:
    """File and symbol for each of Python's that extensions for this Python need in vain.

    Files that are for another Python, or for none in particular, are left alone.
    """
    try:
        from ctypes import pythonapi
    except ImportError:  # a Python built without libffi cannot be asked
        return []
    suffixes = _suffixes()
    return [
        (facts.name, symbol.name)
        for facts in verdict.files
        if any(suffix in facts.name for suffix in suffixes)
        for symbol in facts.undefined
        if symbol.name.startswith(("Py", "_Py"))
        and not symbol.weak
        and not hasattr(pythonapi, symbol.name)
    ]


def _suffixes() -> Tuple[str, ...]:
    """What marks an extension module as this Python's, whatever its machine."""
    soabi = sysconfig.get_config_var("SOABI") or ""
    implementation = "-".join(soabi.split("-")[:2])
    # Without the GIL the other stable ABI's modules are imported (PEP 803).
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    stable = (".abi3t.so",) if free_threaded else (".abi3.so", ".abi3t.so")
    return (f".{implementation}-", *stable) if implementation else stable
