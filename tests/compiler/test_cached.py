"""What was compiled before is taken: the right object, however it comes."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from manylinux_shim._platforms import Policy, architecture
from manylinux_shim.compiler import LAYOUT, _objects
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
                 cached: bool = True, strip: bool = True) -> None:  # fmt: skip
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
            patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str((cache / "toolchain").resolve()))
            for each in (zig, Zig(zig.executable, zig.version, lib)):  # the one makes the sysroot
                added = prepare(
                    each,
                    architecture(target),
                    Policy.parse(f"manylinux_{policy}"),
                    self.tree,
                    cross=target != "x86_64",
                    cached=cached,
                    strip=strip,
                    notice=print,
                )
        self.log = root / "log"
        self.environment: Dict[str, str] = {**os.environ, **added}
        self.environment["MANYLINUX_SHIM_CACHE_LOG"] = str(self.log)
        if cached:
            self.environment["_MANYLINUX_SHIM_OBJECTS"] = str(cache / "objects")

    def write(self, name: str, text: str) -> None:
        (self.tree / name).write_text(text)
        time.sleep(0.02)  # a file of the moment of its compile is not kept

    def compile(self, *flags: str, source: str = "a.c", output: str = "a.o") -> bytes:
        command = [self.environment["CC"], *TWICE, *flags, "-c", source, "-o", output]
        done = subprocess.run(command, cwd=self.tree, env=self.environment, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        return (self.tree / output).read_bytes()

    def results(self) -> Tuple[int, int]:
        """Hits and misses so far."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        said = [line.split()[0] for line in lines]
        return said.count("hit"), said.count("miss")


@pytest.fixture
def cache(tmp_path: Path, shared_cache: Path) -> Path:
    """A directory for objects, and what the toolchain shares with other tests."""
    shared_cache.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "toolchain").symlink_to(shared_cache)
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


LOCAL = """\
#include "beside.h"
static int table[64];
static __attribute__((noinline)) int same(int x) {{
    int unused;
    table[x & 63] += BESIDE;
    return x > 7 ? table[(x + 1) & 63] + {other}(x - 1) : (int)sizeof __FILE__;
}}
int {own}(int x) {{ return same(x) + same(x + 1); }}
"""


@pytest.mark.parametrize("lto", ["-flto", "-flto=thin"])
def test_code_that_is_optimized_when_it_is_linked_is_known_elsewhere(
    lto: str, cache: Path, tmp_path: Path
) -> None:
    libraries: List[bytes] = []
    places = (Build(tmp_path / "1", cache), Build(tmp_path / "2" / "deep #", cache))
    for build in (*places, without(tmp_path / "3", cache)):
        sources = [build.tree / "sub" / f"{name}.c" for name in ("one", "two")]
        sources[0].parent.mkdir()
        build.write("sub/beside.h", "#define BESIDE 7\n")
        build.write("sub/one.c", "int two(int);\n" + LOCAL.format(own="one", other="two"))
        build.write("sub/two.c", "int one(int);\n" + LOCAL.format(own="two", other="one"))
        for source in sources:
            command = [build.environment["CC"], "-fPIC", "-O2", lto, "-Wall", "-MD"]
            command += ["-c", str(source), "-o", f"{source.stem}.o"]
            done = subprocess.run(
                command, cwd=build.tree, env=build.environment, capture_output=True, text=True
            )
            assert done.returncode == 0
            assert done.stderr.startswith(f"{source}:5:9: warning: unused variable")
            assert "/proc/" not in done.stderr
            rules = (build.tree / f"{source.stem}.d").read_text().replace("\\", "")
            assert f"{source} " in rules
            assert f"{source.parent}/beside.h" in rules
            assert "/proc/" not in rules
        command = [build.environment["CC"], "-shared", "-O2", lto, "one.o", "two.o"]
        subprocess.run([*command, "-o", "x.so"], cwd=build.tree, env=build.environment, check=True)
        libraries.append((build.tree / "x.so").read_bytes())
    assert libraries[1:] == libraries[:1] * 2
    assert [build.results() for build in places] == [(0, 2), (2, 0)]


