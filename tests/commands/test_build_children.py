"""Programs that builds are run by: what they print, and that they end."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import List

import pytest

from manylinux_shim._errors import ShimError
from manylinux_shim.commands.build_wheels._building import _require_as_asked, put
from manylinux_shim.commands.build_wheels._children import Children, Stopped
from manylinux_shim.commands.build_wheels._jobs import Job


def run(script: str, tmp_path: Path, children: Children, lines: List[str]) -> int:
    command = ["/bin/sh", "-c", script]
    return children.run(command, tmp_path, os.environ, tmp_path / "log", lines.append)


def test_every_line_of_both_streams_is_heard_and_logged(tmp_path: Path) -> None:
    lines: List[str] = []
    script = "echo one; echo two >&2; printf 'no\\377 end'; exit 3"
    assert run(script, tmp_path, Children(), lines) == 3
    assert lines == ["one", "two", "no\ufffd end"]
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\nno\xff end"


def test_what_a_build_leaves_running_does_not_hold_it_up(tmp_path: Path) -> None:
    lines: List[str] = []
    assert run("sleep 600 & echo $!", tmp_path, Children(), lines) == 0
    os.kill(int(lines[0]), signal.SIGKILL)  # it was there, or this fails


@pytest.mark.long
def test_program_that_does_not_want_to_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    children = Children()
    heard = threading.Event()
    lines: List[str] = []
    ended: List[BaseException] = []

    def hear(line: str) -> None:
        lines.append(line)
        heard.set()

    def work() -> None:
        script = "trap '' INT TERM; (trap '' INT TERM; sleep 600) & echo $!; wait; sleep 600"
        command = ["/bin/sh", "-c", script]
        try:
            children.run(command, tmp_path, os.environ, tmp_path / "log", hear)
        except Stopped as stopped:
            ended.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    assert heard.wait(60)
    children.stop()
    thread.join(60)
    assert ended
    stat = Path(f"/proc/{lines[0]}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
    with pytest.raises(Stopped):
        run("echo", tmp_path, children, [])


@pytest.mark.parametrize(
    ("tags", "job"),
    [
        ("manylinux_2_17_aarch64.manylinux2014_aarch64", Job("aarch64", None, "")),
        ("manylinux_2_12_x86_64.manylinux2010_x86_64", Job("x86_64", "manylinux_2_17", "")),
        ("manylinux_2_5_x86_64.musllinux_1_1_x86_64", Job("x86_64", "musllinux_1_2", "")),
        ("linux_x86_64", Job("x86_64", None, "")),
        ("any", Job("s390x", "manylinux_2_17", "")),
    ],
)
def test_wheel_that_is_as_asked_for_is_taken(tags: str, job: Job) -> None:
    _require_as_asked(f"demo-1.0-cp311-cp311-{tags}.whl", job)


@pytest.mark.parametrize(
    ("tags", "job"),
    [
        ("linux_x86_64", Job("aarch64", None, "")),
        ("linux_x86_64", Job("x86_64", "manylinux_2_17", "")),
        ("linux_x86_64", Job("x86_64", "auto", "")),
        ("manylinux_2_28_x86_64", Job("x86_64", "manylinux_2_17", "")),
        ("manylinux_2_17_x86_64", Job("x86_64", "musllinux_1_2", "")),
    ],
)
def test_wheel_for_something_else_is_an_error(tags: str, job: Job) -> None:
    with pytest.raises(ShimError, match="as asked for"):
        _require_as_asked(f"demo-1.0-cp311-cp311-{tags}.whl", job)


def test_wheel_that_cannot_be_put_leaves_nothing_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "demo.whl").mkdir(parents=True)
    (tmp_path / "demo.whl").write_bytes(b"wheel")
    with pytest.raises(OSError, match=r"demo\.whl"):
        put(tmp_path / "demo.whl", out)
    assert [path.name for path in out.iterdir()] == ["demo.whl"]
