"""The C++ library as a shared library, built with the real zig and used by two files."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Dict, List

import pytest

from manylinux_shim._platforms import Policy, host_architecture
from manylinux_shim.elf._elf import read_elf
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.runtimes._shared import VERSION, shared_runtime
from manylinux_shim.runtimes._sources import is_standard
from manylinux_shim.sysroot import runtimes_directory
from manylinux_shim.sysroot._sysroot import Sysroot, sysroot
from manylinux_shim.zig._zig import find_zig

pytestmark = pytest.mark.long

ZIG = find_zig()
HOST = host_architecture()
assert HOST is not None
POLICY = Policy.parse("manylinux_2_17")
MOST_COMPRESSED = 450_000

HEADER = """
#pragma once
#include <any>
#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
struct Refused : std::runtime_error { using std::runtime_error::runtime_error; };
struct Shape { virtual ~Shape() = default; };
struct Square : Shape { int side = 3; };
__attribute__((visibility("default"))) void raise(int kind);
__attribute__((visibility("default"))) void say(std::ostream &out);
__attribute__((visibility("default"))) std::any anything();
__attribute__((visibility("default"))) Shape *shape();
__attribute__((visibility("default"))) std::function<int(int)> twice();
"""

LIBRARY = """
#include "both.h"
#include <iomanip>
#include <ostream>
#include <system_error>
void raise(int kind)
{
    switch (kind) {
    case 0: throw std::out_of_range("far");
    case 1: throw Refused("no");
    case 2: throw std::system_error(std::make_error_code(std::errc::no_such_process));
    default: throw kind;
    }
}
void say(std::ostream &out) { out << std::setw(6) << 1.5 << ' ' << true << ' '; }
std::any anything() { return std::string("any"); }
Shape *shape() { return new Square; }
std::function<int(int)> twice() { return [](int n) { return 2 * n; }; }
"""

USER = """
#include "both.h"
#include <cstdio>
#include <cstring>
#include <sstream>
#include <system_error>
#include <typeinfo>
static std::string caught(int kind)
{
    try {
        try { raise(kind); } catch (...) { throw; }
    }
    catch (const std::out_of_range &error) { return std::string("out_of_range ") + error.what(); }
    catch (const Refused &error) { return std::string("Refused ") + error.what(); }
    catch (const std::system_error &error) { return "system_error"; }
    catch (int number) { return "int " + std::to_string(number); }
    catch (...) { return "unknown"; }
    return "nothing";
}
extern "C" __attribute__((visibility("default"))) void use()
{
    for (int kind = 0; kind < 4; ++kind) std::printf("%s\\n", caught(kind).c_str());
    std::ostringstream out;
    say(out << std::boolalpha);
    Shape *made = shape();
    Square *square = dynamic_cast<Square *>(made);
    const std::string any = std::any_cast<std::string>(anything());
    std::printf("%s%s %d %d %d\\n", out.str().c_str(), any.c_str(),
                square ? square->side : -1, typeid(*made) == typeid(Square), twice()(21));
    delete made;
}
"""

PRINTED = """\
out_of_range far
Refused no
system_error
int 3
   1.5 true any 3 1 42
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Sysroot:
    assert HOST is not None
    return sysroot(ZIG, HOST, POLICY, tmp_path_factory.mktemp("sysroot"))


@pytest.fixture(scope="module")
def libraries(root: Sysroot) -> List[str]:
    names = ("c", "m", "pthread", "dl", "rt", "gcc_s")
    return [str(root.lib / f"lib{name}.so") for name in names]


@pytest.fixture(scope="module")
def runtime(shared_cache: Path, root: Sysroot, libraries: List[str]) -> Path:
    assert HOST is not None
    place = str(runtimes_directory(ZIG, HOST, POLICY, shared_cache))
    target = HOST.zig_target(POLICY)
    made = shared_runtime(str(ZIG.executable), target, place, root.link_flags, libraries)
    assert shared_runtime(str(ZIG.executable), target, place, root.link_flags, libraries) == made
    assert sorted(path.name for path in made.parent.iterdir() if path.suffix == ".making") == []
    return made


def test_it_is_small_and_needs_the_system_alone(runtime: Path) -> None:
    data = runtime.read_bytes()
    facts = read_elf(runtime.name, data)
    assert len(zlib.compress(data, 9)) < MOST_COMPRESSED
    assert facts.soname == runtime.name
    assert set(facts.needed) <= {
        "libc.so.6", "libpthread.so.0", "libgcc_s.so.1", "ld-linux-x86-64.so.2",
    }  # fmt: skip
    assert VERSION in facts.version_definitions
    for name in ("__cxa_throw", "__gxx_personality_v0", "_ZNSt3__14coutE", "_Znwm", "_ZTIi"):
        assert name in facts.exports
    # What is on the other side is libc, or may be absent.
    assert not [s.name for s in facts.undefined if s.name.startswith("_Z") and not s.weak]


def test_no_name_of_it_is_taken_for_another_librarys(runtime: Path) -> None:
    exports = read_elf(runtime.name, runtime.read_bytes()).exports.names
    names = [name for name in exports if name.startswith(("_ZNSt", "_ZNKSt", "_ZTVSt", "_ZTISt"))]
    assert len(names) > 1000
    assert [name for name in names if not is_standard(name)] == []


@pytest.mark.parametrize("visibility", ["default", "hidden"])
def test_two_files_that_share_it_exchange_what_cpp_has(
    visibility: str, runtime: Path, root: Sysroot, libraries: List[str], tmp_path: Path,
    shared_cache: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert HOST is not None
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(shared_cache))
    environment = prepare(ZIG, HOST, POLICY, tmp_path, notice=print)
    (tmp_path / "both.h").write_text(HEADER)
    _compile("library", LIBRARY, visibility, environment, tmp_path)
    _compile("user", USER, visibility, environment, tmp_path)
    link = [str(ZIG.executable), "ld.lld", *root.link_flags, "-shared", "--eh-frame-hdr"]
    link += ["-rpath", f"$ORIGIN:{runtime.parent}"]
    after = [str(runtime), "--as-needed", *libraries]
    for name, more in (("library", []), ("user", ["library.so"])):
        own = ["-soname", f"{name}.so", "-o", f"{name}.so", f"{name}.o", *more]
        subprocess.run([*link, *own, *after], cwd=tmp_path, check=True)
    # A process that has libstdc++ already, for everybody to see.
    code = (
        "import ctypes; ctypes.CDLL('libstdc++.so.6', ctypes.RTLD_GLOBAL);"
        f" ctypes.CDLL({str(tmp_path / 'user.so')!r}).use()"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode() == PRINTED


def _compile(
    name: str, text: str, visibility: str, environment: Dict[str, str], directory: Path
) -> None:
    (directory / f"{name}.cpp").write_text(text)
    options = ["-std=c++17", "-O2", "-fPIC", f"-fvisibility={visibility}"]
    subprocess.run(
        [environment["CXX"], *options, "-c", f"{name}.cpp", "-o", f"{name}.o"],
        cwd=directory,
        env={**os.environ, **environment},
        check=True,
    )
