"""``build``: the wheels of one project for many systems, side by side."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import List, Sequence, Tuple

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim._messages import say
from manylinux_shim._platforms import ARCHITECTURES, Policy, architecture
from manylinux_shim.commands import INTERRUPTED, Command
from manylinux_shim.commands._arguments import width
from manylinux_shim.commands.build_wheels import _jobs
from manylinux_shim.commands.build_wheels._frontends import FRONTENDS
from manylinux_shim.commands.build_wheels._jobs import ENGINES, Job

FAILED = 1


def _add_arguments(parser: argparse.ArgumentParser) -> None:
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
        "--json", action="store_true", help="print the outcomes as JSON instead of a table"
    )
    parser.add_argument(
        "--print-matrix",
        choices=ENGINES,
        help="build nothing: print the jobs as a matrix for a CI engine, one line of JSON",
    )


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim._plan import this_host

    jobs = _jobs.make_jobs(
        _jobs.words(options.target, "--target"),
        _jobs.words(options.policy, "--policy"),
        _jobs.words(options.python, "--python"),
        os.environ,
        this_host(),
    )
    settings = _checked(options.config_setting)
    if options.jobs is not None and options.jobs < 1:
        raise SettingsError(f"--jobs {options.jobs} builds nothing", "Use 1 or more.")
    if options.print_matrix is not None:
        return _print_matrix(options, jobs)
    return _build(options, tuple(jobs), settings)


def _build(options: argparse.Namespace, jobs: Tuple[Job, ...], settings: Tuple[str, ...]) -> int:
    from manylinux_shim.commands.build_wheels import _summary
    from manylinux_shim.commands.build_wheels._call import Call, build_all

    call = Call(
        source=options.source,
        jobs=jobs,
        out=options.out,
        logs=options.logs,
        side_by_side=options.jobs,
        frontend=options.frontend,
        backend=options.backend,
        settings=settings,
    )
    try:
        outcomes = build_all(call, say)
    except KeyboardInterrupt:
        say("interrupted: builds that were going on are ended, finished wheels stay")
        return INTERRUPTED
    if options.json:
        sys.stdout.write(json.dumps(_summary.to_json(outcomes), indent=2) + "\n")
    else:
        sys.stdout.write(_summary.table(outcomes, width()) + "\n")
        sys.stdout.write(_summary.headline(outcomes, options.out) + "\n")
    return FAILED if any(outcome.wheel is None for outcome in outcomes) else 0


def _print_matrix(options: argparse.Namespace, jobs: Sequence[Job]) -> int:
    common: List[str] = [options.source] if options.source != "." else []
    for setting in options.config_setting:
        common += ["-C", setting]
    for name in ("backend", "frontend"):
        if getattr(options, name) is not None:
            common += [f"--{name}", getattr(options, name)]
    if options.out != Path("dist"):
        common += ["--out", str(options.out)]
    this = "{}.{}".format(*sys.version_info)
    sys.stdout.write(json.dumps(_jobs.github(jobs, this, common)) + "\n")
    return 0


def _checked(settings: Sequence[str]) -> Tuple[str, ...]:
    """Config settings as they are; SettingsError for what is none, or has an option here."""
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise SettingsError(f"-C {setting!r} is no setting", "Give it as KEY=VALUE.")
        ours = key.startswith("manylinux-shim.")
        option = key[len("manylinux-shim.") :] if ours else key
        if option in ("target", "policy") and (ours or _is_ours(option, value)):
            raise SettingsError(
                f"-C {setting} would be the same for every wheel", f"Use --{option} {value}."
            )
    return tuple(settings)


def _is_ours(option: str, value: str) -> bool:
    """Whether a plain ``target`` or ``policy`` is meant for us: a real backend may have one."""
    try:
        if option == "target":
            architecture(value)
        else:
            Policy.parse(value)
    except ShimError:
        return False
    return True


COMMAND = Command(
    help="build the wheels of a project for many systems, side by side",
    example="  manylinux-shim build --target x86_64,aarch64 --policy manylinux_2_17,musllinux_1_2\n"
    "  manylinux-shim build pendulum==3.1.0 --policy manylinux2014_aarch64 --python 3.12\n"
    "  manylinux-shim build dist/pkg-1.0.tar.gz --target all --jobs 4\n"
    "  manylinux-shim build --target all --print-matrix github\n\n"
    "The project does not need to name manylinux-shim, and its tree is left as it is.\n\n"
    "exit code: 0 if every wheel was built, 1 if one was not, 2 if nothing can be begun",
    add_arguments=_add_arguments,
    run=_run,
)
