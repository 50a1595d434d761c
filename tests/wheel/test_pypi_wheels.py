"""Real wheels, written by many tools, come out in the form the package index takes."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict

import pytest
from packaging.utils import parse_wheel_filename
from strict_zip import read_strictly
from test_retag import assert_record_is_true

from manylinux_shim.wheel import Archive, WheelName, retag

pytestmark = pytest.mark.pypi

ORIGINS = {
    # Released versions never change, and their wheels differ in who wrote them.
    "setuptools": "MarkupSafe==2.1.5",
    "setuptools, repaired by auditwheel": "wrapt==1.16.0",
    "maturin": "rpds-py==0.18.1",
    "meson-python": "contourpy==1.2.1",
    "hatchling": "hatchling==1.24.2",
    "flit": "flit_core==3.9.0",
    "poetry-core": "poetry_core==1.9.0",
    "pdm-backend": "pdm_backend==2.3.0",
    "scikit-build-core": "awkward_cpp==35",
    "numpy": "numpy==1.26.4",
}


@pytest.fixture(scope="session")
def real_wheels(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """Where the wheel of each origin lies."""
    directory = tmp_path_factory.mktemp("pypi")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    platform = ["--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64"]
    subprocess.run(
        [*command, *platform, "--dest", str(directory), *ORIGINS.values()],
        check=True,
        capture_output=True,
    )
    wheels = {}
    for origin, requirement in ORIGINS.items():
        prefix = requirement.replace("==", "-").replace("-py-", "_py-")
        (wheels[origin],) = directory.glob(f"{prefix}-*.whl")
    return wheels


@pytest.mark.parametrize("origin", ORIGINS)
def test_members_are_read_as_zipfile_reads_them(origin: str, real_wheels: Dict[str, Path]) -> None:
    path = real_wheels[origin]
    with Archive(path) as archive, zipfile.ZipFile(path) as expected:
        assert [member.name for member in archive.members] == expected.namelist()
        for member in archive.members:
            data = expected.read(member.name)
            assert archive.read(member) == data
            assert archive.head(member, 4) == data[:4]


@pytest.mark.parametrize("origin", ORIGINS)
def test_retagged_wheels_keep_the_rules_and_their_content(
    origin: str, real_wheels: Dict[str, Path], tmp_path: Path
) -> None:
    path = real_wheels[origin]
    new = retag(path, ["manylinux_2_31_x86_64"], tmp_path)
    with zipfile.ZipFile(path) as archive:
        before = {i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}
    after = read_strictly(new)
    info = next(name for name in after if name.endswith(".dist-info/RECORD"))[: -len("/RECORD")]
    changed = {f"{info}/WHEEL", f"{info}/RECORD"}
    assert before.keys() == after.keys()
    assert {name for name in after if after[name] != before[name]} == changed
    assert_record_is_true(after, info)
    tags = {f"Tag: {tag}" for tag in WheelName.parse(new.name).tags}
    lines = after[f"{info}/WHEEL"].decode().splitlines()
    assert {line for line in lines if line.startswith("Tag:")} == tags
    assert {str(tag) for tag in parse_wheel_filename(new.name)[3]} == {t[5:] for t in tags}
