"""Completions that a shell reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from manylinux_shim import cli

shtab = pytest.importorskip("shtab")


@pytest.mark.parametrize(
    "shell", [s for s in ("bash", "zsh", "fish") if s in shtab.SUPPORTED_SHELLS]
)
def test_every_command_is_in_the_completions_of(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["complete", shell]) == 0
    printed = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if name not in printed] == []
    assert "--print-matrix" in printed or "print-matrix" in printed


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sho"], ["show"]),
        (["build", "--frontend", "u"], ["uv"]),
        (["build", "--target", "aar"], ["aarch64"]),
        (["complete", "fi"], ["fish"]),
        (["relink", "--pol"], ["--policy"]),
    ],
)
def test_bash_completes(words: List[str], expected: List[str], tmp_path: Path) -> None:
    script = tmp_path / "completion"
    with script.open("w") as file:
        command = [sys.executable, "-m", "manylinux_shim", "complete", "bash"]
        subprocess.run(command, stdout=file, check=True)
    line = ["manylinux-shim", *words]
    ask = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
        " function=$(complete -p manylinux-shim | sed 's/.*-F \\([^ ]*\\).*/\\1/');"
        ' "$function" manylinux-shim "${COMP_WORDS[COMP_CWORD]}";'
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", ask, "bash", str(script), *line],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    assert [word.strip() for word in done.stdout.split()] == expected


def test_without_shtab_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert cli.main(["complete", "bash"]) == 2
    assert 'pip install "manylinux-shim[cli]"' in capsys.readouterr().err
