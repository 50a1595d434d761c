"""zlib, libpng and libjpeg-turbo, built from their sources for each target by ``before-all``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import List

import pytest
from support import machine, wheels

from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim.audit import audit_wheel
from manylinux_shim.cli import main
from manylinux_shim.commands.trying._debian import source
from manylinux_shim.libraries import Apt

pytestmark = [pytest.mark.foreign, pytest.mark.slow]

PROJECT = Path(__file__).with_name("imaging")
SOURCES = ("zlib", "libpng1.6", "libjpeg-turbo")
USE = "import imaging; print(imaging.round_trip(64)[:3])"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with the sources that Debian 12 has of the three."""
    for program in ("apt-get", "make"):
        machine.need_program(program)
    directory = tmp_path_factory.mktemp("imaging")
    project = Path(shutil.copytree(PROJECT, directory / "project"))
    (project / "sources").mkdir()
    where = source()
    signed = f" [signed-by={where.signed_by}]" if where.signed_by else ""
    apt = Apt(directory / "apt", "amd64", source=f"deb-src{signed} {where.uri} bookworm main")
    for arguments in (["update"], ["source", "--download-only", *SOURCES]):
        code, said = apt.call(*arguments, cwd=project / "sources")
        assert code == 0, said
    return project


@pytest.mark.parametrize(
    ("options", "policy", "arch"),
    [
        (["--target", "x86_64"], "manylinux_2_17", "x86_64"),
        (["--target", "aarch64"], "manylinux_2_17", "aarch64"),
        (["--policy", "musllinux_1_2"], "musllinux_1_2", "x86_64"),
    ],
    ids=["x86_64", "aarch64", "musl"],
)
def test_three_libraries_go_into_the_wheel(
    options: List[str],
    policy: str,
    arch: str,
    project: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["build", *options, "-o", str(tmp_path), str(project)]) == 0, capfd.readouterr()
    (wheel,) = tmp_path.glob("*.whl")
    assert audit_wheel(wheel).proves(Policy.parse(policy))
    names = [name for name in wheels.elf_members(wheel) if ".libs/" in name]
    found = {name.partition(".libs/")[2].partition("-")[0] for name in names}
    # Every system with musl has a zlib, of which no version is asked for there.
    more = set() if policy.startswith("musl") else {"libz"}
    assert found == {"libjpeg", "libpng16", *more}
    if policy.startswith("musl"):
        loader = f"/lib/{ARCHITECTURES[arch].musl_loader}"
        machine.need_program(loader)
        site = tmp_path / "site"
        shutil.unpack_archive(wheel, site, "zip")
        (extension,) = site.glob("imaging.*.so")
        listed = subprocess.run([loader, "--list", str(extension)], capture_output=True, text=True)
        assert listed.stdout.count(f" => {site}/imaging.libs/") == len(names)
    else:
        capfd.readouterr()
        assert main(["try", "--on", "oldest", str(wheel), "--", "python", "-c", USE]) == 0
        assert capfd.readouterr().out.startswith("(1, 1, 128)\n")
