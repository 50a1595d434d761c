"""Architectures, libcs and policies: the one table every name is derived from.

The same machine has a dozen names: the wheel's platform tag, zig's target, the
Rust triple, CPython's multiarch triplet, the dynamic loader, ``e_machine``.
They stand here side by side, one row an architecture, and nowhere else.

Sources: PEP 600 (manylinux), PEP 656 (musllinux), the ELF processor
supplements for ``e_machine``, zig's ``lib/libc/glibc/abilists`` for the lowest
glibc that can be linked against, auditwheel's policies for the lowest tag
that installers know.
"""

from __future__ import annotations

import os
import re
import struct
import sys
import sysconfig
from dataclasses import dataclass
from typing import Dict, NamedTuple, Optional, Tuple

from manylinux_shim._errors import SettingsError


class Version(NamedTuple):
    """A libc version, ordered as such: ``Version(2, 17) < Version(2, 28)``."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True)
class Architecture:
    """One Linux architecture under all its names."""

    name: str
    """As in a wheel's platform tag, and as ``uname -m`` has it."""
    zig: str
    """The architecture part of zig's target."""
    gnu: str
    """The ABI part of zig's glibc target."""
    musl: str
    """The ABI part of zig's musl target."""
    machine: int
    """``e_machine`` of the ELF header."""
    bits: int
    """32 or 64: ``EI_CLASS``."""
    big_endian: bool
    """``EI_DATA``."""
    glibc_loader: str
    """Soname of glibc's dynamic loader."""
    musl_arch: str
    """The architecture in ``libc.musl-<arch>.so.1``, as Alpine has it."""
    lowest_glibc: Version
    """The lowest glibc that zig can link against."""
    lowest_manylinux: Version
    """The lowest manylinux version that policies know; a wheel linked at
    ``lowest_glibc`` may still prove to be this old."""
    triplet_gnu: str
    """CPython's multiarch triplet, as in ``EXT_SUFFIX``, on glibc."""
    triplet_musl: str
    """The same on musl, from CPython 3.11 on; before, it is ``triplet_gnu``."""
    rust_gnu: str
    rust_musl: str
    cmake: str
    """``CMAKE_SYSTEM_PROCESSOR``."""
    meson: str
    """Meson's ``cpu_family``."""
    cpu_flags: Tuple[str, ...] = ()
    """What clang needs to be told to emit code for the tag's baseline."""
    aliases: Tuple[str, ...] = ()
    """Other names that people and ``uname -m`` use for it."""

    @property
    def byteorder(self) -> str:
        """``"big"`` or ``"little"``, as ``int.from_bytes`` takes it."""
        return "big" if self.big_endian else "little"

    @property
    def musl_libc(self) -> str:
        """The soname that musllinux policies use for musl's libc."""
        return f"libc.musl-{self.musl_arch}.so.1"

    @property
    def musl_loader(self) -> str:
        """File name of musl's dynamic loader, which is named after the ABI."""
        abi = "armhf" if self.musl == "musleabihf" else self.musl_arch
        return f"ld-musl-{abi}.so.1"

    def zig_target(self, policy: Policy) -> str:
        """zig's ``-target`` for linking what ``policy`` asks for.

        Never below the lowest glibc that zig links against: such a wheel has
        to earn the older tag by proof.
        """
        if policy.family == "musllinux":
            return f"{self.zig}-linux-{self.musl}"
        return f"{self.zig}-linux-{self.gnu}.{max(policy.version, self.lowest_glibc)}"

    @property
    def gcc_triplet(self) -> str:
        """What the names of GCC's programs for it begin with, in Debian's packages."""
        return self.triplet_gnu.replace("i386", "i686")

    @property
    def debian(self) -> str:
        """What Debian calls it."""
        return _DEBIAN.get(self.name, self.name)

    def triplet(self, family: str, python: Tuple[int, int]) -> str:
        """CPython's multiarch triplet for a libc family and Python version."""
        if family == "musllinux" and python >= (3, 11):
            return self.triplet_musl
        return self.triplet_gnu

    def rust_target(self, family: str) -> str:
        """The Rust target triple for a libc family."""
        return self.rust_musl if family == "musllinux" else self.rust_gnu


_DEBIAN = {
    "x86_64": "amd64", "i686": "i386", "aarch64": "arm64", "armv7l": "armhf",
    "ppc64le": "ppc64el", "loongarch64": "loong64",
}  # fmt: skip
_ARMV7_FLAGS = ("-march=armv7-a", "-mfpu=vfpv3-d16", "-mfloat-abi=hard")

