"""The files that went into an object: rules that name them, read and written, and their text.

The form of rules is make's, as clang writes it ("GNU make", "Rule Syntax").
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence, Tuple

_WIDTH = 75

_NOT_THE_TEXT_ALONE = (b"__date__", b"__time__", b"__timestamp__", b"incbin", b".include", b"embed")
"""By which an object depends on the time, or on files that no rule names as the source does."""

_ASKS = b"__has_include"


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


def asked_for(text: bytes) -> Tuple[List[str], str]:
    """Names that a file's text asks ``__has_include`` for; why they cannot be known."""
    names: List[str] = []
    at = text.find(_ASKS)
    while at >= 0:
        line = text[text.rfind(b"\n", 0, at) + 1 : at].rstrip(b" \t(")
        rest = text[at + len(_ASKS) : at + 1024]
        at = text.find(_ASKS, at + 1)
        rest = (rest[5:] if rest.startswith(b"_next") else rest).lstrip(b" \t")
        operand = rest[1:].lstrip(b" \t") if rest[:1] == b"(" else b""
        end = operand.find(b'"' if operand[:1] == b'"' else b">", 1)
        if operand[:1] in (b'"', b"<") and end > 0:
            names.append(operand[1:end].decode("utf-8", "surrogateescape"))
        elif line.endswith((b"define", b"defined", b"def")):
            pass  # whether there is such a thing, or what is in its place without
        elif operand or b"define" in line:
            return [], "asks __has_include for what is computed"
    return names, ""


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
