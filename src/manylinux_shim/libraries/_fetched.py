"""From requirements to prefixes, through the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, List, Sequence, Tuple

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.libraries._prefix import Prefix
from manylinux_shim.libraries._requirements import Requirement


def fetched(
    requirements: Sequence[Requirement],
    arch: Architecture,
    policy: Policy,
    cache: Path,
    notice: Callable[[str], None],
) -> Tuple[Prefix, ...]:
    """The prefixes with ``requirements`` for the target, fetched if they are not in the cache.

    Raises ToolchainError where one cannot be had, with what the package manager said.
    """
    triplet = arch.triplet_musl if policy.family == "musllinux" else arch.triplet_gnu
    found: List[Prefix] = []
    debs = [one for one in requirements if one.kind == "deb"]
    if debs:
        from manylinux_shim.libraries._debian import debian_prefix

        found.append(Prefix(debian_prefix(debs, arch, policy, cache, notice), triplet))
    for one in requirements:
        if one.kind == "wheel":
            from manylinux_shim.libraries._wheels import wheel_prefixes

            package, roots = wheel_prefixes(one, arch, policy, cache, notice)
            found += [Prefix(root, triplet, package) for root in roots]
    return tuple(found)
