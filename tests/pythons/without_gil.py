"""CPython without the GIL, built from Debian's source package: no distribution here has one.

    python tests/pythons/without_gil.py [VERSION...]

builds those that are not in the cache yet (3.13, if none is named) and prints where they
are. It needs a C compiler and the headers of zlib.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Dict, Optional, Sequence

from from_source import built, configure_and_install
from support.interpreters import Interpreter

from manylinux_shim._platforms import ARCHITECTURES, Architecture, host_architecture

_OPTIONS = ("--disable-gil", "--disable-test-modules", "--without-ensurepip")
_QUICK = {"OPT": "-DNDEBUG -O1"}
_CROSS = (
    "ac_cv_buggy_getaddrinfo=no",
    "ac_cv_file__dev_ptmx=yes",
    "ac_cv_file__dev_ptc=no",
)
"""What CPython's configure wants to be told in a cross build."""


def without_gil(version: str) -> Interpreter:
    """The interpreter that runs here; CalledProcessError where it cannot be built."""
    tag = f"cp{version.replace('.', '')}"
    return Interpreter(f"{version}t", _built(version) / f"bin/python{version}t", tag)


def without_gil_there(version: str, arch: str) -> Path:
    """The prefix of the same for another architecture, built by Debian's cross compiler."""
    return _built(version, ARCHITECTURES[arch])


def _built(version: str, arch: Optional[Architecture] = None) -> Path:
    foreign = None if arch is host_architecture() else arch
    build_python = _built(version) / f"bin/python{version}t" if foreign else None

    def build(source: Path, installed: Path, prefix: Path) -> None:
        variables: Dict[str, str] = dict(_QUICK)
        options = [*_OPTIONS, f"--prefix={prefix}"]
        if foreign is not None:
            triplet = foreign.triplet_gnu
            host = host_architecture()
            assert host is not None
            options += [f"--host={triplet}", f"--build={host.triplet_gnu}", *_CROSS]
            options += [f"--with-build-python={build_python}"]
            variables.update(CC=f"{triplet}-gcc", CXX=f"{triplet}-g++", AR=f"{triplet}-ar")
            # This machine's libraries are no reason for a module there.
            variables["PKG_CONFIG_LIBDIR"] = os.devnull
        configure_and_install(source, installed, options, variables)

    suffix = f"-{foreign.name}" if foreign is not None else ""
    return built(f"python{version}t{suffix}", version, build)


def main(arguments: Sequence[str]) -> None:
    """Build what is named, and print where it is."""
    for version in arguments or ("3.13",):
        print(without_gil(version).path, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
