"""Projects that use what is newer than the target's glibc: their own checks find it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import projects, sboms, wheels
from support.workshop import UV_BUILD_HERE, UV_BUILD_WHEEL, Workshop

FUNCTIONS = {
    "getrandom": "sys/random.h",
    "explicit_bzero": "string.h",
    "strlcpy": "string.h",
    "reallocarray": "stdlib.h",
    "arc4random": "stdlib.h",
    "memfd_create": "sys/mman.h",
    "statx": "sys/stat.h",
    "copy_file_range": "unistd.h",
    "thrd_create": "threads.h",
}

_CMAKE = """\
cmake_minimum_required(VERSION 3.17...4.1)
project(tiny LANGUAGES C)
include(CheckFunctionExists)
include(CheckSymbolExists)
set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
{checks}
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
python_add_library(_tiny MODULE WITH_SOABI tiny/_tiny.c)
install(TARGETS _tiny DESTINATION tiny)
"""
_CMAKE_CHECK = """
check_function_exists({name} HAVE_{name})
check_symbol_exists({name} {header} DECLARES_{name})
if(NOT HAVE_{name} OR NOT DECLARES_{name})
  message(FATAL_ERROR "{name} is not found")
endif()
"""

_MESON = """\
project('tiny', 'c', version: '1.0')
compiler = meson.get_compiler('c')
gnu = '-D_GNU_SOURCE'
{checks}
py = import('python').find_installation(pure: false)
py.extension_module('_tiny', 'tiny/_tiny.c', subdir: 'tiny', install: true)
py.install_sources('tiny/__init__.py', subdir: 'tiny')
"""
_MESON_CHECK = """
assert(compiler.has_function('{name}', args: gnu), '{name}')
assert(compiler.has_function('{name}', prefix: '#include <{header}>', args: gnu), '{name}')
assert(compiler.has_header_symbol('{header}', '{name}', args: gnu), '{name}')
"""

USES = projects.TINY_C.replace("#include <math.h>", "#include <math.h>\n#include <sys/random.h>")
USES = USES.replace("assert(getpid() > 0);", "char c; if (getrandom(&c, 1, 0) != 1) return NULL;")


def checks(text: str) -> str:
    return "".join(text.format(name=name, header=header) for name, header in FUNCTIONS.items())


PROJECT = """
[project]
name = "tiny"
version = "1.0"
description = "The square of a text's length"
requires-python = ">=3.8"
"""
PROJECTS = {
    "CMake": (
        ["scikit-build-core"],
        "scikit_build_core.build",
        {
            "CMakeLists.txt": _CMAKE.format(checks=checks(_CMAKE_CHECK)),
            "src/tiny/__init__.py": "from tiny._tiny import answer\n",
            "tiny/_tiny.c": USES,
        },
    ),
    "Meson": (
        ["meson-python>=0.15"],
        "mesonpy",
        {
            "meson.build": _MESON.format(checks=checks(_MESON_CHECK)),
            "tiny/__init__.py": "from tiny._tiny import answer\n",
            "tiny/_tiny.c": USES,
        },
    ),
}


@pytest.mark.parametrize("system", PROJECTS)
@pytest.mark.parametrize("target", ["", "aarch64"], ids=["native", "across"])
def test_checks_of_a_build_system_find_them(
    system: str, target: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    requires, backend, files = PROJECTS[system]
    text = projects.pyproject(requires, backend) + PROJECT
    project = projects.write(tmp_path / "project", {**files, "pyproject.toml": text})
    settings = {"target": target} if target else {}
    workshop.build(UV_BUILD_WHEEL, project, out, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    component = sboms.components(sboms.own(wheel))["manylinux-shim functions"]
    assert "getrandom: what the target's libc lacks" in component["description"]
    assert sboms.properties(component, "file") == list(wheels.elf_members(wheel))
    if not target:
        wheels.check_manylinux(wheel)
        printed = workshop.try_wheel(wheel, tmp_path / "fresh", projects.TINY_USE)
        assert printed == projects.TINY_PRINTS


def test_without_the_setting_the_build_fails_and_says_what_would_do(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    projects.write(project, {"tiny/_tiny.c": USES})
    settings = {"supply": "false"}
    failed = workshop.build(UV_BUILD_HERE, project, out, python=stocked, settings=settings)
    assert not failed.ok
    assert '`policy = "manylinux_2_25"` is the first that has it' in failed.output
    assert "`supply = true` links it in" in failed.output
