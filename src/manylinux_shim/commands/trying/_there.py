"""Another system than this: one of Debian's, unpacked, and run by its own loader or by qemu-user.

Source of the systems: Debian's lists of the architectures of each release; the versions of
glibc and Python are those of its packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._messages import say
from manylinux_shim._platforms import (
    ARCHITECTURES,
    Architecture,
    host_architecture,
    parse_platform_tag,
)
from manylinux_shim.commands.build_wheels._pythons import find_pip
from manylinux_shim.commands.trying import _debian
from manylinux_shim.commands.trying._attempt import Test, Untried, links, quietly, versions_of
from manylinux_shim.wheel import WheelName
from manylinux_shim.zig import cache_root

_QEMU = {"x86_64": "x86_64", "i686": "i386", "armv7l": "arm"}
"""qemu's names of architectures, where they are not those of tags."""
_PROCESSORS = {"aarch64": "max,sme=off"}
"""Without SME: OpenBLAS 0.3.34 multiplies wrongly there, and no server has it."""
_QEMU_SUITE = "trixie"
"""Debian 12's is too old for some instructions; its programs are static, and run anywhere."""
_PACKAGES = ("libstdc++6", "python3")


@dataclass(frozen=True)
class Release:
    """A release of Debian."""

    name: str
    suite: str
    python: str
    glibc: Tuple[int, int]
    architectures: Tuple[str, ...]


RELEASES = tuple(
    Release(name, suite, python, glibc, tuple(architectures.split()))
    for name, suite, python, glibc, architectures in (
        ("debian11", "bullseye", "3.9", (2, 31), "x86_64 i686 aarch64 armv7l"),
        ("debian12", "bookworm", "3.11", (2, 36), "x86_64 i686 aarch64 armv7l ppc64le s390x"),
        ("debian13", "trixie", "3.13", (2, 41), "x86_64 aarch64 armv7l ppc64le s390x riscv64"),
    )
)
"""The oldest first."""


@dataclass(frozen=True)
class Installed:
    """A wheel in a directory, beside a system that runs it."""

    name: str
    site: Path
    python: Tuple[str, ...]
    """The command that is the system's Python."""
    environment: Dict[str, str]

    def words(self, command: Sequence[str]) -> List[str]:
        """``command``, run there: Python, or a program that a package has installed."""
        first = command[0]
        if first.startswith("python"):
            return [*self.python, *command[1:]]
        program = self.site / "bin" / first
        if not program.is_file():
            raise Untried(
                f"on {self.name} a command is Python or a package's program, and {first} is none",
                f"If a package brings it: --requires {first}.",
            )
        return [*self.python, str(program), *command[1:]]


def install(wheel: Path, name: WheelName, test: Test, room: Path) -> Installed:
    """Have the system that is asked for, and the wheel installed for its Python."""
    arch, release = choose(name, test)
    root = _root(release, arch)
    site = room / "site"
    _install(wheel, test, release, arch, site)
    environment = {
        "HOME": str(room),
        "LC_ALL": "C.UTF-8",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONHOME": str(root / "usr"),
        "PYTHONPATH": str(site),
    }
    python = (*_start(arch, root), str(root / "usr/bin" / f"python{release.python}"))
    system = f"{release.name}, {arch.name}, Python {release.python}"
    return Installed(system, site, python, environment)


def choose(name: WheelName, test: Test) -> Tuple[Architecture, Release]:
    """The oldest release that a wheel promises to run on and that has its Python, or one by name.

    Untried where there is none, SettingsError for a name that is no system's.
    """
    known = [release.name for release in RELEASES]
    if test.system not in (None, "oldest", *known):
        raise SettingsError(
            f"--on {test.system} is no system that is known here",
            f"There are {', '.join(known)}, and `oldest` of them.",
        )
    if test.python is not None:
        raise Untried(
            "another system is tried with its own Python",
            "Leave --python out; --on chooses the system.",
        )
    arch, glibc = _promised(name)
    lacking = ""
    for release in RELEASES:
        if test.system not in (None, "oldest", release.name):
            continue
        if arch.name not in release.architectures:
            lacking = f"{release.name} is not there for {arch.name}"
        elif release.glibc < glibc:
            lacking = (
                f"{release.name} has glibc {'.'.join(map(str, release.glibc))}, which is older"
            )
        elif not _serves(name, release.python):
            lacking = f"the Python of {release.name} is {release.python}, which it is not for"
        else:
            return arch, release
    raise Untried(lacking, "Try a wheel that such a system takes, or on such a machine.")


