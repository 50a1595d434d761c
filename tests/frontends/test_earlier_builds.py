"""One source tree, several builds: what the earlier ones left behind stays out of the wheel."""

from __future__ import annotations

import zipfile
from pathlib import Path

from support import projects, wheels
from support.workshop import UV_BUILD_HERE, Workshop

from manylinux_shim.audit import audit_wheel


def test_musl_after_glibc_after_the_hosts_compiler_in_one_tree(
    workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    earned = []
    for number, settings in enumerate(
        ({"mode": "off"}, {"policy": "manylinux_2_17"}, {"policy": "musllinux_1_2"})
    ):
        out = tmp_path / f"out-{number}"
        workshop.build(UV_BUILD_HERE, project, out, python=stocked, settings=settings).passed()
        wheel = wheels.only_wheel(out)
        with zipfile.ZipFile(wheel) as archive:
            assert len([name for name in archive.namelist() if name.endswith(".so")]) == 1
        earned.append(audit_wheel(wheel).earned[0])
    assert earned[1].startswith("manylinux")
    assert earned[2].startswith("musllinux")
