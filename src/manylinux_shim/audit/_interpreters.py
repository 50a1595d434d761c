"""Whether every interpreter that a wheel is tagged for imports its extension modules.

An interpreter finds a module's file by its suffix alone. A wheel keeps what its Python and
ABI tags say if for each module there is a file that each of those interpreters takes.

Sources: ``importlib.machinery.EXTENSION_SUFFIXES`` of CPython and of PyPy; PEP 3149 for
``.cpython-312-<triplet>.so``; PEP 384 for ``.abi3.so``, which builds without the GIL do not
take; PEP 803 for ``.abi3t.so``; PEP 425 and PEP 703 for the tags.
"""

from __future__ import annotations

import posixpath
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit.reasons import Reason
from manylinux_shim.elf import ElfFacts
from manylinux_shim.wheel import WheelName

_FILE = re.compile(
    r"(?P<stem>[^.]+)(?:\.(?P<suffix>"
    r"cpython-(?P<cpython>\d{2,})(?P<flags>[a-z]*)(?:-[a-z0-9_-]+)?"
    r"|abi3t?"
    r"|pypy(?P<pypy>\d{2,})-(?P<pp>pp\d+)(?:-[a-z0-9_-]+)?"
    r"|(?P<graalpy>graalpy[\w-]+)"
    r"))?\.so"
)
_CPYTHON = re.compile(r"cp(3)(\d+)")
_FIRST_ABI3T = (3, 15)


class _Module(NamedTuple):
    """One file of an extension module."""

    facts: ElfFacts
    stem: str
    suffix: str
    """Empty for a bare ``.so``, which every CPython takes."""
    match: Dict[str, str]


def unserved(files: Iterable[ElfFacts], name: WheelName) -> Tuple[Tuple[str, Reason], ...]:
    """Tags (``cp312-abi3``) whose interpreters do not import a module of the wheel, and why."""
    modules = _modules(files)
    return tuple(
        (f"{python}-{abi}", why.not_imported(group[0].facts, f"{python}-{abi}"))
        for python, abi in tag_pairs(name)
        for group in modules
        if not any(_takes(module, python, abi) for module in group)
    )


def without_init(files: Iterable[ElfFacts]) -> Iterator[ElfFacts]:
    """Files with a module's suffix that Python cannot import: they have no function for it."""
    for group in _modules(files):
        for module in group:
            # Of a name that is not ASCII it is called PyInitU_ (PEP 489).
            entries = _entries(module.stem)
            if module.stem.isascii() and not any(n in module.facts.exports for n in entries):
                yield module.facts


def is_module(facts: ElfFacts) -> bool:
    """Whether Python can import this file: by its suffix, or by the function that begins it."""
    base = posixpath.basename(facts.name)
    match = _FILE.fullmatch(base)
    if match is None or facts.executable:
        return False
    return match["suffix"] is not None or any(n in facts.exports for n in _entries(match["stem"]))


def _entries(stem: str) -> Tuple[str, ...]:
    """The functions of which a module of this name has one.

    PEP 793 has the second, cffi's ``_cffi_include.h`` the third, by which PyPy imports it.
    """
    return f"PyInit_{stem}", f"PyModExport_{stem}", f"_cffi_pypyinit_{stem}"


def imports(facts: ElfFacts, python: str, abi: str) -> bool:
    """Whether all interpreters of ``python`` and ``abi`` take this file, by its suffix."""
    return any(_takes(module, python, abi) for group in _grouped([facts]) for module in group)


def _modules(files: Iterable[ElfFacts]) -> List[List[_Module]]:
    """The modules that have a file with an interpreter's suffix, with all their files."""
    return [group for group in _grouped(files) if any(module.suffix for module in group)]


def _grouped(files: Iterable[ElfFacts]) -> List[List[_Module]]:
    """What has the name of a module, by module."""
    found: Dict[Tuple[str, str], List[_Module]] = {}
    for facts in files:
        directory, base = posixpath.split(facts.name)
        match = _FILE.fullmatch(base)
        if match is not None and not facts.executable:
            groups = {key: value or "" for key, value in match.groupdict().items()}
            module = _Module(facts, groups["stem"], groups["suffix"], groups)
            found.setdefault((directory, module.stem), []).append(module)
    return list(found.values())


def tag_pairs(name: WheelName) -> Iterator[Tuple[str, str]]:
    """The Python and ABI tags that can stand together: of a compressed set not all can."""
    for python in name.python:
        for abi in name.abi:
            own = re.match(r"(cp\d+)", abi)
            if own is None or own[1] == python:
                yield python, abi


def _takes(module: _Module, python: str, abi: str) -> bool:
    """Whether all interpreters of ``python`` and ``abi`` import this file."""
    match = module.match
    if not module.suffix:
        return True
    if match["cpython"]:
        return abi == f"cp{match['cpython']}{match['flags']}"
    if match["pypy"]:
        return python == f"pp{match['pypy']}" and abi.endswith(f"_{match['pp']}")
    if match["graalpy"]:
        return python.startswith("graalpy")
    if python.startswith(("pp", "graalpy")):
        return False
    version = _CPYTHON.match(python)
    if module.suffix == "abi3t":
        return version is not None and (3, int(version[2])) >= _FIRST_ABI3T
    threaded = abi == "abi3t" or (abi.startswith("cp") and "t" in abi[2:])
    return not threaded
