"""Build systems that a setup.py starts: CMake, configure and make, each told of the target.

Nothing in these projects knows of cross building: what they ask of their surroundings
has to answer for the target, all of it the same.
"""

from __future__ import annotations

from typing import Dict, Iterator

import pytest
import roots
from bench import Bench, Project, bench_of, each, sdist, written
from support import projects

pytestmark = pytest.mark.foreign

# What hundreds of projects copied from pybind11's example.
SETUP_CMAKE = """\
import subprocess
import sys
from pathlib import Path

import pybind11
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class CMakeExtension(Extension):
    def __init__(self, name, directory="."):
        super().__init__(name, sources=[])
        self.directory = Path(directory).resolve()


class CMakeBuild(build_ext):
    def build_extension(self, extension):
        target = Path(self.get_ext_fullpath(extension.name)).resolve()
        build = Path(self.build_temp) / extension.name
        build.mkdir(parents=True, exist_ok=True)
        configure = [
            "cmake",
            str(extension.directory),
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={target.parent}",
            f"-DPYTHON_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
            "-DCMAKE_BUILD_TYPE=Release",
        ]
        subprocess.run(configure, cwd=build, check=True)
        subprocess.run(["cmake", "--build", "."], cwd=build, check=True)


setup(
    name="ledger",
    version="1.0",
    ext_modules=[CMakeExtension("ledger")],
    cmdclass={"build_ext": CMakeBuild},
)
"""

CMAKE_LISTS = """\
cmake_minimum_required(VERSION 3.15)
project(ledger CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(Threads REQUIRED)
find_package(pybind11 CONFIG REQUIRED)
include(CheckTypeSize)
check_type_size(long SIZEOF_LONG LANGUAGE CXX)
pybind11_add_module(ledger ledger.cpp)
target_link_libraries(ledger PRIVATE Threads::Threads)
target_compile_definitions(ledger PRIVATE
  PROCESSOR="${CMAKE_SYSTEM_PROCESSOR}" SIZEOF_LONG=${SIZEOF_LONG})
"""

LEDGER_CPP = """\
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <future>
#include <numeric>
#include <stdexcept>
#include <vector>

static_assert(SIZEOF_LONG == sizeof(long), "CMake's answer is the target's");

static long sum(const std::vector<long> &amounts)
{
    auto half = amounts.begin() + amounts.size() / 2;
    auto first = std::async(std::launch::async, [&] {
        return std::accumulate(amounts.begin(), half, 0L);
    });
    long total = std::accumulate(half, amounts.end(), 0L) + first.get();
    if (total < 0) {
        throw std::range_error("overdrawn by " + std::to_string(-total));
    }
    return total;
}

PYBIND11_MODULE(ledger, module)
{
    module.def("sum", &sum);
    module.attr("processor") = PROCESSOR;
}
"""

LEDGER: Dict[str, str] = {
    "pyproject.toml": projects.pyproject(
        ["setuptools", "cmake>=3.20", "ninja", "pybind11==2.13.6"], settings="require-native = true"
    ),
    "setup.py": SETUP_CMAKE,
    "CMakeLists.txt": CMAKE_LISTS,
    "ledger.cpp": LEDGER_CPP,
}

PROJECTS = (
    Project(
        "CMakeExtension with pybind11",
        written("ledger", LEDGER),
        "import ledger\n"
        "print(ledger.processor, ledger.sum(list(range(1000))))\n"
        "try: ledger.sum([3, -10])\n"
        "except ValueError as error: print(error)",
        "aarch64 499500\noverdrawn by 7\n",
    ),
    Project(
        "pycares",  # CMake for a library that cffi binds
        sdist("pycares==5.0.1", "cmake"),
        "import pycares\n"
        "from pycares import _cares\n"
        "found = []\n"
        "channel = pycares.Channel(servers=['127.0.0.1'], udp_port=9, tries=1, timeout=0.5)\n"
        "channel.getaddrinfo('127.0.0.1', 80,"
        " callback=lambda r, e: found.append([node.addr for node in r.nodes]))\n"
        "channel.query('nowhere.example', pycares.QUERY_TYPE_A,"
        " callback=lambda r, e: found.append(pycares.errno.errorcode[e]))\n"
        "print(channel.wait(60), found, _cares.__file__[-3:])",
        "True [[(b'127.0.0.1', 80)], 'ARES_ECONNREFUSED'] .so\n",
        needs=("cffi",),
        slow=True,
    ),
    Project(
        "PyNaCl",  # configure and make for a library that cffi binds
        sdist("pynacl==1.6.2"),
        "from nacl.secret import SecretBox\n"
        "from nacl.signing import SigningKey\n"
        "from nacl import _sodium, hash, pwhash\n"
        "box = SecretBox(bytes(32))\n"
        "key = SigningKey(bytes(range(32)))\n"
        "print(_sodium.__file__[-3:], box.decrypt(box.encrypt(b'text')),"
        " key.verify_key.encode().hex()[:16], hash.sha256(b'').decode()[:16])\n"
        "print(pwhash.argon2id.kdf(16, b'password', bytes(16), 1, 8192).hex())",
        ".so b'text' 03a107bff3ce10be e3b0c44298fc1c14\na833aa2e95ef6f83eded7a75761e0dff\n",
        needs=("cffi",),
        # make check runs what was compiled: this project has a variable against that.
        environment={"LIBSODIUM_MAKE_ARGS": "TESTS= check_PROGRAMS="},
        slow=True,
    ),
    Project(
        "zlib-ng",  # a configure script that autoconf has not made
        sdist("zlib-ng==0.5.1"),
        "from zlib_ng import zlib_ng as z\n"
        "text = bytes(range(256)) * 400\n"
        "print(z.__file__[-3:], z.decompress(z.compress(text, 6)) == text,"
        " hex(z.crc32(text)), hex(z.adler32(text)))",
        ".so True 0x9a0e0c8c 0x2ae343aa\n",
    ),
)


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with bench_of(request, roots.SYSTEMS["arm64"], PROJECTS) as bench:
        yield bench


@pytest.mark.parametrize("project", each(PROJECTS))
def test_wheel_bears_the_lowest_tag_of_the_target(bench: Bench, project: Project) -> None:
    bench.check_tag(project)


@pytest.mark.parametrize("project", each(PROJECTS))
def test_wheel_installed_by_pip_there_works_there(bench: Bench, project: Project) -> None:
    assert bench.use(project) == project.prints
