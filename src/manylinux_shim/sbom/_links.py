"""What the links of this build left on record; the driver's half is ``compiler._driver``.

Three files a link, whose names begin alike::

    <link>.output      two lines: the directory that lld ran in, and the output as it was
                       given; only when the link went well
    <link>.inputs      every file that lld read (--dependency-file: make's syntax)
    <link>.extracted   which member was taken out of which archive (--why-extract)

and a fourth where functions were linked in that the target's libc lacks::

    <link>.supplied    their names
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, FrozenSet, Iterable, List, Optional, Tuple

_LIBC = ("libc.so.6", "libc.so")
_ESCAPED = re.compile(r"\\(.)|\$(\$)", re.DOTALL)
_WORD = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)


@dataclass(frozen=True)
class Link:
    """What went into one output of the linker."""

    output: str
    """Absolute path."""
    inputs: Tuple[str, ...]
    """Absolute paths of the files that lld read: objects, archives, shared libraries."""
    extracted: FrozenSet[str]
    """``archive(member)`` for each member of an archive that is inside."""
    supplied: Tuple[str, ...] = ()
    """Functions inside that the target's libc lacks."""

    @property
    def is_program(self) -> bool:
        """Whether the output is a program: those begin with a start file of the C library."""
        return any(path.endswith("crt1.o") for path in self.inputs)


def read_links(directory: Path) -> Tuple[Link, ...]:
    """Every link on record, one for each output: a later one has replaced the earlier."""
    found: Dict[str, Tuple[int, Link]] = {}
    for path in directory.glob("*.output"):
        place, _, given = _text(path).partition("\n")
        output = _absolute(place, given)
        link = recorded_link(output, path.with_suffix(""), place)
        time = path.stat().st_mtime_ns
        if output not in found or found[output][0] < time:
            found[output] = time, link
    return tuple(link for _, (_, link) in sorted(found.items()))


def recorded_link(output: str, record: Path, directory: str) -> Link:
    """The link whose record's names begin with ``record``; lld ran in ``directory``."""
    inputs = tuple(_absolute(directory, i) for i in _inputs(Path(f"{record}.inputs")))
    supplied = tuple(sorted(_text(Path(f"{record}.supplied")).split()))
    return Link(output, inputs, _extracted(Path(f"{record}.extracted")), supplied)


def library_directories(links: Iterable[Link]) -> List[str]:
    """Where the shared libraries are that were linked with, so that they are found again.

    Without those where a libc is: the loader looks there anyway, or it is the
    stub of ours, which must not be loaded.
    """
    libraries = (i for link in links for i in link.inputs if ".so" in posixpath.basename(i))
    directories = sorted({posixpath.dirname(path) for path in libraries})
    return [d for d in directories if not any(Path(d, name).exists() for name in _LIBC)]


def links_of(
    files: Iterable[str], read: Callable[[str], bytes], links: Tuple[Link, ...]
) -> Dict[str, Tuple[Link, ...]]:
    """For each file of the wheel the links it came from; it is left out if none is known.

    That which has its name, else that whose output is this file to the byte:
    real backends rename what they link. Where neither is told, all those of its
    kind count that no other file of the wheel accounts for. ``read`` gives a
    file's bytes.
    """
    known = {name: _link_of(name, read, links) for name in files}
    taken = {link.output for found in known.values() for link in found}
    rest = [link for link in links if link.output not in taken]
    origin = {}
    for name, found in known.items():
        library = ".so" in posixpath.basename(name)
        alike = found or tuple(link for link in rest if link.is_program is not library)
        if alike:
            origin[name] = alike
    return origin


def _link_of(name: str, read: Callable[[str], bytes], links: Tuple[Link, ...]) -> Tuple[Link, ...]:
    base = posixpath.basename(name)
    alike = tuple(link for link in links if posixpath.basename(link.output) == base)
    if len(alike) == 1 or not links:
        return alike
    digest = hashlib.sha256(read(name)).digest()
    return tuple(link for link in alike or links if _digest(link.output) == digest) or alike


def _digest(path: str) -> Optional[bytes]:
    """None where the real backend has removed the file already."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).digest()
    except OSError:
        return None


def _absolute(directory: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(directory, path))


def _inputs(path: Path) -> Tuple[str, ...]:
    """The prerequisites of the first rule, which has them all."""
    text = _text(path).replace("\\\n", " ").split("\n")[0]
    words = [_ESCAPED.sub(r"\1\2", word) for word in _WORD.findall(text.partition(": ")[2])]
    return tuple(words)


def _extracted(path: Path) -> FrozenSet[str]:
    rows = (line.split("\t") for line in _text(path).splitlines()[1:])
    return frozenset(row[1] for row in rows if len(row) > 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
