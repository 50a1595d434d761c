"""``run``: a command sees what a build sees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Sequence

import pytest
from support import projects


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = [sys.executable, "-m", "manylinux_shim", "run", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


SHOW = 'printf "%s " "$TARGET" "$POLICY" "$HOST_TRIPLET"; "$CC" -dumpmachine'


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ((), "x86_64 manylinux_2_17 x86_64-linux-gnu x86_64-linux-gnu"),
        (("-t", "aarch64"), "aarch64 manylinux_2_17 aarch64-linux-gnu aarch64-linux-gnu"),
        (
            ("--policy", "musllinux_1_2"),
            "x86_64 musllinux_1_2 x86_64-linux-musl x86_64-linux-musl",
        ),
    ],
)
def test_command_is_told_of_the_target(
    options: Sequence[str], printed: str, tmp_path: Path
) -> None:
    done = run(*options, "--", "sh", "-c", SHOW, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == printed


def test_prefix_is_searched_first(tmp_path: Path) -> None:
    prefix = tmp_path / "deps"
    (prefix / "include").mkdir(parents=True)
    (prefix / "lib" / "pkgconfig").mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "include" / "seven.h").write_text("int seven(void);", encoding="utf-8")
    (prefix / "lib" / "pkgconfig" / "seven.pc").write_text(
        "Name: seven\nDescription: x\nVersion: 7.7\nLibs: -lseven\n", encoding="utf-8"
    )
    script = prefix / "bin" / "seven-config"
    script.write_text("#!/bin/sh\necho 7\n", encoding="utf-8")
    script.chmod(0o755)
    (tmp_path / "seven.c").write_text("int seven(void) { return 7; }", encoding="utf-8")
    (tmp_path / "main.c").write_text(
        "#include <seven.h>\nint main(void) { return seven() - 7; }", encoding="utf-8"
    )
    commands = (
        "$CC -c seven.c && $AR rcs deps/lib/libseven.a seven.o && $CC main.c -lseven -o main"
        " && ./main && pkg-config --modversion seven && seven-config"
    )
    done = run("--prefix", "deps", "--", "sh", "-c", commands, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "7.7\n7\n"


def test_project_of_ours_has_its_settings(tmp_path: Path) -> None:
    project = projects.tiny(tmp_path / "tiny", settings='policy = "manylinux_2_28"')
    done = run("--", "sh", "-c", 'echo "$POLICY"', cwd=project)
    assert done.stdout.strip() == "manylinux_2_28"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "there is no command to run"),
        (("--", "no-such-command"), 127, "no-such-command cannot be run"),
        (("--", "sh", "-c", "exit 3"), 3, ""),
        (("-C", "policy", "--", "true"), 2, "Give it as KEY=VALUE"),
        (("--prefix", "nowhere", "--", "true"), 2, "nowhere, which `prefix` names"),
        (("-t", "vax", "--", "true"), 2, "vax"),
    ],
)
def test_what_goes_wrong_has_its_code(
    arguments: Sequence[str], code: int, said: str, tmp_path: Path
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


FAILS = 'before-all = "echo made > $PREFIX/lib/libhalf.a; echo it said so; exit 4"'


@pytest.mark.long
def test_before_all_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(cache))
    project = projects.tiny(tmp_path / "tiny", settings=FAILS)
    done = run("--", "true", cwd=project)
    assert done.returncode == 2
    assert "it said so" in done.stdout
    assert "before-all failed for manylinux_2_17_x86_64 (exit code 4)" in done.stderr
    assert [path.name for path in (cache / "libraries").iterdir() if path.is_dir()] == []


@pytest.mark.long
def test_before_all_runs_once_for_the_same_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    project = projects.tiny(tmp_path / "tiny", settings='before-all = "sh ci/libs.sh"')
    projects.write(project, {"ci/libs.sh": "echo ran for $TARGET; touch $PREFIX/include/a.h\n"})

    def ran() -> int:
        done = run("--", "true", cwd=project)
        assert done.returncode == 0, done.stderr
        return done.stdout.count("ran for x86_64")

    assert (ran(), ran()) == (1, 0)
    projects.write(project, {"ci/libs.sh": "echo ran for $TARGET again\n"})
    assert (ran(), ran()) == (1, 0)
    # What was begun and never ended counts for nothing.
    (done,) = (p for p in (tmp_path / "cache" / "libraries").glob("*/.manylinux-shim-done")
               if not (p.parent / "include" / "a.h").exists())  # fmt: skip
    done.unlink()
    assert ran() == 1
