"""Finding a compiler for another architecture, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict

import pytest
from support import machine

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.environment._gcc import foreign_compilers, prepare_gcc
from manylinux_shim.libraries import Prefix

AARCH64, I686 = ARCHITECTURES["aarch64"], ARCHITECTURES["i686"]


@pytest.mark.parametrize(
    ("environ", "message", "remedy"),
    [
        ({}, "loongarch64-linux-gnu-gcc is not on the path", "apt install gcc-loongarch64"),
        ({"CC": "no-such-compiler"}, "CC names 'no-such-compiler'", "Correct or unset CC"),
        ({"CC": "gcc"}, "CC=gcc compiles for x86_64-linux-gnu", "compiler for loongarch64"),
        ({"CC": "'"}, 'CC is "\'", which is no command', "Correct CC"),
        ({"CC": "true"}, "compiles for nobody knows what", "compiler for loongarch64"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(
    environ: Dict[str, str], message: str, remedy: str
) -> None:
    with pytest.raises(ToolchainError) as caught:
        foreign_compilers(ARCHITECTURES["loongarch64"], environ)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_compiler_is_found_by_its_triplet_or_by_name() -> None:
    machine.need_program("aarch64-linux-gnu-g++")
    found = foreign_compilers(AARCH64, {})
    assert found["cc"][0].endswith("/aarch64-linux-gnu-gcc")
    assert found["c++"][0].endswith("/aarch64-linux-gnu-g++")
    named = foreign_compilers(AARCH64, {"CC": "aarch64-linux-gnu-gcc -g0"})
    assert named["cc"][1:] == ["-g0"]


def test_python_headers_are_the_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.need_program("aarch64-linux-gnu-gcc")
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    variables = prepare_gcc(AARCH64, (), print)
    import sysconfig

    source = "#include <Python.h>\n#if !defined __aarch64__\n#error\n#endif\n"
    (tmp_path / "a.c").write_text(source, encoding="utf-8")
    here = sysconfig.get_path("include")
    for include in (f"-I{here}", f"-isystem{here}"):
        command = [variables["CC"], include, "-M", "a.c"]
        said = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True
        )
        assert said.returncode == 0, said.stderr
        assert str(tmp_path / "cache" / "headers") in said.stdout
        assert f"{here}/Python.h" not in said.stdout
    assert variables["_PYTHON_HOST_PLATFORM"] == "linux-aarch64"
    assert "aarch64-linux-gnu/pkgconfig" in variables["PKG_CONFIG_LIBDIR"]


def test_files_of_a_package_are_the_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.need_program("aarch64-linux-gnu-gcc")
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    for place, says in (("here/site-packages", "here"), ("there", "there")):
        include = tmp_path / place / "pkg/include"
        include.mkdir(parents=True)
        (include / "pkg.h").write_text(f"machine {says}\n", encoding="utf-8")
        (include.parent / "lib").mkdir()
        (include.parent / "lib/libpkg.a").write_text(f"{says}\n", encoding="utf-8")
    (tmp_path / "here/site-packages/other").mkdir()
    (tmp_path / "here/site-packages/other/other.h").write_text("other here\n", encoding="utf-8")
    there = tmp_path / "there"
    variables = prepare_gcc(AARCH64, [Prefix(there / "pkg", package=there)], print)
    (tmp_path / "a.c").write_text("#include <pkg.h>\n#include <other.h>\n", encoding="utf-8")
    site = tmp_path / "here/site-packages"
    for option in ("-I", "-isystem"):
        words = [f"{option}{site}/pkg/include", f"{option}{site}/other"]
        command = [variables["CC"], *words, "-E", "-P", "a.c"]
        said = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True
        )
        assert said.stdout.splitlines() == ["machine there", "other here"], said.stderr
    command = [variables["CC"], "-###", "-L/x", f"{site}/pkg/include/../lib/libpkg.a"]
    shown = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True)
    assert f"{there}/pkg/include/../lib/libpkg.a" in shown.stderr
    assert str(site) not in shown.stderr
    # What is written is not.
    command = [variables["CC"], "-###", "-c", "a.c", "-o", f"{site}/pkg/lib/libpkg.a"]
    shown = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True)
    assert f"{site}/pkg/lib/libpkg.a" in shown.stderr
    assert f"{there}/pkg/lib/libpkg.a" not in shown.stderr
