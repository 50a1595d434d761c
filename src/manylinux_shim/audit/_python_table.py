"""Write ``python.bin`` anew: ``python -m manylinux_shim.audit._python_table ABI=FILE=SOURCE ...``.

``ABI`` is the tag of an interpreter (``cp313t``), ``FILE`` is that interpreter with Python's
functions in it, or its shared library; ``SOURCE`` says whose it is: ``CPython 3.12.1, built from
python.org's source``. What is not named stays as it is. The stable ABI is that of the installed
abi3info, which generates it from CPython's own ``Misc/stable_abi.toml``. The same files give the
same bytes.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from pathlib import Path
from typing import Dict, FrozenSet, Mapping, Sequence, Tuple

from manylinux_shim.audit._python_api import TABLE_FILE, Interpreters, api_of
from manylinux_shim.elf import read_elf


def stable_abi() -> Dict[str, Tuple[int, int]]:
    """The symbols of the stable ABI on Linux, and since when each is in it."""
    from abi3info import DATAS, FUNCTIONS

    entries = {**FUNCTIONS, **DATAS}
    return {key.name: (e.added.major, e.added.minor) for key, e in entries.items()}


def exported(abi: str, path: Path) -> FrozenSet[str]:
    """What of Python's own an interpreter, or its library, has for its modules."""
    names = read_elf(str(path), path.read_bytes()).exports.names
    return frozenset(name for name in names if api_of(abi).match(name))


def compact(sources: Mapping[str, str], symbols: Mapping[str, FrozenSet[str]]) -> bytes:
    """The bytes of the data file; both have by ABI what is to be in it."""
    stable = stable_abi()
    order = sorted(sources, key=_place)
    lines = []
    for name in sorted(set().union(stable, *symbols.values())):
        bits = sum(1 << place for place, abi in enumerate(order) if name in symbols[abi])
        since = ".".join(map(str, stable[name])) if name in stable else "-"
        lines.append(f"{name} {since} {bits:x}\n")
    head = json.dumps({abi: sources[abi] for abi in order})
    return head.encode() + b"\n" + zlib.compress("".join(lines).encode(), 9)


def _place(abi: str) -> Tuple[str, int, str]:
    match = re.match(r"([a-z]+)3(\d+)", abi)
    return (match[1], int(match[2]), abi) if match else (abi, 0, abi)


def main(arguments: Sequence[str]) -> None:
    """Write the file."""
    table = Interpreters.load()
    sources, symbols = dict(table.sources), dict(table.symbols)
    for argument in arguments:
        abi, path, source = argument.split("=", 2)
        sources[abi], symbols[abi] = source, exported(abi, Path(path))
    TABLE_FILE.write_bytes(compact(sources, symbols))


if __name__ == "__main__":
    main(sys.argv[1:])
