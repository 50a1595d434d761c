"""What is compiled ahead: guessed and then known, and gone with the build."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Set

import pytest

from manylinux_shim._platforms import Policy, host_architecture
from manylinux_shim.compiler._driver import LINKS_VARIABLE
from manylinux_shim.compiler._twin import TWINS
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.runtimes import place_of, runtime_inputs
from manylinux_shim.runtimes._ahead import ahead, expected
from manylinux_shim.runtimes._shared import shared_path
from manylinux_shim.sysroot._sysroot import runtimes_directory
from manylinux_shim.zig._zig import find_zig

pytestmark = pytest.mark.long

ZIG = find_zig()
HOST = host_architecture()
assert HOST is not None
POLICY = Policy.parse("manylinux_2_17")
TARGET = HOST.zig_target(POLICY)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "cache"
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(directory))
    return directory


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    directory = tmp_path / "scratch"
    directory.mkdir()
    return directory


def objects(cache: Path) -> Set[str]:
    return {path.name for path in cache.rglob("objects/lib*.o")}


def unfinished(cache: Path) -> List[Path]:
    return [path for path in cache.rglob("objects/*") if path.suffix not in (".o", ".lock")]


def compilers(cache: Path) -> List[str]:
    """Command lines of all processes that write into ``cache``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        found += [line] if f"{cache}/" in line and " clang " in line else []
    return found


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("files", "stems"),
    [
        ({}, set()),
        ({"src/a.c": "#include <stdio.h>\n"}, set()),
        ({"src/a.hpp": "#include <iostream>\n"}, set()),
        ({"src/a.cpp": "#include <vector>\n"}, {"string"}),
        (
            {"src/a.cpp": '#include "a.h"\n', "src/a.h": " # include <iostream>\n"},
            {"string", "iostream"},
        ),
        (
            {"a.cc": "#include <sstream>\r\n#include <thread>\r\n"},
            {"string", "ios.instantiations", "thread"},
        ),
        ({"a.cxx": "// #include <regex>\n"}, {"string"}),
        ({"tests/a.cpp": "#include <iostream>\n"}, set()),
        ({".git/a.cpp": "#include <iostream>\n", "build/a.cpp": ""}, set()),
        ({"a.cpp": "\0\xff#include <locale>\n"}, {"string"}),
    ],
)
def test_what_sources_include_tells_what_they_may_need(
    files: Dict[str, str], stems: Set[str], project: Path
) -> None:
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="latin-1")
    assert expected(project) == stems


def test_what_is_compiling_when_the_build_ends_is_ended(
    project: Path, cache: Path, scratch: Path, tmp_path: Path
) -> None:
    (project / "a.cpp").write_text("#include <iostream>\n")
    with ahead(ZIG, HOST, POLICY, project, scratch) as told:
        assert len(told) == 1
        wait_for(lambda: compilers(cache))
    assert compilers(cache) == []
    assert unfinished(cache) == []
    # What it did make is what a link makes.
    (directory,) = cache.glob("zig-*/runtimes-*")
    for place in (directory, tmp_path / "other"):
        runtime_inputs(str(ZIG.executable), TARGET, str(place), ["__cxa_guard_acquire"])
    for path in (tmp_path / "other").rglob("objects/lib*.o"):
        assert next(cache.rglob(path.name)).read_bytes() == path.read_bytes()


def test_objects_tell_what_nobody_could_guess(project: Path, cache: Path, scratch: Path) -> None:
    # As of a project whose C++ is written while it is built.
    with ahead(ZIG, HOST, POLICY, project, scratch) as told:
        tools = {**os.environ, **prepare(ZIG, HOST, POLICY, project, notice=print), **told}
        source = scratch / "made.cpp"
        source.write_text("#include <thread>\nvoid f() { std::thread([] {}).join(); }\n")
        subprocess.run(
            [tools["CXX"], "-c", str(source), "-o", str(scratch / "made.o")], env=tools, check=True
        )
        wait_for(lambda: {"libcxx-threads.o", "libcxx-strings.o"} <= objects(cache))
    assert not [name for name in objects(cache) if "locale" in name or "streams" in name]


