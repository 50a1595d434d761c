"""CPython built from Debian's source package: those that no distribution here has.

What is built stays in the cache of foreign systems, and one takes some minutes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Mapping, Sequence

# Debian's packages are fetched as for the systems of other architectures.
sys.path.append(str(Path(__file__).resolve().parent.parent))
sys.path.append(str(Path(__file__).resolve().parent.parent / "foreign"))
import debian
import roots

from manylinux_shim.libraries import Apt

SUITES = {"3.13": "trixie"}
"""Where Debian has the source of a version."""


def built(name: str, version: str, build: Callable[[Path, Path, Path], None]) -> Path:
    """The prefix of an interpreter under its name in the cache.

    ``build`` gets the source, a directory to install into (``DESTDIR``) and the prefix.
    """
    cache = roots.default_cache()
    directory = cache / name
    if directory.is_dir():
        return directory
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
            try:
                build(_source(version, scratch), scratch / "installed", directory)
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


def configure_and_install(
    source: Path,
    installed: Path,
    options: Sequence[str],
    variables: Mapping[str, str],
    within: Sequence[str] = (),
) -> None:
    """The usual three commands, ``within`` another one; CalledProcessError if one fails."""
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    install = ["make", "altinstall", f"DESTDIR={installed}"]
    for command in (["./configure", *options], ["make", jobs], install):
        done = subprocess.run(
            ["nice", *within, *command],
            cwd=source,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode != 0:
            sys.stdout.write(done.stdout[-20000:])
            raise subprocess.CalledProcessError(done.returncode, command)
