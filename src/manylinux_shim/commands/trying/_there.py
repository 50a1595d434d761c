"""Another system than this: one of Debian's, unpacked, and run by its own loader or by qemu-user.

Source of the systems: Debian's lists of the architectures of each release; the versions of
glibc and Python are those of its packages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._messages import say
from manylinux_shim._platforms import (
    ARCHITECTURES,
    LEGACY_MANYLINUX,
    Architecture,
    Policy,
    Version,
    host_architecture,
    parse_platform_tag,
)
from manylinux_shim.commands.build_wheels._pythons import find_pip, uv_name
from manylinux_shim.commands.trying import _debian
from manylinux_shim.commands.trying._attempt import Test, Untried, links, quietly, versions_of
from manylinux_shim.commands.trying._own_python import OwnPython, ask, of_uv, runs_here
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


def install(
    wheel: Path, name: WheelName, test: Test, room: Path, own: Optional[OwnPython] = None
) -> Installed:
    """Have the system that is asked for, and the wheel installed for its Python.

    ``own`` is a Python of the user's to try it with, instead of the system's.
    """
    if own is None:
        try:
            arch, release = choose(name, test)
        except Untried as none:
            own = _of_uv(name, test)
            if own is None:
                raise none from None
    if own is not None:
        return _with_own(wheel, name, test, room, own)
    root = _root(release, arch)
    site = room / "site"
    python = (*_start(arch, root), str(root / "usr/bin" / f"python{release.python}"))
    environment = _environment(room, site, root / "usr")
    policy = Policy("manylinux", Version(*release.glibc))
    _install(wheel, test, _Installer(release.python, policy, arch), site)
    system = f"{release.name}, {arch.name}, Python {release.python}"
    return Installed(system, site, python, environment)


def _with_own(wheel: Path, name: WheelName, test: Test, room: Path, own: OwnPython) -> Installed:
    """The same with a Python of the user's, in the root that it is of, or in one of Debian's."""
    parsed = [found for found in map(parse_platform_tag, name.platforms) if found is not None]
    if parsed and (own.family, own.arch.name) not in {(p.family, arch) for p, arch in parsed}:
        raise Untried(f"{own.path} is for {own.system}, which the wheel is not for")
    root = own.root or _debian_root(own, name, test)
    start = _start(own.arch, root, own.loader)
    site = room / "site"
    # Of a virtual environment its own file tells where the Python is.
    venv = (own.path.parent.parent / "pyvenv.cfg").is_file()
    environment = _environment(room, site, None if venv else own.path.parent.parent)
    facts = ask(start, own, environment)
    _install(
        wheel,
        test,
        _Installer(facts.short.rstrip("t"), facts.policy, own.arch, facts.free_threaded),
        site,
    )
    where = f"{own.system} ({facts.policy}), Python {facts.short}"
    return Installed(where, site, (*start, str(own.path)), environment)


def _of_uv(name: WheelName, test: Test) -> Optional[OwnPython]:
    """A Python that uv has installed for a machine that the wheel is for."""
    versions = [text for text, _ in versions_of(name) if text[:1].isdigit() and text != "3"]
    if test.python is not None and re.fullmatch(r"3\.\d+t?", test.python):
        versions = [test.python]
    if test.system not in (None, "oldest") or not versions:
        return None
    parsed = [found for found in map(parse_platform_tag, name.platforms) if found is not None]
    return of_uv(versions, [(arch, policy.family) for policy, arch in parsed])


def _environment(room: Path, site: Path, home: Optional[Path]) -> Dict[str, str]:
    found = {
        "HOME": str(room),
        "LC_ALL": "C.UTF-8",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(site),
    }
    return found if home is None else {**found, "PYTHONHOME": str(home)}


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
    wanted = test.python if test.python and re.fullmatch(r"3\.\d+t?", test.python) else None
    # `build --test` names the Python that has built; who calls `try` means the one that is named.
    meant = test.system is not None or test.shell is None
    if test.python is not None and wanted is None and meant:
        raise Untried(
            f"{test.python} is a Python of this system, and the wheel is to be tried on another",
            "Leave --python out, or name a version, or a Python of that system.",
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
        elif wanted not in (None, release.python):
            lacking = f"the Python of {release.name} is {release.python}, and not {wanted}"
        else:
            return arch, release
    raise Untried(lacking, _remedy(name, arch, "manylinux"))


def _promised(name: WheelName) -> Tuple[Architecture, Tuple[int, int]]:
    """The architecture, and the oldest glibc that a wheel's tags promise."""
    parsed = [found for found in map(parse_platform_tag, name.platforms) if found is not None]
    glibc = [(policy, arch) for policy, arch in parsed if policy.family == "manylinux"]
    if parsed and not glibc:
        raise Untried(
            "Debian has no Python for musl, which it is for",
            _remedy(name, ARCHITECTURES[parsed[0][1]], "musllinux"),
        )
    if not glibc:
        host = host_architecture()
        if host is not None and name.platforms in (("any",), (f"linux_{host.name}",)):
            return host, (2, 0)
        raise Untried(f"its tag, {'.'.join(name.platforms)}, promises no system")
    policy, arch = min(glibc)
    return ARCHITECTURES[arch], (policy.version.major, policy.version.minor)


