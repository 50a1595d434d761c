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
import subprocess
from pathlib import Path
from typing import Collection, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from manylinux_shim._errors import ShimError

_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""How a directory says that it is a cache: the Cache Directory Tagging Specification."""

_BY_NAME = ("__pycache__", ".tox", ".nox")


def copy_project(project: Path, destination: Path, without: Sequence[Path] = ()) -> Path:
    """Copy ``project`` into ``destination``, which is made; the project in the copy.

    Left out are caches (cargo's ``target`` is one), virtual environments, and the
    directories in ``without``. Git's data is there, its objects by reference.
    Raises ShimError, with the file's name, when something cannot be read.
    """
    root = checkout_of(project) or project
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
            copy_repository(entry, destination / entry.relative_to(root))
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
        for file in tracked(root):
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


_LEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")

_SHARED = ("lfs", "logs", "modules", "objects", "worktrees")
"""What a copy does without, or has by reference."""


def git_environment(environ: Mapping[str, str]) -> Dict[str, str]:
    """``environ`` for programs that are to find the repository by themselves.

    A hook of git's sets variables that would lead them to the original; and a
    question such as ``git status`` is not to write.
    """
    kept = {name: value for name, value in environ.items() if name not in _LEADING}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0"}


def checkout_of(project: Path) -> Optional[Path]:
    """The root of the checkout that tracks something of ``project``; None if none does."""
    if (project / ".git").exists():
        return project
    for directory in project.parents:
        if (directory / ".git").exists():
            # A home directory may be somebody's repository of settings.
            return directory if _output(project, "ls-files", "-z", "--", ".") else None
    return None


def tracked(root: Path) -> List[Path]:
    """The files of a checkout that git tracks and that are there, submodules' included."""
    names = _output(root, "ls-files", "-z", "--recurse-submodules").split("\0")
    found = [root / name for name in dict.fromkeys(names) if name]
    return [path for path in found if path.is_symlink() or path.is_file()]


def copy_repository(entry: Path, destination: Path) -> None:
    """Make ``destination`` a repository like the one of ``entry``, a ``.git`` of any kind.

    That is a directory, or the file of a submodule or of a linked worktree.
    """
    own = entry
    if entry.is_file():
        text = entry.read_text(encoding="utf-8").strip()
        own = (entry.parent / text.partition(":")[2].strip()).resolve()
    common = own
    if (own / "commondir").is_file():
        common = (own / (own / "commondir").read_text(encoding="utf-8").strip()).resolve()
    if not (common / "objects").is_dir():
        return

    def shared(directory: str, _names: List[str]) -> Sequence[str]:
        return _SHARED if Path(directory) == common else ()

    shutil.copytree(str(common), str(destination), symlinks=True, ignore=shared, dirs_exist_ok=True)
    if own != common:
        for name in ("HEAD", "index", "config.worktree"):
            if (own / name).is_file():
                shutil.copy2(str(own / name), str(destination / name))
    alternates = destination / "objects" / "info" / "alternates"
    alternates.parent.mkdir(parents=True)
    alternates.write_text(f"{common / 'objects'}\n", encoding="utf-8")
    for setting in (("--unset", "core.worktree"), ("core.fsmonitor", "false")):
        # With a work tree named, the one in a submodule's configuration is not gone to.
        config = ["--work-tree=.", "config", "--file", str(destination / "config")]
        _output(destination.parent, *config, *setting)


def hide_change(file: Path) -> None:
    """Have git take a changed file for unchanged: an overlay makes no version "dirty"."""
    _output(file.parent, "update-index", "--skip-worktree", "--", file.name)


def _output(directory: Path, *arguments: str) -> str:
    """What git says; nothing where it fails, or is not there."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env=git_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return os.fsdecode(done.stdout)
