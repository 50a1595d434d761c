"""Where apt looks for an architecture that Ubuntu has on another server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import List

import pytest
from support.machine import need_program

from manylinux_shim.libraries._sources import for_architecture

ONE_LINE = """\
# See the documentation.
deb http://de.archive.ubuntu.test/ubuntu/ jammy main restricted
# deb-src http://de.archive.ubuntu.test/ubuntu/ jammy main restricted
deb [arch=amd64,i386 signed-by=/usr/share/keyrings/u.gpg] http://security.ubuntu.test/ubuntu jammy-security main
deb [arch=amd64] http://archive.ubuntu.test/ubuntu jammy universe
deb http://ppa.test/somebody/something/ubuntu jammy main
"""  # noqa: E501
DEB822 = """\
Types: deb
URIs: http://azure.archive.ubuntu.test/ubuntu/
Suites: noble noble-updates noble-backports
Components: main universe
Architectures: amd64
 i386
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.ubuntu.test/ubuntu/ https://mirror.test/ubuntu
Suites: noble-security
Components: main
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""
PORTS = "deb http://ports.ubuntu.test/ubuntu-ports/ jammy main\n"
DEBIAN = "deb http://deb.debian.test/debian bookworm main\n"
BOTH = "deb [arch=arm64] http://ports.ubuntu.test/ubuntu-ports/ jammy main\n" + ONE_LINE


def asked(directory: Path, name: str, text: str, architecture: str) -> List[str]:
    """The releases that apt itself reads of it."""
    need_program("apt-get")
    (directory / name).write_text(text)
    (directory / "state" / "lists").mkdir(parents=True)
    (directory / "status").touch()
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": str(directory),
        "Dir::State": str(directory / "state"),
        "Dir::State::status": str(directory / "status"),
    }
    command = ["apt-get", *(f"-o{key}={value}" for key, value in options.items())]
    done = subprocess.run(
        [*command, "update", "--print-uris"],
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
    )
    return re.findall("'https?://(.*)/InRelease'", done.stdout)


@pytest.mark.parametrize(
    ("name", "text", "architecture", "releases"),
    [
        (
            "ubuntu.list", ONE_LINE, "arm64",
            "ports.ubuntu.test/ubuntu-ports/dists/jammy"
            " ports.ubuntu.test/ubuntu-ports/dists/jammy-security"
            " ppa.test/somebody/something/ubuntu/dists/jammy",
        ),
        (
            "ubuntu.sources", DEB822, "riscv64",
            "ports.ubuntu.test/ubuntu-ports/dists/noble"
            " ports.ubuntu.test/ubuntu-ports/dists/noble-updates"
            " ports.ubuntu.test/ubuntu-ports/dists/noble-backports"
            " ports.ubuntu.test/ubuntu-ports/dists/noble-security"
            " mirror.test/ubuntu-ports/dists/noble-security",
        ),
        ("ubuntu.list", PORTS, "amd64", "archive.ubuntu.test/ubuntu/dists/jammy"),
    ],
)  # fmt: skip
def test_another_architecture_is_on_another_server(
    name: str, text: str, architecture: str, releases: str, tmp_path: Path
) -> None:
    changed = for_architecture({name: text}, architecture)[name]
    assert sorted(asked(tmp_path, name, changed, architecture)) == sorted(releases.split())


@pytest.mark.parametrize(
    ("text", "architecture"),
    [(ONE_LINE, "amd64"), (DEB822, "i386"), (PORTS, "armhf"), (DEBIAN, "arm64"), (BOTH, "arm64")],
)
def test_sources_that_have_it_stay_as_they_are(text: str, architecture: str) -> None:
    files = {"a.list": DEBIAN, "some.list": text}
    assert for_architecture(files, architecture) == files
