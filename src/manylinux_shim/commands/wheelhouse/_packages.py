"""What a lock wants for one deployment: of each package the file that fits best. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, List, Optional, Sequence

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from manylinux_shim.commands.wheelhouse._deployment import Deployment
from manylinux_shim.commands.wheelhouse._resolving import Lock
from manylinux_shim.commands.wheelhouse._sources import has_source

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.pylock import Package, PackageArchive, PackageWheel


@dataclass(frozen=True)
class Item:
    """One package for one deployment."""

    package: Package
    deployment: Deployment
    directory: Path
    """What paths of its lock are relative to."""
    wheel: Optional[File] = None
    """The best wheel of the index that the policy allows; None if it has to be built."""
    reason: str = ""
    """Why there is neither a wheel nor a source."""

    @property
    def name(self) -> str:
        """``numpy 2.5.0``."""
        version = self.package.version
        return f"{self.package.name} {version}" if version else str(self.package.name)

    @property
    def takes_unproven(self) -> str:
        """What to do about a wheel of the index that is not proven, and not to be built either."""
        return f"-C {self.package.name}:take=unproven takes the index's wheel as it is."


@dataclass(frozen=True)
class File:
    """A wheel that an index has."""

    name: str
    place: str
    """An address, or a path."""
    sha256: Optional[str]
    size: Optional[int] = None
    """In bytes, where the lock says."""


def items(
    lock: Lock, deployment: Deployment, extras: Sequence[str], groups: Sequence[str]
) -> List[Item]:
    """Every package of ``lock`` whose marker and Python are those of ``deployment``."""
    from packaging.pylock import PackageArchive, PackageWheel, PylockSelectError

    found = []
    declared = lock.pylock
    for package in declared.packages:
        one = replace(declared, packages=[package])
        item = Item(package, deployment, lock.directory)
        try:
            chosen = [
                file
                for _, file in one.select(
                    environment=deployment.markers,  # type: ignore[arg-type]
                    tags=deployment.tags,
                    extras=[e for e in extras if e in (declared.extras or ())],
                    dependency_groups=[g for g in groups if g in (declared.dependency_groups or ())]
                    or None,
                )
            ]
        except PylockSelectError as error:
            found.append(replace(item, reason=str(error)))
            continue
        for file in chosen:
            if isinstance(file, PackageWheel) or (
                isinstance(file, PackageArchive) and _is_wheel(file)
            ):
                found.append(replace(item, wheel=_file(file, lock.directory)))
            elif has_source(package):
                found.append(item)
    return found


def _is_wheel(file: PackageArchive) -> bool:
    return str(file.url or file.path).partition("#")[0].endswith(".whl")


def _file(file: PackageWheel | PackageArchive, directory: Path) -> File:
    from manylinux_shim.commands._download import file_name

    place = file.url or str(directory / str(file.path))
    name = getattr(file, "name", None) or file_name(place)
    return File(name, place, file.hashes.get("sha256"), file.size)


def fits(wheel: str, deployment: Deployment) -> bool:
    """Whether a wheel of this name is installed there."""
    try:
        tags = parse_wheel_filename(wheel)[3]
    except InvalidWheelFilename:
        return False
    return not tags.isdisjoint(deployment.tags)


def compiles(item: Item) -> bool:
    """Whether other platforms have compiled wheels of it: those builds fail sooner than others."""
    return any(not _file(w, item.directory).name.endswith("-any.whl") for w in _wheels(item))


def _wheels(item: Item) -> Sequence[PackageWheel]:
    return item.package.wheels or ()
