"""What libstdc++'s headers bring along and libc++'s do not.

Code that was written with GCC prints to ``stderr`` and has included no more than
``<stdexcept>``: there that is enough, because its ``<string>`` needs ``<cstdio>``.
These headers stand before libc++'s of the same names and add what is missed.

Source: ``ext/string_conversions.h`` and ``stdexcept`` of GCC's libstdc++; libc++'s
release notes on the removal of transitive includes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Tuple

from manylinux_shim.zig import make_once

BROUGHT_ALONG = {
    "string": ("cerrno", "cstdio", "cstdlib", "cwchar"),
    "stdexcept": ("string",),
}


def cxx_headers(cache: Path) -> Tuple[str, ...]:
    """clang's arguments that put the headers first, made if they are not in the cache yet."""
    texts = {
        name: "".join(
            ["#pragma once\n", f"#include_next <{name}>\n", *(f"#include <{n}>\n" for n in more)]
        )
        for name, more in BROUGHT_ALONG.items()
    }
    digest = hashlib.sha256("\0".join(texts.values()).encode("utf-8")).hexdigest()[:16]

    def make(staging: Path) -> None:
        for name, text in texts.items():
            (staging / name).write_text(text, encoding="utf-8")

    return ("-isystem", str(make_once(cache / "headers" / f"c++-{digest}", make)))
