"""Commands of ``before-all`` and their inputs that will not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from manylinux_shim.cli import main

SETTINGS = '[tool.manylinux-shim]\nbackend = "setuptools.build_meta"\nbefore-all = {}\n'


@pytest.mark.parametrize(
    ("command", "inputs", "said"),
    [
        ('"true"', '["/etc/passwd"]', "is no pattern of files in the project"),
        ('"true"', '["nothing/*.c"]', "matches no file of"),
        ('"sh \'build.sh"', "[]", "which is no command"),
        ('"exit 3"', "[]", "before-all failed for manylinux_2_17_aarch64 (exit code 3)"),
    ],
)
def test_what_will_not_do_is_named_and_nothing_is_kept(
    command: str,
    inputs: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    text = SETTINGS.format(command) + f"before-all-inputs = {inputs}\n"
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--target", "aarch64", "--", "true"]) != 0
    error = capfd.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.long
def test_directory_is_filled_once_and_told_from_another_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    for word, runs in (("one", 1), ("one", 0), ("two", 1)):
        command = f'"echo filled by {word}; test -z $LDSHARED; touch $PREFIX/include/{word}.h"'
        (tmp_path / "pyproject.toml").write_text(SETTINGS.format(command))
        assert main(["run", "--target", "aarch64", "--", "true"]) == 0
        said = capfd.readouterr()
        assert said.out.count(f"filled by {word}") == runs, said
