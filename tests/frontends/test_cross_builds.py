"""Builds for a target that this machine cannot run: what they refuse, and how they say it."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Dict, Tuple

import pytest
from support import projects, wheels
from support.hooks import Hooks
from support.workshop import (
    ERROR,
    PIP_EDITABLE,
    PIP_WHEEL_HERE,
    UV_BUILD_HERE,
    UV_BUILD_WHEEL,
    UV_EDITABLE,
    Frontend,
    Outcome,
    Workshop,
    contents,
)

AARCH64 = {"target": "aarch64"}


def refused(outcome: Outcome, out: Path, *says: str) -> str:
    """Assert that the build ended with one error that says all of ``says``; the error."""
    assert outcome.code != 0
    assert len(outcome.lines(ERROR)) == 1, outcome.output
    message = re.sub(r"\s+", " ", outcome.output[outcome.output.index(ERROR) :])
    for part in says:
        assert part in message, outcome.output
    assert [name for name in contents(out) if name != ".gitignore"] == []
    return message


# --- what is made for the target cannot run here -------------------------------------

CMAKE_SETUP = """\
import os
import subprocess
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class CMakeBuild(build_ext):
    def build_extension(self, extension):
        where = Path(self.get_ext_fullpath(extension.name)).resolve()
        Path(self.build_temp).mkdir(parents=True, exist_ok=True)
        configure = ["cmake", os.getcwd(), f"-DOUTPUT={where}", *os.environ["ANSWERS"].split()]
        subprocess.run(configure, cwd=self.build_temp, check=True)
        subprocess.run(["cmake", "--build", "."], cwd=self.build_temp, check=True)


setup(
    name="asks",
    version="1.0",
    ext_modules=[Extension("asks", [])],
    cmdclass={"build_ext": CMakeBuild},
)
"""

CMAKE_LISTS = """\
cmake_minimum_required(VERSION 3.15)
project(asks C)
%s
get_filename_component(directory "${OUTPUT}" DIRECTORY)
get_filename_component(name "${OUTPUT}" NAME)
add_library(asks MODULE asks.c)
target_compile_definitions(asks PRIVATE ANSWER=${ANSWER})
set_target_properties(asks PROPERTIES
  PREFIX "" SUFFIX "" OUTPUT_NAME "${name}" LIBRARY_OUTPUT_DIRECTORY "${directory}")
"""
ASKS_C = "int answer_is(void) { return ANSWER; }\n"

CHECK_RUNS = """\
include(CheckCSourceRuns)
check_c_source_runs("int main(void) { return 0; }" SHIFTS_ARE_ARITHMETIC)
if(SHIFTS_ARE_ARITHMETIC)
  set(ANSWER 1)
else()
  set(ANSWER 2)
endif()
"""
TRY_RUN = """\
file(WRITE "${CMAKE_BINARY_DIR}/page.c" "int main(void) { return 4; }")
try_run(PAGE_RESULT PAGE_COMPILED "${CMAKE_BINARY_DIR}" "${CMAKE_BINARY_DIR}/page.c")
set(ANSWER "${PAGE_RESULT}")
"""


def asks(directory: Path, question: str) -> Path:
    text = projects.pyproject(["setuptools", "cmake", "ninja"])
    files = {"setup.py": CMAKE_SETUP, "CMakeLists.txt": CMAKE_LISTS % question, "asks.c": ASKS_C}
    return projects.write(directory, {**files, "pyproject.toml": text})


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        (CHECK_RUNS, "-DSHIFTS_ARE_ARITHMETIC=1"),
        (TRY_RUN, "-DCMAKE_CROSSCOMPILING_EMULATOR= -DPAGE_RESULT=4"),
    ],
    ids=["check_c_source_runs", "try_run"],
)
def test_try_run_of_cmake_is_an_error_that_names_the_setting_and_the_setting_helps(
    question: str, answers: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = asks(tmp_path / "project", question)
    outcome = workshop.build(
        UV_BUILD_WHEEL, project, out, settings=AARCH64, environment={"ANSWERS": ""}
    )
    refused(outcome, out, "is for aarch64", "no program that it makes can run here", "CMake's -D")
    assert "built for aarch64 and cannot run here" in outcome.output
    assert "tell CMake the answer" in outcome.output
    assert "-DCMAKE_CROSSCOMPILING_EMULATOR=" in outcome.output
    outcome = workshop.build(
        UV_BUILD_WHEEL, project, out, settings=AARCH64, environment={"ANSWERS": answers}
    ).passed()
    assert wheels.only_wheel(out).name.endswith("_aarch64.whl")


def test_cmake_itself_names_the_variables_that_try_run_wants(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = asks(tmp_path / "project", TRY_RUN)
    without = {"ANSWERS": "-DCMAKE_CROSSCOMPILING_EMULATOR="}
    outcome = workshop.build(UV_BUILD_WHEEL, project, out, settings=AARCH64, environment=without)
    refused(outcome, out, "CMake's -D")
    assert "PAGE_RESULT (advanced)" in outcome.output


HELPER_SETUP = """\
import subprocess
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class Generates(build_ext):
    def build_extensions(self):
        objects = self.compiler.compile(["generate.c"], output_dir=self.build_temp)
        self.compiler.link_executable(objects, "generate", output_dir=self.build_temp)
        table = subprocess.run([f"{self.build_temp}/generate"], stdout=subprocess.PIPE, check=True)
        Path("table.h").write_bytes(table.stdout)
        super().build_extensions()


