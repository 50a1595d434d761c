"""A machine of another architecture that builds: the same wheels come from there as from here."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable, Dict, Iterator

import pytest
from emulated import ARM, Machine, arm
from support import projects, wheels
from support.interpreters import DEBIAN, Interpreter
from support.machine import lacking
from support.workshop import UV_BUILD_WHEEL, Workshop

pytestmark = [pytest.mark.slow, pytest.mark.foreign]

EPOCH = {"SOURCE_DATE_EPOCH": "1600000000"}
SAMPLES = ("setuptools_c", "setuptools_cpp", "scikit_build_core", "meson_python")


class Builder:
    """The emulated machine, with uv and the shim."""

    def __init__(self, machine: Machine, place: Path, workshop: Workshop) -> None:
        self._machine = machine
        self._place = place
        self._inside = machine.root.inside(place)
        for wheel in workshop.links.glob("*.whl"):
            shutil.copy2(wheel, place)
        fetch = [
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary=:all:",
            "-d",
            str(place),
        ]
        platform = ["--platform", "manylinux_2_17_aarch64", "uv"]
        workshop.run([str(workshop.frontends()), *fetch, *platform], place).passed()
        (uv,) = place.glob("uv-*.whl")
        shutil.unpack_archive(str(uv), str(place / "uv"), "zip")
        (self._uv,) = (place / "uv").glob("*.data/scripts/uv")
        self._uv.chmod(0o755)

    def wheel(self, project: Path, name: str, settings: Dict[str, str]) -> Path:
        """The project's wheel, built there by its uv and Python."""
        copy = self._place / name
        projects.copy(project, copy)
        command = [
            self._machine.root.inside(self._uv),
            "build",
            "--wheel",
            "-p",
            "/usr/bin/python3",
        ]
        command += ["-o", f"{self._inside}/{name}/out", f"{self._inside}/{name}"]
        command += [f"-C{key}={value}" for key, value in settings.items()]
        environment = {
            **EPOCH,
            "UV_CACHE_DIR": "/var/tmp/uv",
            "UV_FIND_LINKS": self._inside,
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "XDG_CACHE_HOME": f"{self._inside}/cache",
        }
        done = self._machine.run(command, environment)
        assert done.returncode == 0, done.stdout
        return wheels.only_wheel(copy / "out")


@pytest.fixture(scope="module")
def there(workshop: Workshop) -> Iterator[Builder]:
    machine = arm()
    with machine.root.place() as place:
        yield Builder(machine, place, workshop)


@pytest.mark.parametrize("target", ["aarch64", "x86_64"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_wheel_is_the_same_wherever_it_is_built(
    sample: str,
    target: str,
    there: Builder,
    workshop: Workshop,
    interpreter: Callable[[str], Interpreter],
    tmp_path: Path,
) -> None:
    python = interpreter(DEBIAN)
    if f"3.{python.minor}" != ARM.python:
        lacking(f"Debian with Python {ARM.python}, as on the other machine,")
    project = projects.copy_sample(sample, tmp_path / "project")
    out = tmp_path / "out"
    workshop.build(
        UV_BUILD_WHEEL,
        project,
        out,
        python=python.path,
        settings={"target": target},
        environment=EPOCH,
    ).passed()
    here = wheels.only_wheel(out)
    assert f"_{target}." in here.name
    # Natively nobody says for what.
    wheel = there.wheel(
        project, f"{sample}-{target}", {"target": target} if target != "aarch64" else {}
    )
    assert wheel.name == here.name
    shutil.copy2(wheel, tmp_path)  # to be looked at where they differ
    assert wheels.read(wheel) == wheels.read(here)
    assert wheel.read_bytes() == here.read_bytes()
