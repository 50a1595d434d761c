"""Python's own symbols: which interpreter has which, and which of them are stable.

``python.bin`` has them: a line of JSON with the source for each ABI (``cp312``, ``cp314t``,
``pypy39_pp73``), and a compressed text behind it, a line a symbol::

    PyUnicode_AsUTF8AndSize 3.10 ff

that is its name, the version that brought it into the stable ABI (``-``: none), and the
ABIs that have it, as the bits of a hexadecimal number in the order of the JSON.
``python -m manylinux_shim.audit._python_table`` writes it.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Pattern, Tuple

from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit._interpreters import imports, is_module, tag_pairs
from manylinux_shim.audit.reasons import Reason
from manylinux_shim.elf import ElfFacts
from manylinux_shim.wheel import WheelName

PythonVersion = Tuple[int, int]
API = re.compile(r"_?Py(?!Py|Init_|ModExport_)")
"""CPython's names; PyPy's headers put ``PyPy`` before most of them."""
TABLE_FILE = Path(__file__).with_name("python.bin")
_OF_PYPY = re.compile(r"_?Py(?!Init_|ModExport_)")


class Interpreters(NamedTuple):
    """The symbols of every interpreter that the table knows."""

    sources: Mapping[str, str]
    """By ABI tag, whose symbols they are: ``CPython 3.12.1, ...``."""
    stable: Mapping[str, PythonVersion]
    """The version that brought a symbol into the stable ABI, for all that are in it."""
    symbols: Mapping[str, FrozenSet[str]]
    """By ABI tag."""

    @classmethod
    def load(cls) -> Interpreters:
        """The table of the data file."""
        import json

        head, _, packed = TABLE_FILE.read_bytes().partition(b"\n")
        sources = dict(json.loads(head))
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

    def with_gil_only(self, symbol: str) -> bool:
        """Whether this is public, and only builds with the GIL are known to have it."""
        own = [abi for abi, symbols in self.symbols.items() if symbol in symbols]
        return bool(own) and not symbol.startswith("_") and not any(a.endswith("t") for a in own)


def _version(text: str) -> PythonVersion:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


class Checked(NamedTuple):
    """What came of a wheel's modules and the interpreters of its tags."""

    lacking: Tuple[Tuple[str, Reason], ...] = ()
    """Tags (``cp312-cp312``) whose interpreter lacks a symbol that a module needs, and why."""
    notes: Tuple[str, ...] = ()
    """Interpreters that nothing is known of, and what an older PyPy than some lacks."""


def api_of(abi: str) -> Pattern[str]:
    """What names of Python's own begin with, for the modules of an ABI."""
    return API if abi.startswith("cp") else _OF_PYPY


def asked_of_python(
    files: Iterable[ElfFacts], name: WheelName, table: Optional[Interpreters] = None
) -> Checked:
    """Whether the interpreters of a wheel's tags have what its modules need of them.

    Tags of a stable ABI are left to the check of that. Of a build without the GIL that no table
    has, only public functions are missed that other versions have and its version has not with
    the GIL. PyPy's functions become more while its ABI keeps its name: what the one in the table
    lacks is noted, and no fault.
    """
    files = tuple(files)
    modules = [f for f in files if is_module(f)]
    if not modules:
        return Checked()
    lacking: List[Tuple[str, Reason]] = []
    notes: List[str] = []
    for python, abi in tag_pairs(name):
        if abi in ("none", "abi3", "abi3t"):
            continue
        table = table or Interpreters.load()
        symbols = table.symbols.get(abi) or table.symbols.get(abi.rstrip("t"))
        if symbols is None:
            notes.append(
                f"what its modules need of Python was not checked for {abi}: no table has that one"
            )
            continue
        for facts in modules:
            if not imports(facts, python, abi):
                continue
            missing = _missing(facts, symbols, files, api_of(abi))
            if abi not in table.symbols:
                missing = [symbol for symbol in missing if table.with_gil_only(symbol)]
            if abi.startswith("cp"):
                version = f"3.{abi[3:]}"
                lacking += [
                    (f"{python}-{abi}", why.not_in_python(facts, symbol, version))
                    for symbol in missing
                ]
            elif missing:
                which = table.sources[abi].split(",")[0]
                notes.append(f"{facts.name} needs {', '.join(missing)}, which {which} lacks")
    return Checked(tuple(lacking), tuple(dict.fromkeys(notes)))


def _missing(
    facts: ElfFacts, symbols: FrozenSet[str], files: Iterable[ElfFacts], api: Pattern[str]
) -> List[str]:
    wanted = [
        symbol.name
        for symbol in facts.undefined
        if not symbol.weak and symbol.name not in symbols and api.match(symbol.name)
    ]
    return [
        symbol for symbol in dict.fromkeys(wanted) if not any(symbol in f.exports for f in files)
    ]
