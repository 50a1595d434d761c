"""Whatever happens to an ELF file's bytes: an error, or a wheel that is proven and whole."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path
from typing import Callable, List

import pytest
from linked import POLICY, USES_MUCH, relinked, shared, wheel_of
from support import wheels

from manylinux_shim._errors import ShimError
from manylinux_shim.audit import audit_wheel
from manylinux_shim.elf._elf import read_elf

# The environment variable is the flag for longer runs.
ROUNDS = int(os.environ.get("MUTATIONS", "250"))
NUMBERS = (0, 1, 2, 8, 0xFF, 0x1000, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF)


def places(data: bytes) -> List[int]:
    """Where the tables are that relinking reads: headers, dynamic segment, versions."""
    found = list(range(16, 64 + 56 * 12))
    phoff, phnum = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    for n in range(phnum):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, phoff + 56 * n)
        if kind == 2:
            found += list(range(offset, offset + size)) * 2
            start = offset
    for at in range(start, len(data) - 16, 16):
        tag, value = struct.unpack_from("<QQ", data, at)
        if tag == 0:
            break
        if tag in (0x6FFFFFFE, 0x6FFFFFF0, 6, 0x6FFFFEF5) and value < len(data) - 256:
            found += list(range(value, value + 256)) * 2
    return found


def flip(data: bytearray, where: List[int], rng: random.Random) -> None:
    data[rng.choice(where) % len(data)] ^= 1 << rng.randrange(8)


def number(data: bytearray, where: List[int], rng: random.Random) -> None:
    size = rng.choice((2, 4, 8))
    place = min(rng.choice(where), len(data) - 8) // size * size
    data[place : place + size] = rng.choice(NUMBERS).to_bytes(8, "little")[:size]


def cut(data: bytearray, where: List[int], rng: random.Random) -> None:
    del data[rng.randrange(len(data) // 2, len(data)) :]


MUTATIONS: List[Callable[[bytearray, List[int], random.Random], None]] = [
    flip, flip, number, number, number, cut,
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("kind", ["grown", "in place"])
def test_mutated_files_are_relinked_truly_or_refused(kind: str, tmp_path: Path) -> None:
    source = USES_MUCH
    if kind == "in place":
        source = "double pow(double, double);\ndouble f(double x) { return pow(x, 2); }"
    seed = shared(tmp_path, source, "-lm")
    where = places(seed)
    rng = random.Random(kind)
    outcomes = {"relinked": 0, "refused": 0}
    out = tmp_path / "out"
    for _ in range(ROUNDS):
        data = bytearray(seed)
        for _ in range(rng.choice((1, 1, 2, 3))):
            rng.choice(MUTATIONS)(data, where, rng)
        wheel = wheel_of(tmp_path, {"small/f.so": bytes(data)})
        before = wheel.read_bytes()
        try:
            new = relinked(wheel, out)
        except ShimError:
            outcomes["refused"] += 1
            assert not out.exists() or not list(out.iterdir())
        else:
            outcomes["relinked"] += 1
            if new.read_bytes() != before:
                wheels.check_consistent(new)
            old_facts = read_elf("f", bytes(data))
            facts = read_elf("f", wheels.elf_members(new)["small/f.so"])
            assert facts.exports.names == old_facts.exports.names
            assert len(facts.undefined) == len(old_facts.undefined)
            verdict = audit_wheel(new)
            # What speaks against it then was there before, and is none of its versions.
            against = {r.kind for r in verdict.against(POLICY)}
            assert against <= {r.kind for r in audit_wheel(wheel).against(POLICY)}
            new.unlink()
        assert wheel.read_bytes() == before
    # Both happen, so both are tested.
    assert min(outcomes.values()) > ROUNDS // 50
