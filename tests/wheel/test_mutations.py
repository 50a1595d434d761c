"""Whatever happens to an archive's bytes, it is read truly or refused."""

from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from small_wheels import NAME, Raw, by_hand, contents, files_in, zipped
from strict_zip import read_strictly

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel import Archive, retag

# The environment variable is the flag for longer runs.
ROUNDS = int(os.environ.get("MUTATIONS", "600"))

SEEDS: Dict[str, bytes] = {
    "deflated": zipped(contents()),
    "stored": zipped(contents(), method=zipfile.ZIP_STORED),
    "descriptors": zipped(contents(), stream=True),
    "zip64": zipped(contents(), stream=True, force_zip64=True),
    "decorated": zipped(contents(), directories=["small/"], comment=b"all", member_comment=b"one"),
    "tiny": by_hand([Raw(b"a"), Raw(b"b", b"")]),
}
SIGNATURES = (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\x08")
NUMBERS = (0, 1, 4, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def flip_bit(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def set_field(data: bytearray, rng: random.Random) -> None:
    """Put a telling number into a field of one of the archive's records."""
    places: List[int] = []
    for signature in SIGNATURES:
        place = data.find(signature)
        while place >= 0:
            places.append(place)
            place = data.find(signature, place + 1)
    if places:
        place = rng.choice(places) + rng.randrange(4, 46, 2)
        number = rng.choice(NUMBERS).to_bytes(4, "little")[: rng.choice((2, 4))]
        data[place : place + len(number)] = number


def nudge_byte(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data) * 2 // 3, len(data))  # the directory is at the end
    data[place] = (data[place] + rng.choice((-1, 1))) % 256


def cut(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice((1, 2, 30, 1000))]


def double(data: bytearray, rng: random.Random) -> None:
    start, length = rng.randrange(len(data)), rng.choice((1, 22, 46, 400))
    target = rng.randrange(len(data) + 1)
    data[target:target] = data[start : start + length]


MUTATIONS: List[Callable[[bytearray, random.Random], None]] = [
    flip_bit,
    set_field,
    set_field,
    nudge_byte,
    cut,
    double,
]


def mutated(seed: bytes, rng: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if data:
            rng.choice(MUTATIONS)(data, rng)
    return bytes(data)


@pytest.mark.long
@pytest.mark.parametrize("kind", SEEDS)
def test_mutated_archives_are_read_truly_or_refused(kind: str, tmp_path: Path) -> None:
    rng = random.Random(kind)
    path, out = tmp_path / NAME, tmp_path / "out"
    out.mkdir()
    outcomes = {"read": 0, "refused": 0}
    for _ in range(ROUNDS):
        path.write_bytes(mutated(SEEDS[kind], rng))
        try:
            with Archive(path) as archive:
                members = {member.name: archive.read(member) for member in archive.members}
            # What passes here is what the tool that everybody installs with reads.
            with zipfile.ZipFile(path) as expected:
                assert {name: expected.read(name) for name in expected.namelist()} == members
            outcomes["read"] += 1
            new = retag(path, ["any"], out)
        except WheelError:
            outcomes["refused"] += 1
            assert not files_in(out)
        else:
            files = {name: data for name, data in members.items() if not name.endswith("/")}
            written = read_strictly(new)
            assert written.keys() == files.keys() | {"small-1.0.dist-info/RECORD"}
            new.unlink()
    # Both happen, so both are tested.
    assert min(outcomes.values()) > ROUNDS // 50
