"""Small roots of foreign systems, to see that wheels run there.

    python tests/foreign/roots.py DIRECTORY [NAME...]

makes the roots that are not in DIRECTORY yet (of all systems, if none is named) and
prints where each is and what its Python says of itself. Needs Debian's apt, and
either root's rights or user namespaces.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Sequence, Tuple

import debian

PACKAGES = ("libstdc++6", "python3")


@dataclass(frozen=True)
class System:
    """A Debian release on an architecture."""

    name: str
    """Debian's name of the architecture."""
    arch: str
    """The architecture as in a wheel's platform tag."""
    suite: str
    python: str
    """Version of the release's Python, ``"3.9"``; empty if the root has none."""
    qemu: str
    """Which ``qemu-*`` emulates it."""
    packages: Tuple[str, ...] = PACKAGES

    def __str__(self) -> str:
        return self.name


# pip on Python 3.9 asks distutils where to install, and Debian 11 has it in a package.
_BULLSEYE = (*PACKAGES, "python3-distutils")

# All systems are run by one version of qemu, whatever this machine has installed, and
# Debian 12's is too old for the vector instructions that loong64 is built with.
_QEMU_SUITE = "trixie"

SYSTEMS = {
    system.name: system
    for system in (
        System("amd64", "x86_64", "bullseye", "3.9", "x86_64", _BULLSEYE),
        System("i386", "i686", "bullseye", "3.9", "i386", _BULLSEYE),
        System("arm64", "aarch64", "bullseye", "3.9", "aarch64", _BULLSEYE),
        System("armhf", "armv7l", "bullseye", "3.9", "arm", _BULLSEYE),
        System("ppc64el", "ppc64le", "bookworm", "3.11", "ppc64le"),
        System("s390x", "s390x", "bookworm", "3.11", "s390x"),
        System("riscv64", "riscv64", "trixie", "3.13", "riscv64"),
        System(
            "loong64", "loongarch64", "forky", "3.13", "loongarch64", ("libstdc++6", "python3.13")
        ),
    )
}

MUSL_SYSTEMS = {
    name: System(name, arch, suite, "", qemu, ("musl",))
    for name, arch, suite, qemu in (
        ("amd64", "x86_64", "bookworm", "x86_64"),
        ("i386", "i686", "bookworm", "i386"),
        ("arm64", "aarch64", "bookworm", "aarch64"),
        ("armhf", "armv7l", "bookworm", "arm"),
        ("ppc64el", "ppc64le", "bookworm", "ppc64le"),
        ("s390x", "s390x", "bookworm", "s390x"),
        ("riscv64", "riscv64", "trixie", "riscv64"),
        ("loong64", "loongarch64", "forky", "loongarch64"),
    )
}
"""musl's libc and loader, as Debian packages them; no Python is linked to it there."""


@dataclass(frozen=True)
class Root:
    """A system's files, in which its programs can run."""

    system: System
    directory: Path

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a program of the system, named by its path there, in ``/``.

        Both output streams come back as one. The host's environment stays outside.
        """
        emulator = [] if _runs_natively(self.system) else [f"/usr/bin/qemu-{self.system.qemu}"]
        return subprocess.run(
            [*_enter(self.directory), *emulator, *command],
            env={"HOME": "/tmp", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=900,
        )

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run ``code`` in the system's Python."""
        return self.run([f"/usr/bin/python{self.system.python}", "-I", "-c", code])

    @contextmanager
    def place(self) -> Iterator[Path]:
        """A new directory in the root, for as long as it is needed."""
        directory = Path(tempfile.mkdtemp(dir=self.directory / "tmp"))
        try:
            directory.chmod(0o755)
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def inside(self, path: Path) -> str:
        """A path below the root's directory as it is called inside."""
        return "/" + str(path.relative_to(self.directory))


def default_cache() -> Path:
    """Where roots are kept when nobody says otherwise: ``FOREIGN_ROOTS``, or the user's cache."""
    chosen = os.environ.get("FOREIGN_ROOTS")
    if chosen:
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "foreign-roots"


def root(system: System, cache: Path) -> Root:
    """The system's root, made if it is not in ``cache`` yet.

    Raises CalledProcessError when apt or dpkg fails, FileNotFoundError without them.
    """
    directory = debian.tree(cache, system.suite, system.name, system.packages, dependencies=True)
    if not _runs_natively(system):
        wanted = sorted(f"usr/bin/qemu-{each.qemu}" for each in SYSTEMS.values())
        emulator = debian.tree(cache, _QEMU_SUITE, debian.host(), ["qemu-user"], keep=wanted)
        inside = directory / f"usr/bin/qemu-{system.qemu}"
        if not inside.exists():
            copy = inside.with_name(f"{inside.name}.{os.getpid()}")
            shutil.copy2(emulator / f"usr/bin/qemu-{system.qemu}", copy)
            copy.rename(inside)
    return Root(system, directory)


def _runs_natively(system: System) -> bool:
    machine = platform.machine()
    return machine == system.arch or (machine == "x86_64" and system.arch == "i686")


def _enter(directory: Path) -> List[str]:
    enter = ["chroot", str(directory)]
    return enter if os.geteuid() == 0 else ["unshare", "--map-root-user", *enter]


_WHO = (
    "import platform, struct, sys; print('Python', platform.python_version(), 'on',"
    " platform.machine(), *platform.libc_ver(), 8 * struct.calcsize('P'), 'bits,',"
    " sys.byteorder, 'endian')"
)


def main(arguments: Sequence[str]) -> int:
    """Make the roots and start each one's Python; 1 if one of them does not start."""
    if not arguments or any(name not in SYSTEMS for name in arguments[1:]):
        print(__doc__)
        print(f"Names: {', '.join(SYSTEMS)}")
        return 2
    failed = 0
    for name in arguments[1:] or SYSTEMS:
        made = root(SYSTEMS[name], Path(arguments[0]))
        started = made.python(_WHO)
        failed |= started.returncode != 0
        print(f"{name}: {made.directory}: {started.stdout.strip()}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
