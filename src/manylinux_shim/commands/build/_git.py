"""Git's part in a copy of a checkout: version numbers come out of tags and of what is tracked.

The objects are not copied but referred to, as ``git clone --shared`` does
(``objects/info/alternates``, gitrepository-layout(5)): they never change, and what a
build adds goes into the copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

_LEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")

_SHARED = ("lfs", "logs", "modules", "objects", "worktrees")
"""What a copy does without, or has by reference."""


def environment(environ: Mapping[str, str]) -> Dict[str, str]:
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
            env=environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return os.fsdecode(done.stdout)
