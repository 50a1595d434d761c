"""The runtime libraries, built with the real zig: what a link needs, no more, always the same."""

from __future__ import annotations

import ctypes
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterable, List, Sequence, Set

import pytest

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture, lowest_policy
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.runtimes import _closure, _commands, runtime_inputs
from manylinux_shim.runtimes._builtins import exported
from manylinux_shim.runtimes._commands import Commands, commands, oldest_target
from manylinux_shim.runtimes._excerpt import excerpt
from manylinux_shim.runtimes._objects import Symbols, make_file, read_symbols
from manylinux_shim.runtimes._sources import (
    PARTLY_NEEDED,
    UNITS,
    candidates,
    head_start,
    is_mentioned,
    is_partly_needed,
    is_rare,
    is_standard,
    is_whole,
    stems_of,
    variant,
)
from manylinux_shim.zig._zig import find_zig

pytestmark = pytest.mark.long

PROGRAM = Path(__file__).with_name("cxx_library.cpp")
EXTENSION = """
#include <map>
#include <stdexcept>
#include <string>
extern "C" int lengths(int n) {
    try {
        std::map<std::string, int> seen;
        for (int i = 0; i < n; ++i) seen["key " + std::to_string(i)] = i;
        if (n > 3) throw std::runtime_error("too many: " + std::to_string(n));
        return static_cast<int>(seen.size());
    } catch (const std::exception &error) {
        return -static_cast<int>(std::string(error.what()).size());
    }
}
"""
STREAMS = """
#include <sstream>
extern "C" int digits(double x) {
    std::ostringstream text;
    text << x;
    return static_cast<int>(text.str().size());
}
"""
WIDE = """
extern "C" unsigned long quotient(unsigned long a, unsigned long b) {
    return (unsigned long)((((unsigned __int128)a << 64) | 5) / (b | (unsigned __int128)b << 70));
}
"""
EXPECTED = """\
constructed first
constructed second
constructed third
unwound 21: at the bottom
nested outer > stoi: no conversion
cast 1 1 3
bad cast
thread of its own
across threads 1 thread
from a future
threads 106
containers 7 2025 3 73.2857
0xff 1.235e+04 pad***** true (1.000e+00,-2.000e+00)
12.5word
1'234'567 2026-01-05
123456 17
no such locale
0.30000000000000004 2500
1 copy.txt deep file.txt one line 9 4
gone 1
1 17
bad pattern
refused 7
6 4
1 1 1
1 1
bad alloc
destroyed third
destroyed second
destroyed first
"""
RARE = ("123456 17\n", "no such locale\n")
GUARD = ["__cxa_guard_acquire"]

ZIG = find_zig()
HOST = host_architecture()
assert HOST is not None
TARGET = HOST.zig_target(Policy.parse("manylinux_2_17"))


def toolchain(cache: Path, policy: str = "manylinux_2_17") -> Dict[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(cache))
        added = prepare(ZIG, HOST, Policy.parse(policy), Path("/nowhere"), notice=print)
    return {**os.environ, **added}


def compile_and_link(
    tools: Dict[str, str], source: Path, output: Path, *flags: str
) -> subprocess.CompletedProcess[str]:
    command = [tools["CXX"], "-O2", "-std=c++17", *flags, str(source), "-o", str(output)]
    return subprocess.run(
        command, env=tools, cwd=source.parent, capture_output=True, encoding="utf-8", check=False
    )


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runtimes-cache")


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return commands(str(ZIG.executable), TARGET, tmp_path_factory.mktemp("commands"))


def build(directory: Path, undefined: Iterable[str], target: str = TARGET) -> List[str]:
    return runtime_inputs(str(ZIG.executable), target, str(directory), list(undefined))


def objects(directory: Path) -> Dict[str, bytes]:
    """By name, those for a very old glibc aside, which are a set of their own."""
    paths = [path for path in directory.rglob("objects/*.o") if "before" not in str(path)]
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("symbol", "stem"),
    [
        ("_Znwm", "stdlib_new_delete"),
        ("_ZTIi", "private_typeinfo"),
        ("_ZTVN10__cxxabiv120__si_class_type_infoE", "private_typeinfo"),
        ("__gxx_personality_v0", "cxa_personality"),
        ("__cxa_throw", "cxa_exception"),
        ("__cxa_guard_acquire", "cxa_guard"),
        ("__cxa_thread_atexit", "cxa_thread_atexit"),
        ("__cxa_demangle", "cxa_demangle"),
        ("_Unwind_Resume", "UnwindLevel1"),
        ("_ZSt9terminatev", "cxa_handlers"),
        ("_ZNSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEE6appendEPKc", "string"),
        ("_ZNSt3__14coutE", "iostream"),
        ("_ZNSt3__16localeD1Ev", "locale"),
        ("_ZNSt3__18ios_base5clearEj", "ios"),
        ("_ZTv0_n24_NSt3__113basic_ostreamIcNS_11char_traitsIcEEED1Ev", "ios.instantiations"),
        ("_ZNSt3__14__fs10filesystem8__statusERKNS1_4pathEPNS_10error_codeE", "operations"),
        ("_ZNKSt3__14__fs10filesystem4path10__filenameEv", "path"),
        ("_ZTINSt3__14__fs10filesystem16filesystem_errorE", "filesystem_error"),
        ("_ZNSt12length_errorD1Ev", "stdlib_stdexcept"),
        ("_ZNSt13exception_ptrD1Ev", "exception"),
    ],
)
def test_name_of_a_symbol_leads_to_its_source(symbol: str, stem: str) -> None:
    assert candidates(symbol)[0] == stem


