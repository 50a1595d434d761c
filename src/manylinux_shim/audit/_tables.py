"""Write ``symbols.bin`` anew: ``python -m manylinux_shim.audit._tables ZIG_LIB SOURCE``.

``ZIG_LIB`` is the ``lib`` directory of an installed zig, ``SOURCE`` what to say
of it (``ziglang 0.17.0``). The same zig gives the same bytes.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Dict, List, Tuple

from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.audit._abilists import VersionTriple, read_header, read_symbols
from manylinux_shim.audit._musl import musl_symbols
from manylinux_shim.audit._symbols import TABLE_FILE


def compact(zig_lib: Path, source: str) -> bytes:
    """The bytes of the data file that says what the tables of ``zig_lib`` say."""
    glibc = (zig_lib / "libc" / "glibc" / "abilists").read_bytes()
    musl = (zig_lib / "libc" / "musl" / "libc.S").read_text()
    parts: Dict[str, bytes] = {}
    for arch in ARCHITECTURES.values():
        by_version: Dict[Tuple[str, VersionTriple], List[str]] = {}
        target = f"{arch.zig}-linux-{arch.gnu}"
        for name, definitions in sorted(read_symbols(glibc, target).items()):
            for definition in definitions:
                by_version.setdefault(definition, []).append(name)
        lines = [
            " ".join((library, *map(str, version), *names))
            for (library, version), names in sorted(by_version.items())
        ]
        parts[f"glibc {arch.name}"] = zlib.compress("\n".join(lines).encode(), 9)
        names = sorted(musl_symbols(musl, arch))
        parts[f"musl {arch.name}"] = zlib.compress(" ".join(names).encode(), 9)
    places = {}
    at = 0
    for name, part in parts.items():
        places[name] = (at, len(part))
        at += len(part)
    directory = {
        "source": source,
        "newest": read_header(glibc).versions[-1][:2],
        "crc": zlib.crc32(glibc),
        "parts": places,
    }
    return json.dumps(directory).encode() + b"\n" + b"".join(parts.values())


if __name__ == "__main__":
    TABLE_FILE.write_bytes(compact(Path(sys.argv[1]), sys.argv[2]))
