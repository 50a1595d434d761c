"""gcc's command lines and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional

import pytest

from manylinux_shim.compiler._arguments import (
    expand_response_files,
    parse,
    search_directory,
    split_words,
)
from manylinux_shim.compiler._command import Target
from manylinux_shim.compiler._linking import WHEEL_ROOM, effective_run_path, link_arguments
from manylinux_shim.compiler._rules import (
    COMPILER_RULES,
    COMPLETED,
    DEBUG_RULES,
    FOREIGN_COMPILER_RULES,
    LIBC_LIBRARIES,
    LINKER_RULES,
    NOTICE,
    SPELLED,
    Rule,
)

GLIBC = Target(
    family="manylinux",
    libraries={
        **{name: f"/sysroot/lib/lib{name}.so" for name in (*LIBC_LIBRARIES, "gcc_s")},
        "crt1": "/sysroot/lib/crt1.o",
    },
    loader="/lib64/ld-linux-x86-64.so.2",
    includes={"/usr/include/python3.11": "/staged"},
    host_includes=["/usr/include/x86_64-linux-gnu", "/usr/include"],
    host_libraries=["/usr/lib/x86_64-linux-gnu"],
)
CROSS = Target(
    family="manylinux",
    libraries=GLIBC.libraries,
    host_includes=GLIBC.host_includes,
    host_libraries=GLIBC.host_libraries,
    native=False,
    x86=False,
)
MUSL = Target(
    family="musllinux", libraries=dict.fromkeys((*LIBC_LIBRARIES, "crypt"), "/sysroot/lib/libc.so")
)
EVERY_COMPILER_RULE = [
    *((rule, Target(family="manylinux")) for rule in COMPILER_RULES + DEBUG_RULES),
    *((rule, Target(family="manylinux")) for rule in FOREIGN_COMPILER_RULES["x86"]),
    *((rule, Target(family="manylinux", x86=False)) for rule in FOREIGN_COMPILER_RULES["other"]),
]


@pytest.mark.parametrize(
    ("rule", "target"), EVERY_COMPILER_RULE, ids=[r.pattern for r, _ in EVERY_COMPILER_RULE]
)
def test_every_compiler_rule_takes_its_argument_out(rule: Rule, target: Target) -> None:
    argument = rule.pattern.replace("*", "x")
    command = parse(["-O2", argument, "-c", "a.c"], target)
    assert command.compiler == ["-O2", "-c", "a.c"]
    assert bool(command.notices) == (rule.action == NOTICE)
    assert rule.reason


@pytest.mark.parametrize(
    "words",
    [
        ["-fgraphite-identity", "-floop-nest-optimize", "-ftree-loop-distribution"],
        ["-fno-tree-loop-im", "-fipa-pta", "-fno-gcse", "-fsched-pressure", "-fweb"],
        ["--param", "max-inline-insns-single=200", "--param=ssp-buffer-size=4"],
        ["-fvect-cost-model=unlimited", "-falign-loops=32", "-fno-whole-program"],
        ["-mno-accumulate-outgoing-args", "-mbranch-cost=3", "-mstringop-strategy=libcall"],
    ],
)
def test_what_steers_gccs_optimiser_is_left_out_with_one_notice(words: List[str]) -> None:
    command = parse(["-O2", *words, "-c", "a.c"], GLIBC)
    assert command.compiler == ["-O2", "-c", "a.c"]
    (notice,) = command.notices
    assert all(word in notice for word in words)


@pytest.mark.parametrize("option", SPELLED)
def test_what_clang_calls_otherwise_gets_its_name(option: str) -> None:
    command = parse(["-O2", option, "-c", "a.c"], GLIBC)
    assert command.compiler == ["-O2", *SPELLED[option], "-c", "a.c"]
    assert not command.notices


@pytest.mark.parametrize(
    "option",
    ["-fno-tree-vectorize", "-fno-tree-slp-vectorize", "-funroll-loops", "-fomit-frame-pointer"],
)
def test_what_clangs_optimiser_knows_stays(option: str) -> None:
    command = parse([option, "-c", "a.c"], GLIBC)
    assert command.compiler == [option, "-c", "a.c"]
    assert not command.notices


@pytest.mark.parametrize("jobs", ["", "=4", "=auto", "=jobserver", "=thin", "=full"])
def test_gccs_counts_of_jobs_are_no_kind_of_link_time_optimisation(jobs: str) -> None:
    kind = jobs if jobs in ("=thin", "=full") else ""
    assert parse([f"-flto{jobs}", "-c", "a.c"], GLIBC).compiler == [f"-flto{kind}", "-c", "a.c"]


@pytest.mark.parametrize(
    "option",
    ["--coverage", "-fprofile-arcs", "-pg", "-fprofile-generate", "-fprofile-generate=/tmp"],
)
def test_profiles_nobody_could_write_are_an_error(option: str) -> None:
    command = parse(["-O2", option, "-c", "a.c"], GLIBC)
    assert command.error.startswith(f"{option}: zig has no library that writes profiles")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (":libm.so.6", "-lm"),
        (":libpthread.so.0", "-lpthread"),
        (":libgcc_s.so.1", "-lgcc_s"),
        (":libstdc++.so.6", "-lstdc++"),
        (":libz.so.1", "-l:libz.so.1"),
        (":own.o", "-l:own.o"),
    ],
)
def test_exact_names_of_the_sysroots_libraries_are_found(name: str, expected: str) -> None:
    assert parse(["-shared", "a.o", f"-l{name}"], GLIBC).linker == ["a.o", expected]


@pytest.mark.parametrize("option", COMPLETED)
def test_what_means_less_to_gcc_is_completed_where_it_stands(option: str) -> None:
    command = parse(["-O2", option, "-fno-fast-math", "-c", "a.c"], GLIBC)
    assert command.compiler == ["-O2", option, COMPLETED[option], "-fno-fast-math", "-c", "a.c"]


@pytest.mark.parametrize("rule", LINKER_RULES, ids=[r.pattern for r in LINKER_RULES])
def test_every_linker_rule_takes_its_argument_out(rule: Rule) -> None:
    argument = rule.pattern.replace("*", "x")
    command = parse(["-shared", "a.o", f"-Wl,-z,now,{argument}", "-Wl,--gc-sections"], GLIBC)
    assert command.linker == ["a.o", "-z", "now", "--gc-sections"]
    assert bool(command.notices) == (rule.action == NOTICE)
    assert rule.reason


@pytest.mark.parametrize(
    "arguments",
    [
        ["-O3", "-c", "a.c", "-o", "a.o"],
        ["-march=x86-64-v3", "-mtune=haswell", "-c", "a.c"],
        ["-DX=1", "-D", "Y", "-UNDEBUG", "-include", "h.h", "-c", "a.c"],
        ["-MD", "-MF", "a.d", "-MT", "a.o", "-c", "a.c"],
        ["-Wp,-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-c", "a.c"],
        ["-E", "-dM", "-"],
        ["-fsyntax-only", "a.c"],
        ["-S", "a.c", "-o", "a.s"],
    ],
)
def test_what_clang_knows_goes_through_as_it_is(arguments: List[str]) -> None:
    command = parse(arguments, GLIBC)
    assert command.compiler == arguments
    assert not command.links
    assert not command.notices


@pytest.mark.parametrize(
    ("target", "arguments", "expected"),
    [
        (GLIBC, ["-I/usr/include/python3.11"], ["-I", "/staged"]),
        (GLIBC, ["-I", "/usr/include/python3.11/"], ["-I", "/staged"]),
        (
            GLIBC,
            ["-isystem", "/usr//include/python3.11/internal"],
            ["-isystem", "/staged/internal"],
        ),
        (GLIBC, ["-I/usr/include/python3.110"], ["-I", "/usr/include/python3.110"]),
        (GLIBC, ["-I/usr/include"], ["-idirafter", "/usr/include"]),
        (GLIBC, ["-I/usr/include/libxml2"], ["-I", "/usr/include/libxml2"]),
        (CROSS, ["-I/usr/include"], []),
        (CROSS, ["-isystem/usr/include/x86_64-linux-gnu/"], []),
    ],
)
def test_include_directories_fit_the_target(
    target: Target, arguments: List[str], expected: List[str]
) -> None:
    assert parse([*arguments, "-c", "a.c"], target).compiler == [*expected, "-c", "a.c"]


def test_search_directory_keeps_the_root() -> None:
    assert search_directory(GLIBC, "-I", "/") == ["-I", "/"]


@pytest.mark.parametrize(
    ("arguments", "cxx", "expected"),
    [
        (["-c", "a.c"], False, False),
        (["-c", "a.cpp"], False, True),
        (["-c", "a.C"], False, True),
        (["-x", "c++", "-c", "a.inc"], False, True),
        (["-c", "a.c"], True, True),
        (["a.cc", "-o", "a"], False, True),
    ],
)
def test_cxx_is_known_by_driver_suffix_or_language(
    arguments: List[str], cxx: bool, expected: bool
) -> None:
    assert parse(arguments, GLIBC, cxx=cxx).cxx is expected


def test_the_cxx_driver_takes_c_files_as_cxx_like_gxx() -> None:
    assert parse(["-c", "a.c"], GLIBC, cxx=True).compiler == [
        "-c",
        "-x",
        "c++",
        "a.c",
        "-x",
        "none",
    ]


@pytest.mark.parametrize(
    ("arguments", "run_paths"),
    [
        (["-Wl,-rpath,/opt/lib"], ["/opt/lib"]),
        (["-Wl,-rpath=/opt/lib:/srv"], ["/opt/lib:/srv"]),
        (["-Wl,-rpath", "-Wl,/opt/lib"], ["/opt/lib"]),
        (["-Xlinker", "-rpath", "-Xlinker", "/opt/lib"], ["/opt/lib"]),
        (["-Wl,-R/opt/lib"], ["/opt/lib"]),
        (["-Wl,-R,/opt/lib"], ["/opt/lib"]),
        (["-R", "/opt/lib"], ["/opt/lib"]),
        (["-R/opt/lib"], ["/opt/lib"]),
        (["-rpath=/opt/lib"], ["/opt/lib"]),
        (["-Wl,--enable-new-dtags,-rpath,$ORIGIN"], ["$ORIGIN"]),
        (["-Wl,-rpath-link,/opt"], []),
    ],
)
def test_run_paths_are_understood_in_every_spelling(
    arguments: List[str], run_paths: List[str]
) -> None:
    assert parse(["-shared", "a.o", *arguments], GLIBC).run_paths == run_paths


@pytest.mark.parametrize(
    ("given", "effective"),
    [
        ([], ""),
        (["/build::::"], "/build::::"),
        (["$ORIGIN::::"], "$ORIGIN::::"),
        (["/build:$ORIGIN/../x.libs", "${ORIGIN}"], "$ORIGIN/../x.libs:${ORIGIN}"),
    ],
)
def test_a_run_path_into_the_wheel_stands_alone(given: List[str], effective: str) -> None:
    assert effective_run_path(given) == effective


@pytest.mark.parametrize(
    ("arguments", "run_path"),
    [
        (["-lown"], WHEEL_ROOM),
        (["build/libown.so.1"], WHEEL_ROOM),
        (["-lown", "-Wl,-rpath,/opt/python/lib"], f"/opt/python/lib:{WHEEL_ROOM}"),
        (["-lown", "-Wl,-rpath,$ORIGIN/lib"], "$ORIGIN/lib"),
        (["-lm"], None),
        (["b.o"], None),
    ],
)
def test_what_may_need_a_library_of_the_wheel_gets_room_for_the_way_there(
    arguments: List[str], run_path: Optional[str]
) -> None:
    command = parse(["-shared", "a.o", *arguments], GLIBC)
    command.recorded = True
    linked = link_arguments(command, GLIBC, [])
    assert (linked[linked.index("-rpath") + 1] if "-rpath" in linked else None) == run_path


@pytest.mark.parametrize(
    ("target", "arguments", "present", "absent"),
    [
        (GLIBC, ["-lm"], "/sysroot/lib/libm.so", "-lm"),
        (
            GLIBC,
            ["/usr/lib/x86_64-linux-gnu/libm.so"],
            "/sysroot/lib/libm.so",
            "/usr/lib/x86_64-linux-gnu/libm.so",
        ),
        (GLIBC, ["/opt/lib/libm.so"], "/opt/lib/libm.so", "-lm"),
        (GLIBC, ["-lpython3.11"], "-shared", "-lpython3.11"),
        (GLIBC, ["-lstdc++", "-lgcc"], "-shared", "-lstdc++"),
        (GLIBC, ["-latomic"], "-shared", "-latomic"),
        (GLIBC, ["-lxml2"], "-lxml2", "-lc"),
        (GLIBC, ["-lgcc_s"], "/sysroot/lib/libgcc_s.so", "-lgcc_s"),
        (GLIBC, ["-L/opt/x"], "-L/opt/x", "-lc"),
        (GLIBC, [], "-Bdynamic", "-L/usr/lib/x86_64-linux-gnu"),
        (CROSS, ["-L/usr/lib/x86_64-linux-gnu"], "-shared", "-L/usr/lib/x86_64-linux-gnu"),
        (MUSL, ["-lcrypt"], "/sysroot/lib/libc.so", "-lcrypt"),
        (MUSL, ["-lgcc_s"], "/sysroot/lib/libc.so", "-lgcc_s"),
        (GLIBC, ["-Wl,-Bstatic", "-lm", "-lz", "-Wl,-Bdynamic"], "-lz", "-lm"),
    ],
)
def test_libraries_are_the_targets_own(
    target: Target, arguments: List[str], present: str, absent: str
) -> None:
    arguments = ["-shared", "a.o", *arguments, "-o", "a.so"]
    linked = link_arguments(parse(arguments, target), target, ["-m", "elf_x86_64"])
    assert present in linked
    assert absent not in linked


def test_sources_keep_their_place_among_the_linkers_inputs() -> None:
    command = parse(["x.o", "a.c", "-lz", "b.cpp", "-o", "out", "-g", "-O2"], GLIBC)
    assert command.linker == ["x.o", "", "-lz", ""]
    assert command.sources == [(1, "a.c", ""), (3, "b.cpp", "")]
    assert command.compiler == ["-O2"]
    assert command.output == "out"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-c", "a.f90"], "Fortran"),
        (["a.c", "-static"], "musllinux"),
        (["a.c", "-o"], "missing"),
    ],
)
def test_what_cannot_be_done_is_an_error(arguments: List[str], told: str) -> None:
    assert told in parse(arguments, GLIBC).error


@pytest.mark.parametrize(
    ("arguments", "questions"),
    [
        (["--version"], True),
        (["-Wl,--version"], True),
        (["-print-search-dirs", "-O2", "-Wl,-z,now"], True),
        (["a.o"], False),
        (["-lz"], False),
        (["a.c", "--version"], False),
    ],
)
def test_a_command_without_input_is_a_question(arguments: List[str], questions: bool) -> None:
    assert (parse(arguments, GLIBC).inputs == 0) is questions


def test_undefined_symbols_are_errors_when_the_caller_wants_it() -> None:
    assert parse(["-shared", "a.o", "-Wl,-z,defs"], GLIBC).strict
    assert parse(["-shared", "a.o", "-Wl,--no-undefined"], GLIBC).strict
    assert not parse(["-shared", "a.o"], GLIBC).strict


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b\n c", ["a", "b", "c"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ('-DX=\\"y\\"', ['-DX="y"']),
        ("''", [""]),
        ("", []),
    ],
)
def test_response_files_are_split_like_gccs(text: str, words: List[str]) -> None:
    assert split_words(text) == words


def test_response_files_are_read_and_may_hold_others(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.write_text("b.o 'c d.o'")
    outer = tmp_path / "outer"
    outer.write_text(f"a.o @{inner}")
    assert expand_response_files(["-shared", f"@{outer}", "@missing"]) == [
        "-shared",
        "a.o",
        "b.o",
        "c d.o",
        "@missing",
    ]
