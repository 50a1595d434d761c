"""From what was named with ``-r`` to a lock for one deployment (PEP 751).

uv resolves, and writes the lock with every file's address and hash; the field's
own reader takes it apart.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Dict, FrozenSet, List, Sequence, Set, Tuple

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim._processes import run
from manylinux_shim._settings import read_toml
from manylinux_shim.commands.build_wheels._pythons import find_python, find_uv
from manylinux_shim.commands.wheelhouse._deployment import Deployment
from manylinux_shim.project import canonical

if TYPE_CHECKING:
    from packaging.pylock import Pylock


@dataclass(frozen=True)
class Wanted:
    """What was named."""

    files: Tuple[Path, ...]
    """Requirements files; or one lock, or one ``pyproject.toml``."""
    constraints: Tuple[Path, ...] = ()
    groups: Tuple[str, ...] = ()
    extras: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """Every package for one deployment."""

    pylock: Pylock
    directory: Path
    """What its paths are relative to."""


def resolve(wanted: Wanted, deployment: Deployment, scratch: Path) -> Lock:
    """The lock of what was named, for ``deployment``; new ones are written into ``scratch``.

    Raises SettingsError for files that are none, and ShimError with what the
    resolver says where there is no solution.
    """
    for path in (*wanted.files, *wanted.constraints):
        if not path.is_file():
            raise SettingsError(f"there is no file {path}", "Name a requirements file or a lock.")
    first = wanted.files[0].resolve()
    kind = _kind(first)
    if kind != "requirements" and len(wanted.files) > 1:
        raise SettingsError(
            f"{first.name} stands beside other files", "Name one lock, or requirements files."
        )
    if kind == "pylock":
        return _read(first, first.parent)
    uv = find_uv()
    if uv is None:
        raise ShimError("there is no uv to resolve requirements with", "Install it: pip install uv")
    path = scratch / f"pylock.{deployment.name}.toml"
    options = [f"--group={group}" for group in wanted.groups]
    options += [f"--extra={extra}" for extra in wanted.extras]
    if kind == "uv":
        # The project itself is what the packages are for.
        command = [uv, "export", "--quiet", "--frozen", "--no-emit-project", "--no-default-groups"]
        command += [f"--project={first.parent}", "--format=pylock.toml", *options]
    else:
        command = [uv, "pip", "compile", "--quiet", *deployment.uv_platform, *options]
        command += [f"--python-version={deployment.python_text}", "--format=pylock.toml"]
        command += [f"--python={_interpreter(deployment.python_text)}"]
        command += [f"--constraints={path.resolve()}" for path in wanted.constraints]
        command += [str(path.resolve()) for path in wanted.files]
    done = run([*command, f"--output-file={path}"], cwd=first.parent)
    if done.returncode != 0:
        names = ", ".join(path.name for path in wanted.files)
        raise ShimError(
            f"{names} cannot be resolved for {deployment.name}:\n{done.stdout.strip()}",
            "Look at the names and versions, and at the index that uv is set up for.",
        )
    lock = _read(path, scratch)
    if kind == "requirements":
        return Lock(_allowed(lock.pylock, _hashes(wanted.files)), lock.directory)
    return lock


def _interpreter(version: str) -> str:
    """The Python that says what an sdist needs: of that version, or else this one.

    uv finds one too, but looks for seconds at what is to be had elsewhere.
    """
    try:
        return str(find_python(version).path)
    except SettingsError:
        return sys.executable


def _kind(path: Path) -> str:
    if path.name == "uv.lock":
        return "uv"
    if path.name == "pyproject.toml":
        return "project"
    pylock = path.name == "pylock.toml" or re.fullmatch(r"pylock\.[^.]+\.toml", path.name)
    return "pylock" if pylock else "requirements"


def _read(path: Path, directory: Path) -> Lock:
    try:
        from packaging.pylock import Pylock, PylockValidationError
    except ImportError:
        raise ShimError(
            "`build -r` needs packaging 26.3 or newer, which is for Python 3.10 or later",
            'Install it: pip install "manylinux-shim[cli]"',
        ) from None
    try:
        return Lock(Pylock.from_dict(read_toml(path)), directory)
    except PylockValidationError as error:
        raise SettingsError(f"{path} is no lock of PEP 751: {error}", "Write it anew.") from error


_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*(==|@)")
_HASH = re.compile(r"--hash[= ]sha256:([0-9a-fA-F]{64})")
_INCLUDED = re.compile(r"(?:-r|--requirement)[= ]\s*(\S+)")


def _hashes(files: Sequence[Path]) -> Dict[str, FrozenSet[str]]:
    """The SHA-256 sums that requirements files allow, by normalized name; few files have any."""
    found: Dict[str, Set[str]] = {}
    todo: List[Path] = list(files)
    seen: Set[Path] = set()
    while todo:
        path = todo.pop().resolve()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        for line in text.replace("\\\r\n", " ").splitlines():
            included = _INCLUDED.match(line.strip())
            if included is not None:
                todo.append(path.parent / included[1])
            named, sums = _LINE.match(line.strip()), _HASH.findall(line)
            if named is not None and sums:
                found.setdefault(canonical(named[1]), set()).update(map(str.lower, sums))
    return {name: frozenset(sums) for name, sums in found.items()}


def _allowed(pylock: Pylock, allowed: Dict[str, FrozenSet[str]]) -> Pylock:
    """The lock without files that the requirements forbid by their hash: uv does not look."""
    packages = []
    for package in pylock.packages:
        sums = allowed.get(package.name)
        if sums is not None and not package.is_direct:
            wheels = [w for w in package.wheels or () if w.hashes.get("sha256") in sums]
            sdist = package.sdist
            if sdist is not None and sdist.hashes.get("sha256") not in sums:
                sdist = None
            if not wheels and sdist is None:
                raise ShimError(
                    f"no file of {package.name} {package.version} for this platform has a hash"
                    " that is allowed for it",
                    "Write the hashes anew, those of the sdist among them, if you trust what the"
                    " index has.",
                )
            package = replace(package, wheels=wheels, sdist=sdist)
        packages.append(package)
    return replace(pylock, packages=packages)
