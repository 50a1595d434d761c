"""Debian's packages of any release and architecture, unpacked side by side with this system.

apt fetches them, from the mirror and with the keys that this machine's own apt is
configured with; only unpacking is ever done with them.
"""

from __future__ import annotations

import fcntl
import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence

from manylinux_shim._messages import say
from manylinux_shim.libraries import Apt

_LAYOUT = 2
"""Counts up when what stands in a tree changes, so that an old one is not used."""

_MERGED = ("bin", "lib", "lib32", "lib64", "sbin")
"""Debian's merged /usr: directories of the root that are links into it."""


@dataclass(frozen=True)
class Source:
    """Where apt gets Debian's packages from on this machine."""

    uri: str
    signed_by: str
    """The keyring's path; empty where apt's general one is used."""


_MIRROR, _KEYRING = "MANYLINUX_SHIM_DEBIAN", "/usr/share/keyrings/debian-archive-keyring.gpg"


def source() -> Source:
    """The first of apt's sources that is Debian itself, or the mirror that a variable names.

    RuntimeError if there is none.
    """
    mirror = os.environ.get(_MIRROR)
    if mirror:
        if not Path(_KEYRING).is_file():
            raise RuntimeError(f"{_KEYRING} is missing: apt install debian-archive-keyring")
        return Source(mirror, _KEYRING)
    listed = subprocess.run(
        ["apt-get", "indextargets", "Origin: Debian", "Label: Debian", "Component: main"],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    ).stdout
    fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", listed.partition("\n\n")[0], re.MULTILINE))
    if "Repo-URI" not in fields:
        raise RuntimeError(
            "apt knows no source of Debian's packages: run `apt-get update` on a Debian system; on"
            f" Ubuntu name a mirror of Debian in {_MIRROR}, and install debian-archive-keyring"
        )
    listing, _, number = fields["Sourcesentry"].rpartition(":")
    entry = _entry(Path(listing).read_text(encoding="utf-8"), int(number))
    signed = re.search(r"signed-by\s*[:=]\s*(/[^\s,\]]+)", entry, re.IGNORECASE)
    return Source(fields["Repo-URI"], signed[1] if signed else "")


def _entry(text: str, number: int) -> str:
    """apt's ``sources.list:NUMBER``: that line, or the stanza of that line."""
    lines = text.splitlines()
    line = lines[number - 1]
    if line.lstrip().startswith("deb"):
        return line
    return re.split(r"\n\s*\n", "\n".join(lines[number - 1 :]))[0]


def host() -> str:
    """Debian's name of this machine's architecture."""
    command = ["dpkg", "--print-architecture"]
    return subprocess.run(command, stdout=subprocess.PIPE, encoding="ascii", check=True).stdout[:-1]


def tree(
    cache: Path,
    suite: str,
    architecture: str,
    packages: Sequence[str],
    *,
    dependencies: bool = False,
    keep: Sequence[str] = ("*",),
) -> Path:
    """A directory with ``packages`` unpacked in it, made if it is not in ``cache`` yet.

    ``architecture`` is Debian's name. With ``dependencies``, all that the packages
    need to run is there too; no package's scripts have run. Files whose path matches
    no pattern of ``keep`` are left out. Several processes may ask for the
    same tree. Raises CalledProcessError when apt or dpkg fails.
    """
    wanted = " ".join([*sorted(packages), str(dependencies), *keep, str(_LAYOUT)])
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    directory = cache / f"{suite}-{architecture}-{digest}"
    if directory.is_dir():
        return directory
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            scratch = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=cache))
            try:
                root = scratch / "root"
                _prepare(root)
                for package in _download(scratch, suite, architecture, packages, dependencies):
                    _unpack(package, root)
                _prune(root, keep)
                _keep_inside(root)
                root.rename(directory)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return directory


def _prepare(root: Path) -> None:
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("dev", "proc", "tmp"):
        (root / name).mkdir()


def _prune(root: Path, keep: Sequence[str]) -> None:
    for path in list(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not any(fnmatch.fnmatch(name, pattern) for pattern in keep):
            path.unlink()


def _keep_inside(root: Path) -> None:
    """Have links to absolute paths lead into ``root``: nobody is confined to it."""
    for path in root.rglob("*"):
        if path.is_symlink() and os.readlink(path).startswith("/"):
            target = root / os.readlink(path).lstrip("/")
            path.unlink()
            path.symlink_to(os.path.relpath(target, path.parent.resolve()))


def _download(
    scratch: Path, suite: str, architecture: str, packages: Sequence[str], dependencies: bool
) -> List[Path]:
    where = source()
    signed_by = f" signed-by={where.signed_by}" if where.signed_by else ""
    line = f"deb [arch={architecture}{signed_by}] {where.uri} {suite} main"
    apt = Apt(scratch / "apt", architecture, source=line)
    _asked(apt, scratch, "update")
    if dependencies:
        _asked(apt, scratch, "install", "--download-only", *packages)
    else:
        _asked(apt, apt.archives, "download", *packages)
    return sorted(apt.archives.glob("*.deb"))


def _asked(apt: Apt, directory: Path, *arguments: str) -> None:
    code, said = apt.call(*arguments, cwd=directory)
    if code != 0:
        say(said.strip())
        raise subprocess.CalledProcessError(code, ["apt-get", *arguments])


def _unpack(package: Path, root: Path) -> None:
    """Unpack a package's files; ``dpkg-deb --extract`` would replace the links of merged /usr."""
    reader = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE)
    writer = ["tar", "--extract", "--keep-directory-symlink", "--no-same-owner"]
    with reader:
        subprocess.run([*writer, "--directory", str(root)], stdin=reader.stdout, check=True)
    if reader.returncode != 0:
        raise subprocess.CalledProcessError(reader.returncode, ["dpkg-deb", str(package)])
