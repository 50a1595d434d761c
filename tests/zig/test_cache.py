"""The cache: where it is when it cannot be where it should, and nothing half done in it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import List

import pytest

from manylinux_shim._errors import ToolchainError
from manylinux_shim.cli import main
from manylinux_shim.zig._cache import cache_root, make_once


def test_the_cache_is_where_the_xdg_specification_says(tmp_path: Path) -> None:
    notices: List[str] = []
    xdg = {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path)}
    assert cache_root(xdg, notices.append) == tmp_path / "xdg" / "manylinux-shim"
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "relative"}
    assert cache_root(home, notices.append) == tmp_path / ".cache" / "manylinux-shim"
    own = {**xdg, "MANYLINUX_SHIM_CACHE_DIR": str(tmp_path / "own")}
    assert cache_root(own, notices.append) == tmp_path / "own"
    assert not notices


@pytest.mark.parametrize("name", ["a file/cache", "file/cache", "white space"])
def test_a_cache_that_cannot_be_used_falls_back_and_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    notices: List[str] = []
    root = cache_root({"MANYLINUX_SHIM_CACHE_DIR": str(tmp_path / name)}, notices.append)
    assert root.is_dir()
    assert root.stat().st_uid == os.getuid()
    assert len(notices) == 1
    assert name in notices[0]
    assert str(root) in notices[0]


def test_what_fails_while_it_is_made_leaves_nothing(tmp_path: Path) -> None:
    def fail(staging: Path) -> None:
        (staging / "half").touch()
        raise OSError(28, "No space left on device")

    with pytest.raises(ToolchainError, match="No space left"):
        make_once(tmp_path / "cache" / "thing", fail)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_process_killed_while_making_does_not_stop_the_next(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from manylinux_shim.zig._cache import make_once\n"
        "def slow(staging):\n"
        "    (staging / 'half').touch(); print('begun', flush=True); time.sleep(60)\n"
        "make_once(Path(sys.argv[1]), slow)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "thing")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    made = make_once(tmp_path / "thing", lambda staging: (staging / "whole").touch())
    assert [path.name for path in made.iterdir()] == ["whole"]


def _make(directory: str) -> None:
    def make(staging: Path) -> None:
        for number in range(20):
            (staging / str(number)).write_text("x")
            time.sleep(0.002)

    made = make_once(Path(directory), make)
    assert len(list(made.iterdir())) == 20


def test_several_processes_at_once_never_see_half_of_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.map(_make, [str(tmp_path / "thing")] * 8)
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]


def test_the_command_shows_the_cache_and_brings_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path))
    for name, days in (("new", 1), ("old", 40)):
        made = make_once(tmp_path / "kind" / name, lambda staging: (staging / "f").touch())
        (made / "f").write_bytes(bytes(2_000_000))
        os.utime(made, (0, time.time() - days * 86400))
    assert main(["cache"]) == 0
    assert "4.0 MB  in all" in capsys.readouterr().out
    assert main(["cache", "prune"]) == 0
    assert "2.0 MB  freed" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "kind").iterdir()] == ["new"]
    assert main(["cache", "prune", "--all"]) == 0
    assert not list((tmp_path / "kind").iterdir())


def test_what_is_used_is_not_old(tmp_path: Path) -> None:
    made = make_once(tmp_path / "thing", lambda staging: (staging / "f").touch())
    os.utime(made, (0, 0))
    make_once(made, lambda staging: None)
    assert time.time() - made.stat().st_mtime < 60


def test_compiled_objects_are_one_entry_and_can_be_brought_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path))
    for days, name in enumerate(("kept-1/a/cR", "kept-1/1/aR")):
        (tmp_path / "objects" / name).parent.mkdir(parents=True)
        (tmp_path / "objects" / name).write_bytes(bytes(10**6))
        used = time.time() - days * 86400
        os.utime(tmp_path / "objects" / name, (used, used))
    assert main(["cache"]) == 0
    assert "  2.0 MB  objects\n" in capsys.readouterr().out
    assert main(["cache", "prune", "--objects", "none"]) == 2
    assert "which is no size" in capsys.readouterr().err
    assert main(["cache", "prune", "--objects", "1500k"]) == 0
    assert "1.0 MB  freed" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "objects").rglob("*R")] == ["cR"]
    (tmp_path / "objects" / "f").mkdir()  # of another layout
    assert main(["cache", "prune", "--objects", "5G"]) == 0
    assert [path.name for path in (tmp_path / "objects").iterdir()] == ["kept-1"]
