"""The line to add where a build failed for want of a library."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest
from support import machine, projects
from support.workshop import UV_BUILD_HERE, Workshop

from manylinux_shim.libraries import package_of_header, package_of_library

# What dpkg-query, apt-file and apt-cache say of a machine that we have made up.
SAY = {
    "dpkg-query": """\
case "$2" in
*/gmp.h) echo "nodejs: /usr/include/node/gmp.h"; echo "libgmp-dev:amd64: /usr/include/gmp.h";;
*/libgmp.so) echo "libgmp-dev:amd64: /usr/lib/x86_64-linux-gnu/libgmp.so";;
*/libc.so) echo "libc6-dev:amd64: /usr/lib/x86_64-linux-gnu/libc.so";;
*) exit 1;;
esac
""",
    "apt-file": """\
case "$3" in
*libpq*fe*) echo "libpq-dev: /usr/include/postgresql/libpq-fe.h";;
esac
""",
    "apt-cache": """\
case "$3" in
"^libpng[0-9.]*-dev$") echo "libpng-dev - PNG library"; echo "libpng12-dev - old one";;
"^libxml2[0-9.]*-dev$") echo "libxml2-dev - XML";;
"^libmany[0-9.]*-dev$") echo "libmany1-dev - one"; echo "libmany2-dev - another";;
esac
""",
}


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, body in SAY.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{body}")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("gmp.h", ("libgmp-dev", True)),
        ("libpq-fe.h", ("libpq-dev", True)),
        ("png.h", ("libpng-dev", False)),
        ("libxml2/parser.h", ("libxml2-dev", False)),
        ("many.h", None),
        ("nobody's.h", None),
        ("../$(reboot).h", None),
    ],
)
def test_package_of_a_header(header: str, found: object) -> None:
    assert package_of_header(header) == found


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("library", "found"),
    [
        ("gmp", ("libgmp-dev", True)),
        ("png16", ("libpng-dev", False)),
        ("xml2", ("libxml2-dev", False)),
        ("c", None),
        ("nobody", None),
    ],
)
def test_package_of_a_library(library: str, found: object) -> None:
    assert package_of_library(library) == found


def test_machine_without_packages_knows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert package_of_header("gmp.h") is None
    assert package_of_library("gmp") is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "brings it for x86_64:"),
        ({"target": "aarch64"}, "brings it for aarch64:"),
        ({"policy": "musllinux_1_2"}, "`before-all` can build its library for musl"),
    ],
    ids=["native", "aarch64", "musl"],
)
def test_failed_build_ends_with_the_line_to_add(
    settings: Dict[str, str], said: str, workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    machine.need_program("apt-cache")
    project = projects.tiny(tmp_path / "project")
    source = projects.TINY_C.replace("<Python.h>", "<Python.h>\n#include <tre/tre.h>")
    projects.write(project, {"tiny/_tiny.c": source})
    out = tmp_path / "out"
    done = workshop.build(UV_BUILD_HERE, project, out, python=stocked, settings=settings)
    assert not done.ok
    assert "The header tre/tre.h was not found." in done.output
    assert said in done.output
    named = '`libraries = ["deb:libtre-dev"]`' in done.output
    assert named is ("policy" not in settings)
    assert not list(out.glob("*.whl"))


def test_library_that_is_here_is_named_by_its_package(
    workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    setup = projects.SETUP.replace('["tiny/_tiny.c"]', '["tiny/_tiny.c"], libraries=["lz4"]')
    projects.write(project, {"setup.py": setup})
    done = workshop.build(UV_BUILD_HERE, project, tmp_path / "out", python=stocked)
    assert not done.ok
    assert (
        "The library lz4 (-llz4) was not found. Debian's package liblz4-dev has it" in done.output
    )
