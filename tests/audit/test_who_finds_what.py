"""Libraries of a wheel that need each other: the verdict, and the loaders that it speaks of."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional, Set, Tuple

import pytest
from made_elf import Made
from made_wheel import make_wheel
from support.machine import lacking

from manylinux_shim._platforms import Policy, host_architecture, host_family
from manylinux_shim.audit import Reason, Verdict, audit_wheel

WHEELS = 200
DIRECTORIES = ("made", "made/lib", "made.libs")
GLIBC, MUSL = Policy.parse("manylinux_2_17"), Policy.parse("musllinux_1_1")

Opened = Dict[str, Optional[Set[str]]]
"""By file, all files that are loaded with it; None where the loader says no."""

DLOPEN = """
import ctypes, json, os, sys
found = {}
for path in json.load(sys.stdin):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            ctypes.CDLL(path)
        except OSError:
            os._exit(1)
        os.write(write, "".join(l for l in open("/proc/self/maps") if "/made" in l).encode())
        os._exit(0)
    os.close(write)
    text = open(read).read()
    lines = [line.split()[-1] for line in text.splitlines()]
    found[path] = lines if os.wait()[1] == 0 else None
json.dump(found, sys.stdout)
"""
"""Each in a process that has opened none of the others."""


def verdict(directory: Path, files: Dict[str, Made]) -> Verdict:
    return audit_wheel(make_wheel(directory, dict(files), "cp311-abi3-linux_x86_64"))


def entangled(chance: random.Random, arch: str) -> Dict[str, Made]:
    """Two modules and some libraries that need each other, some of which are there twice."""
    modules = ["_a.abi3.so", "_b.abi3.so"]
    names = [f"lib{n}.so" for n in range(chance.randint(2, 4))]
    places = [f"made/{name}" for name in modules]
    places += [f"{chance.choice(DIRECTORIES)}/{name}" for name in names]
    places += [f"{chance.choice(DIRECTORIES)}/{chance.choice(names)}"] * chance.randint(0, 1)
    needs = {place: chance.sample(names, chance.choice((0, 0, 1, 1, 2))) for place in places}
    for name in names:
        if name not in _reached(modules, needs):
            needs[places[chance.randint(0, 1)]].append(name)
    return {place: _made(place, needs[place], chance, arch) for place in dict.fromkeys(places)}


def _reached(names: List[str], needs: Dict[str, List[str]]) -> List[str]:
    """All names that ``names`` lead to; a process begins with what none leads to."""
    reached = list(names)
    for name in reached:
        for place, needed in needs.items():
            if place.endswith(f"/{name}"):
                reached += [n for n in needed if n not in reached]
    return reached


def _made(place: str, needed: List[str], chance: random.Random, arch: str) -> Made:
    directory, _, name = place.rpartition("/")
    up = "/.." * (directory.count("/") + 1)
    entries = [f"$ORIGIN{up}/{d}" for d in DIRECTORIES if chance.random() < 0.5]
    entries += ["$ORIGIN/$LIB"] if chance.random() < 0.1 else []
    run_path = ":".join(entries) or None
    old = chance.random() < 0.5
    return Made(
        arch=arch,
        needed=list(dict.fromkeys(needed)),
        soname=chance.choice((name, name, None)) if name.startswith("lib") else None,
        run_path=None if old else run_path,
        old_run_path=run_path if old else None,
        defined=[f"PyInit_{name.partition('.')[0]}"] if ".abi3." in name else (),
    )


def opened_by_glibc(paths: List[str]) -> Opened:
    run = subprocess.run(
        [sys.executable, "-I", "-c", DLOPEN],
        input=json.dumps(paths), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return {p: None if found is None else set(found) for p, found in json.loads(run.stdout).items()}


def opened_by_musl(paths: List[str]) -> Opened:
    arch = host_architecture()
    assert arch is not None
    loader = Path("/lib") / arch.musl_loader
    if not loader.exists():
        lacking("loader of musl (Debian's package musl)")
    found: Opened = {}
    for path in paths:
        run = subprocess.run([str(loader), "--list", path], stdout=subprocess.PIPE, text=True)
        loaded = [os.path.normpath(p) for p in re.findall(r"=> (\S+)", run.stdout)]
        found[path] = {path, *loaded} if run.returncode == 0 else None
    return found


def all_open(files: List[str], opened: Opened) -> bool:
    """Whether each module can be opened, and then whatever none of those has loaded."""
    loaded: Set[str] = set()
    for path in sorted(files, key=lambda path: ".abi3." not in path):
        if ".abi3." in path or path not in loaded:
            found = opened[path]
            if found is None:
                return False
            loaded |= found
    return True


@pytest.mark.long
@pytest.mark.skipif(host_family() != "manylinux", reason="the Python that opens is glibc's")
@pytest.mark.parametrize(
    ("opened", "policy"), [(opened_by_glibc, GLIBC), (opened_by_musl, MUSL)], ids=["glibc", "musl"]
)
def test_a_wheel_is_proven_exactly_when_each_of_its_modules_can_be_opened(
    tmp_path: Path, opened: Callable[[List[str]], Opened], policy: Policy
) -> None:
    arch = host_architecture()
    assert arch is not None
    proven: Dict[Path, Tuple[Reason, ...]] = {}
    paths: Dict[Path, List[str]] = {}
    for number in range(WHEELS):
        files = entangled(random.Random(number), arch.name)
        site = tmp_path / str(number)
        for place, made in files.items():
            (site / place).parent.mkdir(parents=True, exist_ok=True)
            (site / place).write_bytes(bytes(made))
        paths[site] = [str(site / place) for place in files]
        proven[site] = verdict(site, files).against(policy)
    real = opened([path for files in paths.values() for path in files])
    for site, reasons in proven.items():
        assert all_open(paths[site], real) is not bool(reasons), f"{site}: {reasons}"
    # Else the comparison tells nothing.
    assert WHEELS / 10 < sum(not reasons for reasons in proven.values()) < WHEELS * 9 / 10


def chain(user: str, library: str) -> Dict[str, Made]:
    """A module that needs ``b``, which needs ``c`` and has no run path of its own."""
    return {
        "made/_a.abi3.so": Made(needed=["libb.so"], **{user: "$ORIGIN"}),  # type: ignore[arg-type]
        "made/libb.so": Made(needed=["libc1.so"], **{library: "$ORIGIN/x"}),  # type: ignore[arg-type]
        "made/libc1.so": Made(),
    }


@pytest.mark.parametrize(
    ("user", "library", "glibc", "musl"),
    [
        ("run_path", "old_run_path", False, True),
        ("old_run_path", "old_run_path", True, True),
        ("old_run_path", "run_path", False, True),
    ],
)
def test_a_run_path_serves_what_its_loader_lets_it_serve(
    tmp_path: Path, user: str, library: str, glibc: bool, musl: bool
) -> None:
    found = verdict(tmp_path, chain(user, library))
    assert (found.proves(GLIBC), found.proves(MUSL)) == (glibc, musl)


def test_a_module_that_leads_nowhere_is_found_beside_one_that_does(tmp_path: Path) -> None:
    files = {
        "made/_a.abi3.so": Made(needed=["libb.so"], old_run_path="$ORIGIN/lib"),
        "made/_b.abi3.so": Made(needed=["libb.so"], run_path="$ORIGIN/lib"),
        "made/lib/libb.so": Made(needed=["libc1.so"]),
        "made/lib/libc1.so": Made(),
    }
    (reason,) = verdict(tmp_path, files).against(GLIBC)
    assert (reason.file, reason.library) == ("made/lib/libb.so", "libc1.so")
    assert "begins with made/_b.abi3.so" in reason.allowed
    assert "the run path $ORIGIN to made/lib/libb.so" in reason.remedy


def test_a_program_among_the_scripts_is_not_told_a_run_path_that_cannot_be(tmp_path: Path) -> None:
    program = Made(
        needed=["libown.so", "libc.so.6"], interpreter="/lib64/ld-linux-x86-64.so.2",
        run_path="$ORIGIN",
    )  # fmt: skip
    files = {"made-1.0.data/scripts/made": program, "made.libs/libown.so": Made()}
    (reason,) = verdict(tmp_path, files).against(GLIBC)
    assert "entry point" in reason.remedy
    assert "$ORIGIN" not in reason.remedy
