"""One build's facts -> what its list of contents says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import quote

import manylinux_shim
from manylinux_shim._platforms import Policy
from manylinux_shim.sbom._document import Component, Contents
from manylinux_shim.sbom._links import Link, links_of
from manylinux_shim.sbom._parts import PARTS, parts_of, shared_parts, version_of
from manylinux_shim.wheel import WheelName, normalised

if TYPE_CHECKING:
    from manylinux_shim.graft import Package  # seldom needed, slow to import

_PROPERTY = "manylinux-shim:"
_GCC_LICENCE = "GPL-3.0-or-later WITH GCC-exception-3.1"


def contents(
    name: WheelName,
    *,
    files: Sequence[str] = (),
    read: Callable[[str], bytes],
    links: Tuple[Link, ...] = (),
    runtime: Sequence[str] = (),
    zig: Optional[Tuple[str, Path]] = None,
    linked: Optional[Policy] = None,
    grafted: Mapping[str, Tuple[Optional[Path], Optional[Package]]] = {},
    supplied: Mapping[str, Optional[Tuple[Path, Optional[Package]]]] = {},
    outside: Sequence[str] = (),
    others: Sequence[str] = (),
    timestamp: Optional[int] = None,
) -> Contents:
    """What is in the wheel ``name`` through us.

    ``files`` are its ELF files that the build has linked, and ``read`` gives their
    bytes as they came out of it; ``links`` is what is on record of that; ``runtime`` the
    C++ library that they share, in each place where it is; ``zig`` the version and ``lib``
    directory of the zig that was used, ``linked`` the policy whose libc it linked against.
    ``grafted`` has for each library of this machine in the wheel the file that it was and its
    package, as far as they are known; ``supplied`` are libraries that we made, with the
    static library of GCC whose parts they have, if any, and its package; ``outside`` sonames
    that somebody else provides; ``others`` the lists of contents that are there.
    """
    facts = [("external-library", soname) for soname in outside]
    if linked is not None:
        libc = "glibc" if linked.family == "manylinux" else "musl"
        facts.insert(0, ("target-libc", f"{libc} {linked.version}"))
    origin = links_of(files, read, links)
    if zig is not None:
        facts += [("not-linked-in-this-build", file) for file in files if file not in origin]
    canonical = normalised(name.distribution)
    return Contents(
        Component(
            canonical,
            name.version,
            purl=f"pkg:pypi/{canonical}@{quote(name.version, safe='.-_~')}",
            properties=tuple((_PROPERTY + key, value) for key, value in facts),
        ),
        tuple(_tools(zig)),
        (*_of_zig(origin, runtime, linked, zig), *_grafted(grafted), *_supplied(supplied)),
        tuple(others),
        timestamp,
    )


def _own() -> Component:
    version = manylinux_shim.__version__
    return Component("manylinux-shim", version, "MIT", f"pkg:pypi/manylinux-shim@{version}")


def _tools(zig: Optional[Tuple[str, Path]]) -> List[Component]:
    if zig is None:
        return [_own()]
    version, lib = zig
    # Beside the package's own module; any other zig did not come from PyPI.
    packaged = (lib.parent / "__init__.py").is_file() and lib.parent.name == "ziglang"
    purl = f"pkg:pypi/ziglang@{quote(version, safe='.-_~')}" if packaged else ""
    return [_own(), Component("zig", version, "MIT", purl)]


def _of_zig(
    origin: Mapping[str, Tuple[Link, ...]],
    runtime: Sequence[str],
    linked: Optional[Policy],
    zig: Optional[Tuple[str, Path]],
) -> List[Component]:
    if zig is None:
        return []
    inside: Dict[str, List[str]] = {}
    if runtime and linked is not None:
        inside = {part: list(runtime) for part in shared_parts(linked.family)}
    for file, found in sorted(origin.items()):
        for part in parts_of(found):
            inside.setdefault(part, []).append(file)
    parts = [
        Component(
            part.name,
            version_of(key, zig[1], zig[0]),
            part.licence,
            description=f"{part.description}; linked statically",
            files=tuple(inside[key]),
        )
        for key, part in PARTS.items()
        if key in inside
    ]
    return [*parts, *_linked_in(origin)]


def _linked_in(origin: Mapping[str, Tuple[Link, ...]]) -> List[Component]:
    """What stands in for functions that the target's libc lacks, by the files it is in."""
    functions = {
        file: sorted({name for link in found for name in link.supplied})
        for file, found in sorted(origin.items())
    }
    names = sorted({name for found in functions.values() for name in found})
    if not names:
        return []
    own = _own()
    return [
        Component(
            f"{own.name} functions",
            own.version,
            own.licence,
            own.purl,
            f"{', '.join(names)}: what the target's libc lacks; linked statically",
            tuple(file for file, found in functions.items() if found),
        )
    ]


def _grafted(
    grafted: Mapping[str, Tuple[Optional[Path], Optional[Package]]],
) -> List[Component]:
    """One component for each package, or for each file that no package has, with its hash."""
    members: Dict[Tuple[str, Optional[Package]], List[str]] = {}
    hashes: Dict[str, str] = {}
    for member, (source, package) in sorted(grafted.items()):
        former = source.name if source is not None else member.rpartition("/")[2]
        if source is not None and package is None:
            hashes[former] = hashlib.sha256(source.read_bytes()).hexdigest()
        members.setdefault(("" if package else former, package), []).append(member)
    return [
        Component(
            package.name if package else former,
            package.version if package else "",
            package.licence if package else "",
            purl=package.purl if package else "",
            description="shared library of the machine that built the wheel, grafted into it",
            sha256=hashes.get(former, ""),
            files=tuple(files),
        )
        for (former, package), files in members.items()
    ]


def _supplied(
    supplied: Mapping[str, Optional[Tuple[Path, Optional[Package]]]],
) -> List[Component]:
    found = []
    for member, source in sorted(supplied.items()):
        own = _own()
        component = Component(
            member.rpartition("/")[2],
            own.version,
            own.licence,
            description="supplies what the target's libc lacks; made by manylinux-shim",
            files=(member,),
        )
        if source is not None:
            path, package = source
            component = Component(
                package.name if package else path.name,
                package.version if package else "",
                _GCC_LICENCE,
                package.purl if package else "",
                description=f"parts of {path.name} that the target's libstdc++ lacks;"
                " linked statically",
                files=(member,),
            )
        found.append(component)
    return found