def test_symbols_that_are_seen_are_named_as_without_a_cache(cache: Path, tmp_path: Path) -> None:
    build = Build(tmp_path / "1", cache, strip=False)
    for _ in range(2):
        build.compile("-flto=thin", source=str(build.tree / "a.c"))
    assert build.results() == (0, 0)


def test_directory_that_clang_cannot_be_told_another_name_of_is_left_as_it_is(
    cache: Path, tmp_path: Path
) -> None:
    first, second = (Build(tmp_path / name, cache) for name in ("a=b", "a=c"))
    assert first.compile() == second.compile()
    for build in (first, second):
        assert bytes(build.tree) in build.compile(source=str(build.tree / "a.c"))
        build.compile("-flto")  # where nobody sees whether it has that name
    assert [build.results() for build in (first, second)] == [(0, 1), (1, 0)]


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
    assert build.results() == (0, len(seen))


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


LONG = """\
#include <stdint.h>
#define F(n) uint64_t f##n(uint64_t x) { for (int i = 0; i < (int)(x & 255); i++) \\
  { x = x * 6364136223846793005u + n; x ^= x >> 33; x *= n | 1; } return x; }
#define G(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
#define H(n) G(n##0) G(n##1) G(n##2) G(n##3) G(n##4) G(n##5) G(n##6) G(n##7) G(n##8) G(n##9)
H(1) H(2) H(3) H(4) H(5) H(6) H(7) H(8) H(9)
"""
"""A source that takes a second or more."""


@pytest.mark.parametrize(
    ("text", "header", "compiled"),
    [(LONG, "", 1), ('#include "part.h"\n' + LONG, "#include <Python.h>\n", 2)],
    ids=["which sees nothing of Python", "of one Python each"],
)
def test_builds_at_once_wait_for_what_another_makes_if_it_may_be_theirs(
    text: str, header: str, compiled: int, cache: Path, tmp_path: Path
) -> None:
    builds = [Build(tmp_path / name, cache) for name in "12"]
    for build in builds:
        build.write("a.c", text)
        build.write("part.h", header)
        build.write("include/Python.h", "")
    (cache / "objects").mkdir()
    made = cache / "objects" / f"{LAYOUT}.made"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(builds[0].compile)
        while not held(made) and not first.done():
            time.sleep(0.01)
        assert not first.done()
        second = pool.submit(builds[1].compile)
        assert first.result() == second.result()
    assert [sum(pair) for pair in zip(*(build.results() for build in builds))] == [
        2 - compiled,
        compiled,
    ]
    assert not held(made)


def test_nobody_waits_for_ever_for_who_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_MANYLINUX_SHIM_OBJECTS", str(tmp_path))
    key = "0" * 40
    code = f"from manylinux_shim.compiler._objects import reserve; print(reserve('{key}', bool))"
    command = [sys.executable, "-c", f"{code}; import time; print(flush=True); time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline().endswith(", False)\n")
        other.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(_objects, "_PATIENCE", 0.2)
        assert _objects.reserve(key, lambda: True) == (-1, False)
        other.kill()
    descriptor, made = _objects.reserve(key, lambda: True)
    os.close(descriptor)
    assert not made


def held(file: Path) -> bool:
    """Whether a process has locked a part of a file."""
    locks = Path("/proc/locks").read_text()
    return file.exists() and f":{file.stat().st_ino} " in locks


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


