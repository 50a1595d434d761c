"""Debug information of shipped files: in them, beside them, or nowhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Set

import pytest
from elftools.elf.elffile import ELFFile
from support import projects, wheels
from support.workshop import UV_BUILD_HERE, Workshop

EPOCH = {"SOURCE_DATE_EPOCH": "1600000000"}


def sections(data: bytes) -> Set[str]:
    return {section.name for section in ELFFile(io.BytesIO(data)).iter_sections()}


def section(data: bytes, name: str) -> bytes:
    found = ELFFile(io.BytesIO(data)).get_section_by_name(name)
    return b"" if found is None else bytes(found.data())


def build_id(data: bytes) -> str:
    return section(data, ".note.gnu.build-id")[16:].hex()


def sources(data: bytes) -> Set[str]:
    """Names of the source files that the debug information is about."""
    information = ELFFile(io.BytesIO(data)).get_dwarf_info()
    tops = [unit.get_top_DIE() for unit in information.iter_CUs()]
    return {die.attributes["DW_AT_name"].value.decode() for die in tops}


@pytest.mark.parametrize(
    ("strip", "there"), [("true", set()), ("debug", {".symtab"}), ("false", {".symtab"})]
)
def test_strip_leaves_out_what_it_says(
    strip: str, there: Set[str], workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    workshop.build(
        UV_BUILD_HERE,
        project,
        out,
        python=stocked,
        settings={"strip": strip},
        environment={"CFLAGS": "-g -O2"},
    ).passed()
    (data,) = wheels.elf_members(wheels.only_wheel(out)).values()
    found = sections(data)
    assert found & {".symtab"} == there
    assert (".debug_info" in found) is (strip == "false")


@pytest.mark.parametrize("sample", ["setuptools_c", "setuptools_cpp"])
def test_debug_information_lies_where_debuggers_look(
    sample: str, workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    built = []
    for name, settings in (("without", {}), ("with", {"debug-files": "debug"})):
        project = projects.copy_sample(sample, tmp_path / name / "project")
        out = tmp_path / name / "out"
        workshop.build(
            UV_BUILD_HERE, project, out, python=stocked, settings=settings, environment=EPOCH
        ).passed()
        built.append(wheels.only_wheel(out))
    assert built[0].read_bytes() == built[1].read_bytes()  # what is shipped stays as it is
    (shipped,) = wheels.elf_members(built[1]).values()
    identity = build_id(shipped)
    (found,) = (built[1].parent / "debug").rglob("*.debug")
    assert found == built[1].parent / f"debug/.build-id/{identity[:2]}/{identity[2:]}.debug"
    whole = found.read_bytes()
    assert build_id(whole) == identity
    assert section(whole, ".text") == section(shipped, ".text")
    place = ELFFile(io.BytesIO(whole)).get_section_by_name(".text")["sh_addr"]
    assert place == ELFFile(io.BytesIO(shipped)).get_section_by_name(".text")["sh_addr"]
    assert any(name.endswith((".c", ".cpp")) for name in sources(whole))
    assert ".debug_info" not in sections(shipped)
    assert str(tmp_path).encode() not in whole


def test_each_of_several_files_that_share_cxx_has_its_own(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.copy_sample("setuptools_cpp", tmp_path / "project")
    setup = (project / "setup.py").read_text()
    assert "Extension(" in setup
    settings = {"debug-files": str(tmp_path / "debug"), "cxx-runtime": "shared"}
    workshop.build(UV_BUILD_HERE, project, out, python=stocked, settings=settings).passed()
    found = {path.parent.name + path.stem for path in (tmp_path / "debug").rglob("*.debug")}
    members = wheels.elf_members(wheels.only_wheel(out))
    ours = {build_id(data) for name, data in members.items() if ".libs/" not in name}
    assert len(members) == 2
    assert found == ours
