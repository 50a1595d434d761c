"""The same tree gives the same bytes, wherever it lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Dict

import pytest
from support import projects, wheels
from support.interpreters import DEBIAN, Interpreter
from support.workshop import UV_BUILD_HERE, UV_BUILD_WHEEL, Workshop

EPOCH = {"SOURCE_DATE_EPOCH": "1600000000"}
DIRECTORIES = ("a", "a-much-longer/name of a directory")


@pytest.mark.parametrize("strip", ["true", "false"])
@pytest.mark.parametrize("epoch", [EPOCH, {}], ids=["SOURCE_DATE_EPOCH", "no SOURCE_DATE_EPOCH"])
def test_c_extension_is_the_same_from_two_directories(
    strip: str, epoch: Dict[str, str], workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    built = []
    for name in DIRECTORIES:
        project = projects.tiny(tmp_path / name / "project", settings=f"strip = {strip}")
        out = tmp_path / name / "out"
        workshop.build(
            UV_BUILD_HERE, project, out, python=stocked, environment={**epoch, "CFLAGS": "-g -O2"}
        ).passed()
        built.append(wheels.only_wheel(out))
    assert wheels.read(built[0]) == wheels.read(built[1])
    if epoch:  # without it, setuptools writes the time of day into the archive
        assert built[0].read_bytes() == built[1].read_bytes()


@pytest.mark.parametrize("name", ["3.8", DEBIAN])
def test_two_isolated_builds_on_this_python_are_the_same_whatever_the_umask(
    name: str, workshop: Workshop, interpreter: Callable[[str], Interpreter], tmp_path: Path
) -> None:
    python = interpreter(name)
    built = []
    for directory, mask in zip(DIRECTORIES, (0o022, 0o077)):
        before = os.umask(mask)
        try:
            project = projects.tiny(tmp_path / directory / "project")
            out = tmp_path / directory / "out"
            said = workshop.build(
                UV_BUILD_WHEEL, project, out, python=python.path, environment=EPOCH
            )
        finally:
            os.umask(before)
        said.passed()
        built.append(wheels.only_wheel(out).read_bytes())
    assert built[0] == built[1]


CMAKE = """
cmake_minimum_required(VERSION 3.17...4.1)
project(tiny LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
python_add_library(_tiny MODULE WITH_SOABI tiny/_tiny.c)
install(TARGETS _tiny DESTINATION tiny)
"""


@pytest.mark.parametrize("target", ["", "aarch64"])
def test_cmake_strips_by_no_program_of_this_machine(
    target: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    """One leaves .comment and another does not, and a third is not there."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name in ("strip", "llvm-strip", "aarch64-linux-gnu-strip"):
        (bin_ / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/called'\n")
        (bin_ / name).chmod(0o755)
    project = projects.tiny(
        tmp_path / "project", ["scikit-build-core"], backend="scikit_build_core.build"
    )
    named = '[project]\nname = "tiny"\nversion = "1.0"\n'
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(named)
    projects.write(project, {"CMakeLists.txt": CMAKE})
    environment = {"PATH": os.pathsep.join([str(bin_), os.environ["PATH"]])}
    settings = {"target": target} if target else {}
    workshop.build(
        UV_BUILD_WHEEL, project, out, settings=settings, environment=environment
    ).passed()
    assert not (tmp_path / "called").exists()
    (extension,) = wheels.elf_members(wheels.only_wheel(out)).values()
    assert b"Linker: LLD" in extension
    assert b"\0.symtab\0" not in extension


@pytest.mark.parametrize("sample", ["setuptools_cpp", "maturin_bin"])
def test_sample_is_the_same_from_two_directories(
    sample: str, workshop: Workshop, tmp_path: Path
) -> None:
    # maturin's list of components names the directory it was built in, unless told not to.
    sbom = "\n[tool.maturin.sbom]\nrust = false\n" if sample.startswith("maturin") else ""
    built = []
    for directory in DIRECTORIES:
        project = projects.copy_sample(sample, tmp_path / directory / "project")
        with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(sbom)
        out = tmp_path / directory / "out"
        workshop.build(UV_BUILD_WHEEL, project, out, environment=EPOCH).passed()
        built.append(wheels.only_wheel(out).read_bytes())
    assert built[0] == built[1]


@pytest.mark.parametrize(
    "sample",
    [
        "setuptools_c",
        "setuptools_cpp",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("scikit_build_core", "meson_python")
        ),
    ],
)
def test_sample_is_the_same_whichever_python_builds(
    sample: str, workshop: Workshop, interpreter: Callable[[str], Interpreter], tmp_path: Path
) -> None:
    debians = interpreter(DEBIAN)
    others = interpreter(f"3.{debians.minor}")
    built = []
    for name, python in (("debian's", debians), ("another", others)):
        project = projects.copy_sample(sample, tmp_path / name / "project")
        out = tmp_path / name / "out"
        workshop.build(UV_BUILD_WHEEL, project, out, python=python.path, environment=EPOCH).passed()
        built.append(wheels.only_wheel(out))
    assert built[0].name == built[1].name
    assert built[0].read_bytes() == built[1].read_bytes()
