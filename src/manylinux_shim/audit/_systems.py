"""Well-known systems with the libc that each has: for "where will this run?".

A distribution keeps its libc for life, so one row a release is enough; rolling
distributions have none. Architectures are those that a release is published
for, under their wheel names; a star stands for all.

Written from general knowledge, and not yet looked up row by row. Where to do
so: the distributions' package lists (``glibc`` in RHEL, Amazon Linux and SLES,
``libc6`` in Debian and Ubuntu, ``musl`` in Alpine's aports), and their release
notes for architectures.
"""

from __future__ import annotations

from typing import FrozenSet, NamedTuple, Tuple

from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.audit._policies import Floor


class System(NamedTuple):
    """One release of a distribution."""

    name: str
    family: str
    """``"manylinux"`` for glibc, ``"musllinux"`` for musl."""
    libc: Floor
    """The version of its libc as first released: updates do not raise it."""
    architectures: FrozenSet[str]

    def has(self, arch: str) -> bool:
        """Whether it is published for an architecture."""
        return arch in self.architectures

    @property
    def libc_text(self) -> str:
        """``glibc 2.28`` or ``musl 1.2.2``."""
        name = "glibc" if self.family == "manylinux" else "musl"
        return f"{name} {'.'.join(map(str, self.libc if self.libc[2] else self.libc[:2]))}"


def _table(text: str) -> Tuple[System, ...]:
    systems = []
    for line in text.strip().splitlines():
        name, libc, architectures = (part.strip() for part in line.split("|"))
        kind, version = libc.split()
        numbers = [int(part) for part in version.split(".")]
        systems.append(
            System(
                name,
                "manylinux" if kind == "glibc" else "musllinux",
                (numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0),
                frozenset(ARCHITECTURES if architectures == "*" else architectures.split()),
            )
        )
    return tuple(systems)


SYSTEMS = _table(
    """
RHEL, CentOS 7                    | glibc 2.17 | x86_64 ppc64le s390x aarch64
RHEL, AlmaLinux, Rocky Linux 8    | glibc 2.28 | x86_64 ppc64le s390x aarch64
RHEL, AlmaLinux, Rocky Linux 9    | glibc 2.34 | x86_64 ppc64le s390x aarch64
RHEL, AlmaLinux, Rocky Linux 10   | glibc 2.39 | x86_64 ppc64le s390x aarch64
Amazon Linux 2                    | glibc 2.26 | x86_64 aarch64
Amazon Linux 2023                 | glibc 2.34 | x86_64 aarch64
Debian 10                         | glibc 2.28 | x86_64 i686 aarch64 armv7l ppc64le s390x
Debian 11                         | glibc 2.31 | x86_64 i686 aarch64 armv7l ppc64le s390x
Debian 12                         | glibc 2.36 | x86_64 i686 aarch64 armv7l ppc64le s390x
Debian 13                         | glibc 2.41 | x86_64 aarch64 armv7l ppc64le s390x riscv64
SLES 12 SP5                       | glibc 2.22 | x86_64 aarch64 ppc64le s390x
SLES, openSUSE Leap 15 SP3 to SP5 | glibc 2.31 | x86_64 aarch64 ppc64le s390x
SLES, openSUSE Leap 15 SP6        | glibc 2.38 | x86_64 aarch64 ppc64le s390x
Ubuntu 18.04                      | glibc 2.27 | x86_64 i686 aarch64 armv7l ppc64le s390x
Ubuntu 20.04                      | glibc 2.31 | x86_64 aarch64 armv7l ppc64le s390x riscv64
Ubuntu 22.04                      | glibc 2.35 | x86_64 aarch64 armv7l ppc64le s390x riscv64
Ubuntu 24.04                      | glibc 2.39 | x86_64 aarch64 armv7l ppc64le s390x riscv64
Alpine 3.12                       | musl 1.1.24 | x86_64 i686 aarch64 armv7l ppc64le s390x
Alpine 3.13 to 3.15               | musl 1.2.2 | x86_64 i686 aarch64 armv7l ppc64le s390x
Alpine 3.16, 3.17                 | musl 1.2.3 | x86_64 i686 aarch64 armv7l ppc64le s390x
Alpine 3.18, 3.19                 | musl 1.2.4 | x86_64 i686 aarch64 armv7l ppc64le s390x
Alpine 3.20                       | musl 1.2.5 | x86_64 i686 aarch64 armv7l ppc64le s390x riscv64
Alpine 3.21 and later             | musl 1.2.5 | *
"""
)
"""By distribution, each from the oldest release to the newest."""
