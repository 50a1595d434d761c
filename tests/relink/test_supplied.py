"""Every supplied function does what glibc documents; the checks hold of glibc itself, too."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Dict

import pytest

from manylinux_shim._platforms import ARCHITECTURES, host_architecture, lowest_policy
from manylinux_shim.audit import audit_wheel
from manylinux_shim.elf._elf import read_elf
from manylinux_shim.relink._supply import library
from manylinux_shim.supply import SOURCE_DIRECTORY
from manylinux_shim.supply._catalogue import (
    SOURCE_OF,
    can_supply,
    exported_name,
)
from manylinux_shim.zig._zig import find_zig

pytestmark = pytest.mark.long

ELSEWHERE = {"_cxa_thread_atexit_impl", "_libc_start_main"}
"""Tested by programs of their own."""
BEHAVIOUR = Path(__file__).with_name("behaviour.c")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def behaviour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with the checks."""
    program = tmp_path_factory.mktemp("behaviour") / "behaviour"
    command = ["gcc", "-std=gnu11", "-w", "-O1", str(BEHAVIOUR), "-o", str(program)]
    subprocess.run([*command, "-lpthread", "-ldl", "-lresolv"], check=True)
    return program


def outcomes(program: Path, argument: str) -> Dict[str, str]:
    done = subprocess.run(
        [str(program), argument],
        cwd=program.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())  # type: ignore[misc]


def test_supplied_functions_do_what_glibc_documents(
    behaviour: Path, cache: Path, tmp_path: Path
) -> None:
    arch = host_architecture()
    assert arch is not None
    names = [name for name in SOURCE_OF if can_supply(name, arch.name)]
    made = library(find_zig(), arch, lowest_policy(arch), names, cache)
    (tmp_path / made.soname).write_bytes(made.data)
    found = outcomes(behaviour, str(tmp_path / made.soname))
    assert {name: result for name, result in found.items() if result != "ok"} == {}
    assert set(found) == {exported_name(name) for name in names} - ELSEWHERE


def test_checks_hold_of_this_systems_glibc(behaviour: Path) -> None:
    found = outcomes(behaviour, "-")
    assert {name: result for name, result in found.items() if result not in ("ok", "missing")} == {}
    assert list(found.values()).count("ok") > 20


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "loongarch64"])
def test_library_of_every_architecture_is_itself_proven(
    name: str, cache: Path, tmp_path: Path
) -> None:
    from linked import wheel_of

    arch = ARCHITECTURES[name]
    names = [name for name in SOURCE_OF if can_supply(name, arch.name)]
    made = library(find_zig(), arch, lowest_policy(arch), names, cache)
    facts = read_elf(made.soname, made.data)
    assert facts.exports.names == {exported_name(name) for name in names}
    assert facts.soname == made.soname
    wheel = wheel_of(
        tmp_path, {f"small/{made.soname}": made.data}, f"small-1.0-py3-none-linux_{name}.whl"
    )
    # zig links for 2.19 at least on ppc64le, which the audit need not find in the result.
    assert audit_wheel(wheel).proves(lowest_policy(arch))


def test_destructors_of_a_thread_run_where_glibc_cannot(tmp_path: Path) -> None:
    source = (SOURCE_DIRECTORY / "thread_exit.c").read_text(encoding="utf-8")
    # What calls glibc's finds none; our own name does not contain that of glibc's.
    source = source.replace("int _cxa_thread_atexit_impl", "int begin_at_exit")
    source = source.replace("__cxa_thread_atexit_impl", "nobody_has_this")
    (tmp_path / "begin.c").write_text(
        source
        + """
#include <stdio.h>
static char log_[64];
static void say(void *word) { sprintf(log_ + __builtin_strlen(log_), "%s ", (char *)word); }
static void more(void *word) { say(word); begin_at_exit(say, "nested", log_); }
static void *work(void *given)
{
    begin_at_exit(say, "first", log_);
    begin_at_exit(more, "second", log_);
    begin_at_exit(say, "third", log_);
    return given;
}
static void last(void *word) { puts((char *)word); fflush(stdout); }
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, work, 0);
    pthread_join(thread, 0);
    puts(log_);
    begin_at_exit(last, "main's", log_);
    return 0;
}
""",
        encoding="utf-8",
    )
    program = tmp_path / "begin"
    command = ["gcc", "-w", "begin.c", "-o", str(program), "-lpthread", "-ldl"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run([str(program)], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    # The last one made goes first, and what a destructor makes goes before the older ones.
    assert done.stdout == "third second nested first \nmain's\n"


def test_supplied_library_stays_loaded(cache: Path, tmp_path: Path) -> None:
    arch = host_architecture()
    assert arch is not None
    made = library(find_zig(), arch, lowest_policy(arch), ["gettid"], cache)
    path = tmp_path / made.soname
    path.write_bytes(made.data)
    loaded = ctypes.CDLL(str(path))
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    close(loaded._handle)
    assert made.soname in Path("/proc/self/maps").read_text(encoding="utf-8")
