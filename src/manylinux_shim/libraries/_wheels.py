"""C libraries that PyPI carries as wheels, for the target, by pip.

Such a wheel has an ``include`` and a ``lib`` somewhere (``cmeel.prefix``,
``scipy_openblas32``), with files of pkg-config and CMake that can be moved.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, List, Tuple
from urllib.parse import quote

from manylinux_shim._errors import ToolchainError, WheelError
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim._processes import run
from manylinux_shim.libraries._licences import wheel_licence
from manylinux_shim.libraries._origins import Origin, write_origins
from manylinux_shim.libraries._requirements import Requirement
from manylinux_shim.wheel import Archive, WheelName, normalised
from manylinux_shim.zig import make_once

_LAYOUT = 1
_NEWEST = 45
"""The newest glibc, 2.45, for which wheels are looked for: what is in them is linked again."""


def wheel_prefixes(
    one: Requirement,
    arch: Architecture,
    policy: Policy,
    cache: Path,
    notice: Callable[[str], None],
) -> Tuple[Path, Tuple[Path, ...]]:
    """Where the wheel is, fetched if it is not in the cache, and its directories like ``/usr``.

    Raises ToolchainError where there is no such wheel for the target, or none of C libraries.
    """
    made_of = "\0".join([str(_LAYOUT), arch.name, policy.family, normalised(one.name), one.version])
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    directory = cache / "libraries" / f"wheel-{arch.name}-{digest}"

    def make(staging: Path) -> None:
        notice(f"fetching {one} for {arch.name}")
        with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch:
            wheel = _fetch(one, arch, policy, Path(scratch))
            try:
                _unpack(wheel, staging)
            except (OSError, WheelError) as error:
                raise ToolchainError(f"{wheel.name} cannot be unpacked: {error}") from error
        if not _roots(staging):
            raise ToolchainError(
                f"{one} has no directory with `include` or `lib` in it: it is no C library",
                "Look at the wheel's files, and name one of C libraries.",
            )

    package = make_once(directory, make)
    return package, _roots(package)


def _roots(directory: Path) -> Tuple[Path, ...]:
    """Directories that have headers, or pkg-config's or CMake's files, or libraries."""
    found: List[Path] = []
    below = sorted(path for path in directory.rglob("*") if path.is_dir())
    for candidate in (directory, *below):
        inside = {path.name for path in candidate.iterdir() if path.is_dir()}
        libraries = [candidate / name for name in ("lib", "lib64") if name in inside]
        has_library = any(any(place.glob("lib*")) for place in libraries)
        nested = any(root in candidate.parents for root in found)
        if not nested and has_library and ("include" in inside or "pkgconfig" in inside):
            found.append(candidate)
    return tuple(found)


def _fetch(one: Requirement, arch: Architecture, policy: Policy, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
    command += ["--no-deps", "--only-binary=:all:", "--no-input", "-d", str(scratch)]
    # What is in it is for C, whatever Python its package asks for.
    command.append("--ignore-requires-python")
    for platform in _platforms(arch, policy):
        command += ["--platform", platform]
    command.append(f"{one.name}=={one.version}" if one.version else one.name)
    done = run(command, environment=_environment())
    wheels = list(scratch.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = [line for line in done.stdout.splitlines() if line.startswith("ERROR:")]
        said = "\n".join(lines or done.stdout.splitlines()[-3:])
        raise ToolchainError(
            f"{one} cannot be fetched for {arch.name} ({policy.family}). pip said:\n{said}",
            "Look at the name and the version, and whether it has a wheel for this target.",
        )
    return wheels[0]


def _platforms(arch: Architecture, policy: Policy) -> List[str]:
    """The tags that will do, the oldest first: the files are linked again for the policy."""
    if policy.family == "musllinux":
        return [f"musllinux_1_{minor}_{arch.name}" for minor in (1, 2)]
    first = arch.lowest_manylinux.minor
    tags = [f"manylinux_2_{minor}_{arch.name}" for minor in range(first, _NEWEST + 1)]
    return [f"manylinux2014_{arch.name}", *tags]


def _environment() -> Dict[str, str]:
    """pip's surroundings; where uv builds, the index is the one that uv was told of."""
    found = dict(os.environ)
    for ours, theirs in (("UV_DEFAULT_INDEX", "PIP_INDEX_URL"), ("UV_INDEX_URL", "PIP_INDEX_URL")):
        if found.get(ours) and not found.get(theirs):
            found[theirs] = found[ours]
    return found


def _unpack(wheel: Path, staging: Path) -> None:
    name = WheelName.parse(wheel.name)
    metadata = ""
    with Archive(wheel) as archive:
        for member in archive.members:
            if member.is_dir:
                continue
            parts = Path(member.name).parts
            if ".." in parts or Path(member.name).is_absolute():
                raise WheelError(f"its member {member.name} leads out of it")
            data = archive.read(member)
            if member.name.endswith(".dist-info/METADATA"):
                metadata = data.decode("utf-8", "replace")
            to = staging / member.name
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(data)
            if "bin" in parts:
                to.chmod(0o755)
    canonical = normalised(name.distribution)
    purl = f"pkg:pypi/{canonical}@{quote(name.version, safe='.-_~')}"
    write_origins(staging, {".": Origin(canonical, name.version, purl, wheel_licence(metadata))})
