"""Which symbol at which version each libc has, on which architecture.

Both tables come from zig: ``lib/libc/glibc/abilists`` and ``lib/libc/musl/libc.S``.
Where no zig is installed, and where it has nothing newer, they come from the
data file beside this module, which is the same in a form that reads in a
millisecond (``python -m manylinux_shim.audit._abilists`` writes it).
"""

from __future__ import annotations

import importlib.util
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Architecture, Version
from manylinux_shim.audit._abilists import Symbols, VersionTriple, read_header, read_symbols
from manylinux_shim.audit._musl import musl_since, musl_symbols

TABLE_FILE = Path(__file__).with_name("symbols.bin")

LIBRARY_OF_SONAME: Mapping[str, str] = {
    "libc.so.6": "c",
    "libm.so.6": "m",
    "libpthread.so.0": "pthread",
    "libdl.so.2": "dl",
    "librt.so.1": "rt",
    "libutil.so.1": "util",
    "libresolv.so.2": "resolv",
}
"""The table's names of glibc's libraries; ``ld``, the loader, has another soname everywhere."""


@dataclass(frozen=True, order=True)
class SymbolVersion:
    """One definition of a symbol in glibc."""

    version: VersionTriple
    library: str
    """``libc.so.6`` and so on."""

    def __str__(self) -> str:
        return f"GLIBC_{version_text(self.version)} of {self.library}"


def version_text(version: VersionTriple) -> str:
    """``(2, 2, 5)`` -> ``2.2.5``, ``(2, 17, 0)`` -> ``2.17``."""
    return ".".join(map(str, version if version[2] else version[:2]))


class GlibcTable:
    """The symbols of every glibc up to ``newest``, by architecture."""

    def __init__(
        self, newest: Version, source: str, own: Optional[_OwnTables], data: bytes
    ) -> None:
        self.newest = newest
        self.source = source
        """Where the table is from, for people."""
        self._own = own
        self._data = data
        self._by_arch: Dict[str, Symbols] = {}

    @classmethod
    def load(cls, zig_lib: Optional[Path] = None) -> GlibcTable:
        """The table of ``zig_lib``, a zig's ``lib`` directory.

        Without one, that of an installed ziglang if it knows a newer glibc than
        ours, else ours: a later table has all that an earlier one has. Raises
        ToolchainError if a table cannot be read.
        """
        own = _OwnTables.load()
        named = zig_lib is not None
        zig_lib = zig_lib if zig_lib is not None else installed_zig_lib()
        if zig_lib is not None:
            data = _read(zig_lib / "libc" / "glibc" / "abilists")
            if data and zlib.crc32(data) != own.glibc_crc:
                newest = read_header(data).versions[-1]
                if named or newest[:2] > own.newest:
                    return cls(Version(*newest[:2]), "the installed zig", None, data)
            elif named and not data:
                raise ToolchainError(
                    f"{zig_lib} has no libc/glibc/abilists", "Name the lib directory of a zig."
                )
        return cls(own.newest, own.source, own, b"")

    def of(self, arch: Architecture) -> Symbols:
        """All symbols of one architecture: name -> ``[(library, version), ...]``.

        Libraries are named as zig names them, ``c`` for ``libc.so.6``.
        """
        found = self._by_arch.get(arch.name)
        if found is None:
            if self._own is not None:
                found = self._own.glibc(arch)
            else:
                found = read_symbols(self._data, f"{arch.zig}-linux-{arch.gnu}")
            self._by_arch[arch.name] = found
        return found

    def versions(
        self, arch: Architecture, symbol: str, library: Optional[str] = None
    ) -> Tuple[SymbolVersion, ...]:
        """All versions under which ``symbol`` exists, the oldest first.

        ``library`` is a soname and limits the answer to it. A library that was
        merged into libc.so.6 in glibc 2.34 is there with its old versions, and
        libc.so.6 with the one it has since.
        """
        found = (
            SymbolVersion(version, _soname(arch, name))
            for name, version in self.of(arch).get(symbol, ())
        )
        return tuple(sorted(v for v in found if library is None or v.library == library))


class MuslTable:
    """The symbols of the musl that zig has, and the release that brought each."""

    def __init__(self, own: _OwnTables, text: Optional[str]) -> None:
        self._own = own
        self._text = text

    @classmethod
    def load(cls, zig_lib: Optional[Path] = None) -> MuslTable:
        """The table of ``zig_lib``, a zig's ``lib`` directory, else ours."""
        own = _OwnTables.load()
        data = _read(zig_lib / "libc" / "musl" / "libc.S") if zig_lib is not None else b""
        return cls(own, data.decode("utf-8", "replace") if data else None)

    def of(self, arch: Architecture) -> FrozenSet[str]:
        """The names of all symbols on one architecture."""
        if self._text is not None:
            return musl_symbols(self._text, arch)
        return self._own.musl(arch)

    @staticmethod
    def since(symbol: str) -> VersionTriple:
        """The musl release from which on the symbol, if there at all, is there."""
        return musl_since(symbol)


def installed_zig_lib() -> Optional[Path]:
    """The ``lib`` directory of the ziglang package that this Python has, or None."""
    try:
        spec = importlib.util.find_spec("ziglang")
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        return Path(place) / "lib"
    return None


def _soname(arch: Architecture, library: str) -> str:
    for soname, name in LIBRARY_OF_SONAME.items():
        if name == library:
            return soname
    return arch.glibc_loader if library == "ld" else f"lib{library}.so"


def _read(path: Path) -> bytes:
    """A file's bytes, or none if it is not there."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


class _OwnTables:
    """The data file: a line of JSON that lists the compressed parts behind it."""

    def __init__(self, directory: Dict[str, Any], data: bytes) -> None:
        self._directory = directory
        self._data = data

    @classmethod
    def load(cls) -> _OwnTables:
        head, _, data = TABLE_FILE.read_bytes().partition(b"\n")
        import json  # not needed where zig's own tables are read

        return cls(json.loads(head), data)

    @property
    def newest(self) -> Version:
        major, minor = self._directory["newest"]
        return Version(major, minor)

    @property
    def source(self) -> str:
        return str(self._directory["source"])

    @property
    def glibc_crc(self) -> int:
        return int(self._directory["crc"])

    def glibc(self, arch: Architecture) -> Symbols:
        symbols: Symbols = {}
        for line in self._part(f"glibc {arch.name}"):
            library, major, minor, patch, *names = line.split()
            definition = (library, (int(major), int(minor), int(patch)))
            for name in names:
                symbols.setdefault(name, []).append(definition)
        return symbols

    def musl(self, arch: Architecture) -> FrozenSet[str]:
        return frozenset(name for line in self._part(f"musl {arch.name}") for name in line.split())

    def _part(self, name: str) -> List[str]:
        start, size = self._directory["parts"].get(name, (0, 0))
        packed = self._data[start : start + size]
        return zlib.decompress(packed).decode().splitlines() if size else []
