"""From the real backend's wheel to the one that leaves the house, or does not."""

from __future__ import annotations

import dataclasses
import subprocess
import zipfile
from pathlib import Path
from typing import Any, Dict

import pytest

from manylinux_shim._errors import PolicyError, SettingsError
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture
from manylinux_shim._proof import proven
from manylinux_shim._settings import Settings
from manylinux_shim.audit import audit_wheel

HOST = host_architecture()
LOWEST = Policy.parse("manylinux_2_17")


def plan(**values: Any) -> Plan:
    settings = Settings(backend="b", **values.pop("settings", {}))
    return dataclasses.replace(
        Plan("zig", settings, HOST, LOWEST, LOWEST), **{"settings": settings, **values}
    )


def wheel(directory: Path, tag: str, files: Dict[str, bytes]) -> Path:
    path = directory / f"small-1.0-{tag}.whl"
    info = "small-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture(scope="session")
def host_library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A library that the host's compiler linked against the host's own glibc."""
    directory = tmp_path_factory.mktemp("host")
    (directory / "a.c").write_text(
        "#include <stdlib.h>\n#include <dlfcn.h>\n"
        'void *f(void) { return dlopen(getenv("X"), RTLD_NOW); }'
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "a.c", "-o", "a.so"], cwd=directory, check=True)
    return (directory / "a.so").read_bytes()


def test_pure_wheel_passes_through_byte_for_byte(tmp_path: Path, out: Path) -> None:
    built = wheel(tmp_path, "py3-none-any", {"small.py": b"x = 1\n"})
    assert proven(built, plan(), out) == out / built.name
    assert (out / built.name).read_bytes() == built.read_bytes()
    assert [path.name for path in out.iterdir()] == [built.name]


def test_require_native_makes_a_pure_wheel_an_error(tmp_path: Path, out: Path) -> None:
    built = wheel(tmp_path, "py3-none-any", {"small.py": b"x = 1\n"})
    with pytest.raises(PolicyError, match="require-native"):
        proven(built, plan(settings={"require_native": True}), out)
    assert not list(out.iterdir())


@pytest.mark.parametrize("tag", ["manylinux_2_36_x86_64", "manylinux1_i686", "musllinux_1_2_s390x"])
def test_a_policy_claimed_without_any_compiled_file_is_refused(
    tmp_path: Path, out: Path, tag: str
) -> None:
    built = wheel(tmp_path, f"cp311-cp311-{tag}", {"small.py": b"x = 1\n"})
    with pytest.raises(PolicyError, match="no compiled file"):
        proven(built, plan(), out)
    assert not list(out.iterdir())


def test_a_tag_not_earned_fails_with_file_symbol_and_remedy_and_leaves_nothing(
    tmp_path: Path, out: Path, host_library: bytes
) -> None:
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {"small/a.so": host_library})
    with pytest.raises(PolicyError) as caught:
        proven(built, plan(), out)
    told = str(caught.value)
    for part in ("small/a.so", "dlopen@GLIBC_2.34", "libc.so.6", "2.17"):
        assert part in told
    assert not list(out.iterdir())


def test_check_mode_gives_the_best_tag_that_the_wheel_has_earned(
    tmp_path: Path, out: Path, host_library: bytes
) -> None:
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {"small/a.so": host_library})
    done = proven(built, plan(mode="check", policy=None, linked=None), out)
    assert done.name == "small-1.0-cp311-cp311-manylinux_2_34_x86_64.whl"


def test_check_mode_keeps_linux_for_a_wheel_of_this_machine_and_says_why(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.c").write_text("int f(void) { return 1; }")
    subprocess.run(
        [
            "gcc",
            "-shared",
            "-fPIC",
            "b.c",
            "-o",
            "b.so",
            "-Wl,--no-as-needed",
            "-lexpat",
            "-lcrypt",
        ],
        cwd=tmp_path,
        check=True,
    )
    files = {"small/b.so": (tmp_path / "b.so").read_bytes()}
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", files)
    done = proven(built, plan(mode="check", policy=None, linked=None), out)
    assert done.name == built.name
    told = capsys.readouterr().err
    assert "libcrypt.so.1" in told
    assert "this machine only" in told
    asked = plan(mode="check", policy=LOWEST, linked=None)
    with pytest.raises(PolicyError, match=r"libcrypt\.so\.1"):
        proven(built, asked, out)


def test_a_run_path_into_the_build_machine_never_reaches_a_wheel(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.c").write_text("int f(void) { return 1; }")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "c.c", "-o", "c.so", "-Wl,-rpath,/opt/python/lib"],
        cwd=tmp_path,
        check=True,
    )
    files = {"small/c.so": (tmp_path / "c.so").read_bytes()}
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", files)
    done = proven(built, plan(), out)
    assert "run path /opt/python/lib is taken out of small/c.so" in capsys.readouterr().err
    assert not [facts.run_path for facts in audit_wheel(done).files if facts.run_path]


def test_a_file_for_another_machine_is_refused(
    tmp_path: Path, out: Path, host_library: bytes
) -> None:
    built = wheel(tmp_path, "cp311-cp311-linux_aarch64", {"small/a.so": host_library})
    with pytest.raises(PolicyError, match="aarch64"):
        proven(built, plan(target=ARCHITECTURES["aarch64"]), out)
    assert not list(out.iterdir())


@pytest.mark.parametrize("policy", ["manylinux_2_17", "musllinux_1_2"])
def test_an_extension_that_needs_no_libc_gets_the_tag_that_was_asked_for(
    tmp_path: Path, out: Path, policy: str
) -> None:
    (tmp_path / "d.c").write_text("int f(void) { return 1; }")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-nostdlib", "d.c", "-o", "d.so"], cwd=tmp_path, check=True
    )
    files = {"small/d.abi3.so": (tmp_path / "d.so").read_bytes()}
    built = wheel(tmp_path, "cp38-abi3-linux_x86_64", files)
    asked = Policy.parse(policy)
    done = proven(built, plan(policy=asked, linked=asked), out)
    assert done.name == f"small-1.0-cp38-abi3-{'.'.join(asked.tags('x86_64'))}.whl"


def test_wrong_source_date_epoch_is_an_error(
    tmp_path: Path, out: Path, host_library: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {"small/a.so": host_library})
    with pytest.raises(SettingsError, match="SOURCE_DATE_EPOCH"):
        proven(built, plan(mode="check", policy=None, linked=None), out)
    assert not list(out.iterdir())
