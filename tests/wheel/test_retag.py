"""A retagged wheel: name, WHEEL and RECORD agree, all else is as it was."""

from __future__ import annotations

import csv
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, Tuple

import pytest
from small_wheels import (
    INFO,
    NAME,
    PACKAGE,
    WHEEL,
    contents,
    digest,
    files_in,
    record_of,
    write,
    zipped,
)
from strict_zip import read_strictly

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel import repack, retag

PLATFORMS = ("manylinux_2_17_x86_64", "manylinux2014_x86_64")
NEW_NAME = "small-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def assert_record_is_true(members: Dict[str, bytes], info: str = INFO) -> None:
    """RECORD names every member once, with its hash and size."""
    rows = list(csv.reader(members[f"{info}/RECORD"].decode().splitlines()))
    expected = [[name, digest(data), str(len(data))] for name, data in members.items()]
    own = f"{info}/RECORD"
    assert sorted(rows) == sorted([row for row in expected if row[0] != own] + [[own, "", ""]])


def test_retagged_wheel_bears_its_new_tags_everywhere(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    wheel = write(tmp_path, zipped(contents()))
    before = wheel.read_bytes()
    assert retag(wheel, PLATFORMS, out) == out / NEW_NAME
    members = read_strictly(out / NEW_NAME)
    tags = b"".join(b"Tag: cp311-cp311-%b\n" % platform.encode() for platform in PLATFORMS)
    assert members[f"{INFO}/WHEEL"] == WHEEL.replace(b"Tag: cp311-cp311-linux_x86_64\n", tags)
    assert_record_is_true(members)
    changed = {f"{INFO}/WHEEL", f"{INFO}/RECORD"}
    assert {n: d for n, d in members.items() if n not in changed} == {
        n: d for n, d in contents().items() if n not in changed
    }
    assert wheel.read_bytes() == before
    assert files_in(out) == [NEW_NAME]


def test_an_older_false_tag_does_not_survive(tmp_path: Path) -> None:
    name = "small-1.0-cp311-cp311-linux_x86_64.manylinux1_x86_64.whl"
    text = WHEEL + b"Tag: cp311-cp311-manylinux1_x86_64\n"
    members = {**contents(), f"{INFO}/WHEEL": text}
    wheel = write(tmp_path, zipped(members), name)
    new = retag(wheel, ["musllinux_1_2_x86_64"], tmp_path)
    assert new.name == "small-1.0-cp311-cp311-musllinux_1_2_x86_64.whl"
    assert b"manylinux" not in read_strictly(new)[f"{INFO}/WHEEL"]


@pytest.mark.parametrize(
    ("epoch", "date"),
    [
        (0, (1980, 1, 1, 0, 0, 0)),
        (1580601601, (2020, 2, 2, 0, 0, 0)),
        (10**12, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_every_member_bears_the_date_that_was_asked_for(
    tmp_path: Path, epoch: int, date: Tuple[int, ...]
) -> None:
    new = retag(write(tmp_path, zipped(contents())), PLATFORMS, tmp_path, epoch=epoch)
    read_strictly(new)
    with zipfile.ZipFile(new) as archive:
        assert {info.date_time for info in archive.infolist()} == {date}


@pytest.mark.parametrize("library", [0o700, 0o644])
def test_modes_are_those_of_any_umask_and_installer(library: int, tmp_path: Path) -> None:
    wheel = write(tmp_path, zipped(contents()))
    private = tmp_path / "private.whl"
    with zipfile.ZipFile(wheel) as archive, zipfile.ZipFile(private, "w") as other:
        for info in archive.infolist():
            mode = library if info.filename.endswith(".so") else 0o600
            info.external_attr = (stat.S_IFREG | mode) << 16
            other.writestr(info, archive.read(info.filename))
    private.replace(wheel)
    new = retag(wheel, PLATFORMS, tmp_path, epoch=0)
    with zipfile.ZipFile(new) as archive:
        modes = {i.filename: oct(i.external_attr >> 16) for i in archive.infolist()}
    assert set(modes.values()) == {"0o100755", "0o100644"}
    assert all((mode == "0o100755") == name.endswith(".so") for name, mode in modes.items())


@pytest.mark.parametrize(
    ("name", "mode"),
    [("lib.so", "755"), ("lib.so.1.2", "755"), ("of.so.json", "644"), ("solo", "644")],
)
def test_shared_libraries_are_known_by_their_names(name: str, mode: str, tmp_path: Path) -> None:
    members = {**contents(), f"small/{name}": b"text"}
    members[f"{INFO}/RECORD"] = record_of({**PACKAGE, f"small/{name}": b"text"}, f"{INFO}/RECORD")
    new = retag(write(tmp_path, zipped(members)), PLATFORMS, tmp_path, epoch=0)
    with zipfile.ZipFile(new) as archive:
        found = {i.filename: oct(i.external_attr >> 16) for i in archive.infolist()}
    assert found[f"small/{name}"] == f"0o100{mode}"


def test_retagging_with_the_same_tags_keeps_every_members_bytes(tmp_path: Path) -> None:
    wheel = write(tmp_path, zipped(contents()))
    assert retag(wheel, ["linux_x86_64"], tmp_path) == wheel
    assert read_strictly(wheel) == contents()
    first = wheel.read_bytes()
    retag(wheel, ["linux_x86_64"], tmp_path)
    assert wheel.read_bytes() == first


def test_record_that_lies_is_put_right(tmp_path: Path) -> None:
    members = contents()
    record = record_of({"gone.py": b"", **PACKAGE}, f"{INFO}/RECORD")
    members[f"{INFO}/RECORD"] = record.replace(digest(PACKAGE["small/text.py"]).encode(), b"")
    members["small/hidden.so"] = b"\x7fELF"
    new = retag(write(tmp_path, zipped(members)), PLATFORMS, tmp_path)
    assert_record_is_true(read_strictly(new))


def test_missing_record_is_made(tmp_path: Path) -> None:
    members = {name: data for name, data in contents().items() if not name.endswith("RECORD")}
    new = retag(write(tmp_path, zipped(members)), PLATFORMS, tmp_path)
    assert_record_is_true(read_strictly(new))
    assert list(read_strictly(new))[-1] == f"{INFO}/RECORD"


def test_signatures_of_the_old_record_are_left_out(tmp_path: Path) -> None:
    members = {**contents(), f"{INFO}/RECORD.jws": b"{}", f"{INFO}/RECORD.p7s": b""}
    new = retag(write(tmp_path, zipped(members)), PLATFORMS, tmp_path)
    assert read_strictly(new).keys() == contents().keys()
    assert_record_is_true(read_strictly(new))


def test_repacked_wheel_has_what_changed_and_what_is_new(tmp_path: Path) -> None:
    wheel = write(tmp_path, zipped(contents(), directories=["small/"]))
    new = repack(
        wheel,
        tmp_path,
        platforms=PLATFORMS,
        # RECORD is never taken from the caller.
        changed={"small/_native.so": b"\x7fELF patched", f"{INFO}/RECORD": b"false"},
        added={f"{INFO}/sboms/a.json": b"{}", "small.libs/lib,x.so": b"\x7fELF"},
    )
    members = read_strictly(new)
    assert members["small/_native.so"] == b"\x7fELF patched"
    assert members["small.libs/lib,x.so"] == b"\x7fELF"
    assert_record_is_true(members)


@pytest.mark.long
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installers_take_a_retagged_wheel(installer: str, tmp_path: Path) -> None:
    # pip reads as zipfile does; uv reads the local headers one by one, strictly.
    wheel = write(tmp_path, zipped(contents(), stream=True), "small-1.0-py3-none-linux_x86_64.whl")
    new = retag(wheel, ["any"], tmp_path)
    command = {"pip": ["pip"], "uv": ["uv", "pip"]}[installer]
    arguments = ["install", "--no-index", "--no-deps", "--target", str(tmp_path / "site"), str(new)]
    subprocess.run([sys.executable, "-m", *command, *arguments], check=True, capture_output=True)
    for name, data in PACKAGE.items():
        assert (tmp_path / "site" / name).read_bytes() == data


BROKEN = {
    "no WHEEL": {n: d for n, d in contents().items() if not n.endswith("WHEEL")},
    "no dist-info": dict(PACKAGE),
    "another wheel's dist-info": contents("other-1.0.dist-info"),
    "two dist-infos": {**contents(), "other-1.dist-info/WHEEL": b""},
    "RECORD is no text": {**contents(), f"{INFO}/RECORD": b"\xff"},
    "WHEEL is endless": {**contents(), f"{INFO}/WHEEL": b"Tag: a\n" * 2_000_000},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_wheel_is_refused_and_leaves_no_file(kind: str, tmp_path: Path) -> None:
    wheel = write(tmp_path, zipped(BROKEN[kind]))
    with pytest.raises(WheelError) as caught:
        retag(wheel, PLATFORMS, tmp_path)
    assert caught.value.remedy
    assert files_in(tmp_path) == [NAME]
