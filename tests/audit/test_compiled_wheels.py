"""What the machine's own compiler makes is judged like what the tests make by hand."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import List

import pytest
from made_wheel import make_wheel

from manylinux_shim.audit import Verdict, audit_wheel

SOURCE = """
#include <string.h>
extern void *PyLong_FromLong(long);
extern int mystery(void) __attribute__((weak));
int call(void *a, void *b, unsigned long n) {
    memcpy(a, b, n);
    return (PyLong_FromLong(1) != 0) + (mystery ? mystery() : 0);
}
"""


def compiled(directory: Path, *options: str, source: str = SOURCE) -> Verdict:
    (directory / "made.c").write_text(source)
    command = ["cc", "-O1", "-fno-builtin", "-shared", "-fPIC", "-o", "made.so", "made.c"]
    subprocess.run([*command, *options], cwd=directory, check=True)
    files = {"made/_made.abi3.so": (directory / "made.so").read_bytes()}
    return audit_wheel(make_wheel(directory, files, "cp38-abi3-linux_x86_64"))


def test_an_ordinary_extension_earns_the_tag_of_its_symbols(tmp_path: Path) -> None:
    verdict = compiled(tmp_path)
    assert verdict.earned == ("manylinux_2_14_x86_64",)  # memcpy@GLIBC_2.14
    (facts,) = verdict.files
    assert facts.needed == ("libc.so.6",)
    assert {u.name for u in facts.undefined if u.weak} >= {"mystery"}


def test_a_stripped_extension_is_the_same(tmp_path: Path) -> None:
    verdict = compiled(tmp_path, "-s")
    assert verdict.earned == ("manylinux_2_14_x86_64",)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (["-Wl,-z,execstack"], "executable-stack"),
        (["-Wl,-z,x86-64-v3"], "isa"),
        (["-Wl,-rpath,/opt/lib"], "run-path"),
        (["-lcrypt"], "library"),
    ],
)
def test_what_the_linker_was_asked_for_is_found(
    tmp_path: Path, options: List[str], kind: str
) -> None:
    used = SOURCE + "extern char *crypt(const char *, const char *);\nvoid *p = (void *) crypt;\n"
    verdict = compiled(tmp_path, *options, source=used if kind == "library" else SOURCE)
    assert {reason.kind for reason in verdict.reasons if reason.policy is None} == {kind}
    assert verdict.earned == ("linux_x86_64",)


def test_a_symbol_that_nobody_has_is_found(tmp_path: Path) -> None:
    verdict = compiled(tmp_path, source="int nobody(void);\nint call(void) { return nobody(); }\n")
    assert [reason.symbol for reason in verdict.reasons] == ["nobody"]


def test_packed_relocations_are_found(tmp_path: Path) -> None:
    source = "static int x; int *many[64] = {&x, &x, &x, &x, &x, &x, &x, &x};\n"
    verdict = compiled(tmp_path, "-Wl,-z,pack-relative-relocs", source=source)
    assert verdict.files[0].relr
    assert verdict.earned == ("manylinux_2_36_x86_64",)
