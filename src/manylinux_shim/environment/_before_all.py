"""``before-all``: what a project's own command builds for the target, once.

The command runs in the surroundings of a build, and installs into a directory of the
cache that stays where it is: what it installs states that path. A directory counts when
its record is there, which is written last.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Callable, ContextManager, Dict, Iterator, Mapping, Optional, Sequence

from manylinux_shim._errors import SettingsError, ToolchainError
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import host_family, lowest_policy
from manylinux_shim.libraries import Prefix
from manylinux_shim.zig import cache_root, usable_zig

_LAYOUT = 1
_DONE = ".manylinux-shim-done"
_OF_SETUPTOOLS = ("LDSHARED", "LDCXXSHARED")
_PARTS = ("bin", "include", "lib/pkgconfig", "share")


def built(
    plan: Plan,
    project: Path,
    prefixes: Sequence[Prefix],
    surroundings: Callable[[Prefix], ContextManager[Dict[str, str]]],
    notice: Callable[[str], None],
) -> Optional[Prefix]:
    """The prefix that the command fills, filled if it is not in the cache; None without a target.

    ``surroundings`` gives the variables of a build that searches a prefix first. Raises
    SettingsError for an input that is not there, ToolchainError when the command fails.
    """
    command = plan.settings.before_all
    if not command or plan.target is None:
        return None
    policy = plan.policy or lowest_policy(plan.target, host_family())
    arch = plan.target
    triplet = arch.triplet_musl if policy.family == "musllinux" else arch.triplet_gnu
    zig = usable_zig() if plan.mode == "zig" else None
    hashed = hashlib.sha256()
    about = (_LAYOUT, command, plan.mode, arch.name, policy, zig.version if zig else "")
    for part in (*about, *(prefix.root for prefix in prefixes)):
        hashed.update(f"{part}\0".encode("utf-8", "surrogateescape"))
    for path in _inputs(command, plan.settings.before_all_inputs, project):
        hashed.update(f"{path.relative_to(project)}\0".encode("utf-8", "surrogateescape"))
        hashed.update(path.read_bytes())
    parent = cache_root(os.environ, notice) / "libraries"
    parent.mkdir(parents=True, exist_ok=True)
    name = f"before-all-{policy}_{arch.name}-{hashed.hexdigest()[:16]}"
    prefix = Prefix(parent / name, triplet)
    if (prefix.root / _DONE).is_file():
        os.utime(prefix.root)  # it is in use, for whoever makes room in the cache
        return prefix
    with (parent / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (prefix.root / _DONE).is_file():
            notice(f"before-all for {policy}_{arch.name}: {command}")
            _fill(
                prefix,
                command,
                project,
                surroundings,
                f"{policy}_{arch.name}",
                {
                    "PREFIX": str(prefix.root),
                    "TARGET": arch.name,
                    "POLICY": str(policy),
                    "HOST_TRIPLET": triplet,
                },
            )
    return prefix


def _fill(
    prefix: Prefix,
    command: str,
    project: Path,
    surroundings: Callable[[Prefix], ContextManager[Dict[str, str]]],
    what: str,
    ours: Dict[str, str],
) -> None:
    shutil.rmtree(prefix.root, ignore_errors=True)
    for part in _PARTS:
        (prefix.root / part).mkdir(parents=True)
    status = None
    try:
        with surroundings(prefix) as variables:
            status = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=project,
                env={**os.environ, **without_setuptools(variables), **ours},
                stdin=subprocess.DEVNULL,
                check=False,
            ).returncode
    finally:
        if status != 0:
            shutil.rmtree(prefix.root, ignore_errors=True)
    if status != 0:
        raise ToolchainError(
            f"before-all failed for {what} (exit code {status}): {command}",
            "What it said stands above. Nothing of it is kept; `manylinux-shim run` opens the same"
            " surroundings for any command.",
        )
    (prefix.root / _DONE).touch()


def without_setuptools(variables: Mapping[str, str]) -> Dict[str, str]:
    """A build's variables for other commands: zlib's configure reads one of setuptools' as its own.

    setuptools itself makes these of ``CC`` and ``CXX`` where they are not set.
    """
    return {name: value for name, value in variables.items() if name not in _OF_SETUPTOOLS}


def _inputs(command: str, patterns: Sequence[str], project: Path) -> Iterator[Path]:
    """The files that the command names, and those that the patterns match, in one order."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SettingsError(
            f"`before-all` is {command!r}, which is no command: {error}", "Correct it."
        ) from error
    found = {project / word for word in words if (project / word).is_file()}
    for pattern in patterns:
        try:
            matched = [path for path in project.glob(pattern) if path.is_file()]
        except (NotImplementedError, ValueError) as error:
            raise SettingsError(
                f"{pattern!r} in `before-all-inputs` is no pattern of files in the project:"
                f" {error}",
                'Write it relative to pyproject.toml, such as "third_party/**/*.c".',
            ) from error
        if not matched:
            raise SettingsError(
                f"{pattern!r} in `before-all-inputs` matches no file of {project}", "Correct it."
            )
        found.update(matched)
    inside = (path for path in found if project in path.parents)
    return iter(sorted(inside))
