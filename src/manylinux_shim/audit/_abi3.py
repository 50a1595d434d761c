"""Whether a wheel that says ``abi3`` or ``abi3t`` keeps to the stable ABI of the Python it names.

Source of the rule: PEP 384, PEP 803 for ``abi3t``, which has the same functions, and PEP 425 for
the meaning of ``cp38-abi3``.
"""

from __future__ import annotations

import re
from typing import List, Mapping, Optional, Sequence, Tuple

from manylinux_shim.audit import _explanations as why
from manylinux_shim.audit._interpreters import tag_pairs
from manylinux_shim.audit._python_api import API, PythonVersion
from manylinux_shim.audit.reasons import Reason
from manylinux_shim.elf import ElfFacts
from manylinux_shim.wheel import WheelName

_TAG = re.compile(r"cp3(\d+)")


def oldest_python(name: WheelName) -> Optional[PythonVersion]:
    """The oldest Python whose stable ABI a wheel is tagged for; None for other wheels."""
    pythons = [python for python, abi in tag_pairs(name) if abi in ("abi3", "abi3t")]
    minors = [int(match[1]) for match in map(_TAG.fullmatch, pythons) if match]
    return (3, min(minors)) if minors else None


def violations(
    files: Sequence[ElfFacts], oldest: PythonVersion, stable: Mapping[str, PythonVersion]
) -> Tuple[Reason, ...]:
    """What the extension modules use that is not in the stable ABI of ``oldest``."""
    found: List[Reason] = []
    for facts in files:
        # A module built for one version of Python stands beside those of the stable ABI
        # only where that version alone loads it.
        if facts.executable or facts.triplet is not None:
            continue
        for symbol in dict.fromkeys(u.name for u in facts.undefined if not u.weak):
            if API.match(symbol) is None:
                continue
            since = stable.get(symbol)
            own = since is None and any(symbol in other.exports for other in files)
            if not own and (since is None or since > oldest):
                found.append(why.not_stable(facts, symbol, since, oldest))
    return tuple(found)
