"""Functions that are newer than the target's glibc: declared, linked in, or named with a remedy."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Dict, List, Set

import pytest
from support.newer import USES

from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture, lowest_policy
from manylinux_shim.compiler._newer import complained_of
from manylinux_shim.elf import read_elf
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.supply import HEADERS, can_link
from manylinux_shim.zig._zig import find_zig

pytestmark = pytest.mark.long


def environment(shared_cache: Path, arch: str, *, supply: bool) -> Dict[str, str]:
    """That of a build for manylinux_2_17, or for what is nearest to it."""
    target = ARCHITECTURES[arch]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(shared_cache))
        added = prepare(
            find_zig(),
            target,
            max(Policy.parse("manylinux_2_17"), lowest_policy(target)),
            Path("/nowhere"),
            cross=target != host_architecture(),
            supply=supply,
            notice=print,
        )
    return {**os.environ, **added}


HOST = host_architecture()
assert HOST is not None


@pytest.fixture(scope="module")
def supplied(shared_cache: Path) -> Dict[str, str]:
    return environment(shared_cache, HOST.name, supply=True)


@pytest.fixture(scope="module")
def plain(shared_cache: Path) -> Dict[str, str]:
    return environment(shared_cache, HOST.name, supply=False)


def run(
    tools: Dict[str, str], tool: str, *arguments: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tools[tool], *arguments],
        cwd=cwd,
        env=tools,
        capture_output=True,
        encoding="utf-8",
    )


def said(tools: Dict[str, str], tool: str, *arguments: str, cwd: Path) -> List[str]:
    """Our own lines of what a call that fails prints."""
    failed = run(tools, tool, *arguments, cwd=cwd)
    assert failed.returncode != 0, failed.stderr
    begin = "manylinux-shim: "
    return [line[len(begin) :] for line in failed.stderr.splitlines() if line.startswith(begin)]


@pytest.mark.parametrize(
    ("tool", "options"),
    [
        ("CC", ["-std=gnu17", "-O2"]),
        ("CC", ["-std=gnu2x", "-O0"]),
        ("CC", ["-D_FORTIFY_SOURCE=2", "-O2", "-flto", "-Wall", "-Wextra", "-Werror"]),
        ("CXX", ["-O2", "-Wall", "-Wextra", "-Werror"]),
    ],
    ids=["C17", "C23", "fortified", "C++"],
)
def test_newer_functions_are_declared_linked_in_and_work(
    tool: str, options: List[str], supplied: Dict[str, str], tmp_path: Path
) -> None:
    gnu = "#define _GNU_SOURCE\n" if tool == "CC" else ""  # which C++ compilers define
    name = "uses.c" if tool == "CC" else "uses.cpp"
    (tmp_path / name).write_text(gnu + USES)
    built = run(supplied, tool, *options, name, "-o", "uses", cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert subprocess.run([str(tmp_path / "uses")]).returncode == 0
    facts = read_elf("uses", (tmp_path / "uses").read_bytes())
    assert not {name.name for name in facts.undefined} & {"getrandom", "statx", "thrd_create"}


def test_what_is_linked_in_is_nobody_elses(supplied: Dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(
        "#include <sys/random.h>\nlong bytes(void *to) { return getrandom(to, 1, 0); }\n"
    )
    built = run(supplied, "CC", "-shared", "-fPIC", "a.c", "-o", "a.so", cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    facts = read_elf("a.so", (tmp_path / "a.so").read_bytes())
    assert facts.exports.names == {"bytes"}


@pytest.mark.parametrize("arch", [name for name in ARCHITECTURES if name != "loongarch64"])
def test_every_architecture_has_what_the_headers_declare(
    arch: str, shared_cache: Path, tmp_path: Path
) -> None:
    names = {name for _, declared in HEADERS.values() for name in declared.split()}
    assert {name for name in names if not can_link(name, arch)} == set()
    (tmp_path / "uses.c").write_text(
        "#define _GNU_SOURCE\n" + USES.replace("__GLIBC_PREREQ", "0 &&")
    )
    tools = environment(shared_cache, arch, supply=True)
    built = run(tools, "CC", "-O2", "uses.c", "-o", "uses", cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")


def declared(tools: Dict[str, str], header: str, cwd: Path) -> Set[str]:
    """What looks like a function or a variable that ``header`` declares."""
    (cwd / "h.c").write_text(f"#define _GNU_SOURCE\n#include <{header}>\n")
    text = run(tools, "CC", "-std=gnu17", "-E", "-P", "h.c", cwd=cwd).stdout
    return set(re.findall(r"(\w+) *\(", text)) | set(re.findall(r"extern char (\w+);", text))


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_declares_what_the_table_says_and_no_more(
    header: str, supplied: Dict[str, str], plain: Dict[str, str], tmp_path: Path
) -> None:
    names = set(HEADERS[header][1].split())
    with_it = declared(supplied, header, tmp_path)
    assert with_it >= names
    if header not in ("threads.h", "sys/single_threaded.h"):  # which do not compile without
        assert with_it - declared(plain, header, tmp_path) == names


OWN = r"""
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
%s %s
int main(void) { char to[2]; return %s != 7 || getrandom(to, 2, 0) != 2; }
"""
COPY = "size_t strlcpy(char *to, const char *from, size_t n) { *to = *from; return n ? 7 : 0; }"
CLOSE = "int close_range(long from) { return from ? 7 : 0; }"


@pytest.mark.parametrize(
    ("tool", "linkage", "function", "call"),
    [
        ("CC", "static", COPY, 'strlcpy(to, "a", 2)'),
        ("CC", "static inline", COPY, 'strlcpy(to, "a", 2)'),
        ("CC", "", COPY, 'strlcpy(to, "a", 2)'),
        ("CC", "", CLOSE, "close_range(1)"),
        ("CXX", "static", COPY, 'strlcpy(to, "a", 2)'),
        ("CXX", 'extern "C"', COPY, 'strlcpy(to, "a", 2)'),
    ],
)
def test_a_function_of_the_projects_own_comes_first(
    tool: str, linkage: str, function: str, call: str, supplied: Dict[str, str], tmp_path: Path
) -> None:
    name = "own.c" if tool == "CC" else "own.cpp"
    gnu = "#define _GNU_SOURCE" if tool == "CC" else ""
    (tmp_path / name).write_text(gnu + OWN % (linkage, function, call))
    built = run(supplied, tool, "-fno-builtin", name, "-o", "own", cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert subprocess.run([str(tmp_path / "own")]).returncode == 0


def test_a_function_of_the_projects_own_beside_one_that_is_linked_in(
    supplied: Dict[str, str], tmp_path: Path
) -> None:
    """Both stand in one source of ours, where the second calls the first."""
    (tmp_path / "copy.c").write_text(
        "#include <stddef.h>\nint called;\nsize_t strlcpy(char *to, const char *from, size_t n)\n"
        "{ to[0] = from[0], to[1] = 0, called = 1; return n ? 1 : 1; }\n"
    )
    (tmp_path / "main.c").write_text(
        "#include <string.h>\n"
        "extern int called;\n"
        "int main(void) { char to[4];"
        ' return strlcpy(to, "a", 4) != 1 || !called || strlcat(to, "b", 4) != 2; }\n'
    )
    options = ["-fno-builtin", "copy.c", "main.c", "-o", "both"]
    built = run(supplied, "CC", *options, cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert subprocess.run([str(tmp_path / "both")]).returncode == 0


def test_configures_question_for_a_function_is_answered(
    supplied: Dict[str, str], tmp_path: Path
) -> None:
    """AC_CHECK_FUNC declares it in a way of its own, and links."""
    for name, there in (("getrandom", True), ("pidfd_spawn", False)):
        (tmp_path / "conftest.c").write_text(
            f"char {name} (void);\nint main (void)\n{{\nreturn {name} ();\n}}\n"
        )
        built = run(supplied, "CC", "-O2", "conftest.c", "-o", "conftest", cwd=tmp_path)
        assert (built.returncode == 0) is there, built.stderr


def sentence(what: str, since: str, more: str = "") -> str:
    policy = f"manylinux_{since.replace('.', '_')}"
    return (
        f"{what} came with glibc {since}, and this build is for 2.17:"
        f' `policy = "{policy}"` is the first that has it{more}.'
    )


@pytest.mark.parametrize("options", [["-std=gnu17"], ["-std=gnu2x"], ["-x", "c++"]])
def test_what_cannot_be_linked_in_is_named_with_the_policy_that_has_it(
    options: List[str], supplied: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(
        "#include <spawn.h>\nint main(void) { return pidfd_spawn(0, 0, 0, 0, 0, 0); }\n"
    )
    expected = [sentence("pidfd_spawn", "2.39")]
    assert (
        said(supplied, "CC", *options, "-D_GNU_SOURCE", "a.c", "-o", "a", cwd=tmp_path) == expected
    )


def test_symbol_that_no_object_has_is_named_with_the_policy_that_has_it(
    supplied: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(
        "int posix_spawn_file_actions_addchdir_np(void *, const char *);\n"
        'int change(void *of) { return posix_spawn_file_actions_addchdir_np(of, "/"); }\n'
    )
    options = ["-shared", "-fPIC", "-Wl,--no-undefined", "a.c", "-o", "a.so"]
    expected = [sentence("posix_spawn_file_actions_addchdir_np", "2.29")]
    assert said(supplied, "CC", *options, cwd=tmp_path) == expected


def test_without_the_setting_all_is_as_old_as_the_target(
    plain: Dict[str, str], tmp_path: Path
) -> None:
    more = ", and `supply = true` links it in"
    (tmp_path / "a.c").write_text(
        "#include <sys/random.h>\nint main(void) { return (int)getrandom(0, 0, 0); }\n"
    )
    for options in (["-std=gnu17"], ["-std=gnu2x"]):
        expected = [sentence("getrandom", "2.25", more)]
        assert said(plain, "CC", *options, "a.c", "-o", "a", cwd=tmp_path) == expected
    (tmp_path / "b.c").write_text("#include <stdio.h>\n#include <threads.h>\n")
    assert said(plain, "CC", "-c", "b.c", cwd=tmp_path) == [sentence("<threads.h>", "2.28", more)]


def test_what_clang_says_is_read() -> None:
    text = (
        "a.c:1:1: warning: call to undeclared function 'f'; ISO C99 and later\n"
        "a.c:1:1: error: call to undeclared library function 'g' with type 'int (int)'\n"
        "a.cpp:1:1: error: use of undeclared identifier 'h'; did you mean 'i'?\n"
        "a.cpp:1:1: error: no member named 'j' in the global namespace\n"
        "a.c:2:2: error: use of undeclared identifier 'f'\n"
        '/x/threads.h:22:5: error: "threads.h did not exist before glibc 2.28"\n'
        '   22 |    #error "threads.h did not exist before glibc 2.28"\n'
    )
    assert complained_of(text) == (["f", "g", "h", "j"], ["threads.h 2.28"])
