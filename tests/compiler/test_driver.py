"""The driver with the real zig: it compiles, links, answers and refuses."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest
from elftools.elf.elffile import ELFFile
from support import machine

from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture
from manylinux_shim.audit import glibc_version
from manylinux_shim.elf import read_elf
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.environment._tools import ROOT_VARIABLE, START
from manylinux_shim.zig._zig import find_zig

pytestmark = pytest.mark.long

HELLO = """
#include <math.h>
#include <stdio.h>
int main(int argc, char **argv) { (void)argv; printf("%g\\n", pow(argc + 1, 3)); return 0; }
"""
LIBRARY = """
#include <pthread.h>
#include <sys/stat.h>
static void *run(void *p) { return p; }
int threads(void) { pthread_t t; return pthread_create(&t, 0, run, 0) || pthread_join(t, 0); }
int root_is_there(void) { struct stat s; return stat("/", &s); }
"""


@pytest.fixture(scope="session")
def toolchain(shared_cache: Path) -> Dict[str, str]:
    """The environment of a build for manylinux_2_17 on this host."""
    host = host_architecture()
    assert host is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(shared_cache))
        added = prepare(
            find_zig(),
            host,
            Policy.parse("manylinux_2_17"),
            Path("/nowhere"),
            from_host=["libz.so.1"],
            notice=print,
        )
    return {**os.environ, **added}


def run(
    toolchain: Dict[str, str], tool: str, *arguments: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [toolchain[tool], *arguments],
        cwd=cwd,
        env=toolchain,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def dynamic(path: Path) -> Dict[str, List[str]]:
    with path.open("rb") as file:
        elf = ELFFile(file)
        tags: Dict[str, List[str]] = {}
        for tag in elf.get_section_by_name(".dynamic").iter_tags():
            value = getattr(tag, tag.entry.d_tag[3:].lower(), tag.entry.d_val)
            tags.setdefault(tag.entry.d_tag, []).append(value)
        need = elf.get_section_by_name(".gnu.version_r")
        needs = need.iter_versions() if need is not None else ()
        tags["versions"] = [aux.name for _, auxes in needs for aux in auxes]
        tags["sections"] = [section.name for section in elf.iter_sections()]
    return tags


def test_program_is_linked_against_the_old_glibc_and_runs(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "hello.c").write_text(HELLO)
    built = run(toolchain, "CC", "-O2", "-g", "hello.c", "-o", "hello", cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    ran = subprocess.run([str(tmp_path / "hello")], stdout=subprocess.PIPE, check=True)
    assert ran.stdout == b"8\n"
    assert "GLIBC_2.29" not in dynamic(tmp_path / "hello")["versions"]


def test_shared_object_needs_what_it_uses_though_nobody_named_it(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(LIBRARY)
    built = run(
        toolchain, "CC", "-shared", "-fPIC", "-g", "a.c", "-o", "a.so", cwd=tmp_path
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    facts = dynamic(tmp_path / "a.so")
    assert set(facts["DT_NEEDED"]) == {"libc.so.6", "libpthread.so.0"}
    assert not [name for name in facts["sections"] if name.startswith(".debug")]
    library = ctypes.CDLL(str(tmp_path / "a.so"))
    assert (library.threads(), library.root_is_there()) == (0, 0)


def test_undefined_symbol_fails_a_program_and_is_named(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text("int nowhere(void); int main(void) { return nowhere(); }")
    built = run(toolchain, "CC", "a.c", "-o", "a", cwd=tmp_path)
    assert built.returncode != 0
    assert "undefined symbol: nowhere" in built.stderr
    assert not (tmp_path / "a").exists()


def test_undefined_symbol_of_a_shared_object_is_said_and_pythons_own_is_not(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(
        "int nowhere(void); void *PyList_New(long);"
        "int f(void) { return nowhere() + !PyList_New(1); }"
    )
    built = run(toolchain, "CC", "-shared", "-fPIC", "a.c", "-o", "a.so", cwd=tmp_path)
    assert built.returncode == 0
    assert "warning: undefined symbol: nowhere" in built.stderr
    assert "PyList_New" not in built.stderr


def test_a_symbol_newer_than_the_policy_is_not_there(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(
        "int strfromd(char *, unsigned long, const char *, double);"
        ' int main(void) { char c; return strfromd(&c, 1, "%f", 1); }'
    )
    built = run(toolchain, "CC", "a.c", "-o", "a", cwd=tmp_path)
    assert built.returncode != 0
    assert "strfromd" in built.stderr


def test_128_bit_division_gets_the_compilers_own_library(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(
        "long f(long a, long b) { __int128 x = a; x <<= 64; return (long)(x / b >> 60); }"
    )
    built = run(toolchain, "CC", "-O2", "-shared", "-fPIC", "a.c", "-o", "a.so", cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert ctypes.CDLL(str(tmp_path / "a.so")).f(2, 32) == 1


PROCESSOR = """
#include <stdio.h>
int fast(void) { __builtin_cpu_init(); return __builtin_cpu_supports("avx2") != 0; }
unsigned __int128 divide(unsigned __int128 a, unsigned __int128 b) { return a / b; }
"""


@pytest.mark.skipif(
    host_architecture() is not ARCHITECTURES["x86_64"], reason="gcc's __cpu_model is x86's"
)
def test_question_for_the_processor_links_into_a_shared_object(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    # Reached relative to the code, which lld refuses while nothing defines it.
    (tmp_path / "processor.c").write_text(PROCESSOR)
    shared = ("-O2", "-shared", "-fPIC", "-Wl,-z,defs", "processor.c", "-o", "processor.so")
    built = run(toolchain, "CC", *shared, cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert ctypes.CDLL(str(tmp_path / "processor.so")).fast() in (0, 1)


def test_over_aligned_types_have_their_operator_new(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.cpp").write_text(
        "#include <cstdint>\n#include <memory>\nstruct alignas(64) A { char bytes[64]; };"
        'extern "C" int f() { auto a = std::make_unique<A>();'
        " return (int)((std::uintptr_t)a.get() % 64); }"
    )
    built = run(toolchain, "CXX", "-O1", "-shared", "-fPIC", "a.cpp", "-o", "a.so", cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert ctypes.CDLL(str(tmp_path / "a.so")).f() == 0


UNSEEN = """
#include <cstdio>
#include <limits>
#include <queue>
#include <utility>
int main(int argc, char **) {
    std::priority_queue<std::pair<float, int>> nearest;
    for (int i = 0; i < argc + 2; ++i)
        nearest.push(std::make_pair(std::numeric_limits<float>::infinity(), i + 1));
    int sum = 0;
    for (; !nearest.empty(); nearest.pop()) sum += nearest.top().second;
    std::printf("%d\\n", sum);
}
"""


@pytest.mark.parametrize("unused", ["unused-command-line-argument", "unknown-warning-option"])
def test_our_own_arguments_are_no_error_where_warnings_are(
    unused: str, toolchain: Dict[str, str], tmp_path: Path
) -> None:
    # As Meson asks for types.
    (tmp_path / "asks.c").write_text("#include <complex.h>\nint n = sizeof(complex float);")
    words = ["-c", "asks.c", "-O0", "-std=c11", f"-Werror={unused}", "-Werror"]
    done = run(toolchain, "CC", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_infinity_means_with_fast_math_what_it_does_to_gcc(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "unseen.cpp").write_text(UNSEEN)
    fast = ("-O3", "-ffast-math", "unseen.cpp", "-o", "unseen")
    assert run(toolchain, "CXX", *fast, cwd=tmp_path).returncode == 0
    assert subprocess.check_output([str(tmp_path / "unseen")], encoding="utf-8") == "6\n"


def test_file_macro_does_not_tell_where_the_build_was(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    source = tmp_path / "a.c"
    source.write_text("const char *f(void) { return __FILE__; }")
    environment = {**toolchain, "_MANYLINUX_SHIM_PLACES": f"{tmp_path}\t."}
    run(environment, "CC", "-shared", "-fPIC", "-g", str(source), "-o", "a.so", cwd=tmp_path)
    assert str(tmp_path).encode() not in (tmp_path / "a.so").read_bytes()


def test_a_library_of_every_linux_is_taken_from_the_host_and_no_other(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(
        "#include <zlib.h>\nconst char *f(void) { return zlibVersion(); }"
    )
    built = run(toolchain, "CC", "-shared", "-fPIC", "a.c", "-lz", "-o", "a.so", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert "libz.so.1" in dynamic(tmp_path / "a.so")["DT_NEEDED"]
    refused = run(toolchain, "CC", "-shared", "a.c", "-lexpat", "-o", "b.so", cwd=tmp_path)
    assert refused.returncode != 0
    assert "libexpat.so is not used" in refused.stderr


@pytest.fixture(scope="session")
def without_gcc(
    toolchain: Dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Dict[str, str]:
    """The same for the same host without GCC's Fortran."""
    tools = tmp_path_factory.mktemp("without-gcc")
    cc = Path(toolchain["CC"])
    lines = (cc.parent / "configuration").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("fortran", "compilers-libraries"))]
    (tools / "configuration").write_text("".join(kept), encoding="utf-8")
    text = cc.read_text(encoding="utf-8").replace(str(cc.parent), str(tools))
    (tools / "cc").write_text(text, encoding="utf-8")
    (tools / "cc").chmod(0o755)
    return {**toolchain, "CC": str(tools / "cc")}


