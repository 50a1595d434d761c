"""The README says what is so: every block in it is used here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
from support.interpreters import uv

from manylinux_shim import _settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def blocks(language: str) -> List[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def settings_table() -> str:
    lines = ["| key | what | values | default |", "|---|---|---|---|"]
    lines += [
        f"| `{key.name}` | {key.help} | {key.values} | {key.default} |"
        for key in _settings.documentation()
    ]
    return "\n".join(lines)


def test_table_of_settings_is_the_models_own() -> None:
    start, end = "model -->\n", "\n<!-- end of settings"
    assert README[README.index(start) + len(start) : README.index(end)] == settings_table()


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_example_of_pyproject_is_a_configuration_that_loads(
    block: str, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
    system = tomllib.loads(block)["build-system"]
    settings, _ = _settings.load_settings(tmp_path, None, {})
    assert "manylinux-shim" in system["requires"]
    assert any(settings.backend.split(".")[0] in name for name in system["requires"])
    assert system["build-backend"] == "manylinux_shim" or "backend-path" in system


@pytest.mark.parametrize("block", blocks("python"))
def test_the_backend_in_the_tree_is_the_one_of_the_sample(block: str) -> None:
    sample = (ROOT / "sample_projects/in_tree_backend/_build/build_backend.py").read_text()
    for line in ("from manylinux_shim import *", "def build_wheel("):
        assert line in block
        assert line in sample
    compile(block, "README.md", "exec")


def test_first_command_builds_the_samples_wheel(tmp_path: Path) -> None:
    command = blocks("sh")[0]
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    subprocess.run(["sh", "-e"], input=command, cwd=clone, check=True, encoding="utf-8")
    wheels = sorted((clone / "sample_projects/setuptools_c/dist").glob("*.whl"))
    assert [w.name for w in wheels if "-manylinux_2_17_" in w.name]
    assert len(wheels) == 1


def test_cross_builds_of_the_readme_give_the_wheels_it_tells_of(tmp_path: Path) -> None:
    (block,) = (block for block in blocks("sh") if "-C target=" in block)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    project = clone / "sample_projects/setuptools_c"
    environment = {**os.environ, "PATH": f"{Path(uv()).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        ["sh", "-e"], input=block, cwd=project, env=environment, check=True, encoding="utf-8"
    )
    built = sorted(path.name.partition("-cp")[2] for path in (project / "dist").glob("*.whl"))
    assert [name.partition("-")[2].partition("-")[2] for name in built] == [
        "manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        "musllinux_1_2_armv7l.whl",
    ]


def test_second_command_is_what_the_projects_own_check_runs() -> None:
    command = blocks("sh")[1].strip()
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_commands_on_wheels_exist() -> None:
    named = re.findall(r"^manylinux-shim (\w+)", "\n".join(blocks("sh")), re.MULTILINE)
    assert named
    for command in named:
        subprocess.run(
            [sys.executable, "-m", "manylinux_shim.cli", command, "--help"],
            check=True,
            stdout=subprocess.DEVNULL,
        )


def test_switching_the_shim_off_is_a_setting() -> None:
    (variable, value) = re.search(r"(MANYLINUX_SHIM_\w+)=(\w+) pip", README).groups()
    assert variable == "MANYLINUX_SHIM_MODE"
    assert value in _settings.MODES
