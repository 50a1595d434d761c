"""The newest Pythons, which this machine's distribution may not have: native and across."""

from __future__ import annotations

import zipfile
from pathlib import Path

import modules
import pytest
from newest import VERSIONS, newest, newest_system, roots
from support import wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

pytestmark = [pytest.mark.slow, pytest.mark.foreign]

AARCH64 = "manylinux_2_17_aarch64.manylinux2014_aarch64"


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("backend", modules.BACKENDS)
def test_wheel_is_built_for_this_machine(
    version: str, backend: str, workshop: Workshop, tmp_path: Path
) -> None:
    python = newest(version)
    project = modules.project(tmp_path / "project", backend)
    out = tmp_path / "out"
    workshop.build(UV_BUILD_WHEEL, project, out, python=python.path).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"tiny-1.0-{python.tag}-{python.tag}-{wheels.lowest_tags()}.whl"
    wheels.check_manylinux(wheel)
    printed = workshop.try_wheel(wheel, tmp_path / "fresh", modules.USE, python=python.path)
    assert printed == modules.prints(gil=True)


@pytest.fixture(scope="module")
def there(version: str) -> roots.Root:
    return roots.root(newest_system("arm64", "aarch64", version), roots.default_cache())


@pytest.mark.parametrize("backend", modules.BACKENDS)
def test_wheel_is_built_for_another_machine(
    version: str, backend: str, workshop: Workshop, there: roots.Root, tmp_path: Path
) -> None:
    python = newest(version)
    project = modules.project(tmp_path / "project", backend)
    out = tmp_path / "out"
    settings = {"target": "aarch64"}
    workshop.build(UV_BUILD_WHEEL, project, out, python=python.path, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"tiny-1.0-{python.tag}-{python.tag}-{AARCH64}.whl"
    wheels.check_manylinux(wheel, AARCH64)
    with there.place() as place:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
        used = there.python(
            f"import sys; sys.path.insert(0, {there.inside(place)!r})\n{modules.USE}"
        )
    assert used.stdout == modules.prints(gil=True)
