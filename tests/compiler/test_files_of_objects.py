"""Rules about files, read and written, and what a text asks of other files."""

from __future__ import annotations

from typing import List

import pytest

from manylinux_shim.compiler._sources import (
    asked_for,
    depends_on_more,
    files_of,
    quoted,
    rules_for,
    spliced,
)


def test_rules_name_what_was_put_into_them() -> None:
    files = ["a.c", "/a/b c.h", "it$.h", "n#1.h", *(f"include/{'x' * n}.h" for n in range(60))]
    text = rules_for(["a.o"], files, phony=False)
    assert files_of(text) == files
    assert all(len(line) <= 80 for line in text.splitlines())
    assert files_of("o:\n") == []


def test_phony_rules_are_of_all_but_the_source() -> None:
    assert rules_for(["x", "y"], ["a.c", "b c.h"], phony=True) == "x y: a.c b\\ c.h\nb\\ c.h:\n"


def test_names_are_quoted_as_make_reads_them() -> None:
    assert quoted("a $b#c") == "a\\ $$b\\#c"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"#include <a.h>\n", []),
        (b'#if __has_include(<a.h>)\n#elif __has_include ( "b/c.h" )\n', ["a.h", "b/c.h"]),
        (b"#if __has_\\\ninclude(<a.h>)\n#if __has_include_next(<b.h>)\n", ["a.h", "b.h"]),
        (b"#if defined(__has_include) && __has_include(<a.h>)\n", ["a.h"]),
        (b"#if defined __has_include\n#ifdef __has_include\n#ifndef __has_include\n", []),
        (b"#ifndef __has_include\n#  define __has_include(x) 0\n#endif\n", []),
        (b"/* without __has_include, or where it is not */\n", []),
    ],
)
def test_names_that_are_asked_for(text: bytes, names: List[str]) -> None:
    assert asked_for(spliced(text)) == (names, "")


@pytest.mark.parametrize(
    "text",
    [
        b"#define HAS(x) __has_include(x)\n",
        b"#define HAS __has_include\n#if HAS(<a.h>)\n",
        b"#if __has_include(CONFIG)\n",
        b"#if defined(A) && __has_include(A)\n",
    ],
)
def test_names_that_are_computed_are_said_to_be(text: bytes) -> None:
    assert asked_for(text)[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"x = __DATE__;", "says __date__"),
        (b"__TIME__", "says __time__"),
        (b'asm(".incbin \\"x\\"")', "says incbin"),
        (b' # embed "x"', "says embed"),
        (b'#if __has_embed("x")', "says embed"),
        (b"/* what is embedded */ int embed; __DATE", ""),
        (b"#include <a.h>\n", ""),
    ],
)
def test_texts_that_depend_on_more(text: bytes, why: str) -> None:
    assert depends_on_more(text) == why
