"""Directories of this machine that a project names, where a prefix has the library."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional, Sequence

import pytest

from manylinux_shim.compiler._prefixes import (
    in_packages,
    includes_in_prefixes,
    with_libraries_of_prefixes,
)

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


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("-I/v/lib/python3.11/site-packages/pkg/include", "-I{}/pkg/include"),
        ("-I../v/site-packages/pkg/include", "-I{}/pkg/include"),
        ("-isystem/v/dist-packages/pkg/include", "-isystem{}/pkg/include"),
        ("/v/site-packages/pkg/include", "{}/pkg/include"),
        ("-L/v/site-packages/pkg/include/../lib", "-L{}/pkg/include/../lib"),
        ("/v/site-packages/pkg/lib/libpkg.a", "{}/pkg/lib/libpkg.a"),
        ("/v/site-packages/pkg/other.a", None),
        ("-I/v/site-packages/other/include", None),
        ("-I/v/packages/pkg/include", None),
        ("-DX=/v/site-packages/pkg/include", None),
        ("-Wl,-rpath,/v/site-packages/pkg/lib", None),
    ],
)
def test_files_of_a_package(word: str, expected: Optional[str], tmp_path: Path) -> None:
    (tmp_path / "pkg/include").mkdir(parents=True)
    (tmp_path / "pkg/lib").mkdir()
    (tmp_path / "pkg/lib/libpkg.a").touch()
    found = in_packages(["-c", word], ["/no/such", str(tmp_path)])
    assert found == ["-c", word if expected is None else expected.format(tmp_path)]
    assert in_packages(["-c", word], []) == ["-c", word]


def test_nothing_is_written_into_a_package(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.o").touch()
    for option in ("-o", "-MF"):
        words = [option, "/v/site-packages/pkg/a.o"]
        assert in_packages(words, [str(tmp_path)]) == words
