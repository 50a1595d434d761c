"""The files that went into an object: rules that name them, read and written, and their text.

The form of rules is make's, as clang writes it ("GNU make", "Rule Syntax").
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence, Set

_WIDTH = 75

_NOT_THE_TEXT_ALONE = (b"__date__", b"__time__", b"__timestamp__", b"incbin", b".include", b"embed")
"""By which an object depends on the time, or on files that no rule names as the source does."""

_DIRECTIVES = (b"#", b"%:", b"??=")
"""How they begin; there may be a comment before and within."""


def files_of(rules: str) -> List[str]:
    """The files in clang's rule, in its order, the source first."""
    text = rules.partition(":")[2].replace("\\\n", " ").replace("$$", "$").replace("\\#", "#")
    files = text.replace("\\ ", "\0").split()
    return [file.replace("\0", " ") for file in files]


def rules_for(targets: Sequence[str], files: Sequence[str], *, phony: bool) -> str:
    """Rules by which ``targets``, quoted already, depend on ``files``, in clang's form."""
    lines = [""]
    for target in targets:
        if lines[-1] and len(lines[-1]) + len(target) + 2 > _WIDTH:
            lines[-1] += " \\"
            lines.append(f"  {target}")
        else:
            lines[-1] += f" {target}" if lines[-1] else target
    lines[-1] += ":"
    width = len(lines[-1])
    for file in files:
        if width + len(file) + 3 > _WIDTH:
            lines[-1] += " \\"
            lines.append(" ")
            width = 2
        lines[-1] += f" {quoted(file)}"
        width += len(file) + 1
    lines += [f"{quoted(file)}:" for file in files[1:]] if phony else []
    return "\n".join(lines) + "\n"


def quoted(name: str) -> str:
    """A file's name in a rule."""
    return name.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")


class Asked:
    """The names of files that texts ask for."""

    def __init__(self) -> None:
        self.beside: List[str] = []
        """Of the last text: those in quotes, which are looked for beside it first."""
        self.searched: Set[str] = set()
        """Those in angles, and all of ``#include_next``."""
        self.perhaps: Set[str] = set()
        """Those of ``__has_include``."""
        self.computed = False
        """Whether some are macros."""

    def look_at(self, text: bytes) -> str:
        """Add a text's names; why those of ``__has_include`` cannot be known, or nothing."""
        self.beside = []
        for word in (b"include", b"import"):
            at = text.find(word)
            while at >= 0:
                line = text[text.rfind(b"\n", 0, at) + 1 : at].rstrip(b" \t")
                rest = text[at + len(word) : at + 1024]
                at = text.find(word, at + 1)
                following = rest.startswith(b"_next")
                rest = rest[5:] if following else rest
                if rest[:1].isalnum() or rest[:1] == b"_":
                    continue  # "included"
                rest = rest.lstrip(b" \t")
                if line.endswith(b"__has_"):
                    why = self._has(line[:-6].rstrip(b" \t("), rest)
                    if why:
                        return why
                elif line.strip() in _DIRECTIVES or (
                    b"*/" in line and any(each in line for each in _DIRECTIVES)
                ):
                    self._included(rest, following=following)
        return ""

    def _included(self, rest: bytes, *, following: bool) -> None:
        name = _literal(rest)
        if not name:  # a macro, or a comment before something; else this is prose
            self.computed = self.computed or rest[:1].isalpha() or rest[:1] in (b"_", b"/")
        elif rest[:1] == b'"' and not following:
            self.beside.append(name)
        else:
            self.searched.add(name)

    def _has(self, line: bytes, rest: bytes) -> str:
        operand = rest[1:].lstrip(b" \t") if rest[:1] == b"(" else b""
        name = _literal(operand)
        if name:
            self.perhaps.add(name)
        elif line.endswith((b"define", b"defined", b"def")):
            pass  # whether there is such a thing, or what is in its place without
        elif operand or b"define" in line:
            return "asks __has_include for what is computed"
        return ""


def asks_for(name: str, source: str, directories: Sequence[str], at_most: int) -> bool:
    """Whether a source, or what it includes, may include ``name``; read without its conditions.

    Of more files than ``at_most`` it is not known, and so they may.
    """
    waiting = [source]
    seen: Set[str] = set()
    while waiting:
        path = waiting.pop()
        try:
            with open(path, "rb", buffering=0) as file:
                text = spliced(file.read())
        except OSError:
            continue
        asked = Asked()
        asked.look_at(text)
        names = [*asked.beside, *asked.searched]
        if name in names:
            return True
        places = [os.path.dirname(path) or ".", *directories]
        found = (next((p for p in places if os.path.isfile(f"{p}/{n}")), None) for n in names)
        new = {f"{place}/{n}" for place, n in zip(found, names) if place is not None} - seen
        seen |= new
        waiting += new
        if len(seen) > at_most:
            return True
    return False


def _literal(text: bytes) -> str:
    """The name in quotes or angles that a text begins with; empty for another beginning."""
    end = text.find(b'"' if text[:1] == b'"' else b">", 1)
    name = text[1:end].decode("utf-8", "surrogateescape") if end > 0 else ""
    while name.startswith("./"):  # as clang's rules have it
        name = name[2:].lstrip("/")
    return name if text[:1] in (b'"', b"<") else ""


def depends_on_more(text: bytes) -> str:
    """What in a file's text makes an object depend on more than the text of its files."""
    text = text.lower()
    for word in _NOT_THE_TEXT_ALONE:
        at = text.find(word)
        while at >= 0:
            before = text[text.rfind(b"\n", 0, at) + 1 : at]
            if word != b"embed" or before.endswith(b"__has_") or before.strip() in (b"#", b"%:"):
                return f"says {word.decode()}"
            at = text.find(word, at + 1)
    return ""


def spliced(data: bytes) -> bytes:
    """A file's text with what goes on in the next line in one."""
    return data.replace(b"\\\r\n", b"").replace(b"\\\n", b"")