def _remedy(name: WheelName, arch: Architecture, family: str) -> str:
    """How to have a Python that the wheel can be tried with."""
    version = next((text for text, _ in versions_of(name) if text[:2] == "3."), "3.12")
    root = "Alpine" if family == "musllinux" else "another distribution"
    text = f"Name a Python of such a system with --python, such as that of a root of {root}"
    known = uv_name(version, arch.name, family)
    return f"{text}, or have uv install one: uv python install {known}" if known else f"{text}."


def _debian_root(own: OwnPython, name: WheelName, test: Test) -> Path:
    """What of Debian has the loader and the libc that a Python needs which is of no root."""
    cache = cache_root(os.environ, say) / "systems"
    if own.family == "musllinux":
        suite = "trixie" if own.arch.name == "riscv64" else "bookworm"
        return _tree(cache, suite, own.arch.debian, ["musl"])
    _, glibc = _promised(name) if name.platforms != ("any",) else (own.arch, (2, 0))
    for release in RELEASES:
        named = test.system in (None, "oldest", release.name)
        if named and own.arch.name in release.architectures and release.glibc >= glibc:
            return _root(release, own.arch)
    raise Untried(f"no Debian that is known here is for {own.system}", "Name a Python in its root.")


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


def _start(arch: Architecture, root: Path, named: Optional[str] = None) -> List[str]:
    """What a program of the system is run by: its own loader, or qemu, which finds that itself.

    ``named`` is the loader's path there, for a program that is not Debian's.
    """
    emulator = _emulator(arch, root)
    if emulator:
        return emulator
    libraries = [root / "usr/lib" / arch.triplet_gnu, root / "usr/lib"]
    if named is not None:
        libraries += [root / "lib", root / "usr/local/lib"]
    loader = next(
        (path for directory in libraries for path in directory.glob(arch.glibc_loader)), None
    )
    if named is not None:
        loader = root / named.lstrip("/")
    if loader is None:
        raise Untried(
            f"the system in {root} has no loader", "Take the directory away, to have it anew."
        )
    path = ":".join(map(str, libraries))
    inhibit = ["--inhibit-cache"] if not loader.name.startswith("ld-musl-") else []
    return [str(loader), *inhibit, "--library-path", path]


def _emulator(arch: Architecture, root: Path) -> List[str]:
    if runs_here(arch):
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


class _Installer(NamedTuple):
    """What pip has to know of the Python that it is not run by."""

    python: str
    """``3.12``."""
    newest: Policy
    arch: Architecture
    free_threaded: bool = False

    @property
    def words(self) -> List[str]:
        """pip's arguments."""
        major, newest = self.newest.version
        oldest = 4 if self.newest.family == "manylinux" else -1
        tags = [
            f"{self.newest.family}_{major}_{n}_{self.arch.name}" for n in range(newest, oldest, -1)
        ]
        old = [*LEGACY_MANYLINUX] if self.newest.family == "manylinux" else []
        tags += [f"{each}_{self.arch.name}" for each in (*old, "linux")]
        found = [word for tag in tags for word in ("--platform", tag)]
        found += ["--implementation", "cp", "--python-version", self.python]
        if self.free_threaded:
            found += [
                "--abi",
                f"cp{self.python.replace('.', '')}t",
                "--abi",
                "abi3t",
                "--abi",
                "none",
            ]
        return found


def _install(wheel: Path, test: Test, installer: _Installer, site: Path) -> None:
    """The wheel, and what it requires as wheels of that system, by pip into a directory."""
    pip = find_pip()
    if pip is None:
        raise Untried("a wheel is installed for another system by pip, which is not here")
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", "--target", str(site)]
    command += ["--only-binary", ":all:", *installer.words]
    quietly([*command, *links(test), str(wheel), *test.requires])
