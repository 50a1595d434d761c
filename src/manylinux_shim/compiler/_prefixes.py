"""Directories of this machine that a project names, and those of a prefix in their stead.

A project that says ``-I/usr/include/libxml2`` or ``-L/usr/lib`` means the library, and the
prefix has it for the target. So it is with the files of a Python package, where the target's
wheel of it has the same.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Sequence

_INCLUDES = ("/usr/include", "/usr/local/include")
_LIBRARIES = ("/usr/lib64", "/usr/lib", "/lib64", "/lib", "/usr/local/lib64", "/usr/local/lib")
_OPTIONS = ("-I", "-isystem", "-iquote", "-idirafter")
_WRITTEN = ("-o", "-MF")
"""Options before the names of files that the compiler writes."""
_SITES = ("/site-packages/", "/dist-packages/")


def in_packages(words: Sequence[str], packages: Sequence[str]) -> List[str]:
    """The words, with the target's file or directory for one of this machine's Python packages.

    ``packages`` are directories with what wheels for the target have; nothing is written there.
    """
    if not packages:
        return list(words)
    before = ("", *words)
    return [
        word if last in _WRITTEN else _in_package(word, packages)
        for last, word in zip(before, words)
    ]


def _in_package(word: str, packages: Sequence[str]) -> str:
    option = next((o for o in (*_OPTIONS, "-L") if word.startswith(o)), "")
    if word.startswith("-") and not option:
        return word
    for site in _SITES:
        _, found, tail = word.rpartition(site)
        for package in packages if found else ():
            if os.path.exists(f"{package}/{tail}"):
                return f"{option}{package}/{tail}"
    return word


def includes_in_prefixes(words: Sequence[str], prefixes: Sequence[str]) -> List[str]:
    """Directories of the prefixes for those of this machine that the compiler is told of.

    ``prefixes`` are the prefixes' own directories of headers. Those are searched anyway.
    """
    found: List[str] = []
    option = ""
    for word in words:
        path = (
            word if option else next((word[len(o) :] for o in _OPTIONS if word.startswith(o)), "")
        )
        option = word if word in _OPTIONS else ""
        found += _in_prefixes(path, _INCLUDES, prefixes) if path else []
    return list(dict.fromkeys(found))


def with_libraries_of_prefixes(words: Sequence[str], prefixes: Sequence[str]) -> List[str]:
    """The linker's words with the prefixes' directories before those of this machine."""
    at = next((n for n, word in enumerate(words) if _is_of_machine(word)), len(words))
    more = [
        directory
        for word in words[at:]
        if _is_of_machine(word)
        for directory in _in_prefixes(word[2:], _LIBRARIES, prefixes)
    ]
    own = (f"-L{directory}" for directory in dict.fromkeys((*prefixes, *more)))
    return [*words[:at], *own, *words[at:]]


def _is_of_machine(word: str) -> bool:
    places = (f"-L{place}" for place in _LIBRARIES)
    return any(word == place or word.startswith(place + "/") for place in places)


def _in_prefixes(path: str, places: Sequence[str], prefixes: Sequence[str]) -> Iterator[str]:
    """What lies in the prefixes where ``path`` lies in this machine's directories."""
    plain = os.path.normpath(path)
    place = next((p for p in places if plain.startswith(p + "/")), "")
    if not place:
        return
    rest = plain[len(place) + 1 :]
    # Debian's directory of an architecture is one of the prefix's own.
    tails = [rest, rest.partition("/")[2]] if "-linux-" in rest.partition("/")[0] else [rest]
    for prefix in prefixes:
        for tail in filter(None, tails):
            if os.path.isdir(f"{prefix}/{tail}"):
                yield f"{prefix}/{tail}"
