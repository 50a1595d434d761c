"""Relinked wheels on a system that refuses them as they were: Debian 11, glibc 2.31."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
from linked import MUCH_OF_3, NAME, POLICY, USES_MUCH, relinked, shared, unpacked, wheel_of

from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim.audit import audit_wheel
from manylinux_shim.relink._supply import library
from manylinux_shim.supply._catalogue import SOURCE_OF, can_supply, exported_name
from manylinux_shim.zig._zig import find_zig

# Roots of foreign systems are made beside the tests that run cross-built wheels.
sys.path.append(str(Path(__file__).resolve().parent.parent / "foreign"))
import roots

pytestmark = pytest.mark.foreign

ELSEWHERE = {"_cxa_thread_atexit_impl", "_libc_start_main"}
BEHAVIOUR = Path(__file__).with_name("behaviour.c")
SYSTEMS = ["amd64", "arm64", *(pytest.param(n, marks=pytest.mark.slow) for n in ("i386", "armhf"))]
# Debian 11 knows no Python for these that we could start there, and newer ones refuse nothing.
NEWER_SYSTEMS = [pytest.param(n, marks=pytest.mark.slow) for n in ("ppc64el", "s390x", "riscv64")]
USE = """
import ctypes
f = ctypes.CDLL({path!r}).much
f.restype, f.argtypes = ctypes.c_double, [ctypes.c_double]
print(f(3.0))
"""


def zig_cc(system: roots.System, directory: Path, glibc: str, *arguments: str) -> None:
    """Compile and link for a glibc on a system's architecture, as a host of it would."""
    arch = ARCHITECTURES[system.arch]
    target = f"{arch.zig}-linux-{arch.gnu}.{glibc}"
    command: List[str] = [str(find_zig().executable), "cc", "-target", target, "-O1", "-w"]
    environment = {"ZIG_GLOBAL_CACHE_DIR": str(directory / "zig"), "PATH": "/usr/bin:/bin"}
    subprocess.run([*command, *arguments], cwd=directory, check=True, env=environment)


@pytest.mark.parametrize("name", SYSTEMS)
def test_relinked_wheel_runs_where_it_was_refused(name: str, tmp_path: Path) -> None:
    system = roots.SYSTEMS[name]
    root = roots.root(system, roots.default_cache())
    if name == "amd64":
        data = shared(tmp_path, USES_MUCH, "-lm")
    else:
        (tmp_path / "much.c").write_text(USES_MUCH, encoding="utf-8")
        zig_cc(
            system, tmp_path, "2.36", "-fno-builtin", "-shared", "-fPIC", "much.c", "-o", "much.so"
        )
        data = (tmp_path / "much.so").read_bytes()
    wheel = wheel_of(
        tmp_path, {"small/much.so": data}, NAME.replace("linux_x86_64", f"linux_{system.arch}")
    )
    new = relinked(wheel, tmp_path / "out")
    assert audit_wheel(new).proves(POLICY)
    with root.place() as place:
        before = unpacked(wheel, place / "before") / "small/much.so"
        after = unpacked(new, place / "after") / "small/much.so"
        assert "GLIBC_2.3" in root.python(USE.format(path=root.inside(before))).stdout
        assert root.python(USE.format(path=root.inside(after))).stdout == f"{MUCH_OF_3}\n"


@pytest.mark.parametrize("name", [*SYSTEMS, *NEWER_SYSTEMS])
def test_supplied_functions_do_the_same_there(name: str, tmp_path: Path) -> None:
    system = roots.SYSTEMS[name]
    root = roots.root(system, roots.default_cache())
    arch = ARCHITECTURES[system.arch]
    names = [name for name in SOURCE_OF if can_supply(name, arch.name)]
    aim = Policy("manylinux", max(POLICY.version, arch.lowest_glibc))
    made = library(find_zig(), arch, aim, names, tmp_path / "cache")
    arguments = ["-std=gnu11", str(BEHAVIOUR), "-lpthread", "-ldl", "-lresolv", "-o", "behaviour"]
    # On ppc64le zig's long double is GCC's newer one from glibc 2.32 on, with a printf of its own.
    arguments += ["-mabi=ibmlongdouble"] if name == "ppc64el" else []
    zig_cc(system, tmp_path, "2.17" if system.suite == "bullseye" else "2.36", *arguments)
    with root.place() as place:
        shutil.copy2(tmp_path / "behaviour", place / "behaviour")
        (place / made.soname).write_bytes(made.data)
        inside = root.inside(place)
        printed = root.run([f"{inside}/behaviour", f"{inside}/{made.soname}", inside]).stdout
    lines = (line.partition(" ") for line in printed.splitlines())
    expected = {exported_name(name) for name in names} - ELSEWHERE
    found = {name: result for name, _, result in lines if name in expected}
    assert {name: result for name, result in found.items() if result != "ok"} == {}
    assert set(found) == expected
