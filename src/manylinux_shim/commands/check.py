"""``check``: whether a wheel keeps what its tags promise; for CI."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import List, Sequence

from manylinux_shim._platforms import Policy, parse_platform_tag
from manylinux_shim.commands import Command
from manylinux_shim.commands._arguments import add_json, add_wheels, each_wheel

UNPROVEN = 1


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_wheels(parser)
    add_json(parser)
    parser.add_argument(
        "--policy",
        metavar="POLICY",
        help="what to prove instead of the tags in the file name: manylinux_2_17,"
        " manylinux2014, musllinux_1_2 and so on",
    )


def _promises(claimed: Sequence[str]) -> List[str]:
    """The tags that promise something: ``linux_<arch>`` says "this machine", and no more."""
    return [tag for tag in claimed if not tag.startswith("linux_")]


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim.audit import (
        audit_wheel,
        error_to_json,
        render_claims,
        render_refusal,
        to_json,
    )

    policy = None
    if options.policy is not None:
        # The whole tag is understood as well; its architecture is the wheel's business.
        tag = parse_platform_tag(options.policy)
        policy = tag[0] if tag is not None else Policy.parse(options.policy)

    def check(wheel: Path) -> int:
        verdict = audit_wheel(wheel, exclude=options.exclude)
        proven = verdict.truthful if policy is None else verdict.proves(policy)
        if options.json:
            sys.stdout.write(json.dumps(to_json(verdict, policy)) + "\n")
            return 0 if proven else UNPROVEN
        if proven:
            what = [policy.name] if policy is not None else _promises(verdict.claimed)
            text = f"{', '.join(what)} proven" if what else "promises nothing, so nothing is untrue"
            sys.stdout.write(f"{wheel.name}: {text}\n")
            return 0
        if policy is None:
            sys.stdout.write(render_claims(verdict, full=options.all) + "\n")
        else:
            sys.stdout.write(render_refusal(verdict, policy, full=options.all) + "\n")
        return UNPROVEN

    return each_wheel(options.wheels, check, error_to_json if options.json else None)


COMMAND = Command(
    help="fail unless a wheel has earned every tag that it bears",
    example="  manylinux-shim check\n"
    "  manylinux-shim check --json wheelhouse | jq 'select(.proven | not) | .wheel'\n"
    "  manylinux-shim check --policy manylinux_2_17 dist/*.whl\n\n"
    "exit code: 0 if all is proven, 1 if something is not, 2 if a file cannot be read",
    add_arguments=_add_arguments,
    run=_run,
)
