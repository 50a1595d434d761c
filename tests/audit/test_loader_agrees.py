"""Mutated files, and glibc's own loader as the judge of what they ask for."""

from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path
from typing import List, Sequence, Set

import pytest
from elftools.elf.elffile import ELFFile
from mutate_inputs import EVIL

from manylinux_shim._errors import ElfError
from manylinux_shim._platforms import Version, host_architecture, host_family
from manylinux_shim.audit._audit import judge
from manylinux_shim.audit._symbols import GlibcTable, MuslTable
from manylinux_shim.elf._elf import read_elf
from manylinux_shim.wheel import WheelName

SOURCE = """
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
double made(double a, char *b) {
    pthread_t thread;
    pthread_create(&thread, 0, 0, b);
    memcpy(b, &a, sizeof a);
    puts(b);
    return pow(a, exp(a));
}
"""
SECTIONS = (".dynamic", ".gnu.version_r", ".gnu.version", ".dynstr", ".dynsym", ".gnu.hash")


def library(directory: Path) -> bytes:
    """A shared library of the host's compiler, which needs a newer glibc than 2.17."""
    (directory / "made.c").write_text(SOURCE)
    command = ["gcc", "-shared", "-fPIC", "-O1", "-o", "made.so", "made.c", "-lm"]
    subprocess.run(command, cwd=directory, check=True)
    return (directory / "made.so").read_bytes()


def places(path: Path) -> List[int]:
    """Offsets of the program headers, and of all that a loader reads behind them."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        sections = [elf.get_section_by_name(name) for name in SECTIONS]
        spans = [(s["sh_offset"], s["sh_offset"] + s["sh_size"]) for s in sections if s]
        spans.append((elf["e_phoff"], elf["e_phoff"] + elf["e_phnum"] * elf["e_phentsize"]))
    return [offset for start, end in spans for offset in range(start, end)]


def mutated(data: bytes, where: Sequence[int], chance: random.Random) -> bytes:
    """One to three bytes or words changed, where a loader looks."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.choice(where)
        if chance.random() < 0.5:
            changed[at] = chance.randrange(256)
        else:
            at -= at % 2
            changed[at : at + 2] = (chance.choice(EVIL) % 2**16).to_bytes(2, "little")
    return bytes(changed)


def asked_of_glibc(path: Path) -> Set[Version]:
    """The versions of glibc that its loader looks for to load ``path``; none if it refuses."""
    environment = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1", "LD_VERBOSE": "1"}
    arch = host_architecture()
    assert arch is not None
    loader = next(Path("/").glob(f"lib*/{arch.glibc_loader}"))
    run = subprocess.run(
        [str(loader), str(path)], env=environment, capture_output=True, text=True, errors="replace",
        timeout=20, check=False,
    )  # fmt: skip
    if run.returncode:
        return set()
    # It lists them by file; those of the libraries that are loaded with it follow.
    own = run.stdout.partition(f"\t{path}:\n")[2].partition(":\n")[0]
    return {Version(int(a), int(b)) for a, b in re.findall(r"\(GLIBC_(\d+)\.(\d+)", own)}


@pytest.mark.long
@pytest.mark.skipif(host_family() != "manylinux", reason="the loader that judges is glibc's")
def test_no_mutation_makes_a_file_better_than_the_loader_finds_it(tmp_path: Path) -> None:
    data, path = library(tmp_path), tmp_path / "made.so"
    where = places(path)
    arch = host_architecture()
    assert arch is not None
    name = WheelName.parse(f"made-1.0-cp311-cp311-linux_{arch.name}.whl")
    glibc, musl = GlibcTable.load(), MuslTable.load()
    truth = asked_of_glibc(path)
    assert max(truth) > Version(2, 17)
    compared = 0
    for number in range(3000):
        changed = mutated(data, where, random.Random(number))
        try:
            facts = read_elf("made.so", changed)
        except ElfError:
            continue
        verdict = judge(Path(name.filename), name, (facts,), glibc, musl)
        proven = [p for p in verdict.policies if p.family == "manylinux" and verdict.proves(p)]
        # What it lists does not tell the versions that it goes on without.
        if not proven or any(need.weak for need in facts.version_needs):
            continue
        path.write_bytes(changed)
        asked = asked_of_glibc(path)
        compared += bool(asked)
        assert max(asked, default=Version(2, 0)) <= proven[0].version, f"mutation {number}"
    # Else the mutations tell nothing.
    assert compared > 200
