"""What this build is going to do, decided before anything is done. Pure."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._platforms import (
    Architecture,
    Policy,
    architecture,
    host_architecture,
    host_family,
    lowest_policy,
)
from manylinux_shim._settings import Settings

_NOT_ON_PYPI = ("loongarch64",)

USER_COMPILER = ("CC", "CXX", "LDSHARED")
"""Variables by which a user chooses a compiler; then it is theirs that is used."""


@dataclass(frozen=True)
class Host:
    """The machine that builds, as its Python sees it."""

    architecture: Optional[Architecture]
    """None where it is not Linux, or no Linux that has platform tags."""
    family: str
    """``"manylinux"`` on glibc, ``"musllinux"`` on musl."""
    linux: bool
    has_zig: bool
    """Whether zig can be had: installed, or as a wheel for this host."""
    implementation: str = "cpython"
    """``sys.implementation.name``."""


@dataclass(frozen=True)
class Plan:
    """One build's mode, target and policy, all decided."""

    mode: str
    """``"zig"``, ``"check"``, ``"relink"`` or ``"off"``."""
    settings: Settings
    target: Optional[Architecture] = None
    """None in mode ``"off"``, or when the host's architecture has no name here."""
    policy: Optional[Policy] = None
    """What the wheel has to prove; None: the most compatible one that it proves."""
    linked: Optional[Policy] = None
    """The policy whose libc zig links against; None in other modes."""
    cross: bool = False
    """Whether what is built does not run on this host's libc and processor."""
    notices: Tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Who chose what this build links for."""
        target = "as set" if self.settings.target else "this machine"
        policy = "as set" if self.settings.policy else "the default"
        return f"target: {target}, policy: {policy}"

    @property
    def hint(self) -> str:
        """What to think of first when the real backend fails."""
        if not self.cross or self.target is None:
            return ""
        return (
            f"What it said stands above. This build is for {self.target.name}, so no program that"
            ' it makes can run here: where it tries to ("Exec format error", "not found", CMake'
            " ended by SIGTERM), tell it the answer instead, as its build system has it: a cache"
            " variable (autoconf's ac_cv_..., CMake's -D), or an option of the project's. Libraries"
            f" for {self.target.name} are named in `libraries`, or built in `before-all`."
        )


def refuse_editable(plan: Plan) -> None:
    """SettingsError when an editable install is asked for, for another machine than this."""
    if plan.cross:
        raise SettingsError(
            "an editable install runs on this machine, and a target or policy for another one"
            " is set",
            "Leave out `target` and the musllinux `policy` (MANYLINUX_SHIM_TARGET,"
            " MANYLINUX_SHIM_POLICY), or build a wheel.",
        )


def this_host() -> Host:
    """The machine that this process runs on."""
    arch = host_architecture() if _is_for_linux(os.environ) else None
    return Host(
        architecture=arch,
        family=host_family() if arch is not None else "manylinux",
        linux=arch is not None,
        has_zig=arch is not None,
        implementation=sys.implementation.name,
    )


def _is_for_linux(environ: Mapping[str, str]) -> bool:
    """Whether what this machine's Python builds is for Linux.

    pyodide-build and cibuildwheel run it on Linux for Emscripten, Android and others, and
    tell it so in a variable of CPython's own build.
    """
    return environ.get("_PYTHON_HOST_PLATFORM", "linux").startswith("linux")


def make_plan(settings: Settings, environ: Mapping[str, str], host: Host) -> Plan:
    """Decide; SettingsError for what cannot be had together."""
    mode, notices = _mode(settings, environ, host)
    if mode == "off":
        return Plan("off", settings)
    target = architecture(settings.target) if settings.target else host.architecture
    policy = _policy(settings, mode, target, host)
    if target is not None and policy is not None and settings.policy is not None:
        asked = Policy.parse(settings.policy)
        if asked != policy:
            text = f"there is no {asked} on {target.name}: {policy}, the lowest there, is aimed at"
            notices += (text,)
    if mode == "relink":
        _refuse_without_glibc(policy, host)
    if mode not in ("zig", "relink") or target is None:
        return Plan(mode, settings, target, policy, notices=notices)
    aim = policy or lowest_policy(target, host.family)
    cross = target is not host.architecture or aim.family != host.family
    if cross and host.implementation != "cpython":
        raise SettingsError(
            f"this Python is {host.implementation}, and {target.name} with {aim} is another"
            " machine: nothing is known of that Python there",
            "Build with a CPython, or for this machine.",
        )
    linked = aim if mode == "zig" else None
    if target.name in _NOT_ON_PYPI:
        notices += (f"PyPI does not take wheels for {target.name}",)
    return Plan(mode, settings, target, policy, linked, cross, notices)


def _refuse_without_glibc(policy: Optional[Policy], host: Host) -> None:
    if not host.linux:
        raise SettingsError(
            "mode = relink links again what this machine's own toolchain made, and that is not"
            " for Linux",
            "Use mode zig, with a target.",
        )
    family = policy.family if policy is not None else host.family
    if family != "manylinux" or host.family != "manylinux":
        raise SettingsError(
            "mode = relink knows older versions of glibc, and this build is for musl",
            "Use mode zig, or check where musl is this machine's own libc.",
        )


def _mode(
    settings: Settings, environ: Mapping[str, str], host: Host
) -> Tuple[str, Tuple[str, ...]]:
    if settings.mode is not None and settings.mode_named_for_build:
        return settings.mode, ()
    if not host.linux:
        if settings.target is None:
            return settings.mode if settings.mode == "off" else "off", ()
        return settings.mode or "zig", ()
    if settings.mode == "off":
        return "off", ()
    variable = next((name for name in USER_COMPILER if environ.get(name, "").strip()), "")
    if variable and settings.mode not in ("check", "relink"):
        return "check", (
            f"{variable} is set, so your compiler is used and the wheel is checked;"
            " `-C mode=zig` compiles through zig",
        )
    if settings.mode == "relink" and host.family != "manylinux":
        return "check", ("mode = relink is for glibc; on musl the wheel is only checked",)
    if settings.mode is None and not host.has_zig:
        return "check", ("zig is not available for this machine, so the wheel is only checked",)
    return settings.mode or "zig", ()


def _policy(
    settings: Settings, mode: str, target: Optional[Architecture], host: Host
) -> Optional[Policy]:
    if settings.policy == "auto":
        return None
    if settings.policy is None:
        if mode == "check" or target is None:
            return None
        return lowest_policy(target, host.family)
    policy = Policy.parse(settings.policy)
    if target is None:
        return policy
    if policy.family == "musllinux":
        if policy.version not in ((1, 1), (1, 2)):
            raise SettingsError(
                f"policy {policy} is not known", "Use musllinux_1_2 or musllinux_1_1."
            )
    elif policy.version.major != 2:
        raise SettingsError(
            f"policy {settings.policy} is not known", "Use manylinux_2_Y: there is no other glibc."
        )
    elif policy.version < target.lowest_manylinux:
        lowest = Policy("manylinux", target.lowest_manylinux)
        if not settings.policy_named_for_build:
            return lowest
        raise SettingsError(
            f"policy {settings.policy} does not exist on {target.name}",
            f"The lowest there is {lowest}.",
        )
    return policy
