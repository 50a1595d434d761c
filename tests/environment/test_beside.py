"""Two things at once: both come to an end, and an error of either is told."""

from __future__ import annotations

import threading

import pytest

from manylinux_shim._errors import ToolchainError
from manylinux_shim.environment._prepare import beside


def test_result_of_what_was_done_beside_is_waited_for() -> None:
    go = threading.Event()
    with beside(lambda: go.wait(60)) as done:
        go.set()
        assert done() is True


def test_error_beside_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise ToolchainError("out of luck")

    with beside(fail) as done, pytest.raises(ToolchainError, match="out of luck"):
        done()


def test_error_leaves_nothing_running() -> None:
    ended = []
    with pytest.raises(ToolchainError, match="no headers"), beside(lambda: ended.append(1)):
        raise ToolchainError("no headers")
    assert ended == [1]
