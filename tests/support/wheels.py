"""Wheels as the tests look at them, with the standard library and auditwheel only."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import platform
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Dict, List

_LOWEST = {
    "riscv64": ["manylinux_2_31_riscv64"],
    "loongarch64": ["manylinux_2_36_loongarch64"],
}


def lowest_tags() -> str:
    """The platform part of a wheel's name that a build on this host has to put out."""
    machine = platform.machine()
    both = [f"manylinux_2_17_{machine}", f"manylinux2014_{machine}"]
    return ".".join(_LOWEST.get(machine, both))


def only_wheel(directory: Path) -> Path:
    """The one wheel in a directory."""
    (wheel,) = directory.glob("*.whl")
    return wheel


def read(wheel: Path) -> Dict[str, bytes]:
    """Every member by its name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def elf_members(wheel: Path) -> Dict[str, bytes]:
    """The members that are ELF files."""
    return {name: data for name, data in read(wheel).items() if data[:4] == b"\x7fELF"}


def tags(wheel: Path) -> List[str]:
    """The ``Tag`` lines of WHEEL."""
    (name,) = [name for name in read(wheel) if name.endswith(".dist-info/WHEEL")]
    return list(Parser().parsestr(read(wheel)[name].decode()).get_all("Tag") or [])


def check_consistent(wheel: Path) -> None:
    """Assert that the file name, WHEEL and RECORD agree with each other and with the members."""
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert len(names) == len(set(names)), "a member is there twice"
    members = read(wheel)
    *_, python, abi, platforms = wheel.name[: -len(".whl")].split("-")
    expanded = {
        f"{p}-{a}-{t}"
        for p in python.split(".")
        for a in abi.split(".")
        for t in platforms.split(".")
    }
    assert set(tags(wheel)) == expanded, "WHEEL and the file name disagree"
    (record,) = [name for name in names if name.endswith(".dist-info/RECORD")]
    listed = {row[0]: row[1:] for row in csv.reader(io.StringIO(members[record].decode())) if row}
    assert set(listed) == {name for name in names if not name.endswith("/")}
    for name, (digest, size) in listed.items():
        if name == record:
            assert (digest, size) == ("", "")
            continue
        raw = hashlib.sha256(members[name]).digest()
        assert digest == "sha256=" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), name
        assert int(size) == len(members[name]), name


def check_manylinux(wheel: Path, platforms: str = "") -> None:
    """Assert that the wheel bears the tag of this host, and that auditwheel has no objection."""
    platforms = platforms or lowest_tags()
    assert wheel.name.endswith(f"-{platforms}.whl")
    check_consistent(wheel)
    assert elf_members(wheel)
    verdict = auditwheel(wheel)
    assert _version(str(verdict["overall_tag"])) <= _version(platforms.split(".")[0]), verdict


def auditwheel(wheel: Path) -> Dict[str, object]:
    """What auditwheel says of a wheel."""
    done = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", "--json", str(wheel)],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def _version(tag: str) -> List[int]:
    """``manylinux_2_17_x86_64`` -> [2, 17]; a tag of any other form is newer than all."""
    family, *rest = tag.split("_")
    return [int(rest[0]), int(rest[1])] if family == "manylinux" else [sys.maxsize]


def comments(elf: bytes) -> List[str]:
    """What the compilers wrote into ``.comment``: who they are."""
    from elftools.elf.elffile import ELFFile

    section = ELFFile(io.BytesIO(elf)).get_section_by_name(".comment")
    return [] if section is None else [c.decode() for c in section.data().split(b"\0") if c]


def dynamic(elf: bytes) -> Dict[str, List[str]]:
    """Needed libraries and run paths of an ELF file, by the name of their dynamic tag."""
    from elftools.elf.elffile import ELFFile

    found: Dict[str, List[str]] = {"DT_NEEDED": [], "DT_RPATH": [], "DT_RUNPATH": []}
    for segment in ELFFile(io.BytesIO(elf)).iter_segments("PT_DYNAMIC"):
        for tag in segment.iter_tags():
            if tag.entry.d_tag in found:
                attribute = tag.entry.d_tag[3:].lower()
                found[tag.entry.d_tag].append(getattr(tag, attribute))
    return found
