"""From the real backend's wheel to the one that leaves: prove, then tag. No proof, no wheel."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Mapping, Tuple

from manylinux_shim._errors import PolicyError, SettingsError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import parse_platform_tag
from manylinux_shim.audit import Verdict, audit_wheel, render_refusal
from manylinux_shim.wheel import WheelName, retag

_FIRST_OF_1980 = "315532800"


def proven(built: Path, plan: Plan, directory: Path) -> Path:
    """Put ``built`` into ``directory`` under the tag that it has earned.

    Raises PolicyError, with what stands against it, when it has not earned what
    ``plan`` asks for; ``directory`` then holds nothing new.
    """
    verdict = audit_wheel(built, exclude=plan.settings.exclude)
    if verdict.pure:
        return _without_elf(built, plan, directory)
    if plan.target is not None and verdict.architecture is not plan.target:
        raise PolicyError(
            f"{built.name} has files for {verdict.machine}, and this build is for"
            f" {plan.target.name}",
            "Take the other files out of the wheel, or build for their architecture.",
        )
    wheel = retag(built, _tags(verdict, plan), directory, epoch=_epoch(os.environ))
    say(f"{wheel.name} is proven" if _claims(wheel) else f"{wheel.name} is for this machine only")
    return wheel


def _tags(verdict: Verdict, plan: Plan) -> Tuple[str, ...]:
    """The platform tags to write; PolicyError when what was asked for is not earned."""
    earned = [tag for tag in verdict.earned if parse_platform_tag(tag)]
    if plan.policy is not None and plan.target is not None:
        if not verdict.proves(plan.policy):
            raise PolicyError(render_refusal(verdict, plan.policy))
        if not all(tag.startswith(plan.policy.family) for tag in earned):
            # A static program runs on the other libc as well, and on older ones.
            return tuple(earned)
        return plan.policy.tags(plan.target.name)
    if not earned:
        refusal = render_refusal(verdict, None)
        if plan.mode == "zig" or plan.settings.policy is not None:
            raise PolicyError(refusal)
        say(refusal)
        return verdict.earned
    return tuple(earned)


def _without_elf(built: Path, plan: Plan, directory: Path) -> Path:
    """A wheel with no compiled file in it: unchanged, if it says nothing that is not so."""
    name = WheelName.parse(built.name)
    if plan.settings.require_native:
        raise PolicyError(
            f"{built.name} has no compiled file in it, and require-native is set",
            "An optional extension may have failed: what the real backend said stands above.",
        )
    unproven = [platform for platform in name.platforms if parse_platform_tag(platform)]
    if unproven:
        raise PolicyError(
            f"{built.name} says {'.'.join(unproven)} and has no compiled file in it",
            "The extension was not built: what the real backend said stands above.",
        )
    say(f"{built.name} has no compiled file in it and passes through as it is")
    return _copied(built, directory)


def _epoch(environ: Mapping[str, str]) -> int:
    """The date of every file in the wheel, so that the same tree gives the same bytes.

    ``SOURCE_DATE_EPOCH`` (reproducible-builds.org), else the first day that an
    archive can bear.
    """
    text = environ.get("SOURCE_DATE_EPOCH") or _FIRST_OF_1980
    if not text.isdecimal():
        raise SettingsError(
            f"the environment variable SOURCE_DATE_EPOCH is {text!r}",
            "Use a number of seconds since 1970, or unset it.",
        )
    return int(text)


def _claims(wheel: Path) -> bool:
    return any(parse_platform_tag(platform) for platform in WheelName.parse(wheel.name).platforms)


def _copied(built: Path, directory: Path) -> Path:
    """``built`` in ``directory``, whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".manylinux-shim-", dir=directory) as scratch:
        copy = Path(shutil.copyfile(built, Path(scratch) / built.name))
        copy.replace(directory / built.name)
    return directory / built.name
