"""Compiling by way of ccache: the right object, however it comes."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from manylinux_shim._platforms import Policy, architecture
from manylinux_shim.compiler._cached import can_be
from manylinux_shim.environment._ccache import find_ccache
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig import Zig, find_zig

pytestmark = pytest.mark.long

SOURCE = """\
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "part.h"
#include <named.h>
int f(int x) { assert(x); return printf("%s %d", __FILE__, x + PART + NAMED); }
"""
HAS_OTHER = """\
#if __has_include(<other.h>)
#define assert(x) ((void)1)
#else
#define assert(x) ((void)(x + 1))
#endif
"""
TWICE = ("-O2", "-g", "-fPIC", "-Ifirst", "-Iinclude")


class Build:
    """One build of a small tree: its environment, as it is in a place of its own."""

    def __init__(self, root: Path, cache: Path, *, target: str = "x86_64", policy: str = "2_17",
                 cached: bool = True) -> None:  # fmt: skip
        self.tree = root / "tree"
        for name in ("include", "first"):
            (self.tree / name).mkdir(parents=True)
        self.write("a.c", SOURCE)
        self.write("part.h", "#define PART 1\n")
        self.write("include/named.h", "#define NAMED 10\n")
        zig = find_zig()
        lib = root / "zig" / "lib"
        lib.parent.mkdir()
        lib.symlink_to(zig.lib)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(cache))
            for each in (zig, Zig(zig.executable, zig.version, lib)):  # the one makes the sysroot
                added = prepare(
                    each,
                    architecture(target),
                    Policy.parse(f"manylinux_{policy}"),
                    self.tree,
                    cross=target != "x86_64",
                    cached=cached,
                    notice=print,
                )
        self.log = root / "log"
        self.environment: Dict[str, str] = {
            **os.environ, **added, "CCACHE_STATSLOG": str(self.log)
        }  # fmt: skip

    def write(self, name: str, text: str) -> None:
        (self.tree / name).write_text(text)

    def compile(self, *flags: str, source: str = "a.c", output: str = "a.o") -> bytes:
        command = [self.environment["CC"], *TWICE, *flags, "-c", source, "-o", output]
        done = subprocess.run(command, cwd=self.tree, env=self.environment, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        return (self.tree / output).read_bytes()

    def results(self) -> Tuple[int, int]:
        """Hits and misses so far."""
        words = self.log.read_text().split() if self.log.exists() else []
        return words.count("preprocessed_cache_hit"), words.count("cache_miss")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    if find_ccache() is None:
        pytest.skip("no ccache on this machine")
    return tmp_path / "cache"


def without(root: Path, cache: Path, **more: str) -> Build:
    return Build(root, cache, cached=False, **more)  # type: ignore[arg-type]


def test_another_build_elsewhere_compiles_nothing_and_gets_its_own_bytes(
    cache: Path, tmp_path: Path
) -> None:
    first, second = Build(tmp_path / "1", cache), Build(tmp_path / "2" / "deep", cache)
    plain = without(tmp_path / "3", cache)
    for arguments in ((), ("-DNDEBUG", "-O3"), ("-g3",)):
        objects = [build.compile(*arguments) for build in (first, second, plain)]
        assert objects[1:] == objects[:1] * 2
        for path in (first, second):
            assert bytes(path.tree) not in objects[0]
    whole = {"source": str(first.tree / "a.c")}
    assert first.compile(**whole) == second.compile(source=str(second.tree / "a.c"))
    assert plain.compile(source=str(plain.tree / "a.c")) == first.compile(**whole)
    assert second.results() == (4, 0)


def test_what_changes_the_code_is_compiled(cache: Path, tmp_path: Path) -> None:
    build, plain = Build(tmp_path / "1", cache), without(tmp_path / "2", cache)
    seen: List[bytes] = []

    def same(*flags: str) -> None:
        seen.append(build.compile(*flags))
        assert seen[-1] == plain.compile(*flags)

    same()
    for flag in ("-O3", "-DNDEBUG", "-fno-plt", "-march=x86-64-v3", "-fvisibility=hidden",
                 f"-ffile-prefix-map={build.tree}=elsewhere"):  # fmt: skip
        if "prefix-map" not in flag:
            same(flag)
        else:
            seen.append(build.compile(flag))
    for each in (build, plain):
        each.write("part.h", "#define PART 2\n")
    same()
    # A header that was not there hides one that was.
    for each in (build, plain):
        each.write("first/named.h", "#define NAMED 11\n")
    same("-Ifirst")
    for each in (build, plain):
        each.write("named.h", "#define NAMED 12\n")
    same("-I.")
    for each in (build, plain):
        each.write("include/assert.h", HAS_OTHER)
    same("-DHERE")
    for each in (build, plain):
        each.write("include/other.h", "")
    same("-DHERE")
    assert build.results() == (1, len(seen) - 1), "with -I. nothing was another"


@pytest.mark.parametrize(
    "other", [{"policy": "2_28"}, {"target": "aarch64"}], ids=["policy", "target"]
)
def test_another_target_or_policy_has_objects_of_its_own(
    other: Dict[str, str], cache: Path, tmp_path: Path
) -> None:
    one, two = Build(tmp_path / "1", cache), Build(tmp_path / "2", cache, **other)  # type: ignore[arg-type]
    plain = without(tmp_path / "3", cache, **other)
    text = "int f(void) { return 3; }\n"
    for build in (one, two, plain):
        build.write("a.c", text)
    one.compile()
    assert two.compile() == plain.compile()
    assert two.results() == (0, 1)


def test_another_zig_has_objects_of_its_own(cache: Path, tmp_path: Path) -> None:
    one, two = Build(tmp_path / "1", cache), Build(tmp_path / "2", cache)
    two.environment["_MANYLINUX_SHIM_ZIG_IDENTITY"] = "zig 0.99.0"
    one.compile()
    two.compile()
    assert two.results() == (0, 1)


def test_a_damaged_cache_gives_no_wrong_object(cache: Path, tmp_path: Path) -> None:
    build = Build(tmp_path / "1", cache)
    right = build.compile()
    kept = [path for path in (cache / "objects").rglob("*") if path.is_file()]
    assert kept
    for change in (lambda data: data[: len(data) // 2], lambda data: b"", flipped):
        for path in kept:
            if path.exists() and path.stat().st_size:
                path.write_bytes(change(path.read_bytes()))
        assert build.compile() == right
    shutil.rmtree(cache / "objects")
    (cache / "objects").write_text("no directory")
    assert build.compile() == right


def flipped(data: bytes) -> bytes:
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def test_compiles_that_were_killed_leave_nothing_wrong(cache: Path, tmp_path: Path) -> None:
    build, plain = Build(tmp_path / "1", cache), without(tmp_path / "2", cache)
    right = [plain.compile(f"-DPART_{n}", "-O3", f"-falign-functions={1 << n}") for n in range(4)]
    chance = random.Random(18)
    for number in range(24):
        flags = [*TWICE, f"-DPART_{number % 4}", "-O3", f"-falign-functions={1 << number % 4}"]
        process = subprocess.Popen(
            [build.environment["CC"], *flags, "-c", "a.c", "-o", "a.o"],
            cwd=build.tree,
            env=build.environment,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.02, 0.3))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for number, expected in enumerate(right):
        flags = [f"-DPART_{number}", "-O3", f"-falign-functions={1 << number}"]
        assert build.compile(*flags) == expected


def test_modules_are_not_in_the_text_and_so_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("_MANYLINUX_SHIM_CCACHE", "ccache")
    assert can_be(["-O2", "-c", "a.c"], "a.c")
    assert not can_be(["-O2", "-c", "a.cc", "-fmodule-file=m=m.pcm"], "a.cc")
    assert not can_be(["-E", "a.c"], "a.c")
    assert not can_be(["-c", "-"], "-")


def test_several_at_once_get_each_its_own(cache: Path, tmp_path: Path) -> None:
    builds = [Build(tmp_path / str(number), cache) for number in range(2)]
    plain = without(tmp_path / "plain", cache)
    work = [(build, value) for value in range(4) for build in builds for _ in range(2)]

    def one(number: int) -> bytes:
        build, value = work[number]
        return build.compile(f"-DVALUE={value}", "-DPARTS", output=f"{number}.o")

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(one, range(len(work))))
    for number, item in enumerate(made):
        value = work[number][1]
        expected = plain.compile(f"-DVALUE={value}", "-DPARTS", output=f"{number}.o")
        assert item == expected


def test_rules_name_the_files_of_this_build(cache: Path, tmp_path: Path) -> None:
    first, second = Build(tmp_path / "1", cache), Build(tmp_path / "2", cache)
    plain = without(tmp_path / "3", cache)
    for flags, name in (
        (("-MD", "-MF", "rules.d"), "rules.d"),
        (("-MMD",), "a.d"),
        (("-MD", "-MT", "a target", "-MFother.d", "-MP"), "other.d"),
    ):
        texts = []
        for build in (first, second, plain):
            build.compile(*flags)
            text = (build.tree / name).read_text()
            texts.append(text.replace(str(build.tree.parent), ""))
            assert str(build.tree.parent / "zig") in text or "-MMD" in flags
        assert texts[1:] == texts[:1] * 2
    assert second.results()[1] == 0


def test_what_is_wrong_in_a_source_is_said_as_ever(cache: Path, tmp_path: Path) -> None:
    build, plain = Build(tmp_path / "1", cache), without(tmp_path / "2", cache)
    for each in (build, plain):
        each.write("bad.c", '#include "part.h"\nint f(void) { return missing; }\n')
        each.write("lost.c", '#include "lost.h"\n')
        each.write("warned.c", "int f(void) { int unused; return 0; }\n")
    for name in ("bad.c", "lost.c", "warned.c", "warned.c"):
        said = []
        for each in (build, plain):
            command = [each.environment["CC"], "-Wall", "-c", name, "-o", "x.o"]
            done = subprocess.run(command, cwd=each.tree, env=each.environment, capture_output=True)
            said.append((done.returncode, done.stderr))
        assert said[0] == said[1]
        assert said[0][1]
