"""Which wheels to build: targets, policies and Pythons -> jobs. Pure.

All that can be refused is refused here, before anything is fetched or built.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._plan import Host, make_plan
from manylinux_shim._platforms import (
    ARCHITECTURES,
    Architecture,
    Policy,
    architecture,
    parse_platform_tag,
)
from manylinux_shim._settings import Settings
from manylinux_shim.commands.build_wheels._pythons import uv_name

ALL = "all"
_NOT_IN_ALL = ("loongarch64",)

_Pair = Tuple[Architecture, Optional[str]]


@dataclass(frozen=True)
class Job:
    """One wheel to build."""

    target: str
    """The architecture's wheel name."""
    policy: Optional[str]
    """``manylinux_2_17``, ``auto``; None leaves it to the project and the defaults."""
    python: str
    """The Python as it was asked for; empty for the one that runs this."""

    @property
    def policy_name(self) -> str:
        """The policy for people: ``default`` where none was named."""
        return self.policy or "default"


def make_jobs(
    targets: Sequence[str],
    policies: Sequence[str],
    pythons: Sequence[str],
    environ: Mapping[str, str],
    host: Host,
) -> List[Job]:
    """Every combination once, in the order asked for.

    A policy that is a whole tag (``manylinux2014_aarch64``) brings its own target. The
    target ``all`` stands for every architecture that PyPI takes and that has the policy.
    Raises SettingsError for a target or policy that there is none of, and for a
    policy that one of the architectures named does not have.
    """
    named = _architectures([name for name in targets if name != ALL], bool(targets), environ, host)
    pairs = _pairs(named, policies, targets)
    for pair in pairs:
        _require_possible(*pair, environ, host)
    if ALL in targets:
        pairs += _possible(_pairs(_everywhere(), policies, targets), environ, host)
    jobs = [Job(arch.name, policy, python) for python in pythons or [""] for arch, policy in pairs]
    return list(dict.fromkeys(jobs))


def _require_possible(
    arch: Architecture, policy: Optional[str], environ: Mapping[str, str], host: Host
) -> None:
    wanted = Settings(
        backend="-",
        mode="zig",
        target=arch.name,
        policy=policy,
        mode_named_for_build=True,
        policy_named_for_build=True,
    )
    make_plan(wanted, environ, dataclasses.replace(host, linux=True))


def _possible(pairs: Sequence[_Pair], environ: Mapping[str, str], host: Host) -> List[_Pair]:
    """The pairs that there are; SettingsError when there is none."""
    found = []
    for pair in pairs:
        try:
            _require_possible(*pair, environ, host)
        except SettingsError as error:
            refused = error
        else:
            found.append(pair)
    if not found:
        raise refused
    return found


def words(values: Sequence[str], option: str) -> List[str]:
    """``["a,b", "c"]`` -> ``["a", "b", "c"]``; SettingsError for an empty one."""
    found = [word.strip() for value in values for word in value.split(",")]
    if not all(found):
        raise SettingsError(
            f"{option} {','.join(values)!r} has an empty name in it",
            "Separate names with one comma each.",
        )
    return found


def _architectures(
    names: Sequence[str], any_named: bool, environ: Mapping[str, str], host: Host
) -> List[Architecture]:
    if any_named:
        return [architecture(name) for name in names]
    if environ.get("MANYLINUX_SHIM_TARGET"):
        return [architecture(environ["MANYLINUX_SHIM_TARGET"])]
    return [host.architecture] if host.architecture is not None else []


def _everywhere() -> List[Architecture]:
    return [arch for arch in ARCHITECTURES.values() if arch.name not in _NOT_IN_ALL]


def _pairs(
    architectures: Sequence[Architecture], policies: Sequence[str], targets: Sequence[str]
) -> List[_Pair]:
    pairs: List[_Pair] = []
    bare: List[Optional[str]] = []
    for name in policies:
        tag = parse_platform_tag(name)
        if tag is not None:
            pairs.append((architecture(tag[1]), tag[0].name))
        else:
            bare.append(name if name == "auto" else Policy.parse(name).name)
    if policies and not bare:
        if targets:
            raise SettingsError(
                f"--policy {','.join(policies)} names its architecture, and --target is given too",
                "Leave out one of the two: a whole tag is target and policy.",
            )
        return pairs
    if not architectures and not targets:
        raise SettingsError(
            "this machine is no Linux that wheels are tagged for",
            f"Name what to build for, such as `--target x86_64`: {', '.join(ARCHITECTURES)}.",
        )
    return [(arch, policy) for arch in architectures for policy in bare or [None]] + pairs


ENGINES = ("github", "gitlab", "forgejo")

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


class Entry(NamedTuple):
    """One job of a matrix."""

    job: Job
    arguments: Sequence[str]
    """What it has besides target, policy and Python."""
    package: str = ""
    """Which one it builds, where there are several."""


def matrix(engine: str, jobs: Sequence[Entry], python: str) -> Dict[str, Any]:
    """Jobs, each with its own arguments, in the form that a CI engine takes.

    For GitHub and Forgejo it is the value of a job's ``strategy.matrix``, as
    ``fromJSON`` takes it; for GitLab a hidden job ``.manylinux-shim`` with
    ``parallel:matrix``, for a child pipeline whose job extends it, and with the keys as
    variables in capitals. ``python`` is the version to name where none was asked for.
    ``interpreter`` is uv's name of the target's Python, which ``try`` and ``--test`` find when
    uv has installed it; ``qemu`` is the platform as docker and its actions name it.
    """
    entries = [_entry(entry, entry.job.python or python) for entry in jobs]
    if engine != "gitlab":
        return {"include": entries}
    variables = [{key.upper(): value for key, value in entry.items()} for entry in entries]
    return {".manylinux-shim": {"parallel": {"matrix": variables}}}


def _entry(entry: Entry, python: str) -> Dict[str, str]:
    job = entry.job
    own = ["--target", job.target]
    if job.policy is not None:
        own += ["--policy", job.policy]
    own += ["--python", python]
    arguments = [*entry.arguments, *own]
    what = "-".join(filter(None, [entry.package, _plain(python), job.policy_name, job.target]))
    family = "musllinux" if (job.policy or "").startswith("musllinux") else "manylinux"
    return {
        "target": job.target,
        "policy": job.policy_name,
        "python": python,
        "arguments": _line(arguments),
        "command": _line(["manylinux-shim", "build", *arguments]),
        "interpreter": uv_name(python, job.target, family),
        "qemu": _PLATFORMS[job.target],
        "artifact": f"wheel-{what}",
    }


def _line(words: Sequence[str]) -> str:
    return " ".join(shlex.quote(word) for word in words)


def _plain(python: str) -> str:
    """``3.12`` as it is; a path without what an artifact's name cannot have."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", python).strip("-")
