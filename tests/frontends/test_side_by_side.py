"""Files of an extension are compiled side by side, and all else is as ever."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

import pytest
from support import projects, wheels
from support.interpreters import Interpreter
from support.workshop import UV_BUILD_HERE, UV_BUILD_WHEEL, Outcome, Workshop

from manylinux_shim._processes import descendants

COMPILER = """\
#!{python}
import os, signal, subprocess, sys, time
from pathlib import Path

words = sys.argv[1:]
log = Path(os.environ["COMPILES"])
if "-c" in words:
    source = Path(next(w for w in words if w.endswith((".c", ".cpp"))))
    (log / f"{{source.name}}-{{os.getpid()}}").write_text("\\n".join(words))
    begun = lambda: sum(path.name[0] != "." for path in log.iterdir())
    end = time.monotonic() + 20
    while begun() < int(os.environ.get("TOGETHER", "1")) and time.monotonic() < end:
        time.sleep(0.01)
    if time.monotonic() >= end:
        (log / ".alone").touch()
    if "SLOW" in source.read_text():
        time.sleep(float(os.environ["SLOW"]))
    killed = log / ".killed"
    if "KILLED" in source.read_text() and not killed.exists():
        killed.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    for number in range(200 if os.environ.get("TALK") else 0):
        print(source.name, "says", number, file=sys.stderr, flush=True)
plus = any(w.endswith(".cpp") for w in words)
os.execvp("g++" if plus else "gcc", ["g++" if plus else "gcc", *words])
"""
"""A compiler that writes down what it compiles, and can wait until others do so too."""

SETUP = """\
from setuptools import Extension, setup

{own}
setup(
    name="tiny",
    version="1.0",
    packages=["tiny"],
    ext_modules=[Extension("tiny._tiny", {sources})],
{more})
"""

PARTS = 5


class Project:
    """The tiny project in several files, and a compiler that writes down its calls."""

    def __init__(self, workshop: Workshop, directory: Path) -> None:
        self.workshop = workshop
        self.compiles = directory / "compiles"
        self.compiles.mkdir()
        self.compiler = directory / "compiler"
        self.compiler.write_text(COMPILER.format(python=sys.executable))
        self.compiler.chmod(0o755)
        self.directory = projects.tiny(directory / "project")
        self.names = [f"tiny/part{number}.c" for number in range(PARTS)]
        for number, name in enumerate(self.names):
            self.part(name, f"int part{number}(void) {{ return {number}; }}\n")
        self.setup()

    def part(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)

    def setup(self, own: str = "", more: str = "") -> None:
        sources = ["tiny/_tiny.c", *self.names]
        text = SETUP.format(own=own, more=more, sources=sources)
        (self.directory / "setup.py").write_text(text)

    def environment(self, **more: str) -> Dict[str, str]:
        return {
            "CC": str(self.compiler),
            "CXX": str(self.compiler),
            "COMPILES": str(self.compiles),
            "MANYLINUX_SHIM_JOBS": "4",
            "TOGETHER": "2",
            **more,
        }

    def build(self, out: Path, python: Optional[Path] = None, **more: str) -> Outcome:
        return self.workshop.build(
            UV_BUILD_WHEEL, self.directory, out, python=python, environment=self.environment(**more)
        )

    def compiled(self) -> List[str]:
        """The sources, as often as they were compiled."""
        return sorted(path.name.rpartition("-")[0] for path in self.compiles.iterdir()
                      if not path.name.startswith("."))  # fmt: skip

    def expected(self) -> List[str]:
        return sorted(["_tiny.c", *(name.partition("/")[2] for name in self.names)])

    def alone(self) -> bool:
        return (self.compiles / ".alone").exists()


@pytest.fixture
def project(workshop: Workshop, tmp_path: Path) -> Project:
    return Project(workshop, tmp_path)


@pytest.mark.parametrize(
    ("name", "setuptools"),
    [
        ("3.8", "setuptools==42.0.2"),
        pytest.param("3.9", "setuptools==59.8.0", marks=pytest.mark.slow),
        ("3.10", "setuptools==65.7.0"),
        pytest.param("3.11", "setuptools==72.1.0", marks=pytest.mark.slow),
        pytest.param("3.12", "setuptools==75.8.2", marks=pytest.mark.slow),
        ("3.12", "setuptools==80.9.0"),
        ("3.13", "setuptools"),
    ],
)
def test_each_file_is_compiled_once_and_beside_others(
    name: str,
    setuptools: str,
    project: Project,
    interpreter: Callable[[str], Interpreter],
    tmp_path: Path,
    out: Path,
) -> None:
    text = projects.pyproject([setuptools, "wheel"])
    (project.directory / "pyproject.toml").write_text(text)
    python = interpreter(name).path
    built = project.build(out, python, TALK="yes").passed()
    assert project.compiled() == project.expected()
    assert not project.alone()
    said = [line.split()[-3] for line in built.output.splitlines() if " says " in line]
    assert len(said) == 200 * (PARTS + 1)
    assert sum(one != other for one, other in zip(said, said[1:])) == PARTS, "lines are mixed"
    wheel = wheels.only_wheel(out)
    printed = project.workshop.try_wheel(
        wheel, tmp_path / "fresh", projects.TINY_USE, python=python
    )
    assert printed == projects.TINY_PRINTS


def test_one_job_compiles_one_file_after_the_other(project: Project, out: Path) -> None:
    for name in project.names:
        project.part(name, "/* SLOW */ int x;\n".replace("x", Path(name).stem))
    environment = {"MANYLINUX_SHIM_JOBS": "1", "TOGETHER": "1", "SLOW": "0"}
    project.build(out, **environment).passed()
    assert project.compiled() == project.expected()


MIXED = """\
from setuptools.command.build_ext import build_ext

