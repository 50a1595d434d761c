"""``build``: the wheels of one project for many systems, side by side."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import sysconfig
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim._messages import say
from manylinux_shim._platforms import Policy, architecture
from manylinux_shim.commands import INTERRUPTED, Command
from manylinux_shim.commands._arguments import width
from manylinux_shim.commands.build_wheels import _jobs
from manylinux_shim.commands.build_wheels._arguments import add_arguments
from manylinux_shim.commands.build_wheels._jobs import Job

FAILED = 1


def _run(options: argparse.Namespace) -> int:
    from manylinux_shim._plan import this_host

    # Before there are threads: two that ask first can both be told nothing (CPython 3.8 to 3.11).
    sysconfig.get_config_vars()
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
    if options.test is None and options.test_requires and not options.requirements:
        raise SettingsError("--test-requires is for a test, and there is none", "Name it: --test")
    if options.requirements:
        return _fill(options, jobs, settings)
    if options.print_matrix is not None:
        return _print_matrix(options, jobs)
    return _build(options, tuple(jobs), settings)


def _build(options: argparse.Namespace, jobs: Tuple[Job, ...], settings: Tuple[str, ...]) -> int:
    from manylinux_shim.commands.build_wheels import _report, _summary
    from manylinux_shim.commands.build_wheels._call import Call, build_all

    _report.require_writable(options.report)
    call = Call(
        source=options.source,
        jobs=jobs,
        out=options.out,
        logs=options.logs,
        side_by_side=options.jobs,
        frontend=options.frontend,
        backend=options.backend,
        settings=settings,
        test=_checked_test(options.test),
        test_requires=tuple(options.test_requires),
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
    _report.publish(outcomes, options.out, options.report, os.environ, sys.stderr)
    return FAILED if any(o.wheel is None or o.untried for o in outcomes) else 0


def _checked_test(text: Optional[str]) -> Optional[str]:
    """A command line as it is; SettingsError for one that has no words, or an open quote."""
    if text is None:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SettingsError(
            f"--test {text!r} is no command: {error}", "Close the quote."
        ) from error
    if not words:
        raise SettingsError("--test names no command", "Such as: --test 'pytest {project}/tests'")
    return text


def _fill(options: argparse.Namespace, jobs: Sequence[Job], settings: Sequence[str]) -> int:
    from manylinux_shim.commands import wheelhouse

    call = wheelhouse.make_call(options, jobs, settings, _checked_test(options.test))
    if options.print_matrix is not None:
        common = [word for path in options.requirements for word in ("-r", str(path))]
        common += [word for path in options.constraints for word in ("-c", str(path))]
        for name in ("group", "extra"):
            common += [word for value in getattr(options, name) for word in (f"--{name}", value)]
        common += [word for setting in options.config_setting for word in ("-C", setting)]
        common += _test_words(options)
        found = wheelhouse.to_matrix(wheelhouse.matrix(call), common)
        return _write_matrix(options.print_matrix, found)
    try:
        return wheelhouse.fill(call, as_json=options.json)
    except KeyboardInterrupt:
        say("interrupted: builds that were going on are ended, finished wheels stay")
        return INTERRUPTED


def _write_matrix(engine: str, jobs: Sequence[_jobs.Entry]) -> int:
    this = "{}.{}".format(*sys.version_info)
    sys.stdout.write(json.dumps(_jobs.matrix(engine, jobs, this)) + "\n")
    return 0


def _test_words(options: argparse.Namespace) -> List[str]:
    found = ["--test", options.test] if options.test is not None else []
    return found + [w for needed in options.test_requires for w in ("--test-requires", needed)]


def _print_matrix(options: argparse.Namespace, jobs: Sequence[Job]) -> int:
    common: List[str] = [options.source] if options.source != "." else []
    for setting in options.config_setting:
        common += ["-C", setting]
    common += _test_words(options)
    for name in ("backend", "frontend"):
        if getattr(options, name) is not None:
            common += [f"--{name}", getattr(options, name)]
    if options.out != Path("dist"):
        common += ["--out", str(options.out)]
    return _write_matrix(options.print_matrix, [_jobs.Entry(job, common) for job in jobs])


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
    "  manylinux-shim build --target all --print-matrix github\n"
    "  manylinux-shim build -r requirements.txt --policy manylinux2014_aarch64 --python 3.12\n\n"
    "The project does not need to name manylinux-shim, and its tree is left as it is.\n\n"
    "exit code: 0 if every wheel was built, 1 if one was not, 2 if nothing can be begun",
    add_arguments=add_arguments,
    run=_run,
)
