"""``run``: any command in the surroundings of a build."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping

from manylinux_shim._errors import SettingsError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan, make_plan, this_host
from manylinux_shim._platforms import host_family, lowest_policy
from manylinux_shim._settings import Settings, load_settings, read_toml
from manylinux_shim.commands import Command
from manylinux_shim.commands._arguments import config_settings

NOT_FOUND = 127
"""The exit code for a command that is not there, as shells have it."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-t", "--target", metavar="ARCH", help="architecture (this machine's)")
    parser.add_argument("--policy", metavar="POLICY", help="tag to reach (the lowest)")
    parser.add_argument(
        "--prefix",
        metavar="DIR",
        action="append",
        default=[],
        help="a directory like /usr with libraries for the target, besides the project's own",
    )
    parser.add_argument(
        "-C",
        "--config-setting",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a setting, as for a build",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim.environment import toolchain, without_setuptools

    command: List[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise SettingsError(
            "there is no command to run", "Name one: `manylinux-shim run -- ./configure`."
        )
    project = Path.cwd()
    settings = _settings(project, _given(options))
    settings = replace(settings, prefix=(*map(os.path.abspath, options.prefix), *settings.prefix))
    plan = make_plan(settings, os.environ, this_host())
    for notice in plan.notices:
        say(notice)
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch, toolchain(
        plan, project, Path(scratch), ask=lambda: None
    ) as (variables, _):
        environment = {**os.environ, **without_setuptools(variables), **_about(plan)}
        try:
            return subprocess.run(command, env=environment, check=False).returncode
        except OSError as error:
            say(f"{shlex.join(command)} cannot be run: {error.strerror}")
            return NOT_FOUND


def _given(options: argparse.Namespace) -> Dict[str, Any]:
    named = {key: getattr(options, key) for key in ("target", "policy") if getattr(options, key)}
    return {**config_settings(options.config_setting), **named}


def _settings(project: Path, given: Mapping[str, Any]) -> Settings:
    """The project's settings, or those alone that were given where there is no project of ours."""
    path = project / "pyproject.toml"
    table = read_toml(path).get("tool", {}).get("manylinux-shim") if path.is_file() else None
    if table is not None:
        return load_settings(project, given, os.environ)[0]
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as directory:
        text = '[tool.manylinux-shim]\nbackend = "none"\n'
        (Path(directory) / "pyproject.toml").write_text(text, encoding="utf-8")
        return load_settings(Path(directory), given, os.environ)[0]


def _about(plan: Plan) -> Dict[str, str]:
    """What a script may want to know of the target; ``before-all`` is told the same."""
    if plan.target is None:
        return {}
    policy = plan.policy or lowest_policy(plan.target, host_family())
    triplet = plan.target.triplet_gnu
    if policy.family == "musllinux":
        triplet = plan.target.triplet_musl
    return {"TARGET": plan.target.name, "POLICY": str(policy), "HOST_TRIPLET": triplet}


COMMAND = Command(
    help="run a command in the surroundings of a build: compilers, Python, libraries of a target",
    example="  manylinux-shim run --target aarch64 -- ./configure --prefix=$PWD/deps/aarch64\n"
    "  manylinux-shim run --policy musllinux_1_2 -- cmake -B build\n"
    "  manylinux-shim run -- sh\n\n"
    "exit code: the command's own, 127 if it cannot be run. TARGET, POLICY and HOST_TRIPLET are\n"
    "set beside what a build sets.",
    add_arguments=_add_arguments,
    run=_run,
)
