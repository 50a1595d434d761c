"""From what was named on the command line to a source tree that is ours to change."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Sequence

from packaging.requirements import InvalidRequirement, Requirement

from manylinux_shim._errors import SettingsError
from manylinux_shim.commands.build import _copying
from manylinux_shim.commands.build import _fetching
from manylinux_shim.commands.build import _unpacking

_ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")


def source_tree(
    source: str, scratch: Path, without: Sequence[Path], say: Callable[[str], None]
) -> Path:
    """The project of a directory, an sdist or a requirement, copied below ``scratch``.

    ``without`` are directories that have no part in it, such as the one that wheels
    are put into. Nothing is written anywhere else.
    Raises SettingsError for a source that is none, and what fetching and unpacking raise.
    """
    path = Path(source)
    if path.is_dir():
        return _copying.copy_project(path.resolve(), scratch / "tree", without)
    if path.is_file():
        if not path.name.endswith(_ARCHIVES):
            raise SettingsError(
                f"{source} is no sdist", f"An sdist's name ends with {', '.join(_ARCHIVES)}."
            )
        return _unpacking.unpack(path, scratch / "tree")
    archive = _fetching.fetch(_requirement(source), scratch / "sdist", say)
    return _unpacking.unpack(archive, scratch / "tree")


def _requirement(text: str) -> Requirement:
    looks_like_path = text.startswith((".", "/", "~")) or "/" in text or text.endswith(_ARCHIVES)
    try:
        requirement = Requirement(text) if not looks_like_path else None
    except InvalidRequirement:
        requirement = None
    if requirement is None:
        raise SettingsError(
            f"there is no {text}" if looks_like_path else f"{text!r} is nothing that can be built",
            "Name a project's directory, an sdist, or NAME==VERSION.",
        )
    if requirement.url or requirement.marker or requirement.extras:
        raise SettingsError(
            f"{text!r} is more than a name and a version",
            "Name it as NAME==VERSION, or fetch it and name the directory or sdist.",
        )
    if not requirement.specifier:
        raise SettingsError(
            f"there is no directory or sdist {text}",
            f"To build the sdist of that name from the index, say which: {text}==VERSION.",
        )
    return requirement