def _promised(name: WheelName) -> Tuple[Architecture, Tuple[int, int]]:
    """The architecture, and the oldest glibc that a wheel's tags promise."""
    parsed = [found for found in map(parse_platform_tag, name.platforms) if found is not None]
    glibc = [(policy, arch) for policy, arch in parsed if policy.family == "manylinux"]
    if parsed and not glibc:
        raise Untried("no system with musl can be had here, and it is for musl")
    if not glibc:
        host = host_architecture()
        if host is not None and name.platforms in (("any",), (f"linux_{host.name}",)):
            return host, (2, 0)
        raise Untried(f"its tag, {'.'.join(name.platforms)}, promises no system")
    policy, arch = min(glibc)
    return ARCHITECTURES[arch], (policy.version.major, policy.version.minor)


def _serves(name: WheelName, python: str) -> bool:
    minor = int(python.partition(".")[2])
    for version, later in versions_of(name):
        numbers = version.split(".")
        if version == python or version == "3":
            return True
        if later and len(numbers) > 1 and numbers[1].isdigit() and int(numbers[1]) <= minor:
            return True
    return False


def _root(release: Release, arch: Architecture) -> Path:
    cache = cache_root(os.environ, say) / "systems"
    return _tree(cache, release.suite, arch.debian, _PACKAGES, dependencies=True)


def _start(arch: Architecture, root: Path) -> List[str]:
    """What a program of the system is run by: its own loader, or qemu, which finds that itself."""
    emulator = _emulator(arch, root)
    if emulator:
        return emulator
    libraries = [root / "usr/lib" / arch.triplet_gnu, root / "usr/lib"]
    loader = next(
        (path for directory in libraries for path in directory.glob(arch.glibc_loader)), None
    )
    if loader is None:
        raise Untried(
            f"the system in {root} has no loader", "Take the directory away, to have it anew."
        )
    path = ":".join(map(str, libraries))
    return [str(loader), "--inhibit-cache", "--library-path", path]


def _emulator(arch: Architecture, root: Path) -> List[str]:
    host = host_architecture()
    if host is not None and arch.name in (host.name, *(["i686"] * (host.name == "x86_64"))):
        return []
    name = f"qemu-{_QEMU.get(arch.name, arch.name)}"
    for program in (name, f"{name}-static"):
        found = shutil.which(program)
        if found:
            return [found, "-L", str(root)]
    cache = cache_root(os.environ, say) / "systems"
    emulators = _tree(cache, _QEMU_SUITE, _debian.host(), ["qemu-user"], keep=("usr/bin/qemu-*",))
    processor = ["-cpu", _PROCESSORS[arch.name]] if arch.name in _PROCESSORS else []
    if "QEMU_CPU" in os.environ:
        processor = []
    return [str(emulators / "usr/bin" / name), *processor, "-L", str(root)]


def _tree(
    cache: Path,
    suite: str,
    architecture: str,
    packages: Sequence[str],
    *,
    dependencies: bool = False,
    keep: Sequence[str] = ("*",),
) -> Path:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Untried(
            "systems are made of Debian's packages, and there is no apt-get here",
            "Try it on Debian or Ubuntu.",
        )
    try:
        return _debian.tree(
            cache, suite, architecture, packages, dependencies=dependencies, keep=keep
        )
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        raise Untried(
            f"Debian's packages of {suite} for {architecture} cannot be had: {error}",
            "apt said above why: the mirror may not have this release any more.",
        ) from error


def _install(wheel: Path, test: Test, release: Release, arch: Architecture, site: Path) -> None:
    """The wheel, and what it requires as wheels of that system, by pip into a directory."""
    pip = find_pip()
    if pip is None:
        raise Untried("a wheel is installed for another system by pip, which is not here")
    major, minor = release.glibc
    tags = [f"manylinux_{major}_{number}_{arch.name}" for number in range(minor, 4, -1)]
    tags += [
        f"{old}_{arch.name}" for old in ("manylinux2014", "manylinux2010", "manylinux1", "linux")
    ]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", "--target", str(site)]
    command += ["--only-binary", ":all:", "--implementation", "cp", *platforms]
    command += ["--python-version", release.python, *links(test), str(wheel), *test.requires]
    quietly(command)
