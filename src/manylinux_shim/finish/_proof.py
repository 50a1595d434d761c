"""What a verdict is worth: the tags that the wheel may bear, or why it may not. No proof, no wheel.

The verdict is that over the finished wheel; what could be mended, has been.
"""

from __future__ import annotations

import platform
from typing import Tuple

from manylinux_shim._errors import PolicyError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import parse_platform_tag
from manylinux_shim.audit import Verdict, render_refusal
from manylinux_shim.finish._python_api import not_in_this_python


def refuse_other_machine(verdict: Verdict, plan: Plan) -> None:
    """PolicyError when the wheel's files are for another architecture than the build's."""
    if plan.target is not None and verdict.architecture is not plan.target:
        raise PolicyError(
            f"{verdict.wheel.name} has files for {verdict.machine}, and this build is for"
            f" {plan.target.name}",
            "Take the other files out of the wheel, or build for their architecture.",
        )


def proven_tags(verdict: Verdict, plan: Plan) -> Tuple[str, ...]:
    """The platform tags to write; PolicyError when what was asked for is not earned."""
    for file, symbol in not_in_this_python(verdict):
        raise PolicyError(
            f"{verdict.wheel.name}: {file} needs {symbol}, which"
            f" {platform.python_implementation()} {platform.python_version()} does not have",
            "Correct the name, or leave the call out for this Python version.",
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
            raise PolicyError(render_refusal(verdict, plan.policy))
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
