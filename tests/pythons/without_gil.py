"""CPython without the GIL, built from Debian's source package: no distribution here has one.

    python tests/pythons/without_gil.py [VERSION...]

builds those that are not in the cache yet (3.13, if none is named) and prints where they
are. One takes some minutes. It needs a C compiler and the headers of zlib.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from support.interpreters import Interpreter

# Debian's packages are fetched as for the systems of other architectures.
sys.path.append(str(Path(__file__).resolve().parent.parent / "foreign"))
import debian
import roots

from manylinux_shim._platforms import ARCHITECTURES, Architecture, host_architecture
from manylinux_shim.libraries import Apt

SUITES = {"3.13": "trixie"}
"""Where Debian has the source of a version."""
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
    native = arch is None or arch is host_architecture()
    name = f"python{version}t" + ("" if native or arch is None else f"-{arch.name}")
    cache = roots.default_cache()
    directory = cache / name
    if directory.is_dir():
        return directory
    cache.mkdir(parents=True, exist_ok=True)
    build_python = None if native else _built(version) / f"bin/python{version}t"
    with (cache / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
            try:
                source = _source(version, scratch)
                _build(source, scratch, directory, arch if build_python else None, build_python)
                (scratch / "installed" / directory.relative_to("/")).rename(directory)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return directory


def _source(version: str, scratch: Path) -> Path:
    """The source as CPython released it, from Debian's package."""
    where = debian.source()
    signed_by = f"[signed-by={where.signed_by}] " if where.signed_by else ""
    line = f"deb-src {signed_by}{where.uri} {SUITES[version]} main"
    apt = Apt(scratch / "apt", debian.host(), source=line)
    for arguments in (("update",), ("source", "--download-only", f"python{version}")):
        code, said = apt.call(*arguments, cwd=scratch)
        if code != 0:
            raise RuntimeError(said)
    (archive,) = scratch.glob("*.orig.tar.xz")
    (scratch / "source").mkdir()
    extract = ["tar", "--extract", "--strip-components=1", "--file", str(archive)]
    subprocess.run([*extract, "--directory", str(scratch / "source")], check=True)
    return scratch / "source"


def _build(
    source: Path,
    scratch: Path,
    prefix: Path,
    arch: Optional[Architecture],
    build_python: Optional[Path],
) -> None:
    variables: Dict[str, str] = {**os.environ, **_QUICK}
    options = [*_OPTIONS, f"--prefix={prefix}"]
    if arch is not None:
        triplet = arch.triplet_gnu
        host = host_architecture()
        assert host is not None
        options += [f"--host={triplet}", f"--build={host.triplet_gnu}", *_CROSS]
        options += [f"--with-build-python={build_python}"]
        variables.update(CC=f"{triplet}-gcc", CXX=f"{triplet}-g++", AR=f"{triplet}-ar")
        # This machine's libraries are no reason for a module there.
        variables["PKG_CONFIG_LIBDIR"] = os.devnull
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    install: List[str] = ["make", "altinstall", f"DESTDIR={scratch / 'installed'}"]
    for command in (["./configure", *options], ["make", jobs], install):
        done = subprocess.run(
            ["nice", *command],
            cwd=source,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode != 0:
            sys.stdout.write(done.stdout[-20000:])
            raise subprocess.CalledProcessError(done.returncode, command)


def main(arguments: Sequence[str]) -> None:
    """Build what is named, and print where it is."""
    for version in arguments or ("3.13",):
        print(without_gil(version).path, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
