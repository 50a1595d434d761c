"""``manylinux-shim build``, run as users run it: installed, on projects that know nothing of it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional

import pytest
from support import projects, wheels
from support.interpreters import Interpreter
from support.machine import pseudo_terminal
from support.workshop import Outcome, Workshop, contents

from manylinux_shim._platforms import ARCHITECTURES

HOST = platform.machine()
OTHERS = [name for name in ("aarch64", "s390x", "ppc64le") if name != HOST][:2]

FLIT = """\
[build-system]
requires = ["flit_core>=3.8,<4"]
build-backend = "flit_core.buildapi"
"""


@pytest.fixture(scope="session")
def builder(workshop: Workshop) -> Path:
    """The Python of an environment with the command, as its extra installs it, and uv."""
    return workshop.venv(workshop.root / "builder", ["manylinux-shim[cli]", "uv", "pip"])


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the command puts what is temporary; the test looks what stays of it."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    return directory


def command(builder: Path, *arguments: str) -> List[str]:
    return [str(builder), "-m", "manylinux_shim.cli", "build", *arguments]


@pytest.fixture
def build(builder: Path, workshop: Workshop, scratch: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Run the command in ``tmp_path``."""

    def run(*arguments: str, environment: Optional[Mapping[str, str]] = None) -> Outcome:
        variables = {"TMPDIR": str(scratch), **(environment or {})}
        return workshop.run(command(builder, *arguments), tmp_path, workshop.with_zig(variables))

    return run


def pure(directory: Path) -> Path:
    """A project that compiles nothing, and builds in no time."""
    text = FLIT + projects.PURE_PROJECT
    return projects.write(directory, {**projects.PURE_FILES, "pyproject.toml": text})


