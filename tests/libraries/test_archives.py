"""Unpacking packages that nobody should trust, and apt's words where it cannot fetch."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Dict

import pytest
from support import machine

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim.libraries import fetched, origin_of, parse
from manylinux_shim.libraries._debian import _unpack
from manylinux_shim.libraries._origins import Origin, write_origins

X86_64 = ARCHITECTURES["x86_64"]
POLICY = Policy.parse("manylinux_2_17")


def archive(directory: Path, *members: tarfile.TarInfo) -> Path:
    """A package with these members, each with its name as contents."""
    machine.need_program("dpkg-deb")
    directory.mkdir()
    control = io.BytesIO()
    with tarfile.open(fileobj=control, mode="w:gz") as tar:
        text = b"Package: x\nVersion: 1\nArchitecture: all\n"
        info = tarfile.TarInfo("control")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for member in members:
            text = member.name.encode() if member.isfile() else b""
            text = member.pax_headers.get("begins", "").encode() + text
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    package = directory / "x_1_all.deb"
    parts = (("debian-binary", b"2.0\n"), ("control.tar.gz", control.getvalue()),
             ("data.tar.gz", data.getvalue()))  # fmt: skip
    out = b"!<arch>\n"
    for name, body in parts:
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
        out += head + body + b"\n" * (len(body) % 2)
    package.write_bytes(out)
    return package


def file(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name)


def program(name: str) -> tarfile.TarInfo:
    """One whose contents begin as an ELF file's."""
    info = tarfile.TarInfo(name)
    info.pax_headers = {"begins": "\x7fELF"}
    return info


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def unpacked(package: Path, staging: Path) -> Dict[str, str]:
    staging.mkdir()
    _unpack(package, staging, Path("/tree"), "amd64", {})
    return {
        str(path.relative_to(staging)): os.readlink(path) if path.is_symlink() else "file"
        for path in staging.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_links_stay_inside_and_lib_is_in_usr(tmp_path: Path) -> None:
    package = archive(
        tmp_path / "deb",
        file("./lib/x86_64-linux-gnu/libz.so.1"),
        link("./usr/lib/x86_64-linux-gnu/libz.so", "/lib/x86_64-linux-gnu/libz.so.1"),
        link("./usr/lib/x86_64-linux-gnu/libo.so", "../../../../../../etc/passwd"),
        link("./usr/lib/x86_64-linux-gnu/libh.so", "./lib/x86_64-linux-gnu/libz.so.1",
             tarfile.LNKTYPE),
        file("./usr/include/z.h"),
        file("./usr/share/man/z"),
        file("./usr/bin/z"),
        file("./usr/bin/z-config"),
        file("./etc/passwd"),
    )  # fmt: skip
    lib = "usr/lib/x86_64-linux-gnu"
    assert unpacked(package, tmp_path / "staging") == {
        f"{lib}/libz.so.1": "file",
        f"{lib}/libz.so": "libz.so.1",
        f"{lib}/libh.so": "libz.so.1",
        # What leads above the root leads to what a package may have there, which is left out.
        f"{lib}/libo.so": "../../../etc/passwd",
        "usr/include/z.h": "file",
        "usr/bin/z-config": "file",
    }


PC = "prefix=/usr\nincludedir=${prefix}/include/x\nplugindir=/usr/lib/x\nName: x\n\
Description: x\nVersion: 3.1\nCflags: -I${includedir}\nLibs: -L/usr/lib/arm -lx\n"


def test_program_that_tells_where_a_library_is_answers_from_its_pkg_config_file(
    tmp_path: Path,
) -> None:
    machine.need_program("pkg-config")
    staging = tmp_path / "tree"
    package = archive(
        tmp_path / "deb",
        program("./usr/bin/x_config"),
        link("./usr/bin/y-config-14", "../lib/y/bin/y-config"),
        program("./usr/lib/y/bin/y-config"),
        file("./usr/lib/arm/pkgconfig/libx.pc"),
        program("./usr/lib/arm/x_config"),
    )
    staging.mkdir()
    _unpack(package, staging, staging, "arm64", {})
    (staging / "usr/lib/arm/pkgconfig/libx.pc").write_text(PC.replace("=/usr", f"={staging}/usr"))

    def said(*words: str) -> str:
        command = [str(staging / "usr/bin" / words[0]), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr}"

    assert said("x_config", "--include") == f"-I{staging}/usr/include/x"
    assert said("x_config", "--version", "--plugindir") == f"3.1\n{staging}/usr/lib/x"
    assert "-lx" in said("x_config", "--libs")
    assert said("x_config", "--blame").startswith("failed: x_config: x has no answer to --blame")
    # Its package has one pkg-config file alone, which is then everybody's.
    assert said("y-config-14", "--version") == "3.1"
    # What is no program stays as it is.
    assert (staging / "usr/lib/arm/x_config").read_bytes().startswith(b"\x7fELF")


def test_program_without_a_pkg_config_file_says_so(tmp_path: Path) -> None:
    package = archive(tmp_path / "deb", program("./usr/bin/x-config"))
    unpacked(package, tmp_path / "tree")
    done = subprocess.run(
        [str(tmp_path / "tree/usr/bin/x-config"), "--libs"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "x-config is a program of x, which cannot run here" in done.stderr


@pytest.mark.parametrize(
    "members",
    [
        (file("../usr/lib/evil"),),
        (file("./usr/lib/../../../evil"),),
        (file("/../evil"),),
    ],
)
def test_member_that_leads_out_is_left_out(members: tuple, tmp_path: Path) -> None:
    package = archive(tmp_path / "deb", *members)
    assert unpacked(package, tmp_path / "staging") == {}
    assert not list(tmp_path.rglob("evil"))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    package = archive(
        tmp_path / "deb",
        link("./usr/lib/there", "/usr/share"),
        file("./usr/lib/there/pkgconfig/evil.pc"),
    )
    with pytest.raises(ToolchainError, match="through a link"):
        unpacked(package, tmp_path / "staging")


def test_archive_that_is_cut_short_is_named(tmp_path: Path) -> None:
    package = archive(tmp_path / "deb", file("./usr/lib/libz.so.1"))
    package.write_bytes(package.read_bytes()[:-30])
    with pytest.raises(ToolchainError, match=r"x_1_all\.deb cannot be unpacked"):
        unpacked(package, tmp_path / "staging")


def test_origin_is_known_by_the_file(tmp_path: Path) -> None:
    origin = Origin("libz1", "1.2", "pkg:deb/debian/libz1@1.2?arch=arm64", "Zlib")
    (tmp_path / "usr" / "lib").mkdir(parents=True)
    (tmp_path / "usr" / "lib" / "libz.so.1").touch()
    (tmp_path / "usr" / "lib" / "libz.so").symlink_to("libz.so.1")
    write_origins(tmp_path, {"usr/lib/libz.so.1": origin})
    assert origin_of(tmp_path / "usr" / "lib" / "libz.so") == origin
    assert origin_of(tmp_path / "usr" / "lib" / "other") is None
    assert origin_of(Path(os.devnull)) is None


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "policy", "said"),
    [
        ("deb:libz-dev", "musllinux_1_2", "for glibc, and this build is for musl"),
        ("deb:no-such-package-dev", "manylinux_2_17", "Unable to locate package no-such-package"),
        ("deb:zlib1g-dev=0.0", "manylinux_2_17", "Version '0.0' for 'zlib1g-dev' was not found"),
        ("wheel:no-such-distribution-of-c", "manylinux_2_17", "No matching distribution found"),
        ("wheel:idna==3.7", "manylinux_2_17", "it is no C library"),
    ],
)
def test_what_cannot_be_had_is_named_and_nothing_is_left(
    text: str, policy: str, said: str, tmp_path: Path
) -> None:
    if text.startswith("deb:"):
        machine.need_program("apt-get")
    with pytest.raises(ToolchainError, match=said) as caught:
        fetched(parse([text]), X86_64, Policy.parse(policy), tmp_path, print)
    assert text.partition("=")[0] in caught.value.message
    left = [path.name for path in (tmp_path / "libraries").glob("*")] if policy[0] != "mu" else []
    assert all(name.startswith("apt-") for name in left)


def test_without_apt_the_other_ways_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="this machine has no apt-get") as caught:
        fetched(parse(["deb:libz-dev"]), X86_64, POLICY, tmp_path, print)
    assert all(word in caught.value.remedy for word in ("wheel:", "before-all", "prefix"))


@pytest.mark.long
def test_root_rights_are_not_needed(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("whoever tests is nobody in particular already")
    machine.need_program("setpriv")
    code = (
        "import sys; from pathlib import Path;"
        "from manylinux_shim._platforms import ARCHITECTURES, Policy;"
        "from manylinux_shim.libraries import fetched, parse;"
        "print(fetched(parse(['deb:libyaml-dev']), ARCHITECTURES['x86_64'],"
        " Policy.parse('manylinux_2_17'), Path(sys.argv[1]), lambda _: None)[0].lib[0])"
    )
    import sys

    import manylinux_shim

    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    for parent in home.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    package = Path(manylinux_shim.__file__).parent.parent
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable]
    readable = subprocess.run([*command, "-c", f"import os; os.listdir({str(package)!r})"])
    if readable.returncode != 0:
        machine.lacking("tree of this project that others may read")
    done = subprocess.run(
        [*command, "-c", code, str(home)],
        env={**os.environ, "HOME": str(home), "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list(Path(done.stdout.strip()).glob("libyaml.so*"))
