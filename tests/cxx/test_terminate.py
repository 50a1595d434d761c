"""What a program says of the exception that ends it: what it says when GCC compiled it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from manylinux_shim._platforms import Policy, host_architecture
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig._zig import find_zig

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ to compare with"),
]

ENDS = r"""
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

struct Own : std::runtime_error { using std::runtime_error::runtime_error; };
void quiet() noexcept { throw Own("in noexcept"); }

namespace a {
namespace { struct hidden : std::exception {}; }
struct own { struct inner {}; };
enum kind { one };
template <int N, bool B, unsigned long L> struct numbers {};
template <class... T> struct many : std::runtime_error { many() : std::runtime_error("m") {} };
}
template <class T> struct at_top : std::exception {};

int main(int, char **arguments)
{
#define IF(case) if (!strcmp(arguments[1], case))
    IF("uncaught") throw Own("the reason");
    IF("noexcept") quiet();
    IF("thread") std::thread([] { throw Own("in a thread"); }).join();
    IF("terminate") std::terminate();
    IF("handler") { try { throw Own("in a handler"); } catch (...) { std::terminate(); } }
    IF("nothing") throw;
    IF("int") throw 5;
    IF("long double") throw 1.5L;
    IF("text") throw "text";
    IF("standard") throw std::out_of_range("range");
    IF("hidden") throw a::hidden();
    IF("enum") throw a::one;
    IF("pointer") throw static_cast<a::own::inner *>(nullptr);
    IF("numbers") throw a::numbers<-3, true, 7>();
    IF("nested") throw at_top<at_top<at_top<a::many<>>>>();
    IF("again") throw a::many<int, a::own::inner, a::own::inner, const char *, a::own>();
    IF("kinds") throw a::many<a::many<a::own, const a::own *, a::own &&, volatile int *>>();
    IF("function") throw a::many<int (*)(char)>();
}
"""
SAME = (
    "uncaught noexcept thread terminate handler nothing int text standard hidden enum pointer"
    " numbers nested again kinds"
).split() + ["long double"]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Dict[str, Path]:
    """The program, by who compiled it."""
    place = tmp_path_factory.mktemp("programs")
    (place / "ends.cpp").write_text(ENDS)
    host = host_architecture()
    assert host is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(shared_cache))
        policy = Policy.parse("manylinux_2_17")
        added = prepare(find_zig(), host, policy, place, notice=print)
    for name, compiler in (("ours", added["CXX"]), ("gccs", "g++")):
        command = [compiler, "-w", "-std=c++17", "ends.cpp", "-o", name, "-pthread"]
        subprocess.run(command, cwd=place, env={**os.environ, **added}, check=True)
    return {name: place / name for name in ("ours", "gccs")}


def said(program: Path, case: str) -> List[str]:
    done = subprocess.run([str(program), case], stderr=subprocess.PIPE, encoding="utf-8")
    assert done.returncode == -6  # SIGABRT
    return done.stderr.splitlines()


@pytest.mark.parametrize("case", SAME)
def test_the_end_is_told_as_gcc_does(case: str, programs: Dict[str, Path]) -> None:
    ours = said(programs["ours"], case)
    assert ours == said(programs["gccs"], case)
    assert ours[0].startswith("terminate called")


def test_a_name_that_is_not_known_stays_as_it_is(programs: Dict[str, Path]) -> None:
    assert said(programs["ours"], "function") == [
        "terminate called after throwing an instance of 'N1a4manyIJPFicEEEE'",
        "  what():  m",
    ]
