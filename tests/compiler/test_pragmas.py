"""``#pragma GCC target`` means to us what it does to GCC."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture
from manylinux_shim.compiler._pragmas import translated
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig._zig import find_zig

POP = "#pragma clang attribute pop"


def push(features: str) -> str:
    return (
        f'#pragma clang attribute push(__attribute__((target("{features}"))), apply_to = function)'
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (['#pragma GCC target("avx2")', "f"], [push("avx2"), "f", POP]),
        (['#pragma GCC target ("avx2", "fma,bmi2")', "f"], [push("avx2,fma,bmi2"), "f", POP]),
        (['#pragma GCC target "avx2"', "f"], [push("avx2"), "f", POP]),
        (
            [
                "#pragma GCC push_options", '#pragma GCC target("fma")', "f",
                "#pragma GCC pop_options",
            ],
            ["", push("fma"), "f", POP],
        ),
        (  # they add up, and what is pushed comes back
            [
                '#pragma GCC target("avx")', "#pragma GCC push_options",
                '#pragma GCC target("fma")', "f", "#pragma GCC pop_options", "g",
                "#pragma GCC reset_options", "h",
            ],
            [push("avx"), "", POP, push("avx,fma"), "f", POP, push("avx"), "g", POP, "h"],
        ),
        (  # lines keep their numbers
            [
                '# 1 "a.h" 1 3', '#pragma GCC target("avx")', '#pragma GCC target("fma")', "f",
                '# 5 "a.c" 2', "g",
            ],
            [
                '# 1 "a.h" 1 3', push("avx"), POP, push("avx,fma"), '# 3 "a.h" 3', "f",
                '# 5 "a.c" 2', "g", POP,
            ],
        ),
        (['#pragma GCC target("abm,fpmath=sse")', "f"], [push("lzcnt,popcnt"), "f", POP]),
        (['#pragma GCC target("arch=native")', "f"], ["", "f"]),
        (["#pragma GCC optimize(3)", "f"], ["#pragma GCC optimize(3)", "f"]),
    ],
)  # fmt: skip
def test_pragmas_are_translated(given: List[str], expected: List[str]) -> None:
    assert translated("\n".join(given) + "\n", "x86_64") == "\n".join(expected) + "\n"


def test_an_architecture_that_clang_knows_no_name_of_is_left_to_its_features() -> None:
    text = '#pragma GCC target("arch=armv8-a+crc")\n'
    assert translated(text, "armv7l") == f"{push('crc')}\n{POP}\n"
    assert translated(text, "aarch64") == f"{push('arch=armv8-a+crc')}\n{POP}\n"


def compiled(
    arch: str, tool: str, *arguments: str, cache: Path, cwd: Path
) -> subprocess.CompletedProcess[str]:
    target = ARCHITECTURES[arch]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(cache))
        cross = target != host_architecture()
        policy = Policy.parse("manylinux_2_17")
        tools = prepare(find_zig(), target, policy, cwd, cross=cross, notice=print)
    command = [tools[tool], *arguments]
    environment = {**os.environ, **tools}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8")


X86 = r"""
#include <stdint.h>
#include <stdio.h>
#pragma GCC push_options
#pragma GCC target("avx2")
#include <immintrin.h>
static int twice(const int *a)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)a);
    return _mm256_extract_epi32(_mm256_add_epi32(v, v), 3);
}
#pragma GCC target("bmi2", "abm")
static uint64_t both(uint64_t a) { return _pdep_u64(a, 0xff00) + _lzcnt_u64(a); }
#pragma GCC pop_options
__attribute__((target("avx512f"))) __m512i own(__m512i a) { return _mm512_add_epi32(a, a); }
_Pragma("GCC target \"sse4.2\"")
static unsigned crc(unsigned a) { return _mm_crc32_u8(a, 3); }
int main(int argc, char **argv)
{
    int a[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    (void)argv;
    if (argc > 1)
        printf("%d %d %u\n", twice(a), (int)both(3), crc(1));
    return 0;
}
"""


@pytest.mark.long
@pytest.mark.parametrize("name", ["a.c", "a.cpp", "includes.c"])
def test_code_behind_the_pragma_has_the_features_and_no_other(
    name: str, shared_cache: Path, tmp_path: Path
) -> None:
    files: Dict[str, str] = {"a.c": X86, "a.cpp": X86, "includes.c": '#include "a.c"\n'}
    for each, text in files.items():
        (tmp_path / each).write_text(text)
    tool = "CXX" if name.endswith("cpp") else "CC"
    options = ["-O2", "-Wall", "-Werror", "-MD", "-MF", "a.d", "-c", name, "-o", "a.o"]
    built = compiled("x86_64", tool, *options, cache=shared_cache, cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    made, _, needs = (tmp_path / "a.d").read_text().partition(":")
    assert made == "a.o"
    assert needs.split()[0] == name
    linked = compiled("x86_64", tool, "a.o", "-o", "a", cache=shared_cache, cwd=tmp_path)
    assert (linked.returncode, linked.stderr) == (0, "")


MACROS = r"""
#ifdef __AVX2__
#error "the target has it not"
#endif
#pragma GCC push_options
#pragma GCC target \
    ("avx2")
#ifndef __AVX2__
#error "behind the pragma it has"
#endif
#ifndef __SSE4_2__
#error "and what belongs to it"
#endif
#include "more.h"
#if !defined(__AVX2__) || !defined(__FMA__) || defined(__BMI2__)
#error "what a header adds is there, until it goes back"
#endif
#pragma GCC pop_options
#if defined(__AVX2__) || defined(__FMA__)
#error "no more"
#endif
#if 0
# pragma GCC target("avx512f")
#endif
#pragma GCC target("sse4.2")
#if !defined(__SSE4_2__) || defined(__AVX512F__)
#error "only what is compiled counts"
#endif
#pragma GCC reset_options
#ifdef __SSE4_2__
#error "nothing is left"
#endif
const char *file = __FILE__;
int line = __LINE__;
"""
MORE = r"""
#pragma GCC target("fma")
#pragma GCC push_options
#pragma GCC target("bmi2")
#ifndef __BMI2__
#error "in a header, too"
#endif
#pragma GCC pop_options
"""


@pytest.mark.long
def test_macros_behind_the_pragma_are_those_of_its_features(
    shared_cache: Path, tmp_path: Path
) -> None:
    source = tmp_path / "sources" / "a.c"
    source.parent.mkdir()
    source.write_text(MACROS)
    source.with_name("more.h").write_text(MORE)
    options = ["-O2", "-Wall", "-Wextra", "-Werror", "-MD", "-S", "sources/a.c", "-o", "a.s"]
    built = compiled("x86_64", "CC", *options, cache=shared_cache, cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert set((tmp_path / "a.d").read_text().split()) >= {"sources/a.c", "sources/more.h"}
    text = (tmp_path / "a.s").read_text()
    assert '"sources/a.c"' in text
    number = MACROS.splitlines().index("int line = __LINE__;") + 1
    assert f"\t.long\t{number} " in text


@pytest.mark.long
def test_a_unit_that_is_linked_at_once_works_on_this_processor(
    shared_cache: Path, tmp_path: Path
) -> None:
    flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    if not {"avx2", "bmi2", "sse4_2", "abm"} <= set(flags):
        pytest.skip("this processor has not the features that the test uses")
    (tmp_path / "a.c").write_text(X86)
    built = compiled("x86_64", "CC", "-O2", "a.c", "-o", "a", cache=shared_cache, cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    ran = subprocess.run([str(tmp_path / "a"), "x"], stdout=subprocess.PIPE, encoding="utf-8")
    assert ran.stdout == "8 830 3778769143\n"


@pytest.mark.long
@pytest.mark.parametrize(
    ("arch", "source"),
    [
        (
            "aarch64",
            '#pragma GCC target("+crc+crypto")\n#include <arm_acle.h>\n#include <arm_neon.h>\n'
            "unsigned f(unsigned a, unsigned char b) { return __crc32b(a, b); }\n"
            "uint8x16_t g(uint8x16_t a, uint8x16_t b) { return vaeseq_u8(a, b); }\n"
            "#if !defined(__ARM_FEATURE_CRC32) || !defined(__ARM_FEATURE_AES)\n#error no\n#endif\n",
        ),
        (
            "armv7l",
            '#pragma GCC target("fpu=neon")\n#include <arm_neon.h>\n'
            "int32x4_t f(int32x4_t a) { return vaddq_s32(a, a); }\n",
        ),
    ],
)
def test_pragmas_of_other_architectures(
    arch: str, source: str, shared_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(source)
    built = compiled(arch, "CC", "-O2", "-c", "a.c", cache=shared_cache, cwd=tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert (tmp_path / "a.o").exists()
