"""A wheel that somebody else built for a newer glibc runs on Debian 11 when it is relinked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from linked import POLICY, relinked, unpacked
from support import wheels

from manylinux_shim.audit import audit_wheel

sys.path.append(str(Path(__file__).resolve().parent.parent / "foreign"))
import roots

pytestmark = [pytest.mark.foreign, pytest.mark.pypi]

# Rust and OpenSSL in C, linked on AlmaLinux 9; what it imports, for the root's Python.
NEWER, NEEDS = "cryptography==45.0.2", "cffi==1.17.1"
USE = """
import sys
sys.path.insert(0, {site!r})
from cryptography.fernet import Fernet
fernet = Fernet(Fernet.generate_key())
print(fernet.decrypt(fernet.encrypt(b"works")).decode())
"""


def download(requirement: str, glibc: str, abi: str, arch: str, directory: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version=3.9.2", "--implementation=cp"]
    command += [f"--abi={abi}", f"--platform=manylinux_{glibc}_{arch}", f"--dest={directory}"]
    subprocess.run([*command, requirement], check=True, capture_output=True)
    (found,) = directory.glob(f"{requirement.partition('=')[0]}-*.whl")
    return found


@pytest.mark.parametrize("name", ["amd64", pytest.param("arm64", marks=pytest.mark.slow)])
def test_wheel_from_the_index_runs_on_an_older_system(name: str, tmp_path: Path) -> None:
    system = roots.SYSTEMS[name]
    root = roots.root(system, roots.default_cache())
    newer = download(NEWER, "2_34", "abi3", system.arch, tmp_path)
    needs = download(NEEDS, "2_17", "cp39", system.arch, tmp_path)
    new = relinked(newer, tmp_path / "out")
    wheels.check_consistent(new)
    assert audit_wheel(new).proves(POLICY)
    with root.place() as place:
        for kind, wheel in (("before", newer), ("after", new)):
            unpacked(wheel, place / kind)
            unpacked(needs, place / kind)
        before, after = (
            root.python(USE.format(site=root.inside(place / kind))) for kind in ("before", "after")
        )
    assert "GLIBC_2.3" in before.stdout
    assert after.stdout == "works\n"