@pytest.mark.parametrize(
    ("text", "flags", "why"),
    [
        ('const char *f = __TIME__ "";', [], "says __time__"),
        ('__asm__(".INCBIN \\"part.h\\"");', [], "says incbin"),
        ("const char f[] = {\n# embed <part.h>\n};", ["-w", "--embed-dir=."], "--embed-dir=."),
        ('const char f[] = {\n# embed "part.h"\n};', ["-w"], "says embed"),
        ('#define IS(x) __has_include(x)\n#if IS("part.h")\n#endif', [], "computed"),
        ("const char *f = TIME;", ["-DTIME=__TIME__"], "an argument says __time__"),
        ("#if IS(x)\n#endif", ["-DIS(x)=__has_include(<x.h>)"], "an argument asks"),
        ("int f;", ["-save-temps"], "-save-temps"),
        ("int f;", ["-iwithprefix", "include"], "-iwithprefix"),
        ("int f;", ["-fplugin-arg-no"], "-fplugin-arg-no"),
        ("int f;", ["-ftrivial-auto-var-init=zero", "-fsanitize-ignorelist=list"], "names a file"),
        ("int f;", ["-include", "part.h"], "part.h has been compiled ahead"),
    ],
)
def test_what_depends_on_more_than_its_files_is_not_kept(
    text: str, flags: List[str], why: str, cache: Path, tmp_path: Path
) -> None:
    build = Build(tmp_path / "1", cache)
    build.write("a.c", f"{text}\n")
    build.write("list", "")
    if "ahead" in why:
        build.write("part.h.gch", "")
    command = [build.environment["CC"], *flags, "-c", "a.c", "-o", "a.o"]
    for _ in range(2):
        subprocess.run(command, cwd=build.tree, env=build.environment, capture_output=True)
    assert build.results() == (0, 0)
    lines = build.log.read_text().splitlines()
    assert all(why in line for line in lines)
    assert len(lines) == 2


def test_a_compile_with_a_variable_of_clangs_is_not_kept(cache: Path, tmp_path: Path) -> None:
    build = Build(tmp_path / "1", cache)
    build.environment["CPATH"] = str(tmp_path)
    build.compile()
    assert build.log.read_text() == "not kept a.c: CPATH is set\n"


def test_a_header_of_this_moment_is_not_kept(cache: Path, tmp_path: Path) -> None:
    build = Build(tmp_path / "1", cache)
    later = time.time() + 60
    os.utime(build.tree / "part.h", (later, later))
    build.compile()
    assert build.log.read_text() == "not kept a.c: part.h is new\n"


def test_a_directory_that_has_nothing_of_it_makes_no_difference(
    cache: Path, tmp_path: Path
) -> None:
    build, plain = Build(tmp_path / "1", cache), without(tmp_path / "2", cache)
    for each in (build, plain):
        for python in ("3.11", "3.12"):
            (each.tree / python / "deep").mkdir(parents=True)
            each.write(f"{python}/Python.h", f"#define PYTHON {python}")
            each.write(f"{python}/deep/part.h", "")
            each.write(f"{python}/part.h", "")  # which is found beside the source before
        each.write("b.c", "#include <Python.h>\ndouble f(void) { return PYTHON; }\n")
    for name, results in (("a.c", (1, 1)), ("b.c", (1, 3))):
        for flag in ("-I3.11", "-I3.12"):
            assert build.compile(flag, source=name) == plain.compile(flag, source=name)
        assert build.results() == results


def test_what_fits_on_no_disk_is_compiled_and_not_kept(cache: Path, tmp_path: Path) -> None:
    build, plain = Build(tmp_path / "1", cache), without(tmp_path / "2", cache)
    for each in (build, plain):
        each.write("a.c", "const char large[100000] = {1};\n")
    size = len(plain.compile())

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))

    command = [build.environment["CC"], *TWICE, "-c", "a.c", "-o", "a.o"]
    for _ in range(2):
        subprocess.run(command, cwd=build.tree, env=build.environment, preexec_fn=limit, check=True)
        assert len((build.tree / "a.o").read_bytes()) == size
    assert build.results() == (0, 0)
    assert "File too large" in build.log.read_text()
    kept = (cache / "objects").rglob("*")
    assert not [path for path in kept if path.is_file() and path.stat().st_size]


