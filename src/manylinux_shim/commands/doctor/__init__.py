"""``doctor``: what a build would do here and why, and what stands in its way."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from manylinux_shim.commands import Command
from manylinux_shim.commands._arguments import add_project, config_settings, use_colour, width

PROBLEMS = 1


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_project(parser)
    parser.add_argument("--target", metavar="ARCH", help="as a build with `-C target=ARCH`")
    parser.add_argument("--policy", metavar="POLICY", help="as a build with `-C policy=POLICY`")
    parser.add_argument(
        "-C",
        dest="settings",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a config setting, as frontends take it; more than once",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim._plan import this_host
    from manylinux_shim.commands.doctor._examine import examine
    from manylinux_shim.commands.doctor._findings import render, to_json

    settings = config_settings(options.settings)
    for key in ("target", "policy"):
        if getattr(options, key) is not None:
            settings[f"manylinux-shim.{key}"] = getattr(options, key)
    project: Path = options.project
    directory = project.parent if project.name == "pyproject.toml" else project
    findings = examine(directory.resolve(), settings, os.environ, this_host())
    if options.json:
        text = json.dumps(to_json(findings), indent=2)
    else:
        text = render(findings, width(), colour=use_colour())
    sys.stdout.write(text + "\n")
    return PROBLEMS if findings.problems else 0


COMMAND = Command(
    help="tell what a build of a project would do here, and what stands in its way",
    example="  manylinux-shim doctor\n"
    "  manylinux-shim doctor --target aarch64 --policy musllinux_1_2 path/to/project\n"
    "  manylinux-shim doctor --json | jq .problems\n\n"
    "exit code: 0 if nothing stands in the way, 1 if something does, 2 if there is no\n"
    "pyproject.toml that can be read",
    add_arguments=_add_arguments,
    run=_run,
)
