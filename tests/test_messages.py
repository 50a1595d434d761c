"""What is said on the way: counts on a terminal, and nothing of them elsewhere."""

from __future__ import annotations

import io

import pytest

from manylinux_shim._messages import counted


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "term", "shown"),
    [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)],
)
def test_count_is_for_terminals(
    terminal: bool, term: str, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(terminal)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", term)
    with counted("fetching", 2) as one_more:
        for _ in range(3):
            one_more()
    said = stream.getvalue()
    assert ("fetching: 2 of 2" in said) is shown
    assert "3 of 2" not in said
    assert said == "" or said.endswith("\r\x1b[K")