HIDING = [
    # a source that is in ``deep``, arguments, what is new, and whether it changes the object
    ('#include "part.h"', ["-I."], "deep/part.h", True),
    ('#include "part.h"', ["-iquotefirst", "-I."], "first/part.h", True),
    ("#include <part.h>", ["-iquoteother", "-I."], "other/part.h", False),
    ("#include <part.h>", ["-I.", "-Iother"], "other/part.h", False),
    ("#include <part.h>", ["-I."], "other/part.h", False),
    ("", ["-include", "named.h", "-Iinclude"], "named.h", True),
    ("#include <include/../part.h>", ["-Ifirst", "-I."], "first/part.h", True),
    ("#define WHICH <part.h>\n#include WHICH", ["-I."], "first/part.h", True),
    ('#define WHICH "part.h"\n#include WHICH', ["-I."], "deep/part.h", True),
    ('#include "./part.h"', ["-I."], "first/part.h", True),
    ("#if __has_include(<deep/x.h>)\nint x;\n#endif", ["-I."], "deep/x.h", True),
    ("#include <stdio.h>", ["-Ifirst"], "first/bits/types.h", True),
]


def test_a_new_header_that_is_found_first_is_no_hit(cache: Path, tmp_path: Path) -> None:
    for number, (text, flags, name, changes) in enumerate(HIDING):
        build, plain = (
            Build(tmp_path / f"{number}{cached}", cache, cached=cached) for cached in (True, False)
        )
        made = []
        for each in (plain, build):
            for directory in ("deep", "first/bits", "first/include", "other"):
                (each.tree / directory).mkdir(parents=True)
            each.write("deep/a.c", f"{text}\nlong size = {number};\n")
            made.append(each.compile(*flags, source="deep/a.c"))
            each.write(name, "#define PART 2\nint more;\n#include_next <bits/types.h>\n"
                       if "bits" in name else "int more;\n")  # fmt: skip
            made.append(each.compile(*flags, source="deep/a.c"))
        assert made[2:] == made[:2], (text, flags, name)
        assert (made[0] != made[1]) == changes, (text, flags, name)


def test_files_that_are_one_no_more_are_no_hit(cache: Path, tmp_path: Path) -> None:
    build, plain = Build(tmp_path / "1", cache), without(tmp_path / "2", cache)
    made = []
    for each in (plain, build):
        each.write("part.h", "#pragma once\nint more;\n")
        each.write("a.c", '#include "part.h"\n#include <named.h>\n')
        named = each.tree / "include" / "named.h"
        named.unlink()
        named.symlink_to(each.tree / "part.h")
        time.sleep(0.02)
        made.append(each.compile())
        named.unlink()
        each.write("include/named.h", "#pragma once\nint more;\n")
        made.append(each.compile())
    assert made[2:] == made[:2]
    assert build.results() == (0, 2)


PARTS = ("part.h", "named.h", "other.h", "deep/part.h")
DIRECTORIES = ("", "first/", "include/", "other/", "deep/")
LINES = (
    '#include "part.h"',
    "#include <named.h>",
    "#include <deep/part.h>",
    '#include "deep/../named.h"',
    '#include "../part.h"',
    "#include <deep/../part.h>",
    '#if __has_include("other.h")\nADD(1)\n#endif',
    "#if __has_include(<deep/other.h>)\nADD(2)\n#endif",
    "#if __has_include_next(<other.h>)\nADD(3)\n#endif",
    "#define WHICH <deep/../named.h>\n#include WHICH",
)
ADD = ("-DADD(x)=int GLUE(a, __COUNTER__) = x;", "-DGLUE(a,b)=GLUE2(a,b)", "-DGLUE2(a,b)=a##b")
SEARCHED = (
    ("-Ifirst", "-Iinclude", "-Iother"),
    ("-Iother", "-Iinclude", "-Ifirst"),
    ("-iquotefirst", "-Iinclude", "-isystemother"),
    ("-include", "named.h", "-Iinclude", "-Ifirst"),
)


