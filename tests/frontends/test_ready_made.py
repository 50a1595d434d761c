"""Files linked before the build, or beside it: changed where that was asked for, or named."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Dict, Tuple

import pytest
from support import projects, wheels
from support.machine import lacking
from support.workshop import ERROR, UV_BUILD_HERE, UV_BUILD_WHEEL, Workshop, contents

from manylinux_shim.project import has_ready_made

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler of this machine")

PROGRAM = '#include <stdio.h>\nint main(void) { return puts("ready") < 0; }\n'

USE = (
    "import subprocess, tool, pathlib; path = pathlib.Path(tool.__file__).parent / 'bin/ready';"
    " path.chmod(0o755); print(subprocess.check_output([path], text=True), end='')"
)

_PROJECT = """
[project]
name = "tool"
version = "1.0"
description = "A program that somebody has made"
requires-python = ">=3.8"
"""
_SETUPTOOLS = """
[tool.setuptools]
packages = ["tool"]
package-data = { tool = ["bin/*"] }
"""
BACKENDS: Dict[str, Tuple[str, str]] = {
    "hatchling": ("hatchling.build", ""),
    "setuptools": ("setuptools.build_meta", _SETUPTOOLS),
}


def made(
    directory: Path,
    requires: str,
    backend: str,
    tables: str,
    settings: str = "",
    source: str = PROGRAM,
    *libraries: str,
) -> Path:
    """A project whose tree has a program that needs this machine's glibc."""
    files = {
        "pyproject.toml": projects.pyproject([requires], backend, settings) + _PROJECT + tables,
        "tool/__init__.py": '"""A program."""\n',
        "program.c": source,
    }
    project = projects.write(directory, files)
    (project / "tool" / "bin").mkdir()
    command = ["gcc", "program.c", "-o", "tool/bin/ready", *libraries]
    subprocess.run(command, cwd=project, check=True)
    (project / "program.c").unlink()
    return project


@pytest.mark.parametrize("name", BACKENDS)
def test_program_in_the_tree_is_linked_again(
    name: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    backend, tables = BACKENDS[name]
    project = made(tmp_path / "project", name, backend, tables, 'mode = "relink"')
    workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"tool-1.0-py3-none-{wheels.lowest_tags()}.whl"
    wheels.check_manylinux(wheel)
    assert workshop.try_wheel(wheel, tmp_path / "fresh", USE) == "ready\n"


USES_LZ4 = """\
#include <lz4.h>
#include <stdio.h>
int main(void) { return printf("%s\\n", LZ4_versionNumber() > 10000 ? "ready" : "old") < 0; }
"""


@pytest.mark.parametrize("name", BACKENDS)
def test_program_in_the_tree_is_repaired_with_the_library_that_it_needs(
    name: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    if not Path("/usr/include/lz4.h").exists():
        lacking("header of lz4")
    backend, tables = BACKENDS[name]
    settings = "repair = true"
    project = made(tmp_path / "project", name, backend, tables, settings, USES_LZ4, "-llz4")
    workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    assert [n for n in wheels.elf_members(wheel) if n.startswith("tool.libs/liblz4-")]
    assert workshop.try_wheel(wheel, tmp_path / "fresh", USE) == "ready\n"


NOT_OURS = "This build's compiler has not linked it, which links for glibc 2.17: call the one that"


def test_program_in_the_tree_is_not_said_to_want_the_mode_that_is_on(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = made(tmp_path / "project", "hatchling", *BACKENDS["hatchling"])
    failed = workshop.build(UV_BUILD_WHEEL, project, out)
    assert not failed.ok
    assert NOT_OURS in " ".join(failed.output.split())
    assert '(mode = "zig")' not in failed.output
    assert [name for name in contents(out) if name != ".gitignore"] == []


def test_extension_that_another_compiler_made_is_told_of_ours(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    text = (project / "setup.py").read_text()
    own = 'import os, sysconfig\nos.environ["CC"] = "gcc"\nos.environ["LDSHARED"] = "gcc -shared"\n'
    (project / "setup.py").write_text(own + text)
    source = projects.TINY_C.replace("<unistd.h>", "<unistd.h>\n#include <sys/stat.h>")
    source = source.replace("assert(getpid() > 0);", 'struct stat s; if (stat("/", &s)) return 0;')
    projects.write(project, {"tiny/_tiny.c": source})
    failed = workshop.build(UV_BUILD_HERE, project, out, python=stocked)
    assert not failed.ok
    assert failed.lines(ERROR)
    assert NOT_OURS in " ".join(failed.output.split())


def test_what_is_ready_made(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    shutil.copy("/bin/true", tmp_path / "build" / "true")
    (tmp_path / "object.o").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x01\x00")
    (tmp_path / "text").write_text("ELF")
    assert not has_ready_made(tmp_path)
    shutil.copy("/bin/true", tmp_path / "true")
    assert has_ready_made(tmp_path)
