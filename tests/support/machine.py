"""What this machine may lack: a skip that says so, and a failure where all has to be there."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from typing import NoReturn, Tuple

import pytest

REQUIRE = "REQUIRE_ALL_PYTHONS"
"""With this variable set, a Python or anything else that tests need and that is missing here
fails them: so it is in CI."""


def lacking(what: str) -> NoReturn:
    """End the test that needs ``what``, a noun phrase."""
    if os.environ.get(REQUIRE):
        pytest.fail(f"no {what} on this machine, and {REQUIRE} is set", pytrace=False)
    pytest.skip(f"no {what} on this machine")


def pseudo_terminal() -> Tuple[int, int]:
    """Both ends of a new one; without devpts there is none."""
    try:
        return pty.openpty()
    except OSError:
        lacking("pseudo-terminal")


def need_program(name: str) -> None:
    """End a test that needs a program which is not on the path."""
    if shutil.which(name) is None:
        lacking(name)


def need_library(name: str) -> None:
    """End a test that needs what pkg-config does not know."""
    need_program("pkg-config")
    if subprocess.run(["pkg-config", "--exists", name], check=False).returncode != 0:
        lacking(f"{name} with its headers")


def need_debians_rust(*packages: str) -> None:
    """End a test that needs the compiler of Debian's package, and more packages of it."""
    for name in ("/usr/bin/rustc", *packages):
        command = ["dpkg", "-S", name] if name.startswith("/") else ["dpkg", "-s", name]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError:
            lacking("dpkg")
        if done.returncode != 0:
            lacking(f"{name} of Debian")
