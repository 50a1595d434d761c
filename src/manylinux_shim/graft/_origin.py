"""Which package of this machine's distribution a file came from.

Asked of the distribution's own tool, run as a program; where there is none, or
it does not know the file, nobody knows.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional
from urllib.parse import quote

from manylinux_shim.libraries import origin_of

_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")


@dataclass(frozen=True)
class Package:
    """A package of a distribution, as its tool names it."""

    name: str
    version: str
    purl: str
    """Package URL: https://github.com/package-url/purl-spec."""
    licence: str = ""
    """SPDX expression; empty where nobody knows it."""


def package_of(path: Path) -> Optional[Package]:
    """The package that ``path`` came with, fetched or installed; None if nothing here knows it."""
    fetched = origin_of(path)
    if fetched is not None:
        return Package(*fetched)
    for ask in (_dpkg, _rpm, _apk):
        found = ask(path)
        if found is not None:
            return found
    return None


def _dpkg(path: Path) -> Optional[Package]:
    for spelled in _spellings(path):
        # "liblz4-1:amd64: /usr/lib/x86_64-linux-gnu/liblz4.so.1.9.4"; several packages
        # may own it, separated by commas.
        owners = _output(["dpkg-query", "-S", spelled]).partition(": ")[0]
        name = owners.split(",")[0].strip()
        if not name or " " in name:
            continue
        wanted = "${Package}\t${Version}\t${Architecture}"
        fields = _output(["dpkg-query", "-W", f"-f={wanted}", name]).split("\t")
        if len(fields) == 3:
            return _package("deb", *fields)
    return None


def _rpm(path: Path) -> Optional[Package]:
    wanted = "%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n"
    fields = _output(["rpm", "-qf", "--queryformat", wanted, str(path)]).split("\n")[0].split("\t")
    return _package("rpm", *fields) if len(fields) == 3 else None


def _apk(path: Path) -> Optional[Package]:
    # "/usr/lib/liblz4.so.1.9.4 is owned by lz4-libs-1.9.4-r5"
    for spelled in _spellings(path):
        owner = _output(["apk", "info", "--who-owns", spelled]).partition(" is owned by ")[2]
        match = re.match(r"(\S+)-([0-9][^-\s]*-r[0-9]+)\s*$", owner)
        if match is not None:
            return _package("apk", match[1], match[2], _output(["apk", "--print-arch"]).strip())
    return None


def _package(kind: str, name: str, version: str, arch: str) -> Package:
    system = _os_release()
    vendor = system.get("ID", "linux")
    distro = f"{vendor}-{system['VERSION_ID']}" if system.get("VERSION_ID") else vendor
    path = "/".join(quote(part, safe=".-_~") for part in (vendor, name.lower()))
    # The specification leaves ":" in a version as it is.
    purl = f"pkg:{kind}/{path}@{quote(version, safe='.-_~:')}"
    return Package(name, version, f"{purl}?arch={quote(arch)}&distro={quote(distro)}")


def _spellings(path: Path) -> Iterator[str]:
    """The path as it is, and as packages spell it that came before ``/lib`` led to ``/usr/lib``."""
    text = str(path)
    yield text
    if text.startswith("/usr/lib"):
        yield text[len("/usr") :]
    elif text.startswith("/lib"):
        yield "/usr" + text


def _os_release() -> Dict[str, str]:
    """``ID`` and ``VERSION_ID`` of this system: os-release(5)."""
    for path in _OS_RELEASE:
        try:
            lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        pairs = (line.partition("=") for line in lines if "=" in line and line[:1].isupper())
        return {key: "".join(_words(value)) for key, _, value in pairs}
    return {}


def _words(value: str) -> List[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return [value]


def _output(command: List[str]) -> str:
    """What a tool prints; nothing if it is not there, or does not know."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
