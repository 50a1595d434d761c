"""Which twin is whose: what the driver left of its links, and the files of a wheel."""

from __future__ import annotations

import posixpath
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Tuple

from manylinux_shim.compiler import TWINS, fingerprint
from manylinux_shim.elf import ElfFacts
from manylinux_shim.sbom import Link, recorded_link


@dataclass(frozen=True)
class Twin:
    """A file as it would be with the C++ library outside of it: ``compiler._twin``."""

    path: Path
    directory: str
    """Where its linker ran."""
    output: str
    """Absolute path of the file whose twin it is, as it was linked."""
    code: str
    """The fingerprint of that file."""
    zig: str
    configuration: str
    """Where the toolchain that linked it wrote itself down."""

    @property
    def link(self) -> Link:
        """What went into it, under the name of the file that it takes the place of."""
        return recorded_link(self.output, self.path, self.directory)


def read_twins(record: Path) -> List[Twin]:
    """Every twin on record, the latest of each output last."""
    notes = sorted((record / TWINS).glob("*.twin"), key=lambda path: path.stat().st_mtime_ns)
    found = []
    for note in notes:
        text = note.read_text(encoding="utf-8", errors="surrogateescape")
        directory, output, code, zig, configuration = text.split("\n")
        path = posixpath.normpath(posixpath.join(directory, output))
        found.append(Twin(note.with_suffix(""), directory, path, code, zig, configuration))
    return found


def twins_of(files: Iterable[Tuple[ElfFacts, bytes]], twins: Iterable[Twin]) -> Dict[str, Twin]:
    """For each of ``files``, by the code in it, its twin; those that have none are left out."""
    by_code = {twin.code: twin for twin in twins}
    if not by_code:
        return {}
    found = {facts.name: by_code.get(_code(data)) for facts, data in files}
    return {name: twin for name, twin in found.items() if twin is not None}


def _code(data: bytes) -> str:
    try:
        return fingerprint(lambda offset, size: data[offset : offset + size])
    except (struct.error, LookupError):
        return ""