@pytest.mark.parametrize(
    ("flag", "said"),
    [("-fopenmp", "no OpenMP"), ("-lgomp", "no OpenMP"), ("-lgfortran", "Fortran")],
)
def test_what_only_gcc_has_is_named_with_what_to_do(
    flag: str, said: str, without_gcc: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text("int f(void) { return 1; }")
    refused = run(without_gcc, "CC", "-shared", "-fPIC", "a.c", flag, "-o", "a.so", cwd=tmp_path)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert 'mode = "relink"' in refused.stderr


def test_header_of_openmp_is_missed_where_it_is_included(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text("#include <omp.h>\nint f(void) { return 1; }")
    refused = run(toolchain, "CC", "-fopenmp", "-c", "a.c", cwd=tmp_path)
    assert refused.returncode != 0
    assert "'omp.h' file not found" in refused.stderr
    assert (
        "zig has no OpenMP runtime. Build the project without it, or with `mode" in refused.stderr
    )


FORTRAN = """\
integer(c_int) function length(number) bind(c)
  use iso_c_binding
  integer(c_int), value :: number
  character(len=20) :: text
  write(text, '(I0)') number
  length = len_trim(text)
end function
"""


@pytest.mark.parametrize("at_once", [True, False])
def test_gcc_compiles_fortran_and_zig_links_it(
    at_once: bool, toolchain: Dict[str, str], tmp_path: Path
) -> None:
    machine.need_program("gfortran")
    (tmp_path / "length.f90").write_text(FORTRAN)
    source = "length.f90"
    if not at_once:
        done = run(toolchain, "FC", "-fPIC", "-c", source, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        source = "length.o"
    arguments = ("-shared", "-fPIC", "-J", ".", source, "-o", "length.so")
    done = run(toolchain, "FC", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "libgfortran.so.5" in dynamic(tmp_path / "length.so")["DT_NEEDED"]
    assert ctypes.CDLL(str(tmp_path / "length.so")).length(12345) == 5
    facts = read_elf("length.so", (tmp_path / "length.so").read_bytes())
    versions = [glibc_version(need.version) for need in facts.version_needs]
    assert all(version <= (2, 17, 0) for version in versions if version is not None)


def test_questions_to_the_fortran_compiler_are_its_own(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    machine.need_program("gfortran")
    assert "GNU Fortran" in run(toolchain, "FC", "--version", cwd=tmp_path).stdout


GREETING = """
#include <iostream>
#include <stdexcept>
#include <string>
std::string greeting(const std::string &name) {
    if (name.empty()) throw std::invalid_argument("no name");
    std::cerr << "greeting " << name << "\\n";
    return "hello, " + name;
}
int length(int n) { return static_cast<int>(greeting(std::string(n, 'x')).size()); }
"""


def test_static_library_of_gccs_is_named_with_what_it_wants(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "greeting.cpp").write_text(GREETING)
    (tmp_path / "extension.cpp").write_text(
        "int length(int); int twice(int n) { return 2 * length(n); }"
    )
    made = ["g++ -O2 -fPIC -c greeting.cpp", "ar crs libgreeting.a greeting.o"]
    for command in made:
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    words = ["-shared", "-fPIC", "extension.cpp", "-L.", "-lgreeting", "-o", "extension.so"]
    done = run(toolchain, "CXX", *words, cwd=tmp_path)
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if "error:" in line)
    assert "libgreeting.a was compiled by GCC and needs its C++ library, libstdc++: std::" in line
    assert 'mode = "relink"' in line
    assert "_ZN" not in line
    assert not (tmp_path / "extension.so").exists()


def test_shared_library_of_other_types_is_named_with_what_is_not_in_it(
    toolchain: Dict[str, str], tmp_path: Path
) -> None:
    declared = "#include <string>\nstd::string twice(const std::string &);\n"
    (tmp_path / "greeting.cpp").write_text(
        declared + "std::string twice(const std::string &s) { return s + s; }"
    )
    (tmp_path / "extension.cpp").write_text(
        declared + "int length(const char *s) { return twice(s).size(); }"
    )
    command = "g++ -O2 -fPIC -shared greeting.cpp -o libgreeting.so"
    subprocess.run(command.split(), cwd=tmp_path, check=True)
    words = ["-shared", "-fPIC", "extension.cpp", "-L.", "-lgreeting", "-o", "extension.so"]
    done = run(toolchain, "CXX", *words, cwd=tmp_path)
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if "error:" in line)
    assert "libgreeting.so: GCC compiled this with its C++ library, libstdc++" in line
    assert "twice(std::__1::basic_string" in line
    assert "`before-all`" in line
    assert 'mode = "relink"' in line
    assert not (tmp_path / "extension.so").exists()


def test_object_and_archive_and_response_file(toolchain: Dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "f.c").write_text("int f(void) { return 42; }")
    (tmp_path / "main.c").write_text("int f(void); int main(void) { return f(); }")
    assert run(toolchain, "CC", "-c", "f.c", cwd=tmp_path).returncode == 0
    assert run(toolchain, "AR", "rcs", "libf.a", "f.o", cwd=tmp_path).returncode == 0
    (tmp_path / "args").write_text("main.c -L. -lf -o 'a b'")
    assert run(toolchain, "CC", "@args", cwd=tmp_path).returncode == 0
    assert subprocess.run([str(tmp_path / "a b")], check=False).returncode == 42


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("--version", "clang version"),
        ("-dumpmachine", "-linux-gnu"),
        ("-print-multiarch", "-linux-gnu"),
        ("-print-search-dirs", "libraries: ="),
        ("-print-file-name=libm.so", "/lib/libm.so"),
        ("-print-file-name=none.so", "none.so"),
        ("-print-prog-name=ld", "/ld"),
        ("-print-sysroot", ""),
        ("-dumpversion", "."),
        ("-dumpfullversion", "."),
        ("-Wl,--version", "LLD"),
    ],
)
def test_questions_of_build_systems_are_answered(
    toolchain: Dict[str, str], tmp_path: Path, question: str, answer: str
) -> None:
    asked = run(toolchain, "CC", question, cwd=tmp_path)
    assert asked.returncode == 0, asked.stderr
    assert answer in asked.stdout
    assert asked.stderr == ""


def test_verbose_alone_tells_version_and_target(toolchain: Dict[str, str], tmp_path: Path) -> None:
    asked = run(toolchain, "CC", "-v", cwd=tmp_path)
    assert asked.returncode == 0
    assert "Target: " in asked.stderr


def test_outside_of_a_build_the_compiler_says_so(toolchain: Dict[str, str], tmp_path: Path) -> None:
    asked = subprocess.run(
        [toolchain["CC"], "--version"],
        env={"PATH": os.environ["PATH"]},
        stderr=subprocess.PIPE,
        check=False,
    )
    assert asked.returncode != 0
    assert b"inside of a build by manylinux-shim" in asked.stderr


def test_the_driver_starts_on_the_standard_library_alone(toolchain: Dict[str, str]) -> None:
    started = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", "-c", START, "/dev/null", "cc", "-v"],
        env={ROOT_VARIABLE: toolchain[ROOT_VARIABLE]},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    loaded = {line.rpartition("|")[2].strip() for line in started.stderr.splitlines()}
    assert "manylinux_shim.compiler._arguments" in loaded
    slow = {"re", "json", "typing", "pathlib", "subprocess", "dataclasses", "tempfile", "enum"}
    assert not slow & loaded


@pytest.mark.parametrize(("given", "size"), [([], 20), (["-Wl,--build-id=none"], 0)])
def test_what_is_linked_has_a_build_id_unless_none_is_wanted(
    given: List[str], size: int, toolchain: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "l.c").write_text("int f(void) { return 3; }\n")
    ids = []
    for name in ("one.so", "two.so"):
        built = run(toolchain, "CC", "-shared", *given, "l.c", "-o", name, cwd=tmp_path)
        assert (built.returncode, built.stderr) == (0, "")
        with (tmp_path / name).open("rb") as file:
            section = ELFFile(file).get_section_by_name(".note.gnu.build-id")
            ids.append(b"" if section is None else section.data()[16:])
    assert [len(each) for each in ids] == [size, size]
    assert ids[0] == ids[1]


def test_what_overflow_means_is_the_same_in_the_flags_of_all_pythons() -> None:
    from manylinux_shim.compiler._driver import _overflowing

    newer = _overflowing(["-fno-strict-overflow", "-g", "-O3"])
    assert _overflowing(["-g", "-fwrapv", "-O3"]) == newer == ["-fno-strict-overflow", "-g", "-O3"]
    for own in (["-O2"], ["-fwrapv", "-fno-wrapv"], ["-ftrapv", "-fwrapv"]):
        assert _overflowing(own) == own