class mixed(build_ext):
    def build_extensions(self):
        original = self.compiler._compile
        plain = self.compiler.compiler_so

        def compile(obj, src, ext, cc_args, extra_postargs, pp_opts):
            # Not taken back when the original raises, as in many projects.
            self.compiler.compiler_so = [*plain, "-DPART" if "part" in src else "-DWHOLE"]
            extra_postargs.append("-std=c++17" if src.endswith(".cpp") else "-std=c11")
            original(obj, src, ext, cc_args, extra_postargs, pp_opts)
            self.compiler.compiler_so = plain
            with open(obj, "rb") as file, open("made", "a") as made:
                made.write(f"{src} {file.read(4)[1:].decode()}\\n")

        self.compiler._compile = compile
        build_ext.build_extensions(self)
"""


def test_flags_for_each_file_of_a_project_of_two_languages_are_its_own(
    project: Project, out: Path
) -> None:
    project.names.append("tiny/plus.cpp")
    project.part("tiny/plus.cpp", 'extern "C" int plus() { return [](auto x) { return x; }(1); }')
    project.setup(MIXED, '    cmdclass={"build_ext": mixed},\n')
    project.build(out).passed()
    assert project.compiled() == project.expected()
    assert not project.alone()
    for path in project.compiles.iterdir():
        words = path.read_text().split("\n")
        standards = [word for word in words if word.startswith("-std=")]
        assert standards[-1] == ("-std=c++17" if ".cpp" in path.name else "-std=c11")
        if ".cpp" not in path.name:  # for which newer ones have another attribute
            assert ("-DPART" in words) == ("part" in path.name)
            assert ("-DWHOLE" in words) == ("part" not in path.name)
    made = (project.directory / "made").read_text().splitlines()
    assert made == [f"{name} ELF" for name in sorted(["tiny/_tiny.c", *project.names])]


RETRIES = """\
from distutils.errors import CompileError
from distutils.unixccompiler import UnixCCompiler

original = UnixCCompiler._compile

def compile(self, obj, src, ext, cc_args, extra_postargs, pp_opts):
    try:
        original(self, obj, src, ext, cc_args, ["-DFIRST"], pp_opts)
    except CompileError:
        original(self, obj, src, ext, cc_args, [], pp_opts)

UnixCCompiler._compile = compile
"""


def test_a_project_that_tries_other_flags_after_a_failure_gets_its_second_try(
    project: Project, out: Path
) -> None:
    project.part(project.names[2], "#ifdef FIRST\n#error first\n#endif\nint x;\n")
    project.setup(RETRIES)
    project.build(out).passed()
    assert project.compiled() == sorted([*project.expected(), "part2.c"])
    assert not project.alone()


OWN = """\
from setuptools.command.build_ext import build_ext
import subprocess

class own(build_ext):
    def build_extensions(self):
        self.compiler.spawn = self.compiler.call = subprocess.check_call
        build_ext.build_extensions(self)
