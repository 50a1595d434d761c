"""A project that surely compiles nothing gets no compiler; any doubt gets one."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

import pytest
from support import projects

from manylinux_shim._settings import Settings
from manylinux_shim.project._backends import compiles_nothing

NO_MORE: Mapping[str, str] = {}


@pytest.mark.parametrize(
    ("backend", "requires", "tables", "files", "nothing"),
    [
        ("flit_core.buildapi", "flit_core", "", NO_MORE, True),
        ("uv_build", "uv_build", "", NO_MORE, True),
        ("hatchling.build", "hatchling", "", NO_MORE, True),
        ("hatchling.build", "hatchling", "[tool.hatch.build.hooks.custom]", NO_MORE, False),
        (
            "hatchling.build", "hatchling", "[tool.hatch.build.targets.wheel.hooks.custom]",
            NO_MORE, False,
        ),
        ("hatchling.build", "hatchling", "", {"hatch_build.py": ""}, False),
        ("poetry.core.masonry.api", "poetry-core", "[tool.poetry]", NO_MORE, True),
        (
            "poetry.core.masonry.api", "poetry-core", "[tool.poetry.build]\nscript = 'b.py'",
            NO_MORE, False,
        ),
        ("pdm.backend", "pdm-backend>=2", "", NO_MORE, True),
        ("pdm.backend", "pdm_backend", "[tool.pdm.build]\nincludes = ['a']", NO_MORE, True),
        ("pdm.backend", "pdm-backend", "", {"pdm_build.py": ""}, False),
        (
            "pdm.backend", "pdm-backend", "[tool.pdm.build]\ncustom-hook = 'b.py'",
            {"b.py": ""}, False,
        ),
        ("pdm.backend", "pdm-backend", "[tool.pdm.build]\nrun-setuptools = true", NO_MORE, False),
        ("pdm.backend", 'pdm-backend", "pdm-build-more', "", NO_MORE, False),
        ("mesonpy", "meson-python", "", NO_MORE, False),
        ("scikit_build_core.build", "scikit-build-core", "", NO_MORE, False),
        ("one.of.their.own", "own", "", NO_MORE, False),
    ],
)  # fmt: skip
def test_only_a_backend_that_is_sure_to_compile_nothing_counts(
    backend: str,
    requires: str,
    tables: str,
    files: Mapping[str, str],
    nothing: bool,
    tmp_path: Path,
) -> None:
    text = projects.pyproject([requires], backend) + tables
    projects.write(tmp_path, {"pyproject.toml": text, **files})
    assert compiles_nothing(Settings(backend=backend), tmp_path) is nothing


def test_backend_in_the_tree_may_compile(tmp_path: Path) -> None:
    projects.write(tmp_path, {"pyproject.toml": projects.pyproject(["flit_core"])})
    settings = Settings(backend="flit_core.buildapi", backend_path=("_build",))
    assert not compiles_nothing(settings, tmp_path)
