"""Where the values of ``[build-system]`` stand in the text.

tomlkit keeps every byte of a document but does not tell positions. So each
value is replaced by a mark of its own, tomlkit writes the document, and the
marks are where the values were.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping

from manylinux_shim._errors import SettingsError
from manylinux_shim.project._change import newline, unfit

_MARK = "\u27e6{}\u27e7"
_HEADER = re.compile(r"^[ \t]*\[[ \t]*[\"']?build-system[\"']?[ \t]*\]", re.MULTILINE)
_KEYS = ("requires", "build-backend", "backend-path")


class Values:
    """The text with marks for values, and the values as they are written."""

    def __init__(self, text: str) -> None:
        if not _HEADER.search(text):
            raise unfit(
                "has no line [build-system] that starts the table",
                "Write build-system as a table of its own.",
            )
        self.newline = newline(text)
        document = tomlkit().parse(text)
        if document.as_string() != text or _MARK.format("")[0] in text:
            raise unfit("has a form that would not be kept", "Make the change by hand.")
        system: Any = document["build-system"]
        self.written: Dict[str, str] = {}
        for key in _KEYS:
            if key in system:
                self.written[key] = system[key].as_string()
                system[key] = tomlkit().string(_MARK.format(key))
        self._marked = str(document.as_string())

    def text(self, written: Mapping[str, str]) -> str:
        """The document with other values: what is not in ``written`` stays as it was."""
        text = self._marked
        for key, value in {**self.written, **written}.items():
            text = text.replace(f'"{_MARK.format(key)}"', value)
        return text

    def replace_line(self, key: str, line: str) -> str:
        """The line of ``key`` becomes ``line``; the text that stood there."""
        pattern = re.compile(rf'^[^\n]*"{_MARK.format(key)}"[^\r\n]*', re.MULTILINE)
        (found,) = pattern.findall(self._marked)
        self._marked = pattern.sub(lambda _: line, self._marked)
        return str(found).replace(f'"{_MARK.format(key)}"', self.written.pop(key))

    def drop_line(self, key: str) -> None:
        """Take the line of ``key`` out, which is not the first."""
        pattern = re.compile(rf'\r?\n[^\n]*"{_MARK.format(key)}"[^\r\n]*')
        self._marked = pattern.sub("", self._marked)
        del self.written[key]

    def add_line_after(self, key: str, line: str) -> None:
        """A new line behind that of ``key``."""
        pattern = re.compile(rf'"{_MARK.format(key)}"[^\r\n]*')
        self._marked = pattern.sub(lambda found: found[0] + self.newline + line, self._marked)

    def put_back_line(self, mark: str, line: str) -> None:
        """The line that is ``mark`` becomes ``line``."""
        self._marked = self._marked.replace(mark, line, 1)


def tomlkit() -> Any:
    """The library that keeps a file's layout; SettingsError names the extra that has it."""
    try:
        import tomlkit
    except ImportError:
        raise SettingsError(
            "changing pyproject.toml needs tomlkit, which is not installed",
            'Install the command line\'s extra: pip install "manylinux-shim[cli]"',
        ) from None
    return tomlkit
