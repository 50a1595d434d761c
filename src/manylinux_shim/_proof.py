"""From the real backend's wheel to the one that leaves: prove, then tag. No proof, no wheel."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Collection, Mapping, Tuple

from manylinux_shim._errors import PolicyError, SettingsError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import parse_platform_tag
from manylinux_shim._python_api import not_in_this_python
from manylinux_shim.audit import Verdict, audit_wheel, render_refusal
from manylinux_shim.audit._reasons import RUN_PATH
from manylinux_shim.wheel import Archive, WheelName, repack, retag

_FIRST_OF_1980 = "315532800"


def proven(built: Path, plan: Plan, directory: Path) -> Path:
    """Put ``built`` into ``directory`` under the tag that it has earned.

    Raises PolicyError, with what stands against it, when it has not earned what
    ``plan`` asks for; ``directory`` then holds nothing new.
    """
    verdict = audit_wheel(built, exclude=plan.settings.exclude)
    if verdict.pure:
        return _without_elf(built, plan, directory)
    led_astray = {reason.file for reason in verdict.reasons if reason.kind == RUN_PATH}
    if led_astray:
        built = _without_run_paths(built, verdict, led_astray)
        verdict = audit_wheel(built, exclude=plan.settings.exclude)
    for file, symbol in not_in_this_python(verdict):
        raise PolicyError(
            f"{built.name}: {file} needs {symbol}, which {platform.python_implementation()}"
            f" {platform.python_version()} does not have",
            "Correct the name, or leave the call out for this Python version.",
        )
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
        if plan.mode == "zig" or plan.settings.policy is not None:
            raise PolicyError(refusal)
        say(refusal)
        return verdict.earned
    return tuple(earned)


def _without_run_paths(built: Path, verdict: Verdict, names: Collection[str]) -> Path:
    """``built`` without the run paths that lead out of it: Python's own flags bring them in.

    A file that looks for libraries inside the wheel too is left to be refused.
    """
    from manylinux_shim.relink import without_run_path  # seldom needed, slow to import

    changed = {}
    with Archive(built) as archive:
        for facts in verdict.files:
            member = archive.find(facts.name)
            if facts.name in names and member and not _looks_inside(facts.run_path):
                changed[facts.name] = without_run_path(archive.read(member))
                say(f"run path {':'.join(facts.run_path)} is taken out of {facts.name}")
    directory = built.parent / "without-run-paths"
    directory.mkdir()
    return repack(
        built, directory, platforms=WheelName.parse(built.name).platforms, changed=changed
    )


def _looks_inside(run_path: Collection[str]) -> bool:
    return any(entry.startswith(("$ORIGIN", "${ORIGIN}")) for entry in run_path)


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