# fmt: off
_ARCHITECTURES = (
    Architecture("x86_64", "x86_64", "gnu", "musl", 62, 64, False,
                 "ld-linux-x86-64.so.2", "x86_64", Version(2, 5), Version(2, 5),
                 "x86_64-linux-gnu", "x86_64-linux-musl",
                 "x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl",
                 "x86_64", "x86_64", aliases=("amd64", "x64")),
    Architecture("i686", "x86", "gnu", "musl", 3, 32, False,
                 "ld-linux.so.2", "i386", Version(2, 5), Version(2, 5),
                 "i386-linux-gnu", "i386-linux-musl",
                 "i686-unknown-linux-gnu", "i686-unknown-linux-musl",
                 "i686", "x86", aliases=("i386", "i486", "i586", "x86")),
    Architecture("aarch64", "aarch64", "gnu", "musl", 183, 64, False,
                 "ld-linux-aarch64.so.1", "aarch64", Version(2, 17), Version(2, 17),
                 "aarch64-linux-gnu", "aarch64-linux-musl",
                 "aarch64-unknown-linux-gnu", "aarch64-unknown-linux-musl",
                 "aarch64", "aarch64", aliases=("arm64",)),
    Architecture("armv7l", "arm", "gnueabihf", "musleabihf", 40, 32, False,
                 "ld-linux-armhf.so.3", "armv7", Version(2, 17), Version(2, 17),
                 "arm-linux-gnueabihf", "arm-linux-musleabihf",
                 "armv7-unknown-linux-gnueabihf", "armv7-unknown-linux-musleabihf",
                 "armv7l", "arm", cpu_flags=_ARMV7_FLAGS, aliases=("armhf", "armv7", "armv8l")),
    Architecture("ppc64le", "powerpc64le", "gnu", "musl", 21, 64, False,
                 "ld64.so.2", "powerpc64le", Version(2, 19), Version(2, 17),
                 "powerpc64le-linux-gnu", "powerpc64le-linux-musl",
                 "powerpc64le-unknown-linux-gnu", "powerpc64le-unknown-linux-musl",
                 "ppc64le", "ppc64", aliases=("powerpc64le", "ppc64el")),
    Architecture("s390x", "s390x", "gnu", "musl", 22, 64, True,
                 "ld64.so.1", "s390x", Version(2, 17), Version(2, 17),
                 "s390x-linux-gnu", "s390x-linux-musl",
                 "s390x-unknown-linux-gnu", "s390x-unknown-linux-musl",
                 "s390x", "s390x"),
    Architecture("riscv64", "riscv64", "gnu", "musl", 243, 64, False,
                 "ld-linux-riscv64-lp64d.so.1", "riscv64", Version(2, 27), Version(2, 31),
                 "riscv64-linux-gnu", "riscv64-linux-musl",
                 "riscv64gc-unknown-linux-gnu", "riscv64gc-unknown-linux-musl",
                 "riscv64", "riscv64"),
    Architecture("loongarch64", "loongarch64", "gnu", "musl", 258, 64, False,
                 "ld-linux-loongarch-lp64d.so.1", "loongarch64", Version(2, 36), Version(2, 36),
                 "loongarch64-linux-gnu", "loongarch64-linux-musl",
                 "loongarch64-unknown-linux-gnu", "loongarch64-unknown-linux-musl",
                 "loongarch64", "loongarch64", aliases=("loong64",)),
)
# fmt: on

ARCHITECTURES: Dict[str, Architecture] = {arch.name: arch for arch in _ARCHITECTURES}
"""Every architecture by its wheel name."""

_BY_ALIAS: Dict[str, Architecture] = {
    alias: arch for arch in _ARCHITECTURES for alias in (arch.name, *arch.aliases)
}

LEGACY_MANYLINUX: Dict[str, Tuple[Version, Tuple[str, ...]]] = {
    "manylinux1": (Version(2, 5), ("x86_64", "i686")),
    "manylinux2010": (Version(2, 12), ("x86_64", "i686")),
    "manylinux2014": (
        Version(2, 17),
        ("x86_64", "i686", "aarch64", "armv7l", "ppc64", "ppc64le", "s390x"),
    ),
}
"""PEP 600's legacy aliases: the version each stands for, and where it exists."""

