"""Extensions of a project are built side by side where their order cannot matter."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Callable, Dict, List, Optional

import pytest
from support import projects, wheels
from support.interpreters import Interpreter
from support.workshop import UV_BUILD_HERE, UV_BUILD_WHEEL, Outcome, Workshop

from manylinux_shim._processes import descendants
from manylinux_shim.side_by_side._extensions import largest_first

COMPILER = """\
#!{python}
import os, sys, time
from pathlib import Path

words = sys.argv[1:]
log = Path(os.environ["COMPILES"])
at_once = log / "at-once"
name = Path(words[words.index("-o") + 1]).name
running = log / "running"
(running / name).touch()
with (log / "calls").open("a") as calls:
    calls.write(("compile" if "-c" in words else "link") + " " + name + "\\n")
others = lambda: len(list(running.iterdir())) > 1
end = time.monotonic() + float(os.environ["WAIT"])
while not others() and "-c" in words and time.monotonic() < end:
    time.sleep(0.01)
with at_once.open("a") as file:
    file.write(str(len(list(running.iterdir()))) + "\\n")
for number in range(100):
    print(name, "says", number, file=sys.stderr, flush=True)
status = os.spawnvp(os.P_WAIT, "gcc", ["gcc", *words])
(running / name).unlink()
sys.exit(status)
"""
"""A compiler that waits until another runs, for so many seconds, and counts those that do."""

SETUP = """\
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

extensions = [Extension(f"many.m{{n}}", [f"many/m{{n}}.c"]) for n in range({count})]
cmdclass = {{}}
{own}
setup(name="many", version="1.0", packages=["many"], ext_modules=extensions, cmdclass=cmdclass)
"""

MODULE = """\
#include <Python.h>
static struct PyModuleDef definition = {{ PyModuleDef_HEAD_INIT, "m{n}", NULL, 0, NULL }};
PyMODINIT_FUNC PyInit_m{n}(void) {{ return PyModule_Create(&definition); }}
"""

COUNT = 4
USE = "from many import " + ", ".join(f"m{n}" for n in range(COUNT)) + "; print(m0.__name__)"


class Project:
    def __init__(self, workshop: Workshop, directory: Path) -> None:
        self.workshop = workshop
        self.log = directory / "log"
        (self.log / "running").mkdir(parents=True)
        self.compiler = directory / "compiler"
        self.compiler.write_text(COMPILER.format(python=sys.executable))
        self.compiler.chmod(0o755)
        files = {f"many/m{n}.c": MODULE.format(n=n) for n in range(COUNT)}
        files["many/__init__.py"] = ""
        files["pyproject.toml"] = projects.pyproject(["setuptools", "wheel"])
        self.directory = projects.write(directory / "project", files)
        self.setup()

    def setup(self, own: str = "") -> None:
        (self.directory / "setup.py").write_text(SETUP.format(own=own, count=COUNT))

    def environment(self, wait: float, **more: str) -> Dict[str, str]:
        return {
            "CC": str(self.compiler),
            "LDSHARED": f"{self.compiler} -shared",
            "COMPILES": str(self.log),
            "MANYLINUX_SHIM_JOBS": "3",
            "WAIT": str(wait),
            **more,
        }

    def build(
        self, out: Path, python: Optional[Path] = None, wait: float = 20, **more: str
    ) -> Outcome:
        environment = self.environment(wait, **more)
        return self.workshop.build(
            UV_BUILD_WHEEL, self.directory, out, python=python, environment=environment
        )

    def calls(self) -> List[str]:
        return (self.log / "calls").read_text().splitlines()

    def most_at_once(self) -> int:
        return max(map(int, (self.log / "at-once").read_text().split()))


@pytest.fixture
def project(workshop: Workshop, tmp_path: Path) -> Project:
    return Project(workshop, tmp_path)


@pytest.mark.parametrize(
    ("name", "setuptools"),
    [
        ("3.8", "setuptools==42.0.2"),
        ("3.10", "setuptools==65.7.0"),
        ("3.12", "setuptools==75.8.2"),
        ("3.13", "setuptools"),
    ],
)
def test_extensions_are_built_side_by_side_and_each_command_runs_once(
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
    built = project.build(out, python).passed()
    calls = project.calls()
    assert len(calls) == len(set(calls)) == 2 * COUNT
    assert 2 <= project.most_at_once() <= 3
    said = [line.split()[-3] for line in built.output.splitlines() if " says " in line]
    assert len(said) == 100 * 2 * COUNT
    assert sum(one != other for one, other in zip(said, said[1:])) == 2 * COUNT - 1, "mixed"
    begun = re.findall(r"building '(.*)' extension", built.output)
    assert begun == [f"many.m{number}" for number in range(COUNT)]
    wheel = wheels.only_wheel(out)
    printed = project.workshop.try_wheel(wheel, tmp_path / "fresh", USE, python=python)
    assert printed == "many.m0\n"


OWN_METHOD = """\
class own(build_ext):
    def build_extension(self, ext):
        build_ext.build_extension(self, ext)
