"""What to say of a function or header that came with a later libc than the target's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Sequence, Tuple

NEWER_TABLE = "newer"
"""The file, beside the tools, of what is newer than the target's libc: that one's version in the
first line, for musl after its name, then a name and the version that brought it in each."""

_NAMED_AFTER = (
    "undeclared function '",
    "undeclared library function '",
    "undeclared identifier '",
    "no member named '",
)
"""What clang says before a name that is not declared, in C and in C++."""
_DID_NOT_EXIST = " did not exist before glibc "
"""How zig's headers say that the target's glibc has no such header."""


def is_about_names(said: str) -> bool:
    """Whether clang complains of anything that ``complained_of`` would find."""
    return any(phrase in said for phrase in (*_NAMED_AFTER, _DID_NOT_EXIST))


def complained_of(said: str) -> Tuple[List[str], List[str]]:
    """The names that clang found no declaration of, and the headers that the target's glibc lacks.

    A header is followed by the version that brought it: ``threads.h 2.28``.
    """
    names: List[str] = []
    headers: List[str] = []
    for line in said.splitlines():
        for phrase in _NAMED_AFTER:
            _, _, rest = line.partition(phrase)
            names += [rest.partition("'")[0]] if rest else []
        before, found, version = line.partition(_DID_NOT_EXIST)
        if found and "error: " in before:
            name = before.rpartition("error: ")[2].strip('" ')
            headers.append(f"{name} {version.partition(chr(34))[0]}")
    return list(dict.fromkeys(names)), list(dict.fromkeys(headers))


def explanations(
    names: Sequence[str],
    headers: Sequence[str],
    table: str,
    *,
    architecture: str,
    supply: bool,
) -> Iterator[str]:
    """A sentence for each of ``names`` and ``headers`` that a later libc than the target's has.

    ``table`` is the path of the list of those (``NEWER_TABLE``); ``architecture`` is named as in a
    wheel's tag, ``supply`` says whether what can be linked in has been.
    """
    try:
        with open(table, encoding="utf-8") as file:
            have, *lines = file.read().split("\n")
    except OSError:
        return
    for header in headers:
        name, _, since = header.partition(" ")
        yield _sentence(f"<{name}>", since, have, linkable=not supply)
    came = dict(line.split(" ", 1) for line in lines if line)
    for name in names:
        if name not in came:
            continue
        linkable = False
        if not supply:
            from manylinux_shim.supply import can_link

            linkable = can_link(name, architecture)
        yield _sentence(name, came[name], have, linkable=linkable)


def _sentence(what: str, since: str, have: str, *, linkable: bool) -> str:
    major, minor = since.split(".")[:2]
    if have.startswith("musl "):
        remedy = "no policy promises it, so the code has to do without where it is not there"
        if (major, minor) == ("1", "1"):
            remedy = '`policy = "musllinux_1_2"` has it'
        return f"{what} came with musl {since}, and this build is for {have}: {remedy}."
    remedy = f'`policy = "manylinux_{major}_{minor}"` is the first that has it'
    if linkable:
        remedy += ", and `supply = true` links it in"
    return f"{what} came with glibc {since}, and this build is for {have}: {remedy}."
