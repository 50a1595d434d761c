"""What is said on the way: counts on a terminal, and nothing of them elsewhere."""

from __future__ import annotations

import io

import pytest

from manylinux_shim._messages import counted, fetching


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


@pytest.mark.parametrize(
    ("terminal", "term", "shown"),
    [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)],
)
@pytest.mark.parametrize(("whole", "of"), [(4_000_000, " of 4.0 MB"), (0, " MB")])
def test_bytes_are_counted_on_terminals(
    terminal: bool, term: str, shown: bool, whole: int, of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(terminal)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("manylinux_shim._messages._BETWEEN", -1.0)
    monkeypatch.setenv("TERM", term)
    with fetching("two wheels", whole) as got:
        got(1_500_000)
        got(1_000_000)
    said = stream.getvalue()
    assert (f"fetching two wheels: 2.5{of}" in said) is shown
    assert said == "" or said.endswith("\r\x1b[K")
