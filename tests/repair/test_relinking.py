"""``mode = "relink"``, and grafted libraries that need a newer glibc: linked again."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest
from needing import needing_a_library
from support import projects, sboms, sdists, wheels
from support.workshop import ERROR, UV_BUILD_HERE, UV_BUILD_WHEEL, Workshop, contents

NEWER = 'return dlsym(0, "tinydep") == 0 ? 0 : 3;'
"""Needs dlsym of glibc 2.34 where the host's glibc is as new as that."""

SPAWN = "posix_spawn_file_actions_addchdir_np"
UNHEARD_OF = f"extern int {SPAWN}(void *, const char *); return {SPAWN}(0, 0) + 3;"
"""Needs what came with glibc 2.29, and works inside of what that has."""


def newer(directory: Path, settings: str) -> Path:
    """The tiny project, with one function of the host's version and one that older glibc lacks."""
    project = projects.tiny(directory, settings=settings)
    headers = "<unistd.h>\n#include <dlfcn.h>\n#include <sys/random.h>"
    uses = 'char c; if (dlsym(NULL, "main") == text || getrandom(&c, 1, 0) != 1) return NULL;'
    source = projects.TINY_C.replace("<unistd.h>", headers).replace("assert(getpid() > 0);", uses)
    projects.write(project, {"tiny/_tiny.c": source})
    return project


@pytest.mark.parametrize("policy", ["", "auto", "manylinux_2_28"])
def test_hosts_compiler_builds_and_the_wheel_is_linked_again(
    policy: str, workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    line = f'\npolicy = "{policy}"' if policy else ""
    project = newer(tmp_path / "project", f'mode = "relink"{line}')
    if policy:
        workshop.build(UV_BUILD_HERE, project, out, python=with_auditwheel).passed()
    else:  # what it needs comes from the frontend
        workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    tags = wheel.name[: -len(".whl")].rpartition("-")[2]
    if policy == "auto":  # the most compatible tag that it has earned by then
        assert int(tags.split("_")[2]) <= int(wheels.lowest_tags().split("_")[2])
    else:
        assert tags == (f"{policy}_{platform.machine()}" if policy else wheels.lowest_tags())
    wheels.check_manylinux(wheel, tags)
    (extension,) = [n for n in wheels.elf_members(wheel) if "_tiny" in n]
    assert any(c.startswith("GCC:") for c in wheels.comments(wheels.elf_members(wheel)[extension]))
    assert workshop.try_wheel(wheel, tmp_path / "venv", projects.TINY_USE) == projects.TINY_PRINTS
    document = sboms.own(wheel)
    tools = {tool["name"] for tool in document["metadata"]["tools"]["components"]}
    assert tools == {"manylinux-shim", "zig"}
    supplied = [name for name in wheels.elf_members(wheel) if name != extension]
    assert bool(supplied) is (policy != "manylinux_2_28")  # getrandom came with glibc 2.25
    for library in supplied:
        component = sboms.components(document)[Path(library).name]
        assert sboms.properties(component, "file") == [library]
        assert sboms.licence(component) == "MIT"


def test_grafted_library_that_needs_a_newer_glibc_is_linked_again(
    workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    project = needing_a_library(workshop, tmp_path, "repair = true", NEWER)
    workshop.build(UV_BUILD_HERE, project, out, python=with_auditwheel).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    shutil.rmtree(tmp_path / "lib")
    assert workshop.try_wheel(wheel, tmp_path / "venv", projects.TINY_USE) == "125\n"
    sboms.own(wheel)


@pytest.mark.parametrize("mode", ["zig", "relink", "check"])
def test_grafted_library_that_cannot_be_linked_again_is_refused_by_name(
    mode: str, workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    settings = f'repair = true\nmode = "{mode}"\npolicy = "manylinux_2_17"'
    project = needing_a_library(workshop, tmp_path, settings, UNHEARD_OF)
    search = {"AUDITWHEEL_LD_LIBRARY_PATH": str(tmp_path / "lib")}
    outcome = workshop.build(
        UV_BUILD_HERE, project, out, python=with_auditwheel, environment=search
    )
    assert not outcome.ok
    assert len(outcome.lines(ERROR)) == 1
    assert "libtinydep" in outcome.output
    assert SPAWN in outcome.output
    if mode != "check":  # there, nothing was tried that a newer policy would spare
        assert "manylinux_2_29" in outcome.output
    assert "Traceback" not in outcome.output
    assert [name for name in contents(out) if name != ".gitignore"] == []


@pytest.mark.pypi
@pytest.mark.slow
def test_lxml_takes_debians_libraries_along(workshop: Workshop, tmp_path: Path, out: Path) -> None:
    project = sdists.fetch("lxml==5.3.0", tmp_path / "sdist", workshop)
    # Debian's libxml2 brings ICU along, and that needs the libstdc++ of its time.
    sdists.adopt(project, repair=True, policy="manylinux_2_35")
    workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel, f"manylinux_2_35_{platform.machine()}")
    assert "libxml2" in sboms.components(sboms.own(wheel))
    use = """
import lxml.etree as e
transform = e.XSLT(e.XML('<s:stylesheet version="1.0" xmlns:s="http://www.w3.org/1999/XSL/Transform">'
    '<s:template match="/"><a><s:value-of select="count(//b)"/></a></s:template></s:stylesheet>'))
print(str(transform(e.XML("<x><b/><b/></x>"))).splitlines()[-1])
"""
    assert workshop.try_wheel(wheel, tmp_path / "venv", use) == "<a>2</a>\n"
