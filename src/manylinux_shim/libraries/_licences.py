"""What packages say of their licences, as SPDX expressions. Pure."""

from __future__ import annotations

import re

# Debian's short names (machine-readable debian/copyright, 7.1) and SPDX's identifiers.
_SPDX = {
    "apache-2.0": "Apache-2.0", "artistic": "Artistic-1.0-Perl", "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause", "bsd-4-clause": "BSD-4-Clause", "expat": "MIT", "mit": "MIT",
    "isc": "ISC", "zlib": "Zlib", "postgresql": "PostgreSQL", "openldap-2.8": "OLDAP-2.8",
    "curl": "curl", "libpng": "libpng-2.0", "python-2.0": "Python-2.0", "mpl-2.0": "MPL-2.0",
}  # fmt: skip
_GNU = re.compile(r"(A?GPL|LGPL|GFDL)-([0-9]+(?:\.[0-9]+)?)(\+?)", re.IGNORECASE)
_FILES = re.compile(r"(?ms)^Files:\s*\*\s*$.*?^License:[ \t]*(?P<licence>[^\n]*)$")


def debian_licence(copyright_file: bytes) -> str:
    """The licence of most of a package's files; empty where that is not said in a known form."""
    match = _FILES.search(copyright_file.decode("utf-8", "replace"))
    return _spdx(match["licence"].strip()) if match else ""


def wheel_licence(metadata: str) -> str:
    """A wheel's licence expression (PEP 639); empty where it has none."""
    match = re.search(r"(?m)^License-Expression:[ \t]*(\S.*)$", metadata)
    return match[1].strip() if match else ""


def _spdx(name: str) -> str:
    gnu = _GNU.fullmatch(name)
    if gnu is not None:
        number = gnu[2] if "." in gnu[2] else f"{gnu[2]}.0"
        return f"{gnu[1].upper()}-{number}-{'or-later' if gnu[3] else 'only'}"
    return _SPDX.get(name.lower(), "")