@pytest.mark.parametrize(
    "symbol",
    [
        "_ZN3foo3barERKNSt3__112basic_stringIcEE",
        "_ZNSt7__cxx1112basic_stringIcE6appendEPKc",
        "_ZNSsC1EPKcRKSaIcE",
        "_ZN9__gnu_cxx20recursive_init_errorD1Ev",
        "_ZSt4cout",
        "_ZNSt8ios_base4InitC1Ev",
        "_ZSt16__ostream_insertIcSt11char_traitsIcEERSt13basic_ostreamIT_T0_ES6_PKS3_l",
        "_ZSt20__throw_length_errorPKc",
        "_ZSt28__throw_bad_array_new_lengthv",
        "_ZNSt16invalid_argumentC1EPKc",
        "_ZNSt11logic_errorC1ERKSs",
        "_ZNSt13runtime_errorC2EOS_",
        "_ZTIN10__cxxabiv115__forced_unwindE",
        "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE",
        "_ZTVSt9basic_iosIcSt11char_traitsIcEE",
        "memcpy",
        "PyList_New",
        "__cxa_atexit",
        "__cxa_thread_atexit_impl",
    ],
)
def test_names_of_others_are_not_looked_for(symbol: str) -> None:
    assert candidates(symbol) == ()
    assert not is_standard(symbol)


def test_head_start_begins_with_what_takes_longest() -> None:
    order = head_start(["iostream"])
    assert order[0] == "locale"
    assert {"iostream", "strings", "exceptions", "libunwind"} < set(order)
    assert "exceptions" not in head_start(["UnwindLevel1"])


@pytest.mark.parametrize("unit", ["strings", "locale", "iostream", "exceptions", "streams"])
def test_the_variant_of_a_variant_is_itself(unit: str) -> None:
    for streams in (False, True):
        for whole in (False, True):
            once = variant(unit, streams=streams, whole=whole)
            assert variant(once, streams=streams, whole=whole) == once
            assert is_whole(once) == (whole and is_partly_needed(unit))


def test_every_guess_is_a_source_that_zig_builds(tmp_path: Path) -> None:
    known = commands(str(ZIG.executable), "x86_64-linux-musl", tmp_path)
    for unit in {*UNITS, *head_start(["iostream", "threads", "files"])}:
        assert len(known.members(unit)) == len(UNITS.get(unit, (unit,))), unit
    alone = replace(known, together=False)
    assert alone.members("locale") == ["libcxx/src/locale.cpp"]
    assert (known.unit("ios"), alone.unit("ios")) == ("locale", "ios")


_OWN_COPY = re.compile(r"B\d+n[a-z]+\d{6}")
"""In the name of what libc++ hides from its ABI: every object that uses it has its own."""


@pytest.mark.slow
@pytest.mark.parametrize("target", [TARGET, "arm-linux-musleabihf", "s390x-linux-gnu.2.17"])
def test_sources_compiled_as_one_define_what_they_define_alone(target: str, tmp_path: Path) -> None:
    known = commands(str(ZIG.executable), target, tmp_path)
    alone = replace(known, together=False)

    def defined(how: Commands, unit: str) -> Set[str]:
        path = tmp_path / "object.o"
        # Without optimising: what is defined does not depend on it.
        command = how.compile(str(ZIG.executable), unit)
        subprocess.run([*command, "-O0", "-o", str(path)], check=True)
        return {name for name in read_symbols(path).defined if not _OWN_COPY.search(name)}

    for unit, stems in UNITS.items():
        ours = {name for stem in stems for name in defined(alone, stem)}
        assert ours <= defined(known, variant(unit, streams=False, whole=True)), unit