cmdclass["build_ext"] = own
"""
SAME_OBJECT = """\
for extension in extensions[1:]:
    extension.sources.append("many/m0.c")
"""
NOT_THERE_YET = """\
extensions[1].depends.append("made/by/another.h")
"""
DECIDED = """\
class own(build_ext):
    def finalize_options(self):
        build_ext.finalize_options(self)
        self.parallel = 1
cmdclass["build_ext"] = own
"""


@pytest.mark.parametrize("own", [OWN_METHOD, NOT_THERE_YET, DECIDED])
def test_one_after_the_other_where_the_order_may_matter(
    own: str, project: Project, out: Path
) -> None:
    project.setup(own)
    project.build(out, wait=0.1).passed()
    assert project.most_at_once() == 1
    expected = [c for n in range(COUNT) for c in (f"compile m{n}.o", "link")]
    assert [c if c.endswith(".o") else "link" for c in project.calls()] == expected


def test_extensions_that_compile_the_same_file_are_built_one_after_the_other(
    project: Project, out: Path
) -> None:
    project.setup(SAME_OBJECT)
    project.build(out, wait=0.5).passed()
    calls = [c for c in project.calls() if c != "compile m0.o"]
    expected = [c for n in range(COUNT) for c in (f"compile m{n}.o", "link")]
    assert [c if c.endswith(".o") else "link" for c in calls] == expected[1:]


NUMBER_OF_THE_PROJECT = """\
class own(build_ext):
    def finalize_options(self):
        build_ext.finalize_options(self)
        self.parallel = 4
cmdclass["build_ext"] = own
"""


def test_a_number_that_the_project_has_set_wins(project: Project, out: Path) -> None:
    project.setup(NUMBER_OF_THE_PROJECT)
    project.build(out, MANYLINUX_SHIM_JOBS="2").passed()
    assert project.most_at_once() >= 2
    assert len(project.calls()) == 2 * COUNT


OPTIONAL = """\
extensions[1].optional = True
"""


def test_an_extension_that_may_fail_fails_alone(project: Project, out: Path) -> None:
    (project.directory / "many/m1.c").write_text("#error not here\n")
    project.setup(OPTIONAL)
    built = project.build(out).passed()
    assert "the optional extension many.m1 failed" in built.output
    names = wheels.elf_members(wheels.only_wheel(out))
    assert len(names) == COUNT - 1


def test_the_largest_begins_first_unless_two_make_the_same_file(tmp_path: Path) -> None:
    for name, size in (("a", 10), ("b", 30), ("c", 20), ("d", 30)):
        (tmp_path / f"{name}.c").write_text("/" * size)

    def order(*sources: str) -> List[int]:
        extensions = [
            SimpleNamespace(
                name=f"m{n}", sources=[str(tmp_path / source) for source in words.split()]
            )
            for n, words in enumerate(sources)
        ]
        command = SimpleNamespace(extensions=extensions, get_ext_fullpath=lambda name: name)
        return [place for place, _ in largest_first(command)]

    assert order("a.c", "b.c", "c.c", "d.c") == [1, 3, 2, 0]
    assert order("a.c c.c", "b.c") == [0, 1]  # 30 each
    assert order("a.c", "not_there_yet.c", "c.c") == [2, 0, 1]
    assert order("a.c", "b.c", "c.c", "b.c") == [0, 1, 2, 3]


def test_the_error_is_the_first_extensions(project: Project, out: Path) -> None:
    (project.directory / "many/m1.c").write_text("#error this one\n" + "#include <Python.h>\n" * 9)
    (project.directory / "many/m2.c").write_text("#error another\n")
    built = project.build(out)
    assert not built.ok
    lines = [line for line in built.output.splitlines() if line.startswith("error: ")]
    assert "m1.o" in lines[0] or "exit code 1" in lines[0]
    assert not any("m2.o" in line for line in lines)
    assert not list(out.glob("*.whl"))


def test_interrupted_extensions_leave_no_compiler(
    project: Project, stocked: Path, out: Path
) -> None:
    command = UV_BUILD_HERE.arguments(stocked, project.directory, out, {})
    environment = project.environment(300, MANYLINUX_SHIM_JOBS="2")
    script = project.compiler.read_text().replace("> 1", "> 9")
    project.compiler.write_text(script)
    process = subprocess.Popen(
        command,
        cwd=project.directory,
        env=project.workshop.environment(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # A shell that runs the tests in the background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + 60
    while len(list((project.log / "running").iterdir())) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    below = descendants(process.pid)
    child = next(p for p in below if b"_in_child.py" in Path(f"/proc/{p}/cmdline").read_bytes())
    os.kill(child, signal.SIGINT)
    process.wait(30)
    while any(Path(f"/proc/{p}").exists() for p in below):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not list(out.glob("*.whl"))
