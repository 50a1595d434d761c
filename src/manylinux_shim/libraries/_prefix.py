"""A directory like ``/usr``: where in it compilers and build systems look for what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import FrozenSet, Iterable, Iterator, List, Optional, Sequence, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.elf import MAGIC

# e_ident[EI_CLASS], e_ident[EI_DATA], e_machine: what an ELF file begins with.
_HEAD = 20


@dataclass(frozen=True)
class Prefix:
    """One prefix, for a target whose multiarch triplet is ``triplet``."""

    root: Path
    triplet: str = ""
    package: Optional[Path] = None
    """Where the wheel is unpacked that the prefix came in, like a ``site-packages``."""

    @property
    def include(self) -> Tuple[Path, ...]:
        """Directories of headers, most particular first."""
        # LLVM's OpenMP runtime lies among its compiler's own files, whose headers are not wanted.
        openmp = [
            path.parent
            for path in sorted(self.root.glob("lib/llvm-*/lib/clang/*/include/omp.h"))
            if not path.with_name("stddef.h").exists()
        ]
        return (*self._there("include", f"include/{self.triplet}"), *openmp)

    @property
    def lib(self) -> Tuple[Path, ...]:
        """Directories of libraries; a package may have one of its own among the triplet's."""
        usual = self._there(f"lib/{self.triplet}", "lib64", "lib")
        own = [
            path
            for directory in usual[:1]
            for path in sorted(directory.iterdir())
            if path.is_dir() and any(path.glob("lib*.so"))
        ]
        openmp = [path.parent for path in sorted(self.root.glob("lib/llvm-*/lib/libomp.so"))]
        return (*usual, *own, *openmp)

    @property
    def pkg_config(self) -> Tuple[Path, ...]:
        """Directories of pkg-config's files."""
        found = [directory / "pkgconfig" for directory in self.lib]
        return tuple(path for path in (*found, self.root / "share/pkgconfig") if path.is_dir())

    @property
    def bin(self) -> Tuple[Path, ...]:
        """Where scripts such as ``pg_config`` are."""
        return self._there("bin")

    def _there(self, *names: str) -> Tuple[Path, ...]:
        # Without a triplet "lib/" is "lib" itself.
        paths = dict.fromkeys(self.root / name.rstrip("/") for name in names)
        return tuple(path for path in paths if path.is_dir())


def named_prefixes(
    project: Path, names: Iterable[str], arch: Architecture, policy: Policy
) -> Tuple[Prefix, ...]:
    """The prefixes of ``prefix``: ``{target}`` and ``{policy}`` stand for what is built.

    Raises SettingsError for one that is not there, and for one with libraries for
    another machine.
    """
    triplet = arch.triplet_musl if policy.family == "musllinux" else arch.triplet_gnu
    found = []
    for name in names:
        try:
            text = name.format(target=arch.name, policy=policy)
        except (AttributeError, KeyError, IndexError, ValueError) as error:
            raise SettingsError(
                f"{name!r} in `prefix` has a placeholder that is not known: {error}",
                "Use {target}, the architecture, and {policy}, the tag without it.",
            ) from error
        prefix = Prefix((project / text).resolve(), triplet)
        if not prefix.root.is_dir():
            raise SettingsError(
                f"{prefix.root}, which `prefix` names for {arch.name}, is not there",
                "Build the libraries into it first, or let `before-all` do that.",
            )
        check_machine(prefix, arch)
        found.append(prefix)
    return tuple(found)


def check_machine(prefix: Prefix, arch: Architecture) -> None:
    """SettingsError for a prefix whose shared libraries are for another machine."""
    order = "big" if arch.big_endian else "little"
    for path in _libraries((prefix,)):
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if len(head) < _HEAD or not head.startswith(MAGIC):
            continue
        bits, endian = head[4] * 32, {1: "little", 2: "big"}.get(head[5])
        machine = int.from_bytes(head[18:20], "big" if endian == "big" else "little")
        if (bits, endian, machine) != (arch.bits, order, arch.machine):
            raise SettingsError(
                f"{path} is for another machine than {arch.name}",
                'Name a directory for each target: `prefix = ["deps/{target}"]`.',
            )


def sonames(prefixes: Sequence[Prefix]) -> FrozenSet[str]:
    """The file names of the shared libraries in the prefixes: what may go into a wheel."""
    return frozenset(path.name for path in _libraries(prefixes))


def _libraries(prefixes: Sequence[Prefix]) -> Iterator[Path]:
    for prefix in prefixes:
        for directory in prefix.lib:
            yield from (path for path in sorted(directory.glob("*.so*")) if path.is_file())


def packages(prefixes: Iterable[Prefix]) -> List[str]:
    """Where the wheels are unpacked that the prefixes came in, each once."""
    return list(dict.fromkeys(str(p.package) for p in prefixes if p.package is not None))


def directories(found: Iterable[Tuple[Path, ...]]) -> List[str]:
    """Directories of several prefixes, as texts."""
    return [str(path) for some in found for path in some]