@pytest.mark.parametrize("target", [TARGET, "arm-linux-musleabihf", "riscv64-linux-gnu.2.27"])
def test_flags_and_sources_are_zigs_own(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zig = str(ZIG.executable)
    ours = commands(zig, target, tmp_path / "ours")
    monkeypatch.setattr(_commands, "_KNOWN", _commands.re.compile("none"))
    learned = commands(zig, target, tmp_path / "learned")
    assert ours.sources == learned.sources
    assert len(learned.sources) > 65
    assert ("UnwindLevel1" in learned.sources) == ("musl" in target)
    for kind in ("libcxx.cpp", "libcxxabi.cpp", "libunwind.cpp", "libunwind.c"):
        mine, zigs = (_that_matter(c.flags[kind]) for c in (ours, learned))
        if kind.startswith("libunwind"):
            # C++'s macros and headers mean nothing to it.
            mine, zigs = ([f for f in flags if not f.startswith(_CXX)] for flags in (mine, zigs))
        assert set(mine) ^ set(zigs) <= _riscv_on_zig_0_15(kind)
        assert _directories(mine) == _directories(zigs)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["commands.json"] * 2


_CXX = ("-D_LIBCPP", "-D_LIBCXX", "-nostdinc++")


def _that_matter(flags: Sequence[str]) -> List[str]:
    return [f for f in flags if f != "-w" and (not f.startswith("-W") or f.startswith("-Wa"))]


def _directories(flags: Sequence[str]) -> List[str]:
    return [b for a, b in zip(flags, flags[1:]) if a in ("-I", "-isystem")]


def _riscv_on_zig_0_15(kind: str) -> Set[str]:
    """There zig leaves libc++ without unwind tables: no exception gets through it."""
    tables = {"-fasynchronous-unwind-tables", "-fno-asynchronous-unwind-tables"}
    old = ZIG.version.startswith("0.15.") and kind == "libcxx.cpp"
    return {*tables, "-fno-unwind-tables"} if old else set()


def test_objects_are_compiled_for_the_oldest_libc() -> None:
    assert oldest_target("x86_64-linux-gnu.2.34")[0] == "x86_64-linux-gnu.2.16"
    assert oldest_target("x86_64-linux-gnu.2.12")[0] == "x86_64-linux-gnu.2.5"
    assert oldest_target("aarch64-linux-gnu.2.40")[0] == "aarch64-linux-gnu.2.17"
    assert oldest_target("x86-linux-musl")[0] == "x86-linux-musl"
    for arch in ARCHITECTURES.values():
        assert oldest_target(f"{arch.zig}-linux-musl")[1] is arch
    with pytest.raises(ToolchainError, match="sparc64"):
        oldest_target("sparc64-linux-gnu.2.17")


def test_extension_links_and_runs_with_those_objects_alone_that_it_needs(
    cache: Path, tmp_path: Path
) -> None:
    source = tmp_path / "extension.cpp"
    source.write_text(EXTENSION)
    linked = compile_and_link(
        toolchain(cache), source, tmp_path / "extension.so", "-shared", "-fPIC", "-Wl,-z,defs"
    )
    assert (linked.returncode, linked.stderr) == (0, "")
    library = ctypes.CDLL(str(tmp_path / "extension.so"))
    assert (library.lengths(2), library.lengths(12)) == (2, -len("too many: 12"))
    built = set(objects(cache))
    assert "libcxx-strings.o" in built
    assert not {"libcxx-locale.o", "libcxx-streams.o", "libcxxabi-cxa_demangle.o"} & built
    assert len(built) < 15


OWN = """
#include <cstdlib>
#include <new>
#include <stdexcept>
extern "C" void __cxa_pure_virtual() { std::abort(); }
extern "C" int count = 0;
void *operator new(std::size_t size) { ++count; return std::malloc(size); }
void operator delete(void *memory) noexcept { std::free(memory); }
struct Shape { virtual int sides() = 0; virtual ~Shape() {} };
struct Square : Shape { int sides() override { return 4; } };
extern "C" int sides() {
    Shape *shape = new Square;
    try { if (shape->sides() == 4) throw std::runtime_error("four"); }
    catch (const std::exception &) { delete shape; return 4; }
    return 0;
}
"""


def test_what_the_caller_defines_is_used_in_place_of_the_librarys(
    cache: Path, tmp_path: Path
) -> None:
    source = tmp_path / "own.cpp"
    source.write_text(OWN)
    linked = compile_and_link(toolchain(cache), source, tmp_path / "own.so", "-shared", "-fPIC")
    assert (linked.returncode, linked.stderr) == (0, "")
    library = ctypes.CDLL(str(tmp_path / "own.so"))
    assert library.sides() == 4
    assert ctypes.c_int.in_dll(library, "count").value > 0


def test_libraries_in_use_are_not_seen_from_outside(cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "extension.cpp"
    source.write_text('#include <stdexcept>\nextern "C" void f() { throw std::logic_error("f"); }')
    output = tmp_path / "extension.so"
    assert compile_and_link(toolchain(cache), source, output, "-shared", "-fPIC").returncode == 0
    assert "f" in _exports(output)
    assert not [name for name in _exports(output) if name.startswith(("__cxa", "_Unwind", "_ZN"))]


def _sections(path: Path) -> List[str]:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        return [section.name for section in ELFFile(file).iter_sections()]


def _exports(path: Path) -> Set[str]:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".dynsym").iter_symbols()
        return {s.name for s in symbols if s.entry.st_shndx != "SHN_UNDEF"}


@pytest.mark.parametrize(
    "version",
    ["2_5", pytest.param("2_12", marks=pytest.mark.slow), "2_28", "2_34", "2_39"],
)
def test_objects_of_one_glibc_serve_every_other(version: str, cache: Path, tmp_path: Path) -> None:
    if Policy.parse(f"manylinux_{version}").version < HOST.lowest_glibc:
        version = "2_31"
    source = tmp_path / "extension.cpp"
    # zig's headers turn sscanf, which streams use, into a function that glibc has since 2.7.
    source.write_text(EXTENSION if version == "2_5" else STREAMS)
    shared = ("-shared", "-fPIC", "-Wl,-z,defs")
    first = compile_and_link(toolchain(cache), source, tmp_path / "first.so", *shared)
    assert (first.returncode, first.stderr) == (0, "")
    built = objects(cache)
    tools = toolchain(cache, f"manylinux_{version}")
    second = compile_and_link(tools, source, tmp_path / "second.so", *shared)
    assert (second.returncode, second.stderr) == (0, "")
    assert objects(cache) == built


def test_cxx_library_behaves_as_promised(cache: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    linked = compile_and_link(toolchain(cache), PROGRAM, program, "-pthread")
    assert (linked.returncode, linked.stderr) == (0, "")
    ran = subprocess.run(
        [str(program), str(tmp_path)], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    assert ran.stdout == EXPECTED
    # Those that are compiled together would all be kept for one that runs at the start.
    together = [path for path in cache.rglob("objects/*.o") if len(stems_of(_unit(path))) > 1]
    units = {_unit(path).replace("-whole", "") for path in together}
    assert units >= UNITS.keys() - {"locale", "strings"}
    for path in together:
        assert not [name for name in _sections(path) if name.startswith((".init", ".ctors"))]


def _unit(path: Path) -> str:
    return path.stem.partition("-")[2]


def test_program_without_rare_parts_behaves_the_same_with_less(tmp_path: Path) -> None:
    program = tmp_path / "program"
    cache = tmp_path / "cache"
    linked = compile_and_link(toolchain(cache), PROGRAM, program, "-pthread", "-DCOMMON")
    assert (linked.returncode, linked.stderr) == (0, "")
    ran = subprocess.run(
        [str(program), str(tmp_path)], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    lines = EXPECTED.splitlines(keepends=True)
    assert ran.stdout == "".join(line for line in lines if line not in RARE)
    units = {_unit(path) for path in cache.rglob("objects/*.o")}
    assert {"streams", "iostream", "ios.instantiations"} < units
    assert not any(map(is_whole, units))


RARE_PARTS = {
    "wide strings": (
        "#include <string>",
        'std::wstring s = std::to_wstring(12) + L"34"; std::printf("%d", std::stoi(s));',
        "1234",
    ),
    "wide streams": (
        "#include <iostream>\n#include <sstream>",
        'std::wostringstream s; s << 1.5 << L"x"; std::wcout << s.str() << std::flush;',
        "1.5x",
    ),
    "a locale by name": (
        "#include <locale>",
        'std::printf("%s", std::locale("C").name().c_str());',
        "C",
    ),
    "a locale by category": (
        "#include <locale>",
        "std::locale c = std::locale::classic(), l(c, c, std::locale::numeric);"
        ' std::printf("%d", l == c || !l.name().empty());',
        "1",
    ),
    "money": (
        "#include <iomanip>\n#include <sstream>",
        'std::istringstream in("1234"); long double x = 0; in >> std::get_money(x);'
        ' std::ostringstream out; out << std::put_money(x); std::printf("%s", out.str().c_str());',
        "1234",
    ),
    "dates that are read": (
        "#include <ctime>\n#include <iomanip>\n#include <sstream>",
        'std::istringstream in("2026-01-05"); std::tm t{}; in >> std::get_time(&t, "%Y-%m-%d");'
        ' std::printf("%d %d %d", t.tm_year, t.tm_mon, t.tm_mday);',
        "126 0 5",
    ),
    "messages": (
        "#include <locale>",
        "auto &m = std::use_facet<std::messages<char>>(std::locale::classic());"
        ' std::printf("%d", m.open("none", std::locale::classic()) < 0);',
        "1",
    ),
    "encodings": (
        "#include <codecvt>\n#include <locale>",
        "std::wstring_convert<std::codecvt_utf8_utf16<char16_t>, char16_t> c;"
        ' std::printf("%zu", c.from_bytes("\\xf0\\x9f\\x90\\x8d").size());',
        "2",
    ),
    "UTF-16 of a path": (
        "#include <filesystem>",
        'std::printf("%zu", std::filesystem::path("a\\xc3\\xa9").u16string().size());',
        "2",
    ),
}


@pytest.mark.parametrize("part", RARE_PARTS)
def test_program_that_uses_a_rare_part_has_it(part: str, cache: Path, tmp_path: Path) -> None:
    headers, body, expected = RARE_PARTS[part]
    source = tmp_path / "rare.cpp"
    source.write_text(f"#include <cstdio>\n{headers}\nint main() {{ {body} }}\n")
    linked = compile_and_link(toolchain(cache), source, tmp_path / "rare", "-w")
    assert (linked.returncode, linked.stderr) == (0, "")
    ran = subprocess.run([str(tmp_path / "rare")], stdout=subprocess.PIPE, encoding="utf-8")
    assert (ran.returncode, ran.stdout) == (0, expected)


def compile_units(known: Commands, directory: Path) -> Dict[str, Symbols]:
    """Every unit of which there are two, and the symbols of both."""
    found = {}
    for unit in filter(is_partly_needed, [*UNITS, *PARTLY_NEEDED]):
        for name in (unit, variant(unit, streams=False, whole=True)):
            excerpts = known.excerpts(name, directory)
            for source, path in excerpts.items():
                path.write_text(excerpt(Path(known.lib, source).read_text("utf-8")), "utf-8")
            # What is defined does not depend on optimising.
            command = [*known.compile(str(ZIG.executable), name, excerpts), "-O0"]
            subprocess.run([*command, "-o", str(directory / "object.o")], check=True)
            found[name] = read_symbols(directory / "object.o")
    return found


@pytest.fixture(scope="session")
def compiled(known: Commands, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Symbols]:
    return compile_units(known, tmp_path_factory.mktemp("units"))


def check_parts(compiled: Dict[str, Symbols]) -> None:
    parts = [unit for unit in compiled if not is_whole(unit)]
    assert len(parts) >= 6
    for unit in parts:
        part, whole = compiled[unit], compiled[variant(unit, streams=False, whole=True)]
        assert part.defined < whole.defined
        # Else whoever is content with the part would be given the whole.
        assert not part.undefined & whole.defined
        assert part.undefined <= whole.undefined


@pytest.mark.parametrize(
    ("unit", "count"),
    [("exceptions", 50), ("exception", 10), ("new_helpers", 2), ("optional", 3), ("any", 3),
     ("variant", 3)],
)  # fmt: skip
def test_what_the_libraries_define_in_std_itself_is_theirs_by_its_name(
    unit: str, count: int, known: Commands, tmp_path: Path
) -> None:
    item = tmp_path / "object.o"
    command = [*known.compile(str(ZIG.executable), unit, {}), "-O0", "-o", str(item)]
    subprocess.run(command, check=True)
    # Without those that each file has a copy of, which bear a tag of the release.
    outside = r"_Z(T[VIS])?N?K?St(?!3__1)(?!.*B\d+n[a-z]+\d)"
    names = [name for name in read_symbols(item).defined if re.match(outside, name)]
    assert len(names) >= count
    assert [name for name in names if not is_standard(name)] == []


@pytest.mark.slow
def test_the_part_of_a_unit_lacks_nothing_but_what_is_rare(compiled: Dict[str, Symbols]) -> None:
    check_parts(compiled)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["manylinux", "musllinux"])
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_part_of_a_unit_lacks_nothing_but_what_is_rare_elsewhere(
    arch: str, family: str, tmp_path: Path
) -> None:
    target = ARCHITECTURES[arch].zig_target(lowest_policy(ARCHITECTURES[arch], family))
    check_parts(compile_units(commands(str(ZIG.executable), target, tmp_path), tmp_path))


FACETS = [
    *(
        f"{facet}<{character}{more}>"
        for character in ("char", "wchar_t")
        for facet, more in (
            *((name, "") for name in ("collate", "ctype", "numpunct", "num_get", "num_put")),
            *((name, "") for name in ("time_get", "time_put", "money_get", "money_put")),
            *(("messages", ""), ("moneypunct", ""), ("moneypunct", ", true")),
            ("codecvt", ", char, mbstate_t"),
        )
    ),
    "codecvt<char16_t, char, mbstate_t>",
    "codecvt<char32_t, char, mbstate_t>",
]


@pytest.mark.slow
@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_whoever_looks_for_a_facet_names_a_symbol_of_it(
    level: str, cache: Path, compiled: Dict[str, Symbols], tmp_path: Path
) -> None:
    # The promise that lets the classic locale do without the others.
    source = tmp_path / "facets.cpp"
    source.write_text(
        "#include <locale>\nusing namespace std;\n"
        "template <class... F> int all(const locale &l) { return (has_facet<F>(l) + ...); }\n"
        f"int f(const locale &l) {{ return all<{', '.join(FACETS)}>(l); }}\n"
    )
    compiled_now = compile_and_link(
        toolchain(cache), source, tmp_path / "facets.o", "-c", "-w", level
    )
    assert (compiled_now.returncode, compiled_now.stderr) == (0, "")
    lacks = read_symbols(tmp_path / "facets.o").undefined
    ids = {name for name in lacks if name.startswith("_ZNSt3") and name.endswith("2idE")}
    assert len(ids) == len(FACETS)
    assert ids <= compiled["streams-whole"].defined
    common = ids & compiled["streams"].defined
    assert len(common) == 7
    assert {name for name in ids if is_rare(name)} == ids - common


EXCERPTED = """\
  #if A
  namespace {
  int helper(int x) { return x; } // }
  } // namespace
  #endif
  locale::__imp::__imp(size_t refs) : name_("C") {
    install(&make<std::ctype<char> >(1u));
-   install(&make<std::messages<char> >(1u));
  #if WIDE
    install(&make<time_put<char> >(1u));
  #endif
  }
-
- locale::__imp::__imp(const string& name, size_t refs) {
  #if WIDE
-   install(new ctype_byname<char>("{", '{')); /* { */
  #endif
- }
- template <>
- void moneypunct_byname<char, false>::init(const char* nm) {
- }
  locale::locale(const locale& other) noexcept : l_(other.l_) { l_->acquire(); }
- locale::locale(const locale& other, const string& name, category c)
-     : l_(new __imp(*other.l_, name, c)) {}
  template class VIS num_get<char>;
  _LIBCPP_IF_WIDE_CHARACTERS(template class VIS num_get<wchar_t>;)
- template class VIS money_get<char>;
- _LIBCPP_IF_WIDE_CHARACTERS(
-     template class VIS codecvt_byname<wchar_t, char, mbstate_t>;)
  _LIBCPP_END_NAMESPACE_STD
""".replace("-\n", "  \n")
"""Lines after a dash are left out."""


def test_an_excerpt_is_the_source_without_some_of_its_definitions() -> None:
    lines = EXCERPTED.splitlines(keepends=True)
    kept = "".join(line[2:] for line in lines if not line.startswith("-"))
    assert excerpt("".join(line[2:] for line in lines)) == kept


@pytest.mark.slow
def test_a_rare_name_that_does_not_look_like_one_is_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["_ZNSt3__110to_wstringEi"]
    expected, _ = build(tmp_path / "seen", names)
    monkeypatch.setattr(_closure, "is_rare", lambda name: False)
    archive, _ = build(tmp_path / "searched", names)
    assert Path(archive).read_bytes() == Path(expected).read_bytes()
    assert {"libcxx-strings.o", "libcxx-strings-whole.o"} <= set(objects(tmp_path / "searched"))
    assert "libcxx-strings.o" not in objects(tmp_path / "seen")


@pytest.mark.slow
def test_where_an_excerpt_cannot_be_compiled_the_whole_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As with a source that a new zig has written differently.
    names = ["_ZNSt3__16locale7classicEv", "_ZNSt3__14coutE"]
    monkeypatch.setattr(_closure, "excerpt", lambda text: "not C++\n")
    archive, _ = build(tmp_path, names)
    assert "libcxx-streams-whole.o" in objects(tmp_path)
    assert b"libcxx-streams-whole.o" in Path(archive).read_bytes()
    assert b"libcxx-iostream-whole.o" in Path(archive).read_bytes()


def test_cache_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolchainError, match="cannot be written"):
        build(tmp_path / "file", GUARD)


def test_with_a_zig_that_nobody_has_tried_units_are_whole(known: Commands) -> None:
    zig = str(ZIG.executable)
    untried = replace(known, together=False)
    without = [word for word in known.compile(zig, "string") if "_WIDE_CHARACTERS" in word]
    assert "-D_LIBCPP_HAS_WIDE_CHARACTERS=0" in without
    for how, unit in ((untried, "string"), (known, "string-whole")):
        assert not set(without) & set(how.compile(zig, unit))
        assert how.excerpts("locale", Path("/nowhere")) == {} or how is known


def test_commands_are_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zig = str(ZIG.executable)
    first = commands(zig, TARGET, tmp_path)
    asked = []
    ask = _commands._ask
    monkeypatch.setattr(_commands, "_ask", lambda *given: asked.append(given) or ask(*given))
    assert commands(zig, TARGET, tmp_path) == first
    assert not asked
    # Build isolation moves zig, and what was being written may be half.
    link = tmp_path / "zig"
    link.symlink_to(zig)
    commands(str(link), TARGET, tmp_path)
    assert len(asked) == 1
    (tmp_path / "commands.json").write_text('{"zig": ')
    assert commands(zig, TARGET, tmp_path) == first
    assert len(asked) == 2


@pytest.mark.slow
def test_cxx_library_behaves_as_when_zig_builds_it(tmp_path: Path) -> None:
    program = tmp_path / "program"
    command = [str(ZIG.executable), "c++", "-target", TARGET, "-O2", "-std=c++17"]
    zig_cache = {f"ZIG_{kind}_CACHE_DIR": str(tmp_path / "zig") for kind in ("GLOBAL", "LOCAL")}
    subprocess.run(
        [*command, "-fno-sanitize=all", str(PROGRAM), "-o", str(program)],
        env={**os.environ, **zig_cache},
        check=True,
    )
    ran = subprocess.run(
        [str(program), str(tmp_path)], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    assert ran.stdout == EXPECTED


@pytest.mark.skipif(HOST.bits == 32, reason="a 32-bit compiler has no __int128")
def test_compiler_rt_comes_in_where_arithmetic_needs_it(cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "wide.cpp"
    source.write_text(WIDE)
    linked = compile_and_link(
        toolchain(cache), source, tmp_path / "wide.so", "-shared", "-fPIC", "-Wl,-z,defs"
    )
    assert (linked.returncode, linked.stderr) == (0, "")
    quotient = ctypes.CDLL(str(tmp_path / "wide.so")).quotient
    quotient.argtypes, quotient.restype = [ctypes.c_ulong] * 2, ctypes.c_ulong
    a, b = 2**63 + 12345, 3
    assert quotient(a, b) == (a << 64 | 5) // (b | b << 70)


def test_files_of_compiler_rt_are_found_by_what_they_export(known: Commands) -> None:
    exports = exported(known.lib)
    for name in ("__udivti3", "__multf3", "__atomic_load", "__aeabi_uldivmod", "__popcountdi2"):
        assert exports[name], name
    assert "__cxa_throw" not in exports


@pytest.mark.parametrize("target", ["aarch64-linux-gnu.2.17", "arm-linux-gnueabihf.2.17"])
def test_compiler_rt_of_another_architecture_defines_what_it_lacks(
    target: str, tmp_path: Path
) -> None:
    wanted = {"aarch64": "__multf3", "arm": "__aeabi_uldivmod"}[target.split("-")[0]]
    (archive,) = build(tmp_path, [wanted], target)
    (name,) = objects(tmp_path)
    assert wanted in read_symbols(next(tmp_path.rglob(name))).defined
    assert Path(archive).read_bytes().startswith(b"!<thin>\n")


@pytest.mark.parametrize(
    "undefined",
    [
        [],
        ["_ZN3foo3barEv", "_ZNSt7__cxx1112basic_stringIcE6appendEPKc"],
        ["_ZNSt3__122no_such_thing_anywhereEv"],
        ["nowhere"],
    ],
)
def test_what_no_library_provides_gives_nothing_and_builds_nothing(
    undefined: List[str], tmp_path: Path
) -> None:
    assert build(tmp_path, undefined) == []
    assert objects(tmp_path) == {}


def test_same_symbols_give_the_same_bytes_whatever_was_built_before(tmp_path: Path) -> None:
    build(tmp_path / "a", ["_ZTIi"])
    build(tmp_path / "a", ["__gcc_personality_v0"])
    a, _ = build(tmp_path / "a", GUARD)
    b, _ = build(tmp_path / "b", reversed(GUARD))
    assert Path(a).relative_to(tmp_path / "a") == Path(b).relative_to(tmp_path / "b")
    assert Path(a).read_bytes() == Path(b).read_bytes()
    first, second = objects(tmp_path / "a"), objects(tmp_path / "b")
    assert second.items() <= first.items()
    places = (str(ZIG.lib).encode(), str(tmp_path).encode())
    assert not [name for name, data in first.items() if any(place in data for place in places)]


def test_headers_that_the_caller_wants_are_not_the_librarys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = tmp_path / "headers"
    headers.mkdir()
    for name in ("exception", "cstdlib", "cxxabi.h", "stdlib.h"):
        (headers / name).write_text("#error of the caller's own\n")
    monkeypatch.setenv("CPATH", str(headers))
    monkeypatch.setenv("CPLUS_INCLUDE_PATH", str(headers))
    assert build(tmp_path / "built", GUARD)


def test_second_time_starts_no_compiler(tmp_path: Path) -> None:
    archive, stub = build(tmp_path, GUARD)
    nowhere = "/nowhere/zig"
    assert runtime_inputs(nowhere, TARGET, str(tmp_path), GUARD) == [archive, stub]
    newer = TARGET.replace("2.17", "2.34")
    assert runtime_inputs(nowhere, newer, str(tmp_path), GUARD) == [archive, stub]


def test_what_was_taken_out_of_the_cache_is_made_again(tmp_path: Path) -> None:
    archive, stub = build(tmp_path, GUARD)
    before = objects(tmp_path)
    next(tmp_path.rglob("libcxxabi-exceptions.o")).unlink()
    assert build(tmp_path, GUARD) == [archive, stub]
    assert objects(tmp_path) == before


def test_paths_alone_need_no_streams(tmp_path: Path) -> None:
    build(tmp_path, ["_ZNKSt3__14__fs10filesystem4path10__filenameEv"])
    assert "libcxx-paths.o" in objects(tmp_path)
    assert not {"libcxx-files.o", "libcxx-locale.o", "libcxx-streams.o"} & set(objects(tmp_path))


def test_zig_that_fails_is_an_error_with_its_words(tmp_path: Path) -> None:
    zig = tmp_path / "zig"
    zig.write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 1\n")
    zig.chmod(0o755)
    with pytest.raises(ToolchainError, match="out of luck"):
        runtime_inputs(str(zig), TARGET, str(tmp_path / "cache"), GUARD)


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken(staging: Path, lock: int) -> None:
        staging.write_text("half")
        raise ToolchainError("the compiler died")

    path = tmp_path / "object.o"
    with pytest.raises(ToolchainError, match="died"):
        make_file(path, broken)
    assert not path.exists()
    # What a killed compiler has begun goes when the next one is done.
    for begun in (".object.o.making", ".object.o-1a2b3c4d.making.tmp"):
        (tmp_path / begun).write_text("half")
    make_file(path, lambda staging, _: staging.write_text("whole") and None)
    assert path.read_text() == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".object.o.lock", "object.o"]


CHILD = """
import sys
from manylinux_shim.runtimes import runtime_inputs
print(runtime_inputs(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])[0])
"""


def child(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(ZIG.executable), TARGET, str(directory), *GUARD],
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


def test_builds_at_once_agree(tmp_path: Path) -> None:
    children = [child(tmp_path / "shared") for _ in range(4)]
    answers = {process.communicate()[0].strip() for process in children}
    assert [process.returncode for process in children] == [0] * 4
    expected, _ = build(tmp_path / "alone", GUARD)
    assert answers == {str(tmp_path / "shared" / Path(expected).relative_to(tmp_path / "alone"))}
    assert objects(tmp_path / "shared") == objects(tmp_path / "alone")


def test_killed_at_any_moment_the_next_build_has_the_right_result(tmp_path: Path) -> None:
    moments = random.Random(6)
    for _ in range(8):
        process = child(tmp_path / "killed")
        time.sleep(moments.uniform(0.05, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    archive, _ = build(tmp_path / "killed", GUARD)
    expected, _ = build(tmp_path / "whole", GUARD)
    assert Path(archive).read_bytes() == Path(expected).read_bytes()
    built = objects(tmp_path / "killed")
    assert built.items() >= objects(tmp_path / "whole").items()


@pytest.mark.slow
def test_without_a_single_guess_the_same_objects_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["_ZNSt12length_errorD1Ev", "_ZNSt3__16chrono12system_clock3nowEv"]
    expected, _ = build(tmp_path / "guessed", names)
    monkeypatch.setattr(
        _closure, "candidates", lambda name: () if is_standard(name) else candidates(name)
    )
    archive, _ = build(tmp_path / "searched", names)
    # What no guess finds is looked for in whole units, which have it all.
    found, guessed = (
        re.findall(rb"lib[\w.-]+\.o", Path(path).read_bytes()) for path in (archive, expected)
    )
    assert {name.replace(b"-whole", b"") for name in found} == set(guessed)
    assert len(objects(tmp_path / "searched")) > 40


def test_a_name_that_no_source_mentions_is_not_searched_for() -> None:
    assert is_mentioned("_ZNSt3__15mutex4lockEv", "class mutex { void lock(); }")
    assert not is_mentioned("_ZNSt3__15mutex4lockEv", "class recursive_mutex {}")
