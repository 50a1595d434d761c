"""Three layers of settings and the errors on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import pytest

from manylinux_shim import _settings
from manylinux_shim._errors import SettingsError
from manylinux_shim._settings import Settings, documentation, load_settings, near_misses, schema

BACKEND = '[tool.manylinux-shim]\nbackend = "setuptools.build_meta"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(BACKEND)
    return tmp_path


def load(
    project: Path,
    config: Optional[Mapping[str, Any]] = None,
    environ: Optional[Mapping[str, str]] = None,
    table: str = "",
) -> Settings:
    if table:
        (project / "pyproject.toml").write_text(BACKEND + table)
    return load_settings(project, config, environ or {})[0]


@pytest.mark.parametrize(
    ("table", "environ", "config", "expected"),
    [
        ("", {}, None, None),
        ('policy = "manylinux_2_24"', {}, None, "manylinux_2_24"),
        (
            'policy = "manylinux_2_24"',
            {"MANYLINUX_SHIM_POLICY": "manylinux_2_28"},
            None,
            "manylinux_2_28",
        ),
        (
            'policy = "manylinux_2_24"',
            {"MANYLINUX_SHIM_POLICY": "manylinux_2_28"},
            {"policy": "auto"},
            "auto",
        ),
        ('policy = "auto"', {"MANYLINUX_SHIM_POLICY": ""}, None, "auto"),
    ],
    ids=["nothing", "file", "environment", "config setting", "empty variable"],
)
def test_config_setting_wins_over_environment_over_file(
    project: Path, table: str, environ: Dict[str, str], config: Any, expected: Optional[str]
) -> None:
    assert load(project, config, environ, table).policy == expected


@pytest.mark.parametrize(
    ("config", "settings", "rest"),
    [
        (None, None, None),
        ({}, None, None),
        ({"--build-option": "-v"}, None, {"--build-option": "-v"}),
        ({"target": "aarch64", "x": ["1", "2"]}, "aarch64", {"x": ["1", "2"]}),
        ({"manylinux-shim.target": "aarch64"}, "aarch64", None),
        (
            {"manylinux-shim.target": "aarch64", "target": "theirs"},
            "aarch64",
            {"target": "theirs"},
        ),
    ],
)
def test_our_config_settings_are_taken_out_and_the_rest_reaches_the_real_backend(
    project: Path, config: Any, settings: Optional[str], rest: Any
) -> None:
    loaded, left = load_settings(project, config, {})
    assert (loaded.target, left) == (settings, rest)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("polcy", "policy"),
        ("policyy", "policy"),
        ("pollcy", "policy"),
        ("tagret", "target"),
        ("Strip", "strip"),
        ("cxx_runtime", "cxx-runtime"),
    ],
)
def test_config_key_one_slip_away_from_ours_is_named_and_passed_on(
    project: Path, key: str, meant: str
) -> None:
    _, rest = load_settings(project, {key: "x"}, {})
    assert rest == {key: "x"}
    (notice,) = near_misses(rest)
    assert repr(key) in notice
    assert f"Did you mean {meant!r}?" in notice


def test_config_key_further_away_from_ours_gets_no_notice(project: Path) -> None:
    theirs = {"--build-option": "-v", "cmake.define.X": "1", "plcyi": "x", "m": "x", "": "x"}
    assert near_misses(load_settings(project, theirs, {})[1]) == []
    given_both = {"manylinux-shim.target": "aarch64", "target": "theirs"}
    assert near_misses(load_settings(project, given_both, {})[1]) == []


@pytest.mark.parametrize("text", ["true", "1", "yes", "On"])
def test_true_has_the_usual_spellings(project: Path, text: str) -> None:
    assert load(project, {"require-native": text}).require_native is True
    assert load(project, {}, {"MANYLINUX_SHIM_STRIP": "off"}).strip is False


def test_list_of_contents_is_on_and_repair_off_unless_said(project: Path) -> None:
    assert (load(project).sbom, load(project).repair) == (True, False)
    assert load(project, {"sbom": "false"}).sbom is False
    assert load(project, None, {"MANYLINUX_SHIM_REPAIR": "true"}).repair is True
    assert load(project, table="repair = true\nsbom = false").repair is True


def test_exclude_is_a_list_in_every_layer(project: Path) -> None:
    assert load(project, {"exclude": ["a.so.*", "b.so.1,c.so"]}).exclude == (
        "a.so.*",
        "b.so.1",
        "c.so",
    )
    assert load(project, None, {"MANYLINUX_SHIM_EXCLUDE": "a.so, b.so"}).exclude == ("a.so", "b.so")
    assert load(project, table='exclude = ["a.so"]').exclude == ("a.so",)


def test_mode_from_the_file_is_not_named_for_this_build(project: Path) -> None:
    assert not load(project, table='mode = "zig"').mode_named_for_build
    assert load(project, {"mode": "zig"}).mode_named_for_build
    assert load(project, None, {"MANYLINUX_SHIM_MODE": "zig"}).mode_named_for_build
    assert not load(project, table='policy = "auto"').policy_named_for_build
    assert load(project, {"policy": "auto"}).policy_named_for_build


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not name the real backend"),
        ("[tool.manylinux-shim]\n", 'backend = "setuptools.build_meta"'),
        ("[tool]\nmanylinux-shim = 3\n", "is not a table"),
        ("[tool.manylinux-shim\n", "valid TOML"),
        (BACKEND + "polcy = 'auto'\n", "'policy'"),
        (BACKEND + "backend_path = ['.']\n", "'backend-path'"),
        (BACKEND + "target = 'aarch64'\n", "-C target=aarch64"),
        (BACKEND + "strip = 'yes'\n", "true or false"),
        (BACKEND + "policy = 3\n", "Use a string"),
        (BACKEND + "exclude = 'a.so'\n", "Use a list of strings"),
        (BACKEND + "mode = 'fast'\n", "zig, check, relink, off"),
        (BACKEND + "backend-path = [1]\n", "Use a list of strings"),
    ],
)
def test_bad_file_is_an_error_that_names_place_and_remedy(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path, None, {})
    assert told in str(caught.value)
    assert "pyproject.toml" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("config", "environ", "told"),
    [
        ({"manylinux-shim.polcy": "auto"}, {}, "'policy'"),
        ({"manylinux-shim.zzzzzz": "auto"}, {}, "Known are: backend"),
        (None, {"MANYLINUX_SHIM_MOD": "off"}, "'mode'"),
        ({"target": ["aarch64", "s390x"]}, {}, "one build for each"),
        ({"strip": "maybe"}, {}, "true or false"),
        ({"mode": "fast"}, {}, "zig, check, relink, off"),
        (None, {"MANYLINUX_SHIM_MODE": "fast"}, "MANYLINUX_SHIM_MODE"),
    ],
)
def test_bad_setting_of_one_build_is_an_error_with_the_remedy(
    project: Path, config: Any, environ: Dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(project, config, environ)
    assert told in str(caught.value)


def test_missing_pyproject_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no pyproject\.toml"):
        load_settings(tmp_path, None, {})


def test_every_setting_is_documented() -> None:
    rows = documentation()
    assert {"backend", "backend-path", "mode", "target", "policy", "strip"} <= {
        row.name for row in rows
    }
    assert all(row.help and row.default and row.values for row in rows)


SCHEMA = Path(_settings.__file__).with_name("settings.schema.json")


def test_published_schema_is_the_models_own() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()
    assert set(schema()["properties"]) == {row.name for row in documentation()} - {"target"} | {
        "package"
    }


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("backend = 'b'\npolicy = 'manylinux_2_28'\nmode = 'zig'\nstrip = false", ""),
        ("exclude = ['a.so']\n[tool.manylinux-shim.package.a]\nmode = 'relink'", ""),
        ("[tool.manylinux-shim.package.a]\nconfig-settings = { x = 'y' }", ""),
        ("polcy = 'auto'", "polcy"),
        ("policy = 'manylinux'", "policy"),
        ("mode = 'fast'", "mode"),
        ("strip = 'no'", "strip"),
        ("target = 'aarch64'", "target"),
        ("[tool.manylinux-shim.package.a]\npolicy = 'auto'", "policy"),
    ],
)
def test_validate_pyproject_finds_the_schema(text: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.manylinux-shim]\n{text}\n")
    command = [sys.executable, "-m", "validate_pyproject", str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert (done.returncode == 0) == (not wrong), done.stdout
    assert wrong in done.stdout


def test_settings_of_single_packages_are_none_of_the_projects_own(tmp_path: Path) -> None:
    text = f"{BACKEND}[tool.manylinux-shim.package.numpy]\nmode = 'relink'\n"
    (tmp_path / "pyproject.toml").write_text(text)
    settings, _ = load_settings(tmp_path, None, {})
    assert settings.mode is None
