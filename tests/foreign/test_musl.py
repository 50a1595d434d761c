"""Wheels and programs for musl, against Debian's musl of each architecture."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Callable, Dict, Mapping

import pytest
import roots
import widths
from compilers import Compilers
from support import exchanging, projects, wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

from manylinux_shim._platforms import architecture
from manylinux_shim.target_python._variables import pyconfig_values

pytestmark = pytest.mark.foreign

ALWAYS = ("amd64",)
SYSTEMS = [
    pytest.param(system, id=name, marks=() if name in ALWAYS else pytest.mark.slow)
    for name, system in roots.MUSL_SYSTEMS.items()
]
PROJECTS: Mapping[str, Callable[[Path], Path]] = {
    "setuptools_c": lambda directory: projects.copy_sample("setuptools_c", directory),
    "setuptools_cpp": lambda directory: projects.copy_sample("setuptools_cpp", directory),
    "widths": lambda directory: projects.write(directory, widths.FILES),
}

PROGRAM_C = r"""
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

static __thread long mine = 1;
static long long total;

static void *add(void *amount)
{
    for (int i = 0; i < 1000; i++) {
        mine += (intptr_t)amount;
    }
    __atomic_fetch_add(&total, mine, __ATOMIC_SEQ_CST);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[3];
    char text[64];
    const uint16_t one = 1;
    volatile uint64_t large = UINT64_C(1) << 62, divisor = 1000003;
    for (intptr_t i = 0; i < 3; i++) {
        if (pthread_create(&threads[i], NULL, add, (void *)(i + 1)) != 0) {
            return 3;
        }
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    snprintf(text, sizeof text, "%.15Lg", strtold(argv[argc - 1], NULL) / 2);
    printf("{\"SIZEOF_LONG\": %zu, \"SIZEOF_VOID_P\": %zu, \"SIZEOF_TIME_T\": %zu,"
           " \"SIZEOF_LONG_DOUBLE\": %zu, \"SIZEOF_PTHREAD_T\": %zu,"
           " \"HAVE_USABLE_WCHAR_T\": %d, \"WORDS_BIGENDIAN\": %d,"
           " \"total\": %lld, \"half\": \"%s\", \"quotient\": %" PRIu64 ", \"root\": %.3f}\n",
           sizeof(long), sizeof(void *), sizeof(time_t), sizeof(long double), sizeof(pthread_t),
           (wchar_t)-1 > 0, !*(const char *)&one, total, text, large / divisor, sqrt(argc * 8.0));
    return 0;
}
"""

PROGRAM_CPP = r"""
#include <future>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

static int checked(int number)
{
    if (number == 3) {
        throw std::out_of_range("number " + std::to_string(number));
    }
    return number * number;
}

int main()
{
    std::vector<std::future<int>> results;
    std::map<std::string, int> outcome;
    for (int i = 1; i < 5; i++) {
        results.push_back(std::async(std::launch::async, checked, i));
    }
    for (auto &result : results) {
        try {
            outcome["sum"] += result.get();
        } catch (const std::logic_error &error) {
            outcome[error.what()] = -1;
        }
    }
    for (const auto &[name, value] : outcome) {
        std::cout << name << ": " << value << std::endl;
    }
}
"""
PROGRAM_CPP_PRINTS = "number 3: -1\nsum: 21\n"

STATIC = {
    "pyproject.toml": projects.pyproject(["setuptools>=70.1"]),
    "setup.py": """\
        import os
        import subprocess
        from pathlib import Path

        from setuptools import setup
        from setuptools.command.bdist_wheel import bdist_wheel
        from setuptools.command.build_py import build_py


        class Program(build_py):
            def run(self):
                super().run()
                program = Path(self.build_lib, "still", "program")
                command = [os.environ["CC"], "-static", "-pthread", "program.c", "-lm"]
                subprocess.run([*command, "-o", str(program)], check=True)


        class ForAnyPython(bdist_wheel):
            def finalize_options(self):
                super().finalize_options()
                self.root_is_pure = False

            def get_tag(self):
                return ("py3", "none", super().get_tag()[2])


        setup(
            name="still",
            version="1.0",
            packages=["still"],
            cmdclass={"build_py": Program, "bdist_wheel": ForAnyPython},
        )
        """,
    "still/__init__.py": "",
    "program.c": PROGRAM_C,
}


@pytest.fixture(scope="module", params=SYSTEMS)
def musl(request: pytest.FixtureRequest) -> roots.Root:
    return roots.root(request.param, roots.default_cache())


def expected(arch_name: str) -> Dict[str, object]:
    arch = architecture(arch_name)
    values = pyconfig_values(arch, "musllinux")
    names = ("LONG", "VOID_P", "TIME_T", "LONG_DOUBLE", "PTHREAD_T")
    return {
        **{f"SIZEOF_{name}": values[f"SIZEOF_{name}"] for name in names},
        "HAVE_USABLE_WCHAR_T": values["HAVE_USABLE_WCHAR_T"] or 0,
        "WORDS_BIGENDIAN": values["WORDS_BIGENDIAN"] or 0,
        "total": 3 + 1000 * (1 + 2 + 3),
        "half": "30312500000",
        "quotient": 2**62 // 1000003,
        "root": 4.0,
    }


@pytest.mark.parametrize("name", PROJECTS)
def test_musl_resolves_every_symbol_that_is_not_pythons(
    name: str, musl: roots.Root, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    arch = architecture(musl.system.arch)
    project = PROJECTS[name](tmp_path / name)
    settings = {"target": arch.name, "policy": "musllinux_1_2"}
    workshop.build(UV_BUILD_WHEEL, project, out, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name.endswith(f"-musllinux_1_2_{arch.name}.whl")
    ((_, data),) = wheels.elf_members(wheel).items()
    with musl.place() as place:
        (place / "extension.so").write_bytes(data)
        listed = musl.run(
            [f"/lib/{arch.musl_loader}", "--list", f"{musl.inside(place)}/extension.so"]
        )
    missing = re.findall(r"^Error relocating \S+: (\S+): symbol not found$", listed.stdout, re.M)
    others = [line for line in listed.stdout.splitlines() if "rror" in line]
    assert len(others) == len(missing), listed.stdout
    assert missing, "an extension needs Python, and there is none here"
    assert [symbol for symbol in missing if not re.match("_?Py", symbol)] == []


def test_c_program_runs_on_musl(musl: roots.Root, compilers: Compilers, tmp_path: Path) -> None:
    compiler = compilers.compiler(architecture(musl.system.arch), "musllinux")
    program = compiler.make("program.c", PROGRAM_C, tmp_path, ["-pthread", "-lm"])
    assert json.loads(run(program, musl, "6.0625e10")) == expected(musl.system.arch)


def test_cpp_program_with_threads_and_exceptions_runs_on_musl(
    musl: roots.Root, compilers: Compilers, tmp_path: Path
) -> None:
    compiler = compilers.compiler(architecture(musl.system.arch), "musllinux")
    program = compiler.make("program.cpp", PROGRAM_CPP, tmp_path, ["-std=c++17", "-pthread"])
    assert run(program, musl) == PROGRAM_CPP_PRINTS


@pytest.mark.parametrize(
    "name",
    [
        # All of libc++ is compiled for it.
        pytest.param(name, marks=pytest.mark.slow)
        for name in roots.MUSL_SYSTEMS
    ],
)
def test_files_of_a_wheel_exchange_cxx_on_musl(
    name: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    musl = roots.root(roots.MUSL_SYSTEMS[name], roots.default_cache())
    arch = architecture(musl.system.arch)
    project = projects.write(tmp_path / "exchange", exchanging.files("hidden"))
    settings = {"target": arch.name, "policy": "musllinux_1_2"}
    workshop.build(UV_BUILD_WHEEL, project, out, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name.endswith(f"-musllinux_1_2_{arch.name}.whl")
    with musl.place() as place:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
        # Through the loader: by itself a program finds $ORIGIN in /proc, which is not there.
        program = f"{musl.inside(place)}/exchange/program"
        done = musl.run([f"/lib/{arch.musl_loader}", program])
    assert done.returncode == 0, done.stdout
    assert done.stdout == exchanging.PRINTED


@pytest.mark.slow  # all of musl is compiled for it
@pytest.mark.parametrize("name", roots.SYSTEMS)
def test_static_program_runs_on_glibc_and_on_musl(
    name: str, compilers: Compilers, tmp_path: Path
) -> None:
    cache = roots.default_cache()
    arch = architecture(roots.SYSTEMS[name].arch)
    compiler = compilers.compiler(arch, "musllinux")
    program = compiler.make("program.c", PROGRAM_C, tmp_path, ["-static", "-pthread", "-lm"])
    for system in (roots.SYSTEMS[name], roots.MUSL_SYSTEMS[name]):
        printed = run(program, roots.root(system, cache), "6.0625e10")
        assert json.loads(printed) == expected(arch.name), system


@pytest.mark.slow
def test_wheel_with_a_static_program_is_for_both_libcs_and_runs_on_both(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "still", STATIC)
    settings = {"target": "aarch64", "policy": "musllinux_1_2"}
    workshop.build(UV_BUILD_WHEEL, project, out, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == (
        "still-1.0-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl"
    )
    wheels.check_consistent(wheel)
    ((_, data),) = wheels.elf_members(wheel).items()
    program = tmp_path / "program"
    program.write_bytes(data)
    program.chmod(0o755)
    cache = roots.default_cache()
    for systems in (roots.SYSTEMS, roots.MUSL_SYSTEMS):
        printed = run(program, roots.root(systems["arm64"], cache), "6.0625e10")
        assert json.loads(printed) == expected("aarch64")


def run(program: Path, root: roots.Root, *arguments: str) -> str:
    """What a program prints in a root."""
    with root.place() as place:
        shutil.copy2(program, place / "program")
        done = root.run([f"{root.inside(place)}/program", *arguments])
    assert done.returncode == 0, done.stdout
    return done.stdout
