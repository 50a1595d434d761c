"""Which package a library came from: dpkg for real, rpm and apk by what they print."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Dict, Optional

import pytest

from manylinux_shim._platforms import host_architecture
from manylinux_shim.graft import Package, _origin, package_of

RPM = """#!/bin/sh
test "$1 $4" = "-qf /usr/lib64/liblz4.so.1.9.4" || exit 1
printf 'lz4-libs\\t1.9.4-4.fc39\\tx86_64\\nlz4-libs\\t1.9.4-4.fc39\\ti686\\n'
"""
APK = """#!/bin/sh
case "$*" in
--print-arch) echo x86_64 ;;
"info --who-owns /usr/lib/liblz4.so.1.9.4")
  echo "/usr/lib/liblz4.so.1.9.4 is owned by lz4-libs-1.9.4-r5" ;;
*) exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    ("tools", "os_release", "path", "package"),
    [
        (
            {"rpm": RPM},
            'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=39\n',
            "/usr/lib64/liblz4.so.1.9.4",
            Package(
                "lz4-libs",
                "1.9.4-4.fc39",
                "pkg:rpm/fedora/lz4-libs@1.9.4-4.fc39?arch=x86_64&distro=fedora-39",
            ),
        ),
        (
            {"apk": APK},
            'ID=alpine\nVERSION_ID="3.19.1"\n',
            "/usr/lib/liblz4.so.1.9.4",
            Package(
                "lz4-libs",
                "1.9.4-r5",
                "pkg:apk/alpine/lz4-libs@1.9.4-r5?arch=x86_64&distro=alpine-3.19.1",
            ),
        ),
        ({"rpm": RPM, "apk": APK}, "ID=fedora\n", "/opt/lib/libown.so", None),
        ({}, "", "/usr/lib64/liblz4.so.1.9.4", None),
    ],
)
def test_package(
    tools: Dict[str, str],
    os_release: str,
    path: str,
    package: Optional[Package],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, script in tools.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "os-release").write_text(os_release)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_origin, "_OS_RELEASE", (str(tmp_path / "os-release"),))
    assert package_of(Path(path)) == package


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="this system has no dpkg")
@pytest.mark.parametrize("prefix", ["/lib", "/usr/lib"])
def test_dpkg_knows_a_file_by_either_of_its_names(prefix: str) -> None:
    host = host_architecture()
    assert host is not None
    found = package_of(Path(prefix, host.triplet_gnu, "libc.so.6"))
    assert found is not None
    assert found.name == "libc6"
    assert found.purl.startswith("pkg:deb/debian/libc6@")
