"""The jobs as a matrix for a CI engine, so that each runs on a machine of its own. Pure."""

from __future__ import annotations

import re
import shlex
from typing import Any, Dict, Sequence

from manylinux_shim.commands.build._jobs import Job

ENGINES = ("github",)

_PLATFORMS = {
    "x86_64": "linux/amd64",
    "i686": "linux/386",
    "aarch64": "linux/arm64",
    "armv7l": "linux/arm/v7",
    "ppc64le": "linux/ppc64le",
    "s390x": "linux/s390x",
    "riscv64": "linux/riscv64",
    "loongarch64": "linux/loong64",
}
"""The platform names of the OCI image specification, which are Go's ``GOOS/GOARCH``."""


def github(jobs: Sequence[Job], python: str, arguments: Sequence[str]) -> Dict[str, Any]:
    """The value of a job's ``strategy.matrix``, as ``fromJSON`` takes it.

    ``python`` is the version to name where none was asked for, ``arguments`` what
    every build has in common. ``qemu`` is the platform as docker and its actions
    name it, for whoever runs the wheel's tests under emulation.
    """
    return {"include": [_entry(job, job.python or python, arguments) for job in jobs]}


def _entry(job: Job, python: str, common: Sequence[str]) -> Dict[str, str]:
    own = ["--target", job.target]
    if job.policy is not None:
        own += ["--policy", job.policy]
    own += ["--python", python]
    arguments = [*common, *own]
    return {
        "target": job.target,
        "policy": job.policy_name,
        "python": python,
        "arguments": _line(arguments),
        "command": _line(["manylinux-shim", "build", *arguments]),
        "qemu": _PLATFORMS[job.target],
        "artifact": f"wheel-{_plain(python)}-{job.policy_name}-{job.target}",
    }


def _line(words: Sequence[str]) -> str:
    return " ".join(shlex.quote(word) for word in words)


def _plain(python: str) -> str:
    """``3.12`` as it is; a path without what an artifact's name cannot have."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", python).strip("-")
