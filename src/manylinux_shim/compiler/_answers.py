"""What build systems ask of a compiler about where things are; clang would tell of the host."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence


def answer(
    words: Sequence[str], *, multiarch: str, tools: str, libraries: Sequence[str]
) -> Optional[str]:
    """The answer to the first question among ``words``, None if clang is to answer.

    ``tools`` is the directory of this compiler's own tools, ``libraries`` are
    the directories where libraries are found.
    """
    for word in words:
        name, _, value = f"-{word.lstrip('-')}".partition("=")
        if name in ("-dumpmachine", "-print-multiarch"):
            return multiarch
        if name == "-print-sysroot":
            return ""
        if name == "-print-search-dirs":
            return f"install: {tools}\nprograms: ={tools}\nlibraries: ={':'.join(libraries)}"
        if name == "-print-libgcc-file-name":
            return "libgcc.a"
        if name == "-print-file-name":
            return _first_existing(value, libraries)
        if name == "-print-prog-name":
            return _first_existing(value, [tools])
    return None


def _first_existing(name: str, directories: Sequence[str]) -> str:
    """The path of ``name`` in the first directory that has it, else ``name`` as GCC does."""
    paths = (f"{directory}/{name}" for directory in directories)
    return next(filter(os.path.exists, paths), name)
