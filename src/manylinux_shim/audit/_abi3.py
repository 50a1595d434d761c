"""Whether a wheel that says ``abi3`` keeps to the stable ABI of the Python it names.

The list of the stable ABI is that of the abi3info package, which generates it
from CPython's own ``Misc/stable_abi.toml``; it is an optional extra, and without
it no check is made and a note says so. Source of the rule: PEP 384, and PEP 425
for the meaning of ``cp38-abi3``.
"""

from __future__ import annotations

import re
from typing import Callable, Iterable, List, Optional, Tuple

from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit.reasons import Reason
from manylinux_shim.elf import ElfFacts
from manylinux_shim.wheel import WheelName

PythonVersion = Tuple[int, int]
Added = Callable[[str], Optional[PythonVersion]]
"""The Python that brought a symbol into the stable ABI; None if it is not in it."""

NOT_CHECKED = (
    "the stable ABI was not checked: that needs the extra `manylinux-shim[abi3]` (abi3info)"
)

_API = re.compile(r"_?Py(?!Py|Init_)")
_TAG = re.compile(r"cp3(\d+)")


def oldest_python(name: WheelName) -> Optional[PythonVersion]:
    """The oldest Python that an abi3 wheel is tagged for; None for other wheels."""
    if "abi3" not in name.abi:
        return None
    minors = [int(match[1]) for match in map(_TAG.fullmatch, name.python) if match]
    return (3, min(minors)) if minors else None


def stable_abi() -> Optional[Added]:
    """A look-up of the stable ABI; None where abi3info is not installed."""
    try:
        from abi3info import DATAS, FUNCTIONS
        from abi3info.models import Symbol
    except ImportError:
        return None

    def added(symbol: str) -> Optional[PythonVersion]:
        key = Symbol(symbol)
        entry = FUNCTIONS.get(key) or DATAS.get(key)
        return (entry.added.major, entry.added.minor) if entry is not None else None

    return added


def violations(
    files: Iterable[ElfFacts], oldest: PythonVersion, added: Added
) -> Tuple[Reason, ...]:
    """What the extension modules use that is not in the stable ABI of ``oldest``."""
    found: List[Reason] = []
    for facts in files:
        # A module built for one version of Python stands beside those of the stable ABI
        # only where that version alone loads it.
        if facts.executable or facts.triplet is not None:
            continue
        for symbol in dict.fromkeys(u.name for u in facts.undefined if not u.weak):
            if _API.match(symbol) is None:
                continue
            since = added(symbol)
            if since is None or since > oldest:
                found.append(why.not_stable(facts, symbol, since, oldest))
    return tuple(found)