def state(directory: Path) -> Dict[str, str]:
    """Every file on disk with its contents and date."""
    return {
        str(path): f"{path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.mark.pypi
def test_sdist_from_the_index_becomes_proven_wheels_for_three_architectures(
    build, builder: Path, workshop: Workshop, tmp_path: Path, scratch: Path
) -> None:
    targets = [HOST, *OTHERS]
    built = build("markupsafe==3.0.2", "--target", ",".join(targets), "--json").passed()
    outcomes = json.loads(built.output[built.output.index("[\n") :])
    assert [outcome["target"] for outcome in outcomes] == targets
    for outcome in outcomes:
        wheel = tmp_path / outcome["wheel"]
        wheels.check_consistent(wheel)
        (elf,) = wheels.elf_members(wheel).values()
        machine = ARCHITECTURES[outcome["target"]].machine
        byteorder = ARCHITECTURES[outcome["target"]].byteorder
        assert int.from_bytes(elf[18:20], byteorder) == machine
        assert outcome["size"] == wheel.stat().st_size
        assert outcome["systems"]
    checked = [str(builder), "-m", "manylinux_shim.cli", "check"]
    workshop.run([*checked, *(outcome["wheel"] for outcome in outcomes)], tmp_path).passed()
    native = tmp_path / outcomes[0]["wheel"]
    wheels.check_manylinux(native)
    use = "from markupsafe import _speedups, escape; print(_speedups.__file__[-3:], escape('<é>'))"
    assert workshop.try_wheel(native, tmp_path / "fresh", use) == ".so &lt;é&gt;\n"
    assert contents(scratch) == []


SULKING = (
    """\
import os
if "aarch64" in os.environ.get("_PYTHON_HOST_PLATFORM", ""):
    raise SystemExit("this project sulks on aarch64")
"""
    + projects.SETUP
)


@pytest.mark.skipif(HOST == "aarch64", reason="aarch64 is to be another machine")
def test_isolated_builds_use_the_zig_beside_the_command(workshop: Workshop, tmp_path: Path) -> None:
    project = projects.tiny(tmp_path / "project")
    setup = (project / "setup.py").read_text()
    seen = "import importlib.util; print('zig here:', importlib.util.find_spec('ziglang'))\n"
    (project / "setup.py").write_text(seen + setup)
    for packages, here in ((["ziglang"], "None"), ([], "ModuleSpec")):
        room = tmp_path / here
        beside = workshop.venv(room / "env", ["manylinux-shim[cli]", "uv", "pip", *packages])
        arguments = [str(project), "-o", str(room / "out"), "--logs", str(room / "logs")]
        workshop.run(command(beside, *arguments), tmp_path).passed()
        (log,) = (room / "logs").iterdir()
        assert f"zig here: {here}" in log.read_text()
        wheels.check_manylinux(wheels.only_wheel(room / "out"))


def test_one_that_fails_stops_no_other_and_its_log_is_kept_and_named(
    build, workshop: Workshop, tmp_path: Path, scratch: Path
) -> None:
    tree = projects.write(tmp_path / "tree", {**projects.TINY_FILES, "setup.py": SULKING})
    before = state(tree)
    built = build(str(tree), "--target", f"aarch64,{HOST}", "--out", "tree/dist")
    assert built.code == 1
    assert "this project sulks on aarch64" in built.output
    assert built.output.splitlines()[-1] == "1 wheel in tree/dist, 1 of 2 builds failed"
    (log,) = scratch.rglob("*.log")
    assert log.parent.parent == scratch
    assert str(log) in built.output
    assert "this project sulks on aarch64" in log.read_text()
    assert len(list(scratch.iterdir())) == 1, "more is left than the log"
    wheel = wheels.only_wheel(tree / "dist")
    assert contents(tree / "dist") == [wheel.name]
    wheels.check_manylinux(wheel)
    assert workshop.try_wheel(wheel, tmp_path / "fresh", projects.TINY_USE) == projects.TINY_PRINTS
    shutil.rmtree(tree / "dist")
    assert state(tree) == before, "the tree on disk is not what it was"


@pytest.mark.pypi
def test_wheel_is_put_out_when_its_test_has_passed_and_not_otherwise(build, tmp_path: Path) -> None:
    pure(tmp_path / "project")
    passes = "python -c 'import plain' && test -f {project}/pyproject.toml && test -z \"$(ls)\""
    done = build("project", "--test", passes).passed()
    assert "tested on this machine, Python 3." in done.output
    assert [path.suffix for path in (tmp_path / "dist").iterdir()] == [".whl"]
    failing = "python -c 'import there_is_no_such_module'"
    done = build("project", "--out", "none", "--test", failing)
    assert done.code == 1
    assert "its test failed with 1 on this machine" in done.output
    assert "there_is_no_such_module" in done.output
    assert not (tmp_path / "none").exists()
    assert "is no command" in build("project", "--test", "'").output


def test_project_below_the_root_of_a_checkout_has_its_version_and_what_is_around_it(
    build, workshop: Workshop, tmp_path: Path
) -> None:
    setup = projects.SETUP.replace('version="1.0",', "").replace(
        '["tiny/_tiny.c"]', '["tiny/_tiny.c"], include_dirs=["../shared"]'
    )
    source = projects.TINY_C.replace("#include <math.h>", "#include <math.h>\n#include <shared.h>")
    root = tmp_path / "checkout"
    files = {**projects.TINY_FILES, "setup.py": setup, "tiny/_tiny.c": source}
    files["pyproject.toml"] = (
        '[build-system]\nrequires = ["setuptools>=64", "setuptools-scm>=8"]\n'
        'build-backend = "setuptools.build_meta"\n'
        '[project]\nname = "tiny"\ndynamic = ["version"]\n'
        '[tool.setuptools_scm]\nroot = ".."\n'
    )
    projects.write(root, {"shared/shared.h": "int shared(void);\n"})
    projects.write(root / "python", files)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for arguments in ("init -q", "add .", "commit -q -m first", "tag v7.8.9"):
        workshop.run([*git, *arguments.split()], root).passed()
    before = state(root)
    build("checkout/python").passed()
    assert wheels.only_wheel(tmp_path / "dist").name.startswith("tiny-7.8.9-")
    assert state(root) == before


@pytest.mark.parametrize("option", ["--target", "--python"])
def test_wheels_of_one_name_are_kept_once_and_said_to_be(
    option: str, interpreter: Callable[[str], Interpreter], build, tmp_path: Path
) -> None:
    here, other = (
        "{}.{}".format(*sys.version_info),
        "3.9" if sys.version_info >= (3, 10) else "3.12",
    )
    values = ["x86_64", "aarch64"] if option == "--target" else [here, interpreter(other).name]
    pure(tmp_path / "tree")
    built = build("tree", option, ",".join(values), "--jobs", "2").passed()
    assert contents(tmp_path / "dist") == ["plain-1.0-py3-none-any.whl"]
    (same,) = re.findall(r"^(\S+): the same wheel as (\S+), which is kept$", built.output, re.M)
    assert values[1] in same[0]
    assert values[0] in same[1]
    assert built.output.splitlines()[-1] == "1 wheel in dist"


BACKEND = """\
from flit_core.buildapi import *
from flit_core.buildapi import build_wheel as _build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("in the tree, with", config_settings)
    return _build_wheel(wheel_directory, config_settings, metadata_directory)
"""


def test_temporary_directory_inside_the_project_is_no_part_of_it(build, tmp_path: Path) -> None:
    tree = pure(tmp_path / "tree")
    (tree / "tmp").mkdir()
    build("tree", "--out", "tree", environment={"TMPDIR": str(tree / "tmp")}).passed()
    assert contents(tree / "tmp") == []
    assert wheels.only_wheel(tree)


def test_backend_in_the_tree_is_called_with_the_config_settings_and_logs_are_kept(
    build, tmp_path: Path
) -> None:
    tree = pure(tmp_path / "tree")
    text = FLIT.replace("flit_core.buildapi", "own") + 'backend-path = ["_own"]\n'
    projects.write(tree, {"pyproject.toml": text + projects.PURE_PROJECT, "_own/own.py": BACKEND})
    build("tree", "-C", "colour=red", "-C", "colour=blue", "--logs", "logs").passed()
    (log,) = (tmp_path / "logs").iterdir()
    assert "in the tree, with {'colour': ['red', 'blue']}" in log.read_text()


def test_frontend_build_does_the_same_with_pip(build, builder: Path, tmp_path: Path) -> None:
    pure(tmp_path / "tree")
    build("tree", "--frontend", "build").passed()
    assert contents(tmp_path / "dist") == ["plain-1.0-py3-none-any.whl"]


def test_sdist_on_disk_is_built_and_so_is_a_job_of_the_matrix(
    build, builder: Path, workshop: Workshop, tmp_path: Path
) -> None:
    tree = pure(tmp_path / "tree")
    workshop.run([str(builder), "-m", "build", "--sdist", "-o", "sdists"], tree).passed()
    sdist = "tree/sdists/plain-1.0.tar.gz"
    printed = build(sdist, "--target", "all", "--out", "some where", "--print-matrix", "github")
    (line,) = printed.passed().output.splitlines()
    entries = json.loads(line)["include"]
    assert {entry["target"] for entry in entries} == set(ARCHITECTURES) - {"loongarch64"}
    program, subcommand, *arguments = shlex.split(entries[0]["command"])
    assert (program, subcommand) == ("manylinux-shim", "build")
    assert not (tmp_path / "some where").exists()
    build(*arguments).passed()
    assert contents(tmp_path / "some where") == ["plain-1.0-py3-none-any.whl"]


SLEEPING = """\
import os, pathlib, subprocess, sys, time
from flit_core.buildapi import *


def build_wheel(*arguments):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path(os.environ["TELL"], str(os.getpid())).write_text(str(child.pid))
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_call_ends_everything_it_started_and_leaves_nothing(
    number: int, builder: Path, workshop: Workshop, tmp_path: Path, scratch: Path
) -> None:
    tree = pure(tmp_path / "tree")
    text = FLIT.replace("flit_core.buildapi", "own") + 'backend-path = ["."]\n'
    projects.write(tree, {"pyproject.toml": text + projects.PURE_PROJECT, "own.py": SLEEPING})
    told = tmp_path / "told"
    told.mkdir()
    environment = workshop.environment({"TMPDIR": str(scratch), "TELL": str(told)})
    process = subprocess.Popen(
        command(builder, "tree", "--target", "x86_64,aarch64,s390x", "--jobs", "2"),
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        # A shell that runs the tests in the background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    too_long = time.monotonic() + 300
    try:
        while len([path for path in told.iterdir() if path.read_text()]) < 2:
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < too_long, "the builds have not begun"
            time.sleep(0.05)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.terminate()
    assert process.returncode == 130
    assert "interrupted" in output
    assert "Traceback" not in output
    for path in told.iterdir():
        for pid in (int(path.name), int(path.read_text())):
            assert not _runs(pid)
    assert contents(scratch) == []
    assert not (tmp_path / "dist").exists()


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@contextlib.contextmanager
def terminal(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Both ends of a terminal of a size."""
    ours, theirs = pseudo_terminal()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def on_terminal(
    words: List[str], cwd: Path, environment: Mapping[str, str], rows: int = 24
) -> tuple[int, str]:
    """Exit code and everything that a terminal of 80 columns was sent."""
    with terminal(rows, 80) as (ours, theirs):
        process = subprocess.Popen(
            words, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        sent = b""
        with contextlib.suppress(OSError):  # as reading ends when the other end is closed
            while True:
                sent += os.read(ours, 65536)
        return process.wait(), sent.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CURSOR = re.compile(r"(?:\x1b\[[0-9;?]*[A-Za-z]|[\r\n])+")


@pytest.mark.parametrize("rows", [24, 4])
def test_terminal_shows_a_line_for_each_wheel_and_then_only_the_table(
    rows: int, builder: Path, workshop: Workshop, tmp_path: Path
) -> None:
    pure(tmp_path / "tree")
    environment = {**workshop.environment(), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    words = command(builder, "tree", "--target", "x86_64,aarch64,s390x", "--jobs", "1")
    code, sent = on_terminal(words, tmp_path, environment, rows)
    assert code == 0, sent
    assert "\x1b[1A" in sent, "nothing was written anew"
    assert COLOUR.search(sent)
    assert "waiting" in sent or rows == 4
    assert "building" in sent
    assert "3 of 3 done" in sent
    lines = CURSOR.split(COLOUR.sub("", sent))
    assert max(map(len, lines)) <= 80
    *_, last, empty = lines
    assert (last, empty) == ("1 wheel in dist", "")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_terminal_without_colours_gets_none(
    variables: Dict[str, str], builder: Path, workshop: Workshop, tmp_path: Path
) -> None:
    pure(tmp_path / "tree")
    environment = {**workshop.environment(), "TERM": "xterm-256color", **variables}
    code, sent = on_terminal(command(builder, "tree"), tmp_path, environment)
    assert code == 0, sent
    colours = set(COLOUR.findall(sent)) - {"\x1b[0m", "\x1b[1m", "\x1b[2m"}
    assert not {code for code in colours if re.search(r"\[(.*;)?[34]\d", code)}
    assert "plain-1.0-py3-none" in sent.splitlines()[-2]
    if "TERM" in variables:
        assert "\x1b" not in sent


def test_without_a_terminal_lines_are_plain(build, tmp_path: Path) -> None:
    pure(tmp_path / "tree")
    built = build("tree").passed()
    assert "\x1b" not in built.output
    assert "\r" not in built.output
    assert re.search(r"^\S+-default-py\S+ +building$", built.output, re.M)


BAD = [
    (["tree", "--target", "sparc"], "unknown target 'sparc'"),
    (["tree", "--target", "x86_64,aarch64", "--policy", "manylinux1"], "on aarch64"),
    (["tree", "--policy", "manylinux9"], "unknown policy"),
    (["tree", "--python", "3.99"], "no Python 3.99"),
    (["tree", "--jobs", "0"], "--jobs 0"),
    (["tree", "--jobs", "many"], "invalid int value"),
    (["tree", "-C", "nothing"], "KEY=VALUE"),
    (["tree", "-C", "target=aarch64"], "Use --target aarch64"),
    (["tree", "-C", "manylinux-shim.policy=auto"], "Use --policy auto"),
    (["tree", "--out", "file/dist"], "nothing can be put into file/dist"),
    (["tree", "--logs", "file/logs"], "nothing can be put into file/logs"),
    (["tree", "--target", "x86_64,,aarch64"], "empty name"),
    (["empty"], "empty is no Python project"),
    (["nowhere/at/all"], "there is no nowhere/at/all"),
    (["file"], "file is no sdist"),
    (["broken-1.0.tar.gz"], "broken-1.0.tar.gz cannot be unpacked"),
    (["tree", "--print-matrix", "make"], "invalid choice"),
    (["manylinux-shim-has-no-such-friend==1.0"], "was found"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_refused_before_anything_is_built(
    arguments: List[str], says: str, build, tmp_path: Path, scratch: Path
) -> None:
    pure(tmp_path / "tree")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "broken-1.0.tar.gz").write_bytes(b"\x1f\x8b\x08 and no more")
    before = contents(tmp_path)
    refused = build(*arguments)
    assert refused.code == 2, refused.output
    assert says in refused.output
    assert "Traceback" not in refused.output
    assert "building" not in refused.output
    assert contents(tmp_path) == before


def test_without_its_extra_the_command_names_it(
    stocked: Path, workshop: Workshop, tmp_path: Path
) -> None:
    pure(tmp_path / "tree")
    refused = workshop.run(command(stocked, "tree"), tmp_path)
    assert refused.code == 2
    assert 'pip install "manylinux-shim[cli]"' in refused.output