def test_whatever_is_edited_the_object_is_that_of_no_cache(cache: Path, tmp_path: Path) -> None:
    builds = [Build(tmp_path / str(number), cache) for number in range(2)]
    plain = without(tmp_path / "plain", cache)
    chance = random.Random(2026)

    def put(build: Build, files: Dict[str, str]) -> None:
        shutil.rmtree(build.tree)
        for directory in DIRECTORIES:
            (build.tree / directory / "deep").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            if text.startswith("-> "):
                (build.tree / name).symlink_to(build.tree / text[3:])
            else:
                (build.tree / name).write_text(f"#pragma once\n{text}\n")

    def same(files: Dict[str, str], searched: Tuple[str, ...]) -> None:
        seen = []
        for each in (builds[0], plain, builds[1]):
            put(each, files)
            time.sleep(0.01)
            command = [each.environment["CC"], *ADD, *searched, "-g", "-c", "deep/a.c", "-o", "x.o"]
            done = subprocess.run(command, cwd=each.tree, env=each.environment, capture_output=True)
            made = (each.tree / "x.o").read_bytes() if done.returncode == 0 else b""
            seen.append((done.returncode, done.stderr, made))
        assert seen[1:] == seen[:1] * 2, (files, searched)
        assert seen[0][0] == 0, seen[0][1].decode()

    for _ in range(5):
        files = {f"include/{name}": f"ADD({n})" for n, name in enumerate(PARTS, 10)}
        files["include/part.h"] += f"\n{chance.choice(LINES[3:8])}"
        del files["include/other.h"]
        files["part.h"] = "ADD(20)"
        files["deep/a.c"] = "\n".join(chance.sample(LINES, 4))
        searched = chance.choice(SEARCHED)
        same(files, searched)
        for _ in range(3):
            name = chance.choice(DIRECTORIES) + chance.choice(PARTS)
            links = [f"-> {name}" for name, text in sorted(files.items()) if name[-2:] == ".h"]
            files.setdefault(name, chance.choice(["ADD(40)", *links]))
            same(files, searched)
        same(files, chance.choice(SEARCHED))
    hits = sum(build.results()[0] for build in builds)
    assert hits > 20


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


def test_what_was_said_names_the_files_of_this_build(cache: Path, tmp_path: Path) -> None:
    builds = [Build(tmp_path / "1", cache), Build(tmp_path / "2", cache)]
    for build in builds:
        build.write("include/warned.h", "static int f(void) { int unused; return 0; }\n")
        build.write("a.c", "#include <warned.h>\n")
        command = [build.environment["CC"], "-Wall", f"-I{build.tree}/include", "-c", "a.c"]
        done = subprocess.run(command, cwd=build.tree, env=build.environment, capture_output=True)
        assert f"{build.tree}/include/warned.h:1:" in done.stderr.decode()
    assert builds[1].results() == (1, 0)


def test_rules_name_the_files_of_this_build(cache: Path, tmp_path: Path) -> None:
    first, second = Build(tmp_path / "1", cache), Build(tmp_path / "2", cache)
    plain = without(tmp_path / "3", cache)
    for flags, name in (
        (("-MD", "-MF", "rules.d"), "rules.d"),
        (("-MMD",), "a.d"),
        (("-MD", "-MT", "a target", "-MFother.d", "-MP"), "other.d"),
        (("-MD", "-MQ", "a $t#", "-MT" + "t" * 80, "-MP", "-include", "a $ #.h"), "a.d"),
        (("-MMD", "-isystemfirst", "-MP", "-MF", "f.d"), "f.d"),
    ):
        texts = []
        for build in (first, second, plain):
            build.write("a $ #.h", "#include <only.h>\n")
            build.write("first/only.h", "")
            build.compile(*flags)
            text = (build.tree / name).read_text()
            texts.append(text.replace(str(build.tree.parent), ""))
            assert str(build.tree.parent / "zig") in text or "-MMD" in flags or "tt" in text
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
    assert build.results() == (1, 1)
