"""The debug information of what was linked, in a file of its own beside it.

That is the same link again with nothing left out: the shipped file lacks parts that are not
loaded alone, so that all addresses are the same, and it is given the shipped one's build id,
by which gdb and debuginfod know the two to belong together.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

DEBUG = "debug"
"""The directory, beside what else links leave behind, of such files: ``xx/yyyy.debug``."""

_STRIPPING = ("-s", "--strip-all", "-S", "--strip-debug", "-x", "--discard-all", "-X")
_WITH_FILE = ("-Map", "--Map", "-dependency-file", "--dependency-file", "-reproduce", "--reproduce",
              "--why-extract", "--print-archive-stats")  # fmt: skip
_SIZE = 20
_HEADS = (
    # namesz, descsz, NT_GNU_BUILD_ID, name (System V ABI, "Note Section"), in both byte orders.
    b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0",
    b"\0\0\0\x04\0\0\0\x14\0\0\0\x03GNU\0",
)


def build_id(data: bytes) -> str:
    """The build id (SHA-1, in hexadecimal) of an ELF file, or of its beginning; empty if none."""
    for head in _HEADS:
        place = data.find(head)
        if place >= 0:
            return data[place + len(head) :][:_SIZE].hex()
    return ""


def file_name(identity: str) -> str:
    """Where debuggers look for the file of a build id, below a directory ``.build-id``."""
    return f"{identity[:2]}/{identity[2:]}.debug"


def whole_link(arguments: Sequence[str], directory: str) -> List[str]:
    """lld's arguments for that file in ``directory``, from those of the link that was done.

    Empty where what was linked has no build id. Makes the directory that it goes into.
    """
    output = arguments[arguments.index("-o") + 1]
    with open(output, "rb") as file:
        identity = build_id(file.read(1 << 16))
    if not identity:
        return []
    path = f"{directory}/{DEBUG}/{file_name(identity)}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    kept: List[str] = []
    rest = iter(arguments)
    for word in rest:
        if word in _WITH_FILE:
            next(rest, None)
        elif word == "-o":
            next(rest, None)
            kept += ["-o", path]
        elif word not in _STRIPPING and word.partition("=")[0] not in (*_WITH_FILE, "--build-id"):
            kept.append(word)
    return [*kept, f"--build-id=0x{identity}"]
