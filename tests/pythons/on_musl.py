"""CPython for musl on this machine, built by ``manylinux-shim run`` from Debian's source package.

    python tests/pythons/on_musl.py

builds it if it is not in the cache yet, and prints where it is. It needs musl's loader (Debian's
package ``musl``) to run, and what ``without_gil`` needs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from from_source import built, configure_and_install
from without_gil import without_gil

from manylinux_shim._platforms import Architecture, host_architecture

VERSION = "3.13"
_NOT_FOR_ITS_OWN_BUILD = ("PYTHONPATH", "_PYTHON_HOST_PLATFORM", "_PYTHON_SYSCONFIGDATA_NAME")
"""What tells a build of extensions which Python they are for."""
_KNOWS_MUSL = 'CPP="$CC -E -D__DEFINED_va_list"; export CPP; exec "$@"'
"""CPython's configure knows musl by a macro of its <stdarg.h>, of which clang has its own."""
_OPTIONS = (
    "--disable-test-modules",
    "--without-ensurepip",
    "ac_cv_buggy_getaddrinfo=no",
    "ac_cv_file__dev_ptmx=yes",
    "ac_cv_file__dev_ptc=no",
)


def on_musl() -> Path:
    """The interpreter; CalledProcessError where it cannot be built."""
    arch = host_architecture()
    assert arch is not None
    # Its build runs its own library by a Python of this machine: by one of the same source.
    here = without_gil(VERSION).path
    prefix = built(f"python{VERSION}-musl-{arch.name}", VERSION, _builder(arch, here))
    return prefix / f"bin/python{VERSION}"


def _builder(arch: Architecture, here: Path):  # type: ignore[no-untyped-def]
    def build(source: Path, installed: Path, prefix: Path) -> None:
        options = [
            *_OPTIONS,
            f"--prefix={prefix}",
            f"--host={arch.name}-linux-musl",
            f"--build={arch.triplet_gnu}",
            f"--with-build-python={here}",
        ]
        within = [sys.executable, "-m", "manylinux_shim", "run", "--policy", "musllinux_1_2", "--"]
        within += ["env", *(word for name in _NOT_FOR_ITS_OWN_BUILD for word in ("-u", name))]
        within += ["sh", "-c", _KNOWS_MUSL, "sh"]
        configure_and_install(source, installed, options, {"OPT": "-DNDEBUG -O1"}, within)

    return build


if __name__ == "__main__":
    print(on_musl())
