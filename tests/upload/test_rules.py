"""The index of these tests takes what PyPI takes, and refuses what PyPI refuses."""

from __future__ import annotations

import io
import zipfile
from typing import Callable, Dict

import pytest
from wheel_rules import Refused, check_wheel

from manylinux_shim._platforms import ARCHITECTURES, lowest_policy

METADATA = b"Metadata-Version: 2.4\nName: Some.Thing\nVersion: 1.0\nLicense-File: LICENSE\n"
INFO = "some_thing-1.0.dist-info"
MEMBERS = {
    "some.py": b"x = 1\n" * 100,
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\n",
    f"{INFO}/licenses/LICENSE": b"MIT\n",
    f"{INFO}/RECORD": b"",
}


def zipped(members: Dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def named(tags: str) -> str:
    return f"some_thing-1.0-{tags}.whl"


def without(name: str) -> bytes:
    return zipped({member: data for member, data in MEMBERS.items() if member != name})


def test_a_wheel_in_order_is_taken() -> None:
    assert check_wheel(named("py3-none-any"), zipped(MEMBERS)) == {
        "name": "Some.Thing",
        "version": "1.0",
        "metadata_version": "2.4",
    }


@pytest.mark.parametrize("arch", [name for name in ARCHITECTURES if name != "loongarch64"])
@pytest.mark.parametrize("family", ["manylinux", "musllinux"])
def test_every_tag_that_a_build_writes_is_taken_but_loongarch64s(arch: str, family: str) -> None:
    tags = lowest_policy(ARCHITECTURES[arch], family).tags(arch)
    check_wheel(named(f"cp311-cp311-{'.'.join(tags)}"), zipped(MEMBERS))


@pytest.mark.parametrize(
    "platform",
    [
        "linux_x86_64",
        "linux_aarch64",
        "manylinux_2_36_loongarch64",
        "manylinux2014_riscv64",
        "manylinux1_aarch64",
        "musllinux_1_2_loongarch64",
        "manylinux_2_17_x86_64.linux_x86_64",
    ],
)
def test_other_platforms_are_refused(platform: str) -> None:
    with pytest.raises(Refused, match="unsupported platform tag"):
        check_wheel(named(f"cp311-cp311-{platform}"), zipped(MEMBERS))


def bzip(_: bytes) -> bytes:
    return zipped(MEMBERS, zipfile.ZIP_BZIP2)


def twice(_: bytes) -> bytes:
    # Two names of one length; then both headers of the second get the first one's.
    return zipped({"same.py": b"y", **MEMBERS}).replace(b"same.py", b"some.py")


def commented(_: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in MEMBERS.items():
            entry = zipfile.ZipInfo(name)
            entry.comment = b"!"
            archive.writestr(entry, data)
    return file.getvalue()


class _Stream(io.BytesIO):
    """What cannot be sought in, so that data descriptors are written."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


def streamed(_: bytes) -> bytes:
    file = _Stream()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in MEMBERS.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data + b"\0", "end record"),
        (lambda data: b"\0" + data, "directory is not where"),
        (lambda data: data.replace(b"some.py", b"same.py", 1), "headers of some.py differ"),
        (lambda data: data[:200], "not an archive"),
        (bzip, "neither stored nor deflated"),
        (twice, "twice"),
        (commented, "has a comment"),
        (streamed, "data descriptor"),
        (lambda _: without(f"{INFO}/RECORD"), "RECORD is missing"),
        (lambda _: without(f"{INFO}/licenses/LICENSE"), "License-File LICENSE"),
        (lambda _: zipped({**MEMBERS, "zeros": bytes(70 << 20)}), "bomb"),
        (
            lambda _: zipped({**MEMBERS, f"{INFO}/METADATA": METADATA.replace(b"1.0", b"1.1")}),
            "METADATA is of",
        ),
        (lambda _: zipped({**MEMBERS, f"{INFO}/METADATA": b"Name: x\n"}), "METADATA is wrong"),
    ],
)
def test_archives_that_are_not_in_order_are_refused(
    change: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        check_wheel(named("py3-none-any"), change(zipped(MEMBERS)))


@pytest.mark.parametrize(
    "name",
    ["Some.Thing-1.0-py3-none-any.whl", "some_thing-1.0.0.dev-py3-none-any.whl", "some.whl"],
)
def test_names_that_are_not_normalized_are_refused(name: str) -> None:
    with pytest.raises(Refused, match=r"normalized|not the name"):
        check_wheel(name, zipped(MEMBERS))
