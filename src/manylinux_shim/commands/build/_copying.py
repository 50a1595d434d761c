"""A copy of a project to build in, so that the tree on disk stays as it is.

Not by way of an sdist: that would need one which is complete, where the build
from the tree that this stands for (``uv build --wheel``, ``pip wheel``) does not. Who
wants to build from the sdist names the sdist.

A project below the root of its checkout is copied together with what git tracks
around it: a Cargo workspace, shared sources and the repository are looked for there.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Collection, Iterator, Sequence, Tuple

from manylinux_shim._errors import ShimError
from manylinux_shim.commands.build import _git

_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""How a directory says that it is a cache: the Cache Directory Tagging Specification."""

_BY_NAME = ("__pycache__", ".tox", ".nox")


def copy_project(project: Path, destination: Path, without: Sequence[Path] = ()) -> Path:
    """Copy ``project`` into ``destination``, which is made; the project in the copy.

    Left out are caches (cargo's ``target`` is one), virtual environments, and the
    directories in ``without``. Git's data is there, its objects by reference.
    Raises ShimError, with the file's name, when something cannot be read.
    """
    root = _git.checkout_of(project) or project
    inside = destination / project.relative_to(root)
    left_out = {path.resolve() for path in without} - {project, *project.parents}
    try:
        for directory, names in _to_copy(root, project, left_out):
            target = destination / directory.relative_to(root)
            target.mkdir(parents=True, exist_ok=True)
            for name in names:
                _copy(directory / name, target / name, root)
        inside.mkdir(parents=True, exist_ok=True)
        for entry in _repositories(root, project, left_out):
            _git.copy_repository(entry, destination / entry.relative_to(root))
    except (OSError, shutil.Error) as error:
        raise ShimError(
            f"the project cannot be copied: {error}",
            "Make it readable, or free some space in the directory for temporary files (TMPDIR).",
        ) from error
    return inside


def copy_again(tree: Path, destination: Path) -> None:
    """Copy a copy, for one build of several; ShimError when the disk cannot take it."""
    try:
        shutil.copytree(str(tree), str(destination), symlinks=True)
    except (OSError, shutil.Error) as error:
        raise ShimError(
            f"the project cannot be copied: {error}",
            "Free some space in the directory for temporary files (TMPDIR), or use fewer --jobs.",
        ) from error


def _to_copy(
    root: Path, project: Path, left_out: Collection[Path]
) -> Iterator[Tuple[Path, Sequence[str]]]:
    """Directories, each with the names to copy out of it."""
    if root != project:
        for file in _git.tracked(root):
            if project not in file.parents and not any(p in left_out for p in file.parents):
                yield file.parent, [file.name]
    for directory, subdirectories, files in os.walk(project, onerror=_raise):
        here = Path(directory)
        links = [name for name in subdirectories if (here / name).is_symlink()]
        subdirectories[:] = [
            name
            for name in subdirectories
            if name not in links and not _left_out(here / name, left_out)
        ]
        yield here, [name for name in files if name != ".git"] + links


def _repositories(root: Path, project: Path, left_out: Collection[Path]) -> Iterator[Path]:
    """Every ``.git`` to copy: the checkout's and its submodules'."""
    if (root / ".git").exists():
        yield root / ".git"
    for directory, subdirectories, files in os.walk(project):
        here = Path(directory)
        if here != root and ".git" in (*subdirectories, *files):
            yield here / ".git"
        subdirectories[:] = [
            name
            for name in subdirectories
            if not (here / name).is_symlink() and not _left_out(here / name, left_out)
        ]


def _left_out(directory: Path, left_out: Collection[Path]) -> bool:
    return (
        directory.name in _BY_NAME
        or directory.name == ".git"
        or directory in left_out
        or (directory / "pyvenv.cfg").is_file()
        or _is_cache(directory)
    )


def _is_cache(directory: Path) -> bool:
    try:
        with (directory / "CACHEDIR.TAG").open("rb") as tag:
            return tag.read(len(_SIGNATURE)) == _SIGNATURE
    except OSError:
        return False


def _copy(source: Path, target: Path, root: Path) -> None:
    mode = source.lstat().st_mode
    if stat.S_ISLNK(mode):
        target.symlink_to(_link(source, root))
    elif stat.S_ISREG(mode):
        shutil.copy2(str(source), str(target))
        # A build may write into its own tree, even where a checkout is read-only.
        target.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
    # What is no file (a socket, a pipe) is no source.


def _link(source: Path, root: Path) -> str:
    """Where a link in the copy has to lead: into the copy, or to the same place outside."""
    written = os.readlink(source)
    place = Path(os.path.normpath(source.parent / written))
    if root not in (place, *place.parents):
        return str(place)
    return os.path.relpath(place, source.parent) if Path(written).is_absolute() else written


def _raise(error: OSError) -> None:
    raise error
