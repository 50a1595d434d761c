"""What targets are linked against, where zig's own is not enough."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from manylinux_shim._platforms import Policy, architecture
from manylinux_shim.elf._elf import ElfFacts, read_elf
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.sysroot._predefined import predefined
from manylinux_shim.zig._zig import find_zig

pytestmark = pytest.mark.long

WEAK = """
#include <stdlib.h>
extern int __cxa_thread_atexit_impl(void) __attribute__((weak));
int f(void) { return __cxa_thread_atexit_impl ? __cxa_thread_atexit_impl() : 0; }
void g(void) { abort(); } // else nothing needs libc, and a weak symbol alone does not
"""

PROGRAM = """
#include <stdexcept>
int main(int argc, char **argv)
{
    long double pair = argc;
    try {
        if (pair * pair > 3) throw std::out_of_range(argv[0]);
    } catch (const std::exception &) {
        return 1;
    }
    return 0;
}
"""


def linked(text: str, name: str, policy: str, directory: Path, *options: str) -> ElfFacts:
    """The facts of a file for ppc64le, linked without anything undefined."""
    arch = architecture("ppc64le")
    environment = prepare(
        find_zig(), arch, Policy.parse(policy), directory, cross=True, notice=print
    )
    (directory / name).write_text(text)
    compiler = environment["CXX" if name.endswith("cpp") else "CC"]
    command = [compiler, *options, "-Wl,-z,defs", name, "-o", "linked"]
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return read_elf("linked", (directory / "linked").read_bytes())


@pytest.mark.parametrize(("policy", "version"), [("manylinux2014", ""), ("manylinux_2_19", "2.18")])
def test_weak_symbol_is_bound_to_what_the_policy_has(
    policy: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    facts = linked(WEAK, "weak.c", policy, tmp_path, "-shared", "-fPIC")
    (symbol,) = (s for s in facts.undefined if s.name == "__cxa_thread_atexit_impl")
    assert symbol.weak
    assert symbol.version == (f"GLIBC_{version}" if version else None)


def test_program_finds_the_unwinder_and_pairs_of_doubles_in_one_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    facts = linked(PROGRAM, "program.cpp", "manylinux2014", tmp_path, "-O2")
    versions = {symbol.version for symbol in facts.undefined if symbol.library == "libgcc_s.so.1"}
    assert versions >= {"GCC_3.0", "GCC_3.4.4"}


@pytest.mark.parametrize(
    ("target", "edition", "threads", "annex_f"),
    [
        ("x86_64-linux-gnu.2.5", "201103L", False, False),
        ("x86_64-linux-gnu.2.17", "201103L", False, False),
        ("x86_64-linux-gnu.2.22", "201304L", False, False),
        ("x86_64-linux-gnu.2.24", "201505L", False, False),
        ("arm-linux-gnueabihf.2.27", "201706L", False, False),
        ("aarch64-linux-gnu.2.28", "201706L", True, False),
        ("riscv64-linux-gnu.2.35", "201706L", True, True),
        ("x86_64-linux-musl", "201206L", True, False),
        ("arm-linux-musleabihf", "201206L", True, False),
    ],
)
def test_macros_are_those_of_the_targets_own_header(
    target: str, edition: str, threads: bool, annex_f: bool
) -> None:
    macros = predefined(target)
    assert f"-D__STDC_ISO_10646__={edition}" in macros
    assert ("-D__STDC_NO_THREADS__=1" not in macros) == threads
    assert ("-D__STDC_IEC_60559_BFP__=201404L" in macros) == annex_f


THREADS = """
#ifndef __STDC_NO_THREADS__
#include <threads.h>
thread_local int own;
mtx_t lock;
#endif
#include <stdlib.h>
#if __STDC_ISO_10646__ != {edition} || !defined __STDC_IEC_559__
#error not what the header says
#endif
"""


@pytest.mark.parametrize(
    ("policy", "edition"),
    [("manylinux_2_17", "201103L"), ("manylinux_2_28", "201706L"), ("musllinux_1_2", "201206L")],
)
@pytest.mark.parametrize("suffix", ["c", "cpp"])
def test_what_asks_for_the_headers_macros_compiles(
    policy: str, edition: str, suffix: str, tmp_path: Path
) -> None:
    environment = prepare(
        find_zig(), architecture("x86_64"), Policy.parse(policy), tmp_path, cross=True, notice=print
    )
    file = tmp_path / f"threads.{suffix}"
    file.write_text(THREADS.format(edition=edition))
    command = [environment["CXX" if suffix == "cpp" else "CC"], "-Werror", "-c", file.name]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("policy", "name", "said"),
    [
        ("musllinux_1_2", "getrandom", ""),
        ("musllinux_1_2", "preadv2", "came with musl 1.2.5, and this build is for musl 1.2: no"),
        ("musllinux_1_1", "getrandom", 'for musl 1.1: `policy = "musllinux_1_2"` has it'),
    ],
)
@pytest.mark.parametrize("arch", ["x86_64", "armv7l"])
def test_build_for_musl_does_not_find_what_came_after_its_policy(
    arch: str, policy: str, name: str, said: str, tmp_path: Path, shared_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(shared_cache))
    target = architecture(arch)
    environment = prepare(
        find_zig(), target, Policy.parse(policy), tmp_path, cross=True, notice=print
    )
    # As checks of build systems do.
    text = (
        f"#include <time.h>\nchar {name}(void);\nint main(void) {{ return {name}() + !time(0); }}\n"
    )
    (tmp_path / "check.c").write_text(text)
    done = subprocess.run(
        [environment["CC"], "check.c", "-o", "check"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode == 0) == (not said), done.stderr
    assert said in done.stderr
