"""From a package of a lock to a source tree that can be built."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional

from manylinux_shim._errors import ShimError
from manylinux_shim._processes import run
from manylinux_shim.commands._download import download, file_name
from manylinux_shim.commands.build_wheels._copying import copy_project
from manylinux_shim.commands.build_wheels._source import unpack

if TYPE_CHECKING:
    from packaging.pylock import Package


def identity(package: Package) -> Optional[str]:
    """What sets the source apart from all others; None for one that may change, or none.

    A directory may have changed since, and so is built each time.
    """
    if package.sdist is not None:
        return package.sdist.hashes.get("sha256")
    if package.archive is not None:
        return package.archive.hashes.get("sha256")
    if package.vcs is not None:
        return f"{package.vcs.type}+{package.vcs.url or package.vcs.path}@{package.vcs.commit_id}"
    return None


def has_source(package: Package) -> bool:
    """Whether there is anything to build it from."""
    return bool(package.sdist or package.archive or package.vcs or package.directory)


def source_of(
    package: Package,
    directory: Path,
    scratch: Path,
    got: Callable[[int], None] = lambda _: None,
) -> Path:
    """The project of ``package``, in ``scratch / "tree"``, which is made.

    ``directory`` is what paths of the lock are relative to; ``got`` hears of the bytes that
    come. Raises ShimError for what
    cannot be fetched or unpacked.
    """
    tree = scratch / "tree"
    what = f"the source of {package.name}"
    file = package.sdist or package.archive
    if file is not None:
        place = file.url or str(directory / str(file.path))
        archive = scratch / (getattr(file, "name", None) or file_name(place))
        scratch.mkdir(parents=True)
        download(place, archive, file.hashes.get("sha256"), what, got)
        try:
            project = unpack(archive, tree)
        except ShimError as error:
            # The copy is gone by the time that this is read.
            message = error.message.replace(str(archive), place)
            raise ShimError(message, error.remedy) from error
    elif package.vcs is not None:
        project = tree
        address = package.vcs.url or str(directory / str(package.vcs.path))
        if package.vcs.type != "git":
            raise ShimError(f"{what} is in {package.vcs.type}", "Only git is read: name an sdist.")
        _clone(address, package.vcs.commit_id, tree, what)
    elif package.directory is not None:
        project = copy_project((directory / package.directory.path).resolve(), tree)
    else:
        raise ShimError(f"there is no source of {package.name}", "There are wheels only.")
    inside = getattr(package.archive or package.vcs or package.directory, "subdirectory", None)
    project = (project / inside).resolve() if inside else project
    if tree.resolve() not in (project.resolve(), *project.resolve().parents):
        raise ShimError(f"{inside} leads out of {what}", "Correct the lock.")
    return project


def _clone(address: str, commit: str, tree: Path, what: str) -> None:
    """A whole clone: what takes its version from tags needs them."""
    git = shutil.which("git")
    if git is None:
        raise ShimError(f"{what} is in git, which is not installed", "Install git.")
    for command in (
        [git, "clone", "--quiet", "--", address, str(tree)],
        [git, "-C", str(tree), "checkout", "--quiet", "--detach", commit],
        [git, "-C", str(tree), "submodule", "--quiet", "update", "--init", "--recursive"],
    ):
        done = run(command)
        if done.returncode != 0:
            raise ShimError(f"{what} cannot be fetched:\n{done.stdout.strip()}", "Look at its URL.")
