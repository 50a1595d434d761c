"""What is written keeps the package index's rules, and what was there stays."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict

import pytest
from small_wheels import INFO, NAME, Raw, by_hand, contents, files_in, noise, write, zipped
from strict_zip import read_strictly
from test_archive_reading import HONEST

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel import Archive, Member
from manylinux_shim.wheel._rewrite import central_entry, end_records, rewrite


@pytest.mark.parametrize("kind", HONEST)
def test_every_readable_archive_is_written_in_the_plainest_form(kind: str, tmp_path: Path) -> None:
    source, target = write(tmp_path, HONEST[kind]()), tmp_path / "new.whl"
    with Archive(source) as archive:
        rewrite(archive, target)
    with zipfile.ZipFile(source) as expected:
        files = {i.filename: expected.read(i) for i in expected.infolist() if not i.is_dir()}
    assert read_strictly(target) == files


def test_unchanged_members_keep_their_compressed_bytes_dates_and_modes(tmp_path: Path) -> None:
    members = {**contents(), "small/level.txt": b"compressed by another tool " * 50}
    source, target = write(tmp_path, zipped(members, extra=b"\1\2\0\0")), tmp_path / "new.whl"
    with Archive(source) as archive:
        rewrite(archive, target, changed={"small/text.py": b"new"})
        old = {m.name: (m, b"".join(archive.raw(m))) for m in archive.members}
    with Archive(target) as archive:
        for member in archive.members:
            before, raw = old[member.name]
            kept = (member.date_time, member.external_attr, member.made_by >> 8)
            assert kept == (before.date_time, before.external_attr, before.made_by >> 8)
            if member.name == "small/text.py":
                assert archive.read(member) == b"new"
            else:
                assert b"".join(archive.raw(member)) == raw


def test_record_comes_last_and_the_package_first(tmp_path: Path) -> None:
    members = dict(reversed(list(contents().items())))
    source, target = write(tmp_path, zipped(members)), tmp_path / "new.whl"
    with Archive(source) as archive:
        rewrite(archive, target, added={f"{INFO}/sboms/a.json": b"{}", "small/new.so": b"\x7fELF"})
    names = list(read_strictly(target))
    assert names == [
        "small/_native.so",
        "small/text.py",
        "small/__init__.py",
        "small/new.so",
        f"{INFO}/WHEEL",
        f"{INFO}/METADATA",
        f"{INFO}/sboms/a.json",
        f"{INFO}/RECORD",
    ]


def test_changed_added_and_removed_members_are_as_asked_for(tmp_path: Path) -> None:
    source, target = write(tmp_path, zipped(contents())), tmp_path / "new.whl"
    big = noise(3 * 2**20)
    with Archive(source) as archive:
        rewrite(
            archive,
            target,
            changed={"small/text.py": b"", "small/_native.so": big},
            added={"small/zeros": bytes(2**20)},
            removed=["small/__init__.py"],
        )
    expected = {**contents(), "small/text.py": b"", "small/_native.so": big}
    expected["small/zeros"] = bytes(2**20)
    del expected["small/__init__.py"]
    assert read_strictly(target) == expected
    with zipfile.ZipFile(target) as archive:
        added, changed = archive.getinfo("small/zeros"), archive.getinfo("small/_native.so")
    assert stat.S_IMODE(added.external_attr >> 16) == 0o644
    assert stat.S_IMODE(changed.external_attr >> 16) == 0o755
    assert added.date_time == changed.date_time == (2021, 3, 4, 5, 6, 8)


def test_the_same_input_gives_the_same_bytes_and_a_second_pass_changes_nothing(
    tmp_path: Path,
) -> None:
    source = write(tmp_path, zipped(contents(), directories=["small/"], stream=True))
    targets = [tmp_path / "one.whl", tmp_path / "two.whl", tmp_path / "again.whl"]
    with Archive(source) as archive:
        for target in targets[:2]:
            rewrite(archive, target, changed={"small/text.py": b"x" * 99}, added={"b": b"b"})
    with Archive(targets[0]) as archive:
        rewrite(archive, targets[2])
    assert len({target.read_bytes() for target in targets}) == 1


def test_an_archive_can_be_written_over_itself(tmp_path: Path) -> None:
    path = write(tmp_path, zipped(contents()))
    with Archive(path) as archive:
        rewrite(archive, path, added={"small/more.py": noise(3 * 2**20)})
    assert read_strictly(path) == {**contents(), "small/more.py": noise(3 * 2**20)}
    assert files_in(tmp_path) == [NAME]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_the_new_file_has_the_permissions_of_any_new_file(mask: int, tmp_path: Path) -> None:
    source, target = write(tmp_path, zipped(contents())), tmp_path / "new.whl"
    source.chmod(0o444)
    before = os.umask(mask)
    try:
        with Archive(source) as archive:
            rewrite(archive, target)
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


IMPOSSIBLE: Dict[str, Dict[str, object]] = {
    "changing what is not there": {"changed": {"missing": b""}},
    "removing what is not there": {"removed": ["missing"]},
    "adding what is there": {"added": {"small/text.py": b""}},
    "adding a name that leads out": {"added": {"../a": b""}},
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_impossible_changes_are_refused_and_leave_no_file(kind: str, tmp_path: Path) -> None:
    source = write(tmp_path, zipped(contents()))
    with Archive(source) as archive, pytest.raises(WheelError) as caught:
        rewrite(archive, tmp_path / "new.whl", **IMPOSSIBLE[kind])  # type: ignore[arg-type]
    assert caught.value.remedy
    assert files_in(tmp_path) == [NAME]


def test_a_member_that_vanishes_while_writing_leaves_no_file(tmp_path: Path) -> None:
    source = write(tmp_path, zipped({"a": noise(2**21), **contents()}))
    with Archive(source) as archive:
        os.truncate(source, 2**20)
        with pytest.raises(WheelError, match="truncated"):
            rewrite(archive, tmp_path / "new.whl")
    assert files_in(tmp_path) == [NAME]


@pytest.mark.parametrize("target", ["missing/new.whl", "small", "n" * 300], ids=lambda t: t[:9])
def test_a_destination_that_cannot_be_written_is_an_error_with_a_remedy(
    target: str, tmp_path: Path
) -> None:
    source = write(tmp_path, zipped(contents()))
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "file").touch()
    with Archive(source) as archive, pytest.raises(WheelError, match="cannot write") as caught:
        rewrite(archive, tmp_path / target)
    assert caught.value.remedy
    assert files_in(tmp_path) == ["small", NAME]


WRITE = """
import resource, signal, sys
from pathlib import Path
from manylinux_shim._errors import WheelError
from manylinux_shim.wheel import Archive
from manylinux_shim.wheel._rewrite import rewrite
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20,) * 2)
try:
    with Archive(Path(sys.argv[1])) as archive:
        rewrite(archive, Path(sys.argv[2]))
