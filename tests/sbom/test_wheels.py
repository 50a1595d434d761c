"""What built wheels say of their contents, through real frontends."""

from __future__ import annotations

from pathlib import Path
from typing import Set

import pytest
from support import projects, sboms, wheels
from support.workshop import UV_BUILD_HERE, UV_BUILD_WHEEL, Workshop

from manylinux_shim.zig._zig import find_zig

LLVM = {"libc++", "libc++abi"}

# A program of the musl target, beside the package's modules.
PROGRAM = {
    "setup.py": """\
        import os
        import subprocess

        from setuptools import Distribution, setup
        from setuptools.command.build_py import build_py


        class Native(Distribution):
            def has_ext_modules(self):
                return True


        class Build(build_py):
            def run(self):
                super().run()
                to = os.path.join(self.build_lib, "tool", "tool")
                subprocess.check_call([os.environ["CC"], "-static", "tool.c", "-o", to])


        setup(name="tool", version="1.0", packages=["tool"], distclass=Native,
              cmdclass={"build_py": Build})
    """,
    "tool.c": '#include <stdio.h>\nint main(void) { return puts("static") < 0; }\n',
    "tool/__init__.py": "",
}


@pytest.mark.parametrize(
    ("sample", "inside"), [("setuptools_c", set()), ("setuptools_cpp", LLVM)], ids=["c", "c++"]
)
def test_sample_lists_what_was_linked_statically_with_version_and_licence(
    sample: str, inside: Set[str], workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.copy_sample(sample, tmp_path / "project")
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    document = sboms.own(wheel)
    components = sboms.components(document)
    assert components.keys() >= inside
    assert not components.keys() & LLVM - inside
    ((extension, _),) = wheels.elf_members(wheel).items()
    for name in inside:
        assert sboms.licence(components[name]) == "Apache-2.0 WITH LLVM-exception"
        assert sboms.properties(components[name], "file") == [extension]
        assert components[name]["version"]
    tools = {tool["name"]: tool for tool in document["metadata"]["tools"]["components"]}
    assert tools["zig"]["purl"] == f"pkg:pypi/ziglang@{tools['zig']['version']}"
    subject = document["metadata"]["component"]
    assert subject["purl"].startswith("pkg:pypi/")
    assert sboms.properties(subject, "target-libc") == ["glibc 2.17"]
    assert sboms.properties(subject, "not-linked-in-this-build") == []


@pytest.mark.slow
def test_static_program_lists_musl(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    files = {**PROGRAM, "pyproject.toml": projects.pyproject()}
    project = projects.write(tmp_path / "project", files)
    settings = {"policy": "musllinux_1_2"}
    workshop.build(UV_BUILD_HERE, project, out, python=stocked, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    musl = sboms.components(sboms.own(wheel))["musl"]
    assert sboms.licence(musl) == "MIT"
    assert sboms.properties(musl, "file") == ["tool/tool"]
    assert musl["version"] in (find_zig().lib / "libc/musl/src/internal/version.h").read_text()


def test_part_of_glibc_that_is_static_is_listed_where_it_is_inside(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    # Before glibc 2.33, stat is in the static part of libc.
    source = projects.TINY_C.replace("<unistd.h>", "<unistd.h>\n#include <sys/stat.h>").replace(
        "assert(getpid() > 0);", 'struct stat s; if (stat("/", &s) != 0) return NULL;'
    )
    projects.write(project, {"tiny/_tiny.c": source})
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    glibc = sboms.components(sboms.own(wheels.only_wheel(out)))["glibc"]
    assert sboms.licence(glibc) == "LGPL-2.1-or-later WITH GCC-exception-2.0-note"


def test_maturins_list_stays_as_maturin_wrote_it(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.copy_sample("maturin_bin", tmp_path / "project")
    off, on = tmp_path / "off", out
    for directory, settings in ((off, {"mode": "off"}), (on, {})):
        workshop.build(UV_BUILD_WHEEL, project, directory, settings=settings).passed()
    before, after = (sboms.lists(wheels.only_wheel(directory)) for directory in (off, on))
    assert before
    assert after.keys() == {*before, sboms.OWN}
    document = sboms.own(wheels.only_wheel(on))
    assert [each["url"] for each in document["externalReferences"]] == sorted(before)
    # The linker's output has another name than the program in the wheel.
    subject = document["metadata"]["component"]
    assert sboms.properties(subject, "not-linked-in-this-build") == []
    assert "glibc start files" in sboms.components(document)


@pytest.mark.parametrize("settings", ["sbom = false", 'mode = "check"', 'mode = "off"'])
def test_no_list_without_anything_to_list(
    settings: str, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project", settings=settings)
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    wheel = wheels.only_wheel(out)
    assert sboms.lists(wheel) == {}
    if "sbom" in settings:
        wheels.check_manylinux(wheel)
