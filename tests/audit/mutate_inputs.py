"""A mutation loop over small ELF files and wheels: ``python mutate_inputs.py SEED ELFS WHEELS``.

Each input is decided, or refused with an error of ours, within two seconds and
in an address space of 512 MB; anything else ends this program with a traceback
that names the seed and the input's number. The last line says how many inputs
were decided and how many refused.
"""

from __future__ import annotations

import random
import resource
import signal
import struct
import sys
import tempfile
from pathlib import Path
from typing import Callable, List, Tuple

from made_elf import ET_EXEC, Made, Need, glibc_need
from made_wheel import make_wheel

from manylinux_shim._errors import ElfError, WheelError
from manylinux_shim._platforms import Policy, parse_platform_tag
from manylinux_shim.audit import audit_wheel, render, to_json
from manylinux_shim.audit._audit import judge
from manylinux_shim.audit._symbols import GlibcTable, MuslTable
from manylinux_shim.elf._elf import read_elf
from manylinux_shim.wheel import WheelName

MEMORY = 512 * 2**20
SECONDS = 2
EVIL = (0, 1, 2, 3, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)


def seeds() -> List[bytes]:
    """ELF files that have every structure which is read."""
    needs = [
        Need("PyLong_FromLong"),
        Need("mystery", weak=True),
        glibc_need("memcpy", "2.14"),
        glibc_need("pow", "2.29", "libm.so.6", weak=True, weak_version=True),
    ]
    found = []
    for arch in ("x86_64", "i686", "armv7l", "s390x", "ppc64le"):
        for hashes in (("gnu", "relocations"), ("sysv",)):
            made = Made(
                arch=arch, needed=("libc.so.6", "libown.so"), soname="libmade.so",
                run_path="$ORIGIN/../lib", undefined=needs, definitions=("V1", "V2"),
                hashes=hashes, isa_needed=3, relr=True,
                arm_attributes=(10, 1) if arch == "armv7l" else None,
            )  # fmt: skip
            found.append(bytes(made))
    found.append(bytes(Made(type=ET_EXEC, interpreter="/lib64/ld-linux-x86-64.so.2")))
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to six changes: bytes, numbers of all widths, cuts, repetitions."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        if len(changed) < 8:
            break
        at = chance.randrange(len(changed) - 8)
        kind = chance.randrange(8)
        if kind <= 2:
            changed[at] = chance.randrange(256)
        elif kind <= 5:
            layout = chance.choice("HIQ")
            value = chance.choice(EVIL) if chance.random() < 0.6 else chance.randrange(len(data))
            width = struct.calcsize(layout)
            at -= at % width
            struct.pack_into("<" + layout, changed, at, value % 2 ** (8 * width))
        elif kind == 6:
            del changed[at : at + chance.randrange(1, 64)]
        else:
            piece = changed[at : at + chance.randrange(1, 64)]
            changed[at:at] = piece * chance.randint(1, 4)
    return bytes(changed)


def _names(chance: random.Random) -> Tuple[str, str]:
    """Tags of a wheel, and the name of its module, often nearly right."""
    parts = [
        chance.choice(("cp311", "cp311.cp312", "py3", "cp315", "pp311", "py2.py3")),
        chance.choice(("cp311", "abi3", "abi3t", "none", "cp313t", "pypy311_pp73", "abi3.abi3t")),
        chance.choice(("manylinux1_x86_64", "manylinux_2_17_x86_64.manylinux2014_x86_64")),
    ]
    suffixes = (".cpython-311-x86_64-linux-gnu", ".abi3", ".abi3t", ".pypy311-pp73-x86_64", "")
    texts = ["-".join(parts), f"made/_made{chance.choice(suffixes)}.so"]
    for place, letters in enumerate(("-._ac0123456789px", "-._ac0123456789/$\u0130")):
        for _ in range(chance.randrange(3)):
            at = chance.randrange(len(texts[place]))
            width = chance.randrange(2)
            new = chance.choice(letters) if chance.random() < 0.8 else ""
            texts[place] = texts[place][:at] + new + texts[place][at + width :]
    # A directory separator in a file's name is another file's.
    return texts[0].replace("/", ""), texts[1]


def run(name: str, number: int, inputs: Callable[[int], object]) -> int:
    """Feed ``number`` inputs; how many were decided."""
    decided = 0
    for i in range(number):
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            inputs(i)
            decided += 1
        except (ElfError, WheelError) as error:
            if not (error.message and error.remedy):
                raise ValueError(f"{name} {i}: an error must say what and what to do") from error
        except BaseException:
            sys.stderr.write(f"{name} {i} was not decided\n")
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return decided


def main(seed: int, elfs: int, wheels: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    files = seeds()
    glibc, musl = GlibcTable.load(), MuslTable.load()
    wheel_name = WheelName.parse("made-1.0-cp311-cp311-manylinux1_x86_64.whl")

    def one_elf(i: int) -> None:
        chance = random.Random(seed * 1_000_003 + i)
        data = mutated(files[i % len(files)], chance)
        if data[:4] == b"\x7fELF":
            facts = read_elf("made.so", data)
            verdict = judge(Path(wheel_name.filename), wheel_name, (facts,), glibc, musl)
            to_json(verdict)
            render(verdict)

    with tempfile.TemporaryDirectory() as scratch:
        # It needs a newer glibc than its tag says, and no mutation may hide that.
        lie = Made(needed=("libc.so.6",), undefined=[glibc_need("getrandom", "2.25")])
        made = make_wheel(
            Path(scratch), {"made/_made.abi3.so": lie}, "cp311-abi3-manylinux1_x86_64"
        )
        original = made.read_bytes()

        def one_wheel(i: int) -> None:
            chance = random.Random(seed * 2_000_003 + i)
            made.write_bytes(mutated(original, chance))
            verdict = audit_wheel(made)
            assert not verdict.truthful, "a lie was believed"

        def one_name(i: int) -> None:
            chance = random.Random(seed * 3_000_017 + i)
            tag, member = _names(chance)
            named = make_wheel(Path(scratch), {member: lie}, tag)
            try:
                verdict = audit_wheel(named)
            finally:
                named.unlink()
            to_json(verdict)
            render(verdict)
            # A tag may by chance be one that is kept: no promise, or of a newer glibc.
            parsed = [parse_platform_tag(platform) for platform in verdict.claimed]
            kept = (each is None or each[0] >= Policy.parse("manylinux_2_25") for each in parsed)
            assert not verdict.truthful or all(kept), "a lie was believed"

        decided = run("ELF", elfs, one_elf) + run("wheel", wheels, one_wheel)
        decided += run("name", wheels, one_name)
        wheels *= 2
    print(f"{decided} decided, {elfs + wheels - decided} refused")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