setup(
    name="tiny",
    version="1.0",
    packages=["tiny"],
    ext_modules=[Extension("tiny._tiny", ["tiny/_tiny.c"])],
    cmdclass={"build_ext": Generates},
)
"""
HELPER_C = '#include <stdio.h>\nint main(void) { puts("#define TABLE 1"); return 0; }\n'


def test_helper_that_the_build_has_just_compiled_is_an_error_that_says_why(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    projects.write(project, {"setup.py": HELPER_SETUP, "generate.c": HELPER_C})
    outcome = workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, settings={"target": "s390x"}
    )
    refused(
        outcome, out, "is for s390x", "no program that it makes can run here", "Exec format error"
    )
    assert "Exec format error: " in outcome.output  # what the kernel said to the project
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()  # here it can


# --- settings that do not fit --------------------------------------------------------


@pytest.mark.parametrize("frontend", [UV_BUILD_HERE, PIP_WHEEL_HERE], ids=str)
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"target": "vax"}, ("'vax'", "aarch64")),
        ({"target": "aarch64", "policy": "manylinux1"}, ("manylinux1", "aarch64", "2_17")),
        ({"target": "riscv64", "policy": "manylinux2014"}, ("manylinux2014", "manylinux_2_31")),
        ({"target": "aarch64,s390x"}, ("unknown target 'aarch64,s390x'", "Known targets")),
    ],
    ids=["unknown", "manylinux1", "riscv64", "two"],
)
def test_target_that_cannot_be_had_is_one_clear_error(
    settings: Dict[str, str],
    says: Tuple[str, ...],
    frontend: Frontend,
    workshop: Workshop,
    stocked: Path,
    tmp_path: Path,
    out: Path,
) -> None:
    project = projects.tiny(tmp_path / "project")
    outcome = workshop.build(frontend, project, out, python=stocked, settings=settings)
    refused(outcome, out, *says)
    assert "Traceback" not in outcome.output


def test_two_targets_in_one_hook_call_are_one_clear_error(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    hooks = Hooks(workshop, stocked, project)
    for given in (["aarch64", "s390x"], "aarch64 s390x"):
        for hook in ("get_requires_for_build_wheel", "build_wheel"):
            arguments = [] if hook.startswith("get") else [str(out)]
            with pytest.raises(Exception, match="non-zero exit status 1"):
                getattr(hooks.call, hook)(*arguments, config_settings={"target": given})
            refused(hooks.outcomes[-1], out, "target")


def test_loongarch64_is_built_with_a_notice_that_pypi_does_not_take_it(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    settings = {"target": "loongarch64"}
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked, settings=settings)
    assert [line for line in outcome.passed().lines() if "PyPI does not take" in line]
    assert wheels.only_wheel(out).name.endswith("-manylinux_2_36_loongarch64.whl")


@pytest.mark.parametrize("frontend", [PIP_EDITABLE, UV_EDITABLE], ids=str)
@pytest.mark.parametrize("name", ["MANYLINUX_SHIM_TARGET", "target"])
def test_editable_install_for_a_target_is_refused(
    name: str, frontend: Frontend, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    python = workshop.venv(tmp_path / "venv", ["pip"])
    environment = {name: "aarch64"} if name.isupper() else {}
    settings = {} if environment else AARCH64
    outcome = workshop.build(
        frontend, project, out, python=python, settings=settings, environment=environment
    )
    refused(outcome, out, "editable install runs on this machine", "target")


# --- Rust --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "triple"),
    [
        ({"target": "s390x"}, "s390x-unknown-linux-gnu"),
        ({"target": "aarch64", "policy": "musllinux_1_2"}, "aarch64-unknown-linux-musl"),
        ({"policy": "musllinux_1_2"}, f"{platform.machine()}-unknown-linux-musl"),
    ],
    ids=["s390x", "aarch64 musl", "musl"],
)
def test_missing_rust_target_is_an_error_before_the_build_with_the_command_that_adds_it(
    settings: Dict[str, str], triple: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.copy_sample("maturin_bin", tmp_path / "project")
    outcome = workshop.build(UV_BUILD_WHEEL, project, out, settings=settings)
    message = refused(outcome, out, f"Rust's standard library for {triple} is not installed")
    assert re.search(rf"rustup target add (--toolchain \S+ )?{triple}", message)
    assert "Compiling" not in outcome.output
    assert not (project / "target").exists()