except WheelError as error:
    print(error)
"""


def test_a_file_that_may_not_grow_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    source = write(tmp_path, zipped({"a": noise(3 * 2**20)}))
    old = write(tmp_path, b"the old wheel", "new.whl")
    # The kernel's limit on a file's size stands for a full disk.
    run = subprocess.run(
        [sys.executable, "-c", WRITE, str(source), str(old)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot write" in run.stdout
    assert "space" in run.stdout
    assert files_in(tmp_path) == ["new.whl", NAME]
    assert old.read_bytes() == b"the old wheel"


@pytest.mark.long
def test_more_members_than_16_bits_count_are_written_with_zip64(tmp_path: Path) -> None:
    members = {str(n): b"" for n in range(0xFFFF)}
    source = write(tmp_path, by_hand([Raw(name.encode(), b"") for name in members]))
    with Archive(source) as archive:
        rewrite(archive, tmp_path / "new.whl", added={"last": b"1"})
    assert read_strictly(tmp_path / "new.whl") == {**members, "last": b"1"}
    with Archive(tmp_path / "new.whl") as archive:
        assert len(archive.members) == 0x10000


FAR = 0x1_0000_0000


def test_offsets_beyond_32_bits_are_written_with_zip64() -> None:
    member = Member("a", 5, 5, 1, 0, FAR, 0, 0, 1 << 21, 0)
    entry = central_entry(member)
    assert struct.unpack_from("<L", entry, 42) == (0xFFFFFFFF,)
    assert entry.endswith(b"a" + struct.pack("<HHQ", 1, 8, FAR))
    records = end_records(1, len(entry), FAR)
    assert struct.unpack_from("<QQ", records, 40) == (len(entry), FAR)
    assert struct.unpack_from("<L", records, len(records) - 6) == (0xFFFFFFFF,)
