"""Paths that files of a package state, led to where the package is now. Pure.

pkg-config's files, scripts such as ``pg_config``, libtool's and CMake's files and linker
scripts say ``/usr/...``: in a tree of its own that is another directory.
"""

from __future__ import annotations

import re

_PATH = re.compile(
    rb"(?:(?<=-I)|(?<=-L)|(?<![\w.$}/-]))/(?:usr/(?:include|lib|share)|lib(?=/[\w-]+-linux-))\b"
)
_USR = re.compile(rb"(?m)^((?:exec_)?prefix\s*=\s*['\"]?)/usr(?=['\"\s]|$)")
_KINDS = (".pc", ".la", ".cmake", "-config", "_config")
_MOST = 1 << 20


def states_paths(name: str, data: bytes) -> bool:
    """Whether a file of that name is one whose paths are looked up in a build."""
    if len(data) > _MOST or data.startswith(b"\x7fELF"):
        return False
    return name.endswith(_KINDS) or (name.endswith(".so") and not data.startswith(b"!<arch>"))


def relocated(data: bytes, tree: str) -> bytes:
    """The file with its absolute paths below ``tree``, a directory that has a ``usr``."""
    root = tree.encode("utf-8", "surrogateescape")

    def led(match: re.Match[bytes]) -> bytes:
        path = match[0] if match[0].startswith(b"/usr") else b"/usr" + match[0]
        return root + path

    # In one pass, so that nothing is led there twice.
    moved = _PATH.sub(led, data)
    return _USR.sub(lambda match: match[1] + root + b"/usr", moved)
