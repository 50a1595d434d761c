"""Directories of this machine that a project names, where a prefix has the library."""

from __future__ import annotations

from pathlib import Path
from typing import List, Sequence

import pytest

from manylinux_shim.compiler._prefixes import includes_in_prefixes, with_libraries_of_prefixes

THERE = ("include/libxml2", "include/x86_64-linux-gnu/curl", "lib/x86_64-linux-gnu/mysql", "lib")


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    for name in THERE:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["-I/usr/include/libxml2", "-c", "x.c"], ["include/libxml2"]),
        (["-I", "/usr/local/include/libxml2/"], ["include/libxml2"]),
        (["-isystem", "/usr/include/x86_64-linux-gnu/curl"], ["include/x86_64-linux-gnu/curl"]),
        (["-isystem/usr/include/libxml2", "-I/usr/include/libxml2"], ["include/libxml2"]),
        (["-I/usr/include", "-I/usr/include/other", "-Iinclude/libxml2", "-I."], []),
        (["-DX=/usr/include/libxml2", "/usr/include/libxml2"], []),
        (["-I/usr/include/../../etc"], []),
    ],
)
def test_headers(words: List[str], found: Sequence[str], prefix: str) -> None:
    places = [f"{prefix}/include", f"{prefix}/include/x86_64-linux-gnu"]
    assert includes_in_prefixes(words, places) == [f"{prefix}/{name}" for name in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-Lbuild", "-lx"], ["-Lbuild", "-lx", "{0}", "{1}"]),
        (["-Lbuild", "-L/usr/lib", "-lx"], ["-Lbuild", "{0}", "{1}", "-L/usr/lib", "-lx"]),
        (
            ["-L/usr/lib/x86_64-linux-gnu/mysql"],
            ["{0}", "{1}", "{0}/mysql", "-L/usr/lib/x86_64-linux-gnu/mysql"],
        ),
        (["-L/usr/library"], ["-L/usr/library", "{0}", "{1}"]),
    ],
)
def test_libraries(words: List[str], expected: Sequence[str], prefix: str) -> None:
    places = [f"{prefix}/lib/x86_64-linux-gnu", f"{prefix}/lib"]
    ours = [f"-L{place}" for place in places]
    assert with_libraries_of_prefixes(words, places) == [w.format(*ours) for w in expected]


def test_without_a_prefix_nothing_changes() -> None:
    words = ["-L/usr/lib", "-lx"]
    assert with_libraries_of_prefixes(words, []) == words
    assert includes_in_prefixes(["-I/usr/include/libxml2"], []) == []