"""


def test_a_project_that_runs_commands_itself_is_left_alone(project: Project, out: Path) -> None:
    project.setup(OWN, '    cmdclass={"build_ext": own},\n')
    project.build(out, TOGETHER="1").passed()
    assert project.compiled() == project.expected()


def test_the_error_is_the_first_files_however_late_it_comes(project: Project, out: Path) -> None:
    project.part(project.names[1], "/* SLOW */\n#error this one\n")
    project.part(project.names[3], "#error not this one\n")
    built = project.build(out, SLOW="1.5")
    assert not built.ok
    assert "this one" in built.output
    assert "not this one" not in built.output
    assert re.search(r"^error: .* exit (code|status) 1\b", built.output, re.MULTILINE)
    assert not list(out.glob("*.whl"))


def test_a_compiler_that_was_killed_is_given_another_try(project: Project, out: Path) -> None:
    project.part(project.names[1], "/* KILLED */ int x;\n")
    project.build(out).passed()
    assert project.compiled() == sorted([*project.expected(), "part1.c"])


@pytest.mark.parametrize("mode", ["zig", "relink"])
def test_the_wheel_is_the_same_with_any_number_of_jobs(
    mode: str, project: Project, tmp_path: Path
) -> None:
    made = []
    for jobs in ("1", "2", "7"):
        environment = {"SOURCE_DATE_EPOCH": "1600000000", "MANYLINUX_SHIM_JOBS": jobs}
        out = tmp_path / jobs
        project.workshop.build(
            UV_BUILD_WHEEL,
            project.directory,
            out,
            settings={"mode": mode},
            environment=environment,
        ).passed()
        made.append(wheels.only_wheel(out).read_bytes())
    assert made[1:] == made[:1] * 2


def test_a_number_of_jobs_that_is_none_is_an_error_that_says_so(
    project: Project, out: Path
) -> None:
    built = project.build(out, MANYLINUX_SHIM_JOBS="many")
    assert not built.ok
    assert "error: MANYLINUX_SHIM_JOBS is 'many'" in built.output
    assert "Traceback" not in built.output
    assert project.compiled() == []


SHARES = """\
import os
names = ("MANYLINUX_SHIM_JOBS", "CARGO_BUILD_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL")
print("shares", *map(os.environ.get, names))
"""


def test_builds_that_run_at_once_share_the_compilers_that_may(
    project: Project, tmp_path: Path
) -> None:
    project.setup(SHARES)
    environment = {**project.environment(TOGETHER="1"), "MANYLINUX_SHIM_JOBS": "7"}
    here = project.workshop.build(
        UV_BUILD_WHEEL,
        project.directory,
        tmp_path / "one",
        environment={**environment, "CARGO_BUILD_JOBS": "5"},
    ).passed()
    assert "shares 7 5 7" in here.output.splitlines()
    builder = project.workshop.venv(
        tmp_path / "builder", ["manylinux-shim[cli]", "setuptools", "uv", "pip"]
    )
    command = [str(builder), "-m", "manylinux_shim.cli", "build", str(project.directory)]
    command += ["--python", "3.10,3.11,3.12", "--jobs", "2", "--logs", "logs", "-o", "out"]
    project.workshop.run(command, tmp_path, environment).passed()
    logs = [path.read_text().splitlines() for path in (tmp_path / "logs").iterdir()]
    assert len(logs) == 3
    assert all("shares 3 3 3" in log for log in logs)
    # Our own compilers wait for each other's, so that each build may have them all.
    ours = {name: value for name, value in environment.items() if name not in ("CC", "CXX")}
    shutil.rmtree(tmp_path / "logs")
    project.workshop.run(command, tmp_path, ours).passed()
    logs = [path.read_text().splitlines() for path in (tmp_path / "logs").iterdir()]
    assert len(logs) == 3
    assert all("shares 3 3 7" in log for log in logs)


@pytest.mark.parametrize(
    ("whom", "how"),
    [
        ("child", signal.SIGTERM),
        ("child", signal.SIGINT),
        ("parent", signal.SIGKILL),
        ("all", signal.SIGINT),
    ],
)
def test_when_a_build_is_ended_its_compilers_end(
    whom: str, how: signal.Signals, project: Project, stocked: Path, out: Path
) -> None:
    for name in project.names:
        project.part(name, "/* SLOW */ int x;\n".replace("x", Path(name).stem))
    command = UV_BUILD_HERE.arguments(stocked, project.directory, out, {})
    process = subprocess.Popen(
        command,
        cwd=project.directory,
        env=project.workshop.environment(project.environment(SLOW="300", TOGETHER="1")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # A shell that runs the tests in the background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        until(lambda: len(project.compiled()) >= 4)
        below = descendants(process.pid)
        child = next(pid for pid in below if "_in_child.py" in command_line(pid))
        compilers = descendants(child)
        assert len(compilers) >= 3
        if whom == "all":
            os.killpg(process.pid, how)
        elif whom == "child":
            os.kill(child, how)
        else:
            os.kill(parent_of(child), how)
        process.wait(30)
        until(lambda: not [pid for pid in [child, *compilers] if command_line(pid)])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not list(out.glob("*.whl"))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it does not come to be so"
        time.sleep(0.05)


def command_line(pid: int) -> str:
    """Empty for a process that is no more, or only waits to be counted."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
    except OSError:
        return ""


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
