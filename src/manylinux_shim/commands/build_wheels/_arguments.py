"""The arguments of ``build``."""

from __future__ import annotations

import argparse
from pathlib import Path

from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.commands.build_wheels._frontends import FRONTENDS
from manylinux_shim.commands.build_wheels._jobs import ENGINES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All that ``build`` takes."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        default=".",
        help="a project's directory, an sdist, or NAME==VERSION to fetch its sdist"
        " (the current directory)",
    )
    parser.add_argument(
        "-t",
        "--target",
        metavar="ARCH,...",
        action="append",
        default=[],
        help="architectures to build for, `all` for those that PyPI takes and that have the"
        " policy (this machine's):"
        f" {', '.join(ARCHITECTURES)}",
    )
    parser.add_argument(
        "--policy",
        metavar="POLICY,...",
        action="append",
        default=[],
        help="tags to reach, one wheel each: manylinux_2_17, musllinux_1_2, auto, or a whole tag"
        " with its architecture, manylinux2014_aarch64 (what the project says, else the lowest)",
    )
    parser.add_argument(
        "-p",
        "--python",
        metavar="PYTHON,...",
        action="append",
        default=[],
        help="Pythons to build with: versions that are on this machine, or paths (this one)",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("dist"),
        help="where the wheels go (dist)",
    )
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=int, help="builds side by side (one a processor)"
    )
    parser.add_argument(
        "-C",
        "--config-setting",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a config setting, for the real backend or for manylinux-shim; more than once",
    )
    parser.add_argument(
        "--backend",
        metavar="OBJECT",
        help="the real backend, where the one that the project names is not to be used",
    )
    parser.add_argument(
        "--frontend",
        choices=FRONTENDS,
        help="what makes the isolated environments, and whose index configuration counts"
        " (uv, if it is installed)",
    )
    parser.add_argument(
        "--logs",
        metavar="DIR",
        type=Path,
        help="keep what every build prints (only that of builds that fail, in a temporary"
        " directory)",
    )
    parser.add_argument(
        "--test",
        metavar="COMMAND",
        help="run this with each wheel installed, in an empty directory, {project} being a copy of"
        " the project; a wheel that fails is not put out. One for another machine is tried on the"
        " oldest Debian that it promises",
    )
    parser.add_argument(
        "--test-requires",
        metavar="REQUIREMENT",
        action="append",
        default=[],
        help="what the test needs besides the wheel; more than once",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the outcomes as JSON instead of a table"
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        help="write what came of all builds as a page in Markdown; GitHub's job summary gets it by"
        " itself",
    )
    parser.add_argument(
        "--print-matrix",
        choices=ENGINES,
        help="build nothing: print the jobs as a matrix for a CI engine, one line of JSON",
    )
    _add_wheelhouse(parser)


def _add_wheelhouse(parser: argparse.ArgumentParser) -> None:
    """What ``build`` takes besides, for a file of requirements."""
    group = parser.add_argument_group("a wheelhouse")
    group.add_argument(
        "-r",
        "--requirements",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="instead of SOURCE: every package of requirements.txt, pylock.toml, uv.lock or"
        " pyproject.toml, taken from the index where a proven wheel is there, else built",
    )
    group.add_argument(
        "-c", "--constraints", metavar="FILE", type=Path, action="append", default=[],
        help="versions that requirements have to keep to",
    )  # fmt: skip
    group.add_argument(
        "--group", metavar="NAME", action="append", default=[], help="a dependency group as well"
    )
    group.add_argument(
        "--extra", metavar="NAME", action="append", default=[], help="an extra as well"
    )
    group.add_argument(
        "--package-settings",
        metavar="FILE",
        type=Path,
        help="a TOML file with [tool.manylinux-shim.package.NAME] (pyproject.toml, if that is"
        " named with -r); `-C NAME:KEY=VALUE` does the same",
    )
    group.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        default=[],
        help="look after this package alone, and write no lock",
    )
    group.add_argument(
        "--join",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="take wheels that other jobs have built from here, and prove them",
    )
