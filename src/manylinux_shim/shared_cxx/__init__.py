"""One C++ library for all files of a wheel that could exchange C++.

A file that is alone has its own static libc++: small, and linked in seconds. Two have
two, and then an exception that one throws may be of unknown type to the other, and a
stream of one crashes the other. So where two files of a wheel have C++, each is replaced
by its twin (``compiler._twin``), which is the same but for its C++ library: that is one
shared library in the wheel, for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

from manylinux_shim._plan import Plan
from manylinux_shim.audit import Verdict
from manylinux_shim.sbom import Link


@dataclass(frozen=True)
class Shared:
    """A wheel whose files share a C++ library, or do not need to."""

    verdict: Verdict
    links: Optional[Tuple[Link, ...]]
    """How its files were linked; None if it was not by us."""
    members: Tuple[str, ...] = ()
    """The library, in each place where the wheel has it."""


def with_one_runtime(state: Shared, plan: Plan, record: Optional[Path], epoch: int) -> Shared:
    """The wheel with one C++ library, where two of its files have one each.

    ``record`` is where the links of this build left what went into them. Works in the
    wheel's own directory. Raises PolicyError where files exchange C++ that cannot share
    a library; ToolchainError where that cannot be made.
    """
    if record is None or not any(facts.cxx_runtime for facts in state.verdict.files):
        return state
    from manylinux_shim.shared_cxx._sharing import shared  # no need without C++

    return shared(state, plan, record, epoch)


__all__ = ["Shared", "with_one_runtime"]
