"""What to add to the settings where a build failed for want of a library."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional

from manylinux_shim._plan import Plan


def lines_to_add(plan: Plan, record: Optional[Path]) -> List[str]:
    """A sentence for each header and library that the last compile or link lacked, if known.

    ``record`` is where the toolchain's compiler has noted it down.
    """
    if record is None or plan.target is None or plan.linked is None:
        return []
    from manylinux_shim.compiler import LACKING

    try:
        noted = (record / LACKING).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in noted.splitlines():
        kind, _, name = line.partition("\t")
        found.append(_sentence(kind, name, plan))
    return list(filter(None, found))


def _sentence(kind: str, name: str, plan: Plan) -> str:
    from manylinux_shim.libraries import package_of_header, package_of_library, parse

    what = f"The header {name}" if kind == "header" else f"The library {name} (-l{name})"
    lacking = f"{what} was not found."
    if plan.linked is not None and plan.linked.family == "musllinux":
        return f"{lacking} `before-all` can build its library for musl."
    known = package_of_header(name) if kind == "header" else package_of_library(name)
    if known is None:
        return f"{lacking} `libraries` or `before-all` can bring it."
    has = "has" if known.certain else "may have"
    package = f"{lacking} Debian's package {known.package} {has} it"
    if known.package in (one.name for one in parse(plan.settings.libraries)):
        return (
            f"{package}, and is named in `libraries`: the project does not look where it is."
            " `manylinux-shim run -- pkg-config --list-all` shows what can tell it."
        )
    target = plan.target.name if plan.target is not None else "the target"
    return f'{package}, and brings it for {target}: `libraries = ["deb:{known.package}"]`.'
