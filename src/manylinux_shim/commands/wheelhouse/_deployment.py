"""Where a wheelhouse is to be installed: one Python on one platform. Pure, but for the host's libc.

Its markers and its tags are the target's, never this machine's.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

from packaging.tags import Tag, compatible_tags, cpython_tags

from manylinux_shim._errors import SettingsError
from manylinux_shim._platforms import (
    ARCHITECTURES,
    Architecture,
    Policy,
    Version,
    host_architecture,
    host_family,
    lowest_policy,
)
from manylinux_shim.commands.build_wheels._jobs import Job
from manylinux_shim.commands.build_wheels._pythons import find_python

_UV_GLIBC = (17, 28, *range(31, 41))
"""The minor versions of glibc 2 that ``uv pip compile --python-platform`` knows."""
_UV = ("x86_64", "aarch64")

_PYTHON = re.compile(r"3\.(\d+)(t?)")


@dataclass(frozen=True)
class Deployment:
    """One Python on one platform."""

    job: Job
    """What builds for it."""
    arch: Architecture
    policy: Policy
    """The newest that may be taken from an index: what is built has the job's own."""
    python: Tuple[int, int]
    free_threaded: bool

    @property
    def name(self) -> str:
        """``aarch64-manylinux_2_17-cp312``: no dots, so that a lock can be named after it."""
        return f"{self.arch.name}-{self.policy}-{self.abi}"

    @property
    def abi(self) -> str:
        """``cp312``, or ``cp313t`` without a lock."""
        return f"cp{self.python[0]}{self.python[1]}{'t' if self.free_threaded else ''}"

    @property
    def python_text(self) -> str:
        """``3.12``."""
        return "{}.{}".format(*self.python)

    @property
    def tags(self) -> List[Tag]:
        """The tags of wheels that can be installed there, the best first (PEP 425)."""
        platforms = list(self._platforms())
        interpreter = "cp{}{}".format(*self.python)
        return [
            *cpython_tags(self.python, [self.abi], platforms),
            *compatible_tags(self.python, interpreter, platforms),
        ]

    def _platforms(self) -> Iterator[str]:
        major, newest = self.policy.version
        oldest = self.arch.lowest_manylinux.minor if self.policy.family == "manylinux" else 0
        for minor in range(newest, oldest - 1, -1):
            yield from Policy(self.policy.family, Version(major, minor)).tags(self.arch.name)

    @property
    def markers(self) -> Dict[str, str]:
        """The environment that markers are held against (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python_text}.0",
            "os_name": "posix",
            "platform_machine": self.arch.name,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python_text}.0",
            "python_version": self.python_text,
            "sys_platform": "linux",
        }

    @property
    def uv_platform(self) -> List[str]:
        """What tells uv for which platform to resolve; what it has no name for, for all.

        musl is such: its name stands for musl 1.1, and wheels for a newer one are left out.
        """
        known = [minor for minor in _UV_GLIBC if minor >= self.policy.version.minor]
        if self.arch.name in _UV and known and self.policy.family == "manylinux":
            return ["--python-platform", f"{self.arch.name}-manylinux_2_{known[0]}"]
        return ["--universal"]


def deployments(jobs: List[Job]) -> List[Deployment]:
    """One for each job; SettingsError for a job that says of no platform or Python which."""
    return [_deployment(job) for job in jobs]


def _deployment(job: Job) -> Deployment:
    arch = ARCHITECTURES[job.target]
    if job.policy == "auto":
        raise SettingsError(
            "`--policy auto` does not say which wheels may be taken",
            "Name the tag of the oldest system to install on, such as manylinux2014_aarch64.",
        )
    if job.policy is not None:
        policy = Policy.parse(job.policy)
    elif arch == host_architecture():
        policy = _host_policy(arch)
    else:
        policy = lowest_policy(arch)
    match = _PYTHON.fullmatch(job.python)
    if match is not None:
        return Deployment(job, arch, policy, (3, int(match[1])), bool(match[2]))
    python = find_python(job.python)
    if python.implementation != "cpython":
        raise SettingsError(
            f"{job.python or python.path} is {python.implementation}", "Name a CPython's version."
        )
    return Deployment(job, arch, policy, python.version[:2], python.free_threaded)


def _host_policy(arch: Architecture) -> Policy:
    """The newest policy that this machine keeps."""
    if host_family() == "musllinux":
        return lowest_policy(arch, "musllinux")
    major, minor = str(os.confstr("CS_GNU_LIBC_VERSION")).split()[1].split(".")[:2]
    return Policy("manylinux", Version(int(major), int(minor)))
