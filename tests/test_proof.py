"""From the real backend's wheel to the one that leaves the house, or does not."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict

import pytest

from manylinux_shim._errors import PolicyError, SettingsError
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture
from manylinux_shim._settings import Settings
from manylinux_shim.audit import audit_wheel
from manylinux_shim.finish._contents import _auditwheels
from manylinux_shim.finish._finished import finished
from manylinux_shim.finish._repair import Repaired

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
    assert finished(built, plan(), out) == out / built.name
    assert (out / built.name).read_bytes() == built.read_bytes()
    assert [path.name for path in out.iterdir()] == [built.name]


def test_require_native_makes_a_pure_wheel_an_error(tmp_path: Path, out: Path) -> None:
    built = wheel(tmp_path, "py3-none-any", {"small.py": b"x = 1\n"})
    with pytest.raises(PolicyError, match="require-native"):
        finished(built, plan(settings={"require_native": True}), out)
    assert not list(out.iterdir())


def test_require_native_makes_a_module_that_python_cannot_import_an_error(
    tmp_path: Path, out: Path
) -> None:
    (tmp_path / "a.c").write_text("int PyInit_other(void) { return 0; }")
    subprocess.run(["gcc", "-shared", "-fPIC", "a.c", "-o", "a.so"], cwd=tmp_path, check=True)
    files = {"small/a.abi3.so": (tmp_path / "a.so").read_bytes()}
    (tmp_path / "again").mkdir()
    again = wheel(tmp_path / "again", "cp311-abi3-linux_x86_64", files)
    assert finished(again, plan(), out).name.startswith("small-1.0-cp311-abi3-manylinux")
    built = wheel(tmp_path, "cp311-abi3-linux_x86_64", files)
    with pytest.raises(PolicyError, match=r"small/a\.abi3\.so .*PyInit"):
        finished(built, plan(settings={"require_native": True}), tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("tag", ["manylinux_2_36_x86_64", "manylinux1_i686", "musllinux_1_2_s390x"])
def test_a_policy_claimed_without_any_compiled_file_is_refused(
    tmp_path: Path, out: Path, tag: str
) -> None:
    built = wheel(tmp_path, f"cp311-cp311-{tag}", {"small.py": b"x = 1\n"})
    with pytest.raises(PolicyError, match="no compiled file"):
        finished(built, plan(), out)
    assert not list(out.iterdir())


def test_a_tag_not_earned_fails_with_file_symbol_and_remedy_and_leaves_nothing(
    tmp_path: Path, out: Path, host_library: bytes
) -> None:
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {"small/a.so": host_library})
    with pytest.raises(PolicyError) as caught:
        finished(built, plan(), out)
    told = str(caught.value)
    for part in ("small/a.so", "dlopen@GLIBC_2.34", "libc.so.6", "2.17"):
        assert part in told
    assert not list(out.iterdir())


def test_check_mode_gives_the_best_tag_that_the_wheel_has_earned(
    tmp_path: Path, out: Path, host_library: bytes
) -> None:
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {"small/a.so": host_library})
    done = finished(built, plan(mode="check", policy=None, linked=None), out)
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
    done = finished(built, plan(mode="check", policy=None, linked=None), out)
    assert done.name == built.name
    told = capsys.readouterr().err
    assert "libcrypt.so.1" in told
    assert "this machine only" in told
    asked = plan(mode="check", policy=LOWEST, linked=None)
    with pytest.raises(PolicyError, match=r"libcrypt\.so\.1"):
        finished(built, asked, out)


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
    done = finished(built, plan(), out)
    assert "run path /opt/python/lib is taken out of small/c.so" in capsys.readouterr().err
    assert not [facts.run_path for facts in audit_wheel(done).files if facts.run_path]


def test_a_file_for_another_machine_is_refused(
    tmp_path: Path, out: Path, host_library: bytes
) -> None:
    built = wheel(tmp_path, "cp311-cp311-linux_aarch64", {"small/a.so": host_library})
    with pytest.raises(PolicyError, match="aarch64"):
        finished(built, plan(target=ARCHITECTURES["aarch64"]), out)
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
    done = finished(built, plan(policy=asked, linked=asked), out)
    assert done.name == f"small-1.0-cp38-abi3-{'.'.join(asked.tags('x86_64'))}.whl"


def test_wrong_source_date_epoch_is_an_error(
    tmp_path: Path, out: Path, host_library: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {"small/a.so": host_library})
    with pytest.raises(SettingsError, match="SOURCE_DATE_EPOCH"):
        finished(built, plan(mode="check", policy=None, linked=None), out)
    assert not list(out.iterdir())


def test_library_of_this_machine_is_not_grafted_into_a_wheel_for_another(
    tmp_path: Path, out: Path
) -> None:
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu", "-shared"]
    (tmp_path / "e.c").write_text("int f(void); int e(void) { return f(); }")
    (tmp_path / "f.c").write_text("int f(void) { return 1; }")
    for source, options in (("f", ["-Wl,-soname,libf.so.1"]), ("e", ["f.so"])):
        subprocess.run(
            [*zig, "-nostdlib", f"{source}.c", *options, "-o", f"{source}.so"],
            cwd=tmp_path,
            check=True,
        )
    files = {"small/e.so": (tmp_path / "e.so").read_bytes()}
    built = wheel(tmp_path, "cp311-cp311-linux_aarch64", files)
    foreign = plan(target=ARCHITECTURES["aarch64"], settings={"repair": True})
    with pytest.raises(PolicyError, match=r'"libf\.so\.1" could not be located'):
        finished(built, foreign, out)
    assert not list(out.iterdir())


def test_list_of_contents_of_the_same_name_is_kept(
    tmp_path: Path, out: Path, host_library: bytes
) -> None:
    info = "small-1.0.dist-info/sboms"
    theirs = f"{info}/manylinux-shim.cdx.json"
    built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {"small/a.so": host_library, theirs: b"{}"})
    asked = Policy.parse("manylinux_2_34")
    done = finished(built, plan(policy=asked, linked=asked), out, tmp_path)
    with zipfile.ZipFile(done) as archive:
        assert archive.read(theirs) == b"{}"
        document = json.loads(archive.read(f"{info}/manylinux-shim-2.cdx.json"))
        assert f"{info}/manylinux-shim-2.cdx.json" in archive.read(f"{info[:-6]}/RECORD").decode()
    # No link is on record that made the file, and the list says so.
    properties = document["metadata"]["component"]["properties"]
    assert {"name": "manylinux-shim:not-linked-in-this-build", "value": "small/a.so"} in properties


def test_auditwheels_list_names_the_wheel_and_leaves_the_backends_own_of_that_name(
    tmp_path: Path,
) -> None:
    """A backend that grafts by itself may have written one; auditwheel takes its place."""
    name = "small-1.0.dist-info/sboms/auditwheel.cdx.json"
    tags = ("manylinux_2_34_x86_64",)
    stated = b'"file_name=small-1.0-cp311-cp311-%s.whl"'
    (tmp_path / "after").mkdir()
    for theirs in (None, b'"the backend wrote this"'):
        built = wheel(tmp_path, "cp311-cp311-linux_x86_64", {name: theirs} if theirs else {})
        after = wheel(
            tmp_path / "after", "cp311-cp311-manylinux_2_17_x86_64",
            {name: stated % b"manylinux_2_17_x86_64"},
        )  # fmt: skip
        changed, added = _auditwheels(built, Repaired(audit_wheel(after)), tags)
        own = stated % b"manylinux_2_34_x86_64"
        if theirs is None:
            assert (changed, added) == ({name: own}, {})
        else:
            assert changed == {name: theirs}
            assert list(added.values()) == [own]