_POLICY = re.compile(r"(manylinux|musllinux)_([0-9]{1,4})_([0-9]{1,4})")


@dataclass(frozen=True, order=True)
class Policy:
    """What a platform tag promises, without its architecture: PEP 600, PEP 656."""

    family: str
    """``"manylinux"`` (glibc) or ``"musllinux"`` (musl)."""
    version: Version

    @property
    def name(self) -> str:
        """``manylinux_2_17``: the tag without the architecture."""
        return f"{self.family}_{self.version.major}_{self.version.minor}"

    def __str__(self) -> str:
        return self.name

    def tags(self, arch: str) -> Tuple[str, ...]:
        """The platform tags of this policy: the PEP 600 one, then its legacy alias.

        >>> Policy("manylinux", Version(2, 17)).tags("x86_64")
        ('manylinux_2_17_x86_64', 'manylinux2014_x86_64')
        """
        legacy = [
            f"{name}_{arch}"
            for name, (version, architectures) in LEGACY_MANYLINUX.items()
            if self.family == "manylinux" and version == self.version and arch in architectures
        ]
        return (f"{self.name}_{arch}", *legacy)

    @classmethod
    def parse(cls, name: str) -> Policy:
        """A policy from its name, modern or legacy, without an architecture.

        Raises SettingsError for a name that is none.
        """
        if name in LEGACY_MANYLINUX:
            return cls("manylinux", LEGACY_MANYLINUX[name][0])
        match = _POLICY.fullmatch(name)
        if match is None:
            raise SettingsError(
                f"unknown policy {name!r}",
                "Use manylinux_X_Y (such as manylinux_2_17), manylinux1, manylinux2010,"
                " manylinux2014, musllinux_X_Y (such as musllinux_1_2) or auto.",
            )
        return cls(match[1], Version(int(match[2]), int(match[3])))


def parse_platform_tag(tag: str) -> Optional[Tuple[Policy, str]]:
    """``manylinux2014_x86_64`` -> (policy, ``"x86_64"``); None for any other platform."""
    for name in LEGACY_MANYLINUX:
        if tag.startswith(name + "_"):
            return Policy.parse(name), tag[len(name) + 1 :]
    match = _POLICY.match(tag)
    if match is None or not tag[match.end() :].startswith("_"):
        return None
    return Policy.parse(match[0]), tag[match.end() + 1 :]


def architecture(name: str) -> Architecture:
    """The architecture that goes by ``name``; SettingsError if there is none."""
    arch = _BY_ALIAS.get(name.strip().lower())
    if arch is None:
        several = " One build has one target; `manylinux-shim build` takes several."
        raise SettingsError(
            f"unknown target {name!r}",
            f"Known targets are: {', '.join(ARCHITECTURES)}.{several if ',' in name else ''}",
        )
    return arch


def lowest_policy(arch: Architecture, family: str = "manylinux") -> Policy:
    """The policy a build aims at when none was named.

    ``manylinux_2_17`` where that exists, else the lowest that the architecture
    has: older ones are there for who asks, but no supported CPython needs them.
    """
    if family == "musllinux":
        return Policy("musllinux", Version(1, 2))
    return Policy("manylinux", max(Version(2, 17), arch.lowest_manylinux))


def host_architecture() -> Optional[Architecture]:
    """The architecture that this Python's extensions run on; None if not Linux or unknown.

    A 32-bit Python on a 64-bit kernel is a 32-bit host; ``sysconfig`` knows,
    the kernel's name for it alone does not.
    """
    if not sys.platform.startswith("linux"):
        return None
    machine = sysconfig.get_platform().split("-", 1)[-1]
    machine = {"amd64": "x86_64"}.get(machine, machine)
    arch = _BY_ALIAS.get(machine) or _BY_ALIAS.get(os.uname().machine)
    bits = struct.calcsize("P") * 8
    if arch is not None and arch.bits != bits:
        arch = {"x86_64": ARCHITECTURES["i686"], "aarch64": ARCHITECTURES["armv7l"]}.get(arch.name)
    return arch


def host_family() -> str:
    """The libc family of this Python: ``"manylinux"`` on glibc, else ``"musllinux"``."""
    # Only glibc knows this name; a musl Python has gnu triplets before 3.11.
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        version = None
    return "manylinux" if version and version.startswith("glibc") else "musllinux"
