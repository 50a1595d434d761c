"""Write ``python.bin`` anew: ``python -m manylinux_shim.audit._python_table FILE=SOURCE ...``.

``FILE`` is an interpreter with Python's functions in it, or its ``libpython3.X.so``; ``SOURCE``
says whose it is and begins with the version: ``3.12.1, built from python.org's source``. The
stable ABI is that of the installed abi3info, which generates it from CPython's own
``Misc/stable_abi.toml``. The same files give the same bytes.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Dict, Mapping, Sequence, Set, Tuple

from manylinux_shim.audit._python_api import API, TABLE_FILE
from manylinux_shim.elf import read_elf


def stable_abi() -> Dict[str, Tuple[int, int]]:
    """The symbols of the stable ABI on Linux, and since when each is in it."""
    from abi3info import DATAS, FUNCTIONS

    entries = {**FUNCTIONS, **DATAS}
    return {key.name: (e.added.major, e.added.minor) for key, e in entries.items()}


def compact(sources: Mapping[str, str]) -> bytes:
    """The bytes of the data file; ``sources`` has by path what to say of it."""
    stable = stable_abi()
    found: Dict[str, Tuple[str, Set[str]]] = {}
    for path, source in sources.items():
        version = ".".join(source.split(",")[0].split(".")[:2])
        exports = read_elf(path, Path(path).read_bytes()).exports.names
        found[version] = (f"CPython {source}", {n for n in exports if API.match(n)})
    order = sorted(found, key=lambda version: int(version.partition(".")[2]))
    lines = []
    for name in sorted(set().union(stable, *(names for _, names in found.values()))):
        bits = sum(1 << place for place, v in enumerate(order) if name in found[v][1])
        since = ".".join(map(str, stable[name])) if name in stable else "-"
        lines.append(f"{name} {since} {bits:x}\n")
    head = json.dumps({version: found[version][0] for version in order})
    return head.encode() + b"\n" + zlib.compress("".join(lines).encode(), 9)


def main(arguments: Sequence[str]) -> None:
    """Write the file."""
    named = dict(argument.split("=", 1) for argument in arguments)
    TABLE_FILE.write_bytes(compact(named))


if __name__ == "__main__":
    main(sys.argv[1:])
