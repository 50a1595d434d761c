"""Rules about files, read and written, and what a text asks of other files."""

from __future__ import annotations

from typing import List, Set

import pytest

from manylinux_shim.compiler._sources import (
    Asked,
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
    ("text", "beside", "searched", "perhaps"),
    [
        (b'#include <a.h>\n # include "b.h"\n', ["b.h"], {"a.h"}, set()),
        (b'#include_next "a.h"\n#import <b.h>\n', [], {"a.h", "b.h"}, set()),
        (b'%:include "./a.h"\n#inc\\\nlude "b/c.h"\n', ["a.h", "b/c.h"], set(), set()),
        (b'#if __has_include(<a.h>)\n#elif __has_include ( "b.h" )', [], set(), {"a.h", "b.h"}),
        (b"#if __has_\\\ninclude(<a.h>)\n#if __has_include_next(<b.h>)", [], set(), {"a.h", "b.h"}),
        (b"#if defined(__has_include) && __has_include(<a.h>)\n", [], set(), {"a.h"}),
        (b"#if defined __has_include\n#ifndef __has_include\n", [], set(), set()),
        (b"#ifndef __has_include\n#  define __has_include(x) 0\n#endif\n", [], set(), set()),
        (b"/* without __has_include, or where it includes <a.h> */\n", [], set(), set()),
        (
            b"/* #include's, or\n #include's\n#included x\n import x */ int included;\n",
            [],
            set(),
            set(),
        ),
        (b"/* a\n*/ #include <a.h>\n", [], {"a.h"}, set()),
    ],
)
def test_names_that_are_asked_for(
    text: bytes, beside: List[str], searched: Set[str], perhaps: Set[str]
) -> None:
    asked = Asked()
    assert asked.look_at(spliced(text)) == ""
    assert (asked.beside, asked.searched, asked.perhaps) == (beside, searched, perhaps)
    assert not asked.computed


@pytest.mark.parametrize(
    "text", [b"#include FILE\n", b"#/* a */include A\n", b'#include /**/ "b.h"\n']
)
def test_an_include_may_be_computed(text: bytes) -> None:
    asked = Asked()
    asked.look_at(text)
    assert asked.computed


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
    assert Asked().look_at(text)


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
