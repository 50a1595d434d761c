"""``relink``: a finished wheel, linked against an older glibc and tagged by proof."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from manylinux_shim._errors import PolicyError, WheelError
from manylinux_shim._messages import say
from manylinux_shim._platforms import Policy, parse_platform_tag
from manylinux_shim._settings import source_date
from manylinux_shim.commands import Command
from manylinux_shim.commands._arguments import add_wheels, each_wheel

if TYPE_CHECKING:
    from manylinux_shim.relink import Relinked


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_wheels(parser, default=False)
    parser.add_argument(
        "--policy",
        metavar="POLICY",
        required=True,
        help="the tag to reach: manylinux_2_17, manylinux2014 and so on",
    )
    parser.add_argument(
        "-o",
        "--output-dir",
        metavar="DIRECTORY",
        type=Path,
        help="where the new wheel goes (default: beside the one that it is made from)",
    )


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim.audit import audit_wheel, render_refusal
    from manylinux_shim.relink import relink_wheel
    from manylinux_shim.wheel import refuse_wrong_hashes, retag

    tag = parse_platform_tag(options.policy)
    policy = tag[0] if tag is not None else Policy.parse(options.policy)
    # Where no date is asked for, the members of a finished wheel keep theirs.
    epoch = source_date(os.environ)

    def relink(wheel: Path) -> int:
        if not wheel.is_file():
            raise WheelError(f"{wheel} is not a file", "Name a wheel.")
        refuse_wrong_hashes(wheel)
        directory = options.output_dir or wheel.parent
        with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch:
            again = relink_wheel(
                wheel, policy, Path(scratch), exclude=options.exclude, epoch=epoch, notice=say
            )
            made = _with_contents(again, policy, epoch) if again.supplied else again.wheel
            verdict = audit_wheel(made, exclude=options.exclude)
            if verdict.architecture is None or not verdict.proves(policy):
                raise PolicyError(render_refusal(verdict, policy, full=options.all))
            directory.mkdir(parents=True, exist_ok=True)
            tags = policy.tags(verdict.architecture.name)
            new = retag(made, tags, directory, epoch=epoch)
        sys.stdout.write(f"{new}\n")
        return 0

    return each_wheel(options.wheels, relink)


def _with_contents(again: Relinked, policy: Policy, epoch: Optional[int]) -> Path:
    """The wheel with a list of what it got, beside those that it has."""
    from manylinux_shim import sbom
    from manylinux_shim.graft import package_of
    from manylinux_shim.wheel import Archive, WheelName, find_dist_info, repack

    name = WheelName.parse(again.wheel.name)
    with Archive(again.wheel) as archive:
        members = [member.name for member in archive.members]
    own, others = sbom.member_name(find_dist_info(name, members), members)
    contents = sbom.contents(
        name,
        read=lambda _: b"",
        linked=policy,
        supplied={
            member: (source, package_of(source)) if source is not None else None
            for member, source in again.supplied.items()
        },
        others=[other.rpartition("/")[2] for other in others],
        timestamp=epoch,
    )
    directory = again.wheel.parent / "contents"
    directory.mkdir()
    return repack(
        again.wheel,
        directory,
        platforms=name.platforms,
        added={own: sbom.document(contents)},
        epoch=epoch,
    )


COMMAND = Command(
    help="link a finished wheel against an older glibc, prove it and tag it anew",
    example="  manylinux-shim relink --policy manylinux_2_17 dist/*.whl\n"
    "  manylinux-shim relink --policy manylinux2014 -o wheelhouse dist/a.whl\n\n"
    "exit code: 0 if all are linked and proven, 2 if one cannot be; the path of each new\n"
    "wheel is printed. A wheel that bears the tag already is replaced when the new one is whole.",
    add_arguments=_add_arguments,
    run=_run,
)
