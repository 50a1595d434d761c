"""Python's own symbols: which interpreter has which, and which of them are stable.

``python.bin`` has them: a line of JSON with the source for each version, and a compressed
text behind it, a line a symbol::

    PyUnicode_AsUTF8AndSize 3.10 ff

that is its name, the version that brought it into the stable ABI (``-``: none), and the
versions that have it, as the bits of a hexadecimal number in the order of the JSON.
``python -m manylinux_shim.audit._python_table`` writes it.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit._interpreters import imports, is_module, tag_pairs
from manylinux_shim.audit.reasons import Reason
from manylinux_shim.elf import ElfFacts
from manylinux_shim.wheel import WheelName

PythonVersion = Tuple[int, int]
API = re.compile(r"_?Py(?!Py|Init_|ModExport_)")
TABLE_FILE = Path(__file__).with_name("python.bin")
_ABI = re.compile(r"cp3(\d+)(t?)")


class Interpreters(NamedTuple):
    """The symbols of every CPython that the table knows."""

    sources: Mapping[PythonVersion, str]
    """By version, whose symbols they are: ``CPython 3.12.1, ...``."""
    stable: Mapping[str, PythonVersion]
    """The version that brought a symbol into the stable ABI, for all that are in it."""
    symbols: Mapping[PythonVersion, FrozenSet[str]]

    @classmethod
    def load(cls) -> Interpreters:
        """The table of the data file."""
        import json

        head, _, packed = TABLE_FILE.read_bytes().partition(b"\n")
        sources = {_version(text): source for text, source in json.loads(head).items()}
        stable: Dict[str, PythonVersion] = {}
        names: List[List[str]] = [[] for _ in sources]
        for line in zlib.decompress(packed).decode().splitlines():
            name, since, bits = line.split()
            if since != "-":
                stable[name] = _version(since)
            for place, own in enumerate(names):
                if int(bits, 16) >> place & 1:
                    own.append(name)
        return cls(sources, stable, dict(zip(sources, map(frozenset, names))))

    def had(self, symbol: str) -> bool:
        """Whether a version that the table knows has this, and it is public."""
        return not symbol.startswith("_") and any(symbol in own for own in self.symbols.values())


def _version(text: str) -> PythonVersion:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


class Checked(NamedTuple):
    """What came of a wheel's modules and the interpreters of its tags."""

    lacking: Tuple[Tuple[str, Reason], ...] = ()
    """Tags (``cp312-cp312``) whose interpreter lacks a symbol that a module needs, and why."""
    notes: Tuple[str, ...] = ()
    """Interpreters that nothing is known of."""


def asked_of_python(
    files: Iterable[ElfFacts], name: WheelName, table: Optional[Interpreters] = None
) -> Checked:
    """Whether the interpreters of a wheel's tags have what its modules need of them.

    Tags of a stable ABI are left to the check of that. Builds without the GIL have functions of
    their own that are in no table (``PyUnstable_Module_SetGIL``): of those, only public ones
    that another version has are missed.
    """
    files = tuple(files)
    modules = [f for f in files if is_module(f)]
    if not modules:
        return Checked()
    lacking: List[Tuple[str, Reason]] = []
    unknown: List[str] = []
    for python, abi in tag_pairs(name):
        if abi in ("none", "abi3", "abi3t"):
            continue
        match = _ABI.fullmatch(abi)
        table = table or Interpreters.load()
        symbols = table.symbols.get((3, int(match[1]))) if match else None
        if match is None or symbols is None:
            unknown.append(abi)
            continue
        for facts in modules:
            if imports(facts, python, abi):
                lacking += [
                    (f"{python}-{abi}", why.not_in_python(facts, symbol, f"3.{match[1]}"))
                    for symbol in _missing(facts, symbols, files)
                    if not match[2] or table.had(symbol)
                ]
    notes = tuple(
        f"what its modules need of Python was not checked for {abi}: no table has that one"
        for abi in dict.fromkeys(unknown)
    )
    return Checked(tuple(lacking), notes)


def _missing(facts: ElfFacts, symbols: FrozenSet[str], files: Iterable[ElfFacts]) -> List[str]:
    wanted = [
        symbol.name
        for symbol in facts.undefined
        if not symbol.weak and symbol.name not in symbols and API.match(symbol.name)
    ]
    return [
        symbol for symbol in dict.fromkeys(wanted) if not any(symbol in f.exports for f in files)
    ]
