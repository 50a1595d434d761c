"""A wheel is tried where it is to run: here, and on systems made of Debian's packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import List, Optional

import pytest
from support.machine import lacking

from manylinux_shim._errors import SettingsError
from manylinux_shim._platforms import ARCHITECTURES, host_architecture, host_family
from manylinux_shim.cli import main
from manylinux_shim.commands.trying._attempt import Test as Asked
from manylinux_shim.commands.trying._attempt import Untried, is_for_this_machine, versions_of
from manylinux_shim.commands.trying._debian import host
from manylinux_shim.commands.trying._own_python import of_path
from manylinux_shim.commands.trying._there import RELEASES, _root, choose
from manylinux_shim.wheel import WheelName


def wheel(directory: Path, tag: str, library: bytes = b"") -> Path:
    """A wheel with one module, and a library if there are bytes for it."""
    path = directory / f"small-1.0-{tag}.whl"
    info = "small-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/__init__.py", "import os; here = os.listdir()\n")
        archive.writestr("small/lib.so", library)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "small/__init__.py,,\n")
    return path


@pytest.mark.parametrize(
    ("tags", "versions"),
    [
        ("cp312-cp312", [("3.12", False)]),
        ("cp313-cp313t", [("3.13t", False)]),
        ("cp39-abi3", [("3.9", True)]),
        ("cp315-abi3.abi3t", [("3.15", True), ("3.15t", True)]),
        ("py2.py3-none", [("3", True)]),
        ("pp311-pypy311_pp73", [("pypy3.11", False)]),
        ("cp38.cp39-cp38.cp39", [("3.8", False), ("3.9", False)]),
        ("py2-none", []),
    ],
)
def test_the_pythons_of_a_wheel_are_read_from_its_tags(tags: str, versions: List[object]) -> None:
    assert list(versions_of(WheelName.parse(f"small-1.0-{tags}-any.whl"))) == versions


@pytest.mark.parametrize(
    ("tags", "on", "release"),
    [
        ("cp39-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64", None, "debian11"),
        ("cp311-cp311-manylinux_2_17_x86_64", "oldest", "debian12"),
        ("cp39-abi3-manylinux_2_35_x86_64", "oldest", "debian12"),
        ("cp39-abi3-manylinux_2_17_x86_64", "debian13", "debian13"),
        ("py3-none-manylinux_2_31_riscv64", None, "debian13"),
        ("cp312-cp312-manylinux_2_17_x86_64", "oldest", None),
        ("cp39-abi3-musllinux_1_2_aarch64", None, None),
        ("cp39-abi3-manylinux_2_35_x86_64", "debian11", None),
        ("cp39-abi3-manylinux_2_36_loongarch64", None, None),
    ],
)
def test_a_system_is_the_oldest_that_a_wheel_promises_and_that_has_its_python(
    tags: str, on: Optional[str], release: Optional[str]
) -> None:
    name = WheelName.parse(f"small-1.0-{tags}.whl")
    if release is None:
        with pytest.raises(Untried):
            choose(name, Asked(("python",), system=on))
    else:
        assert choose(name, Asked(("python",), system=on))[1].name == release


def test_an_unknown_system_is_an_error_that_names_those_there_are() -> None:
    name = WheelName.parse("small-1.0-py3-none-any.whl")
    with pytest.raises(SettingsError, match="debian5"):
        choose(name, Asked(("python",), system="debian5"))


def test_another_libc_and_another_machine_are_not_this_one() -> None:
    other = "manylinux_2_17_s390x"
    assert not is_for_this_machine([other])
    assert is_for_this_machine([other, "any"])
    arch = host_architecture()
    assert arch is not None
    families = {"manylinux": "manylinux_2_17", "musllinux": "musllinux_1_2"}
    for family, policy in families.items():
        assert is_for_this_machine([f"{policy}_{arch.name}"]) == (family == host_family())


def test_a_command_runs_in_an_empty_directory_with_the_wheel_installed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = wheel(tmp_path, "py3-none-any")
    assert main(["try", str(path), "--", "python", "-c", "import small; print(small.here)"]) == 0
    printed = capfd.readouterr().out.splitlines()
    assert printed[0] == "[]"
    assert printed[1].startswith(f"{path.name}: passed on this machine, Python 3.")


@pytest.mark.parametrize(
    ("tag", "words", "code", "told"),
    [
        ("py3-none-any", ["python", "-c", "import other"], 1, "failed with 1"),
        ("py3-none-any", ["there-is-no-such-program"], 3, "no there-is-no-such-program"),
        ("cp399-cp399-any", ["python", "-V"], 3, "no Python 3.99"),
        ("cp39-abi3-musllinux_1_2_aarch64", ["python", "-V"], 3, "cpython-3.9-linux-aarch64-musl"),
        ("cp312-cp312-manylinux_2_17_armv7l", ["python", "-V"], 3, "linux-armv7-gnueabihf"),
        ("py3-none-any", [], 2, "no command"),
    ],
)
def test_what_failed_and_what_could_not_be_tried_are_told_apart(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], tag: str, words: List[str], code: int,
    told: str,
) -> None:  # fmt: skip
    assert main(["try", str(wheel(tmp_path, tag)), "--", *words]) == code
    said = capfd.readouterr()
    assert told in said.out + said.err


@pytest.mark.foreign
@pytest.mark.parametrize(
    ("symbol", "code"), [("puts", 0), ("dlopen", 1)], ids=["keeps", "breaks its promise"]
)
def test_a_library_runs_on_an_older_system_than_this_if_it_needs_nothing_newer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], symbol: str, code: int
) -> None:
    arch = host_architecture()
    if arch is None or host() != "amd64":
        lacking("x86_64 Debian")
    (tmp_path / "a.c").write_text(f"int {symbol}(); void f(void) {{ {symbol}(0, 0); }}")
    command = ["gcc", "-shared", "-fPIC", "-fno-builtin", "a.c", "-o", "a.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library = (tmp_path / "a.so").read_bytes()
    path = wheel(tmp_path, "py3-none-manylinux_2_17_x86_64", library)
    use = "import ctypes, small, os; ctypes.CDLL(os.path.dirname(small.__file__) + '/lib.so')"
    assert main(["try", "--on", "debian11", str(path), "--", "python", "-c", use]) == code
    assert ("GLIBC_2.34" in capfd.readouterr().err) == bool(code)


@pytest.mark.foreign
@pytest.mark.parametrize(
    ("arch", "policy", "machine"),
    [
        ("aarch64", "manylinux_2_17", "aarch64"),
        ("armv7l", "manylinux_2_17", "armv7l"),
        *(
            pytest.param(arch, policy, machine, marks=pytest.mark.slow)
            for arch, policy, machine in (
                ("i686", "manylinux_2_17", "x86_64"),
                ("ppc64le", "manylinux_2_17", "ppc64le"),
                ("s390x", "manylinux_2_17", "s390x"),
                ("riscv64", "manylinux_2_31", "riscv64"),
            )
        ),
    ],
)
def test_a_wheel_for_another_machine_runs_there_without_being_asked(
    arch: str, policy: str, machine: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = wheel(tmp_path, f"py3-none-{policy}_{arch}")
    use = "import small, platform; print(platform.machine(), small.here)"
    assert main(["try", str(path), "--", "python", "-c", use]) == 0
    assert capfd.readouterr().out.startswith(f"{machine} []\n")


USE = "import small, platform, sys; print(platform.machine(), sys.version_info[1], small.here)"


@pytest.mark.foreign
def test_a_python_of_the_target_is_one_to_try_a_wheel_with(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = _root(RELEASES[1], ARCHITECTURES["aarch64"])
    path = wheel(tmp_path, "py3-none-manylinux_2_17_aarch64")
    python = root / "usr/bin/python3.11"
    assert main(["try", "-p", str(python), str(path), "--", "python", "-c", USE]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("aarch64 11 []\n")
    assert "passed on aarch64 with glibc (manylinux_2_36), Python 3.11" in printed
    other = wheel(tmp_path, "py3-none-manylinux_2_17_s390x")
    assert main(["try", "-p", str(python), str(other), "--", "python", "-V"]) == 3
    assert "is for aarch64 with glibc" in capfd.readouterr().err


@pytest.mark.foreign
def test_uvs_python_of_the_target_is_used_where_debian_has_none(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Debian's, put where uv has its own: Debian 13, which the wheel asks for, has another.
    theirs = _root(RELEASES[1], ARCHITECTURES["aarch64"]) / "usr"
    own = tmp_path / "pythons/cpython-3.11.2-linux-aarch64-gnu"
    (own / "bin").mkdir(parents=True)
    shutil.copy(theirs / "bin/python3.11", own / "bin/python3.11")
    shutil.copytree(theirs / "lib/python3.11", own / "lib/python3.11", symlinks=True)
    path = wheel(tmp_path, "cp311-cp311-manylinux_2_41_aarch64")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "none"))
    assert main(["try", str(path), "--", "python", "-c", USE]) == 3
    assert "uv python install cpython-3.11-linux-aarch64-gnu" in capfd.readouterr().err
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(own.parent))
    assert main(["try", str(path), "--", "python", "-c", USE]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("aarch64 11 []\n")
    assert "(manylinux_2_41), Python 3.11" in printed


MUSL_PYTHON = r"""
#include <stdio.h>
#include <string.h>
int main(int count, char **words) {
    if (count == 3 && strstr(words[2], "CS_GNU")) puts("[[3, 12], \"cpython\", false, null]");
    else printf("asked to run %s\n", words[count - 1]);
    return 0;
}
"""


@pytest.mark.foreign
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_python_for_musl_is_started_by_musls_loader(
    machine: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # A program that answers as a Python does: none for musl is to be had from Debian.
    python = tmp_path / "alpine/usr/bin/python3.12"
    python.parent.mkdir(parents=True)
    (tmp_path / "p.c").write_text(MUSL_PYTHON)
    compile_ = [sys.executable, "-m", "ziglang", "cc", "-O2", "-fno-sanitize=all", "-dynamic"]
    compile_ += ["-target", f"{machine}-linux-musl"]
    subprocess.run([*compile_, "-o", str(python), str(tmp_path / "p.c")], check=True)
    own = of_path(str(python))
    assert own is not None
    assert (own.family, own.arch.name) == ("musllinux", machine)
    installed = machine == "x86_64" and Path("/lib/ld-musl-x86_64.so.1").exists()
    assert own.root == (Path("/") if installed else None)
    path = wheel(tmp_path, f"cp312-cp312-musllinux_1_2_{machine}")
    assert main(["try", "-p", str(python), str(path), "--", "python", "it"]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("asked to run it\n")
    assert f"passed on {machine} with musl (musllinux_1_2), Python 3.12" in printed
    newer = wheel(tmp_path, f"cp313-cp313-musllinux_1_2_{machine}")
    assert main(["try", "-p", str(python), str(newer), "--", "python", "it"]) == 3
    assert "not a supported wheel" in capfd.readouterr().err


def test_a_python_of_this_machine_tries_nothing_of_another(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = wheel(tmp_path, "py3-none-manylinux_2_17_s390x")
    assert main(["try", "-p", sys.executable, str(path), "--", "python", "-V"]) == 3
    assert f"{sys.executable} is a Python of this system" in capfd.readouterr().err


def test_a_python_of_this_machine_and_what_is_no_program_are_none_of_another(
    tmp_path: Path,
) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert of_path(str(tmp_path / "script")) is None
    assert of_path(str(tmp_path / "missing")) is None
    assert of_path("3.12") is None
    assert of_path(str(Path(sys.executable).resolve())) is None
