"""What code asks of the processor is answered as by GCC, and chooses between its versions."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Dict, Tuple

import pytest

from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig._zig import find_zig

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        platform.machine() != "x86_64", reason="GCC's answers are those of this machine's processor"
    ),
]

FEATURES = (
    "cmov mmx popcnt sse sse2 sse3 ssse3 sse4.1 sse4.2 avx avx2 sse4a fma4 xop fma avx512f bmi bmi2"
    " aes pclmul avx512vl avx512bw avx512dq avx512cd avx512vbmi avx512ifma avx512vpopcntdq"
    " avx512vbmi2 gfni vpclmulqdq avx512vnni avx512bitalg avx512bf16 avx512vp2intersect"
)
# GCC 11 and later have these, too.
NEWER_FEATURES = (
    "adx cldemote clflushopt clwb clzero enqcmd f16c fsgsbase lwp lzcnt movbe movdir64b movdiri"
    " mwaitx pconfig pku prfchw ptwrite rdpid rdrnd rdseed rtm serialize sgx sha shstk tbm tsxldtrk"
    " vaes waitpkg wbnoinvd xsave xsavec xsaveopt xsaves amx-tile amx-int8 amx-bf16 uintr hreset kl"
    " widekl avxvnni avx512fp16 x86-64 x86-64-v2 x86-64-v3 x86-64-v4"
)
PROCESSORS = (
    "amd intel amdfam10h amdfam15h amdfam17h amdfam19h znver1 znver2 znver3 btver1 btver2 bdver1"
    " corei7 core2 bonnell silvermont goldmont goldmont-plus tremont knl knm nehalem westmere"
    " sandybridge ivybridge haswell broadwell skylake skylake-avx512 cannonlake icelake-client"
    " icelake-server cascadelake tigerlake cooperlake"
)


def asking() -> str:
    features = [*FEATURES.split(), *NEWER_FEATURES.split()]
    lines = [f'SAY("{name}", __builtin_cpu_supports("{name}"))' for name in features]
    lines += [f'SAY("is {name}", __builtin_cpu_is("{name}"))' for name in PROCESSORS.split()]
    asked = "\n".join(lines)
    return (
        "#include <stdio.h>\n"
        '#define SAY(what, answer) printf(what " %d\\n", !!(answer));\n'
        f"int main(void) {{\n__builtin_cpu_init();\n{asked}\nreturn 0;\n}}\n"
    )


CHOOSING = r"""
static int plain(void) { return 1; }
static int fast(void) { return 2; }
static void *choose(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") ? fast : plain;
}
int chosen(void) __attribute__((ifunc("choose")));
__attribute__((target_clones("avx2", "default"))) int cloned(int a) { return a * 3; }
int avx2(void) { return __builtin_cpu_supports("avx2") ? 2 : 1; }
int three(void) { return cloned(1); }
"""


def tools(cache: Path, policy: str, arch: str = "x86_64") -> Dict[str, str]:
    target = ARCHITECTURES[arch]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(cache))
        cross = target != host_architecture() or policy.startswith("musl")
        chosen = Policy.parse(policy)
        added = prepare(find_zig(), target, chosen, Path("/nowhere"), cross=cross, notice=print)
    return {**os.environ, **added}


def make(environment: Dict[str, str], *arguments: str, cwd: Path) -> None:
    command = [environment["CC"], *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("manylinux_2_17", ()),
        # All of musl is compiled first.
        pytest.param("musllinux_1_2", ("-static",), marks=pytest.mark.slow),
    ],
)
def test_answers_are_gccs(
    policy: str, options: Tuple[str, ...], shared_cache: Path, tmp_path: Path
) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no GCC to compare with")
    (tmp_path / "ask.c").write_text(asking())
    gcc = ["gcc", "ask.c", "-o", "gccs"]
    if subprocess.run(gcc, cwd=tmp_path, stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("this GCC does not know all that is asked")
    make(tools(shared_cache, policy), "ask.c", *options, "-o", "ours", cwd=tmp_path)
    theirs, ours = (
        subprocess.run([str(tmp_path / name)], stdout=subprocess.PIPE, check=True).stdout
        for name in ("gccs", "ours")
    )
    assert ours == theirs
    assert b"sse2 1\n" in ours


def test_a_shared_object_chooses_when_it_is_loaded(shared_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "choosing.c").write_text(CHOOSING)
    options = ("-O2", "-shared", "-fPIC", "-Wl,-z,defs", "choosing.c", "-o", "choosing.so")
    make(tools(shared_cache, "manylinux_2_17"), *options, cwd=tmp_path)
    library = ctypes.CDLL(str(tmp_path / "choosing.so"))
    there = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    assert library.avx2() == (2 if "avx2" in there else 1)
    assert library.chosen() == library.avx2()
    assert library.three() == 3


@pytest.mark.parametrize("arch", ["i686", "aarch64"])
def test_other_architectures_link_what_answers(
    arch: str, shared_cache: Path, tmp_path: Path
) -> None:
    name = "sse4.2" if arch == "i686" else "lse"
    (tmp_path / "a.c").write_text(
        f'int main(void) {{ return __builtin_cpu_supports("{name}") ? 1 : 0; }}\n'
        f'__attribute__((target_clones("{name}", "default"))) int f(int a) {{ return a; }}\n'
    )
    make(
        tools(shared_cache, "manylinux_2_17", arch), "a.c", "-Wl,-Map=map", "-o", "a", cwd=tmp_path
    )
    assert "processor-" in (tmp_path / "map").read_text()