@pytest.mark.parametrize("name", ["conftest.cpp", "CMakeFiles/CMakeScratch/TryCompile-1/a.cpp"])
def test_what_build_systems_try_is_no_sign_of_cxx(
    name: str, project: Path, cache: Path, scratch: Path
) -> None:
    with ahead(ZIG, HOST, POLICY, project, scratch) as told:
        tools = {**os.environ, **prepare(ZIG, HOST, POLICY, project, notice=print), **told}
        source = scratch / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text("int main() { throw 1; }\n")
        command = [tools["CXX"], "-c", str(source), "-o", str(source.with_suffix(".o"))]
        subprocess.run(command, env=tools, check=True)
        time.sleep(0.5)
        assert compilers(cache) == []
    assert objects(cache) == set()


BUILD = """
import sys, time
from pathlib import Path
from manylinux_shim._platforms import Policy, host_architecture
from manylinux_shim.zig._zig import find_zig
from manylinux_shim.runtimes._ahead import ahead
policy = Policy.parse("manylinux_2_17")
with ahead(find_zig(), host_architecture(), policy, Path(sys.argv[1]), Path(sys.argv[2])):
    time.sleep(2)
"""


def test_what_others_are_compiling_is_not_waited_for(
    project: Path, cache: Path, scratch: Path
) -> None:
    (project / "a.cpp").write_text("#include <iostream>\n")
    place = place_of(str(runtimes_directory(ZIG, HOST, POLICY, cache)), TARGET)
    path = Path(place, "objects", ".libcxx-streams.o.lock")
    path.parent.mkdir(parents=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Its end cannot have waited for ours.
        build = [sys.executable, "-c", BUILD, str(project), str(scratch)]
        subprocess.run(build, check=True, timeout=60)
    assert unfinished(cache) == []


def test_news_that_nobody_hears_are_no_matter(project: Path, cache: Path, scratch: Path) -> None:
    with ahead(ZIG, HOST, POLICY, project, scratch) as told:
        tools = {**os.environ, **prepare(ZIG, HOST, POLICY, project, notice=print), **told}
    source = scratch / "late.cpp"
    source.write_text("int late;\n")
    command = [tools["CXX"], "-c", str(source), "-o", str(scratch / "late.o")]
    done = subprocess.run(command, env=tools, check=True, stderr=subprocess.PIPE)
    assert done.stderr == b""
    assert (scratch / "late.o").is_file()


def linked(tools: Dict[str, str], name: str, directory: Path) -> None:
    """A library with C++ in it, in a build whose links leave twins."""
    source = directory / f"{name}.cpp"
    source.write_text("int *f() { return new int; }\n")
    command = [tools["CXX"], "-shared", str(source), "-o", str(directory / f"{name}.so")]
    subprocess.run(command, env=tools, check=True)


@pytest.fixture
def links(scratch: Path) -> Dict[str, str]:
    (scratch / "links" / TWINS).mkdir(parents=True)
    return {LINKS_VARIABLE: str(scratch / "links")}


def test_where_a_link_is_remembered_only_the_second_is_news(
    project: Path, cache: Path, scratch: Path, links: Dict[str, str]
) -> None:
    (project / "a.cpp").write_text("#include <iostream>\n")
    tools = {**os.environ, **prepare(ZIG, HOST, POLICY, project, notice=print), **links}
    linked(tools, "a", scratch)
    before = objects(cache)
    with ahead(ZIG, HOST, POLICY, project, scratch) as told:
        tools.update(told)
        linked(tools, "b", scratch)
        time.sleep(0.5)
        assert compilers(cache) == []
        linked(tools, "c", scratch)
        # Both have C++, and may have to share it.
        wait_for(lambda: list(cache.rglob("visible/lib*.o")))
    assert compilers(cache) == []
    assert objects(cache) == before


def test_where_all_that_may_be_needed_is_there_nobody_listens(
    project: Path, cache: Path, scratch: Path
) -> None:
    tools = {**os.environ, **prepare(ZIG, HOST, POLICY, project, notice=print)}
    linked(tools, "a", scratch)
    directory = str(runtimes_directory(ZIG, HOST, POLICY, cache))
    library = shared_path(str(ZIG.executable), TARGET, directory)
    library.parent.mkdir(parents=True)
    library.touch()
    with ahead(ZIG, HOST, POLICY, project, scratch) as told:
        assert told == {}
    assert list(scratch.glob("compiled")) == []
