"""From what was named on the command line to a source tree that is ours to change."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Callable, Iterable, List, Optional, Sequence

from packaging.requirements import InvalidRequirement, Requirement

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim.commands.build_wheels import _copying, _fetching

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
        return unpack(path, scratch / "tree")
    archive = _fetching.fetch(_requirement(source), scratch / "sdist", say)
    return unpack(archive, scratch / "tree")


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


_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
)


def unpack(archive: Path, directory: Path) -> Path:
    """The one directory in an sdist, unpacked into ``directory``, which is made.

    Raises ShimError for an archive that cannot be read, that is no sdist, or that has
    members which would land outside (tarfile's documentation has the dangers).
    """
    directory.mkdir(parents=True)
    try:
        if archive.name.endswith(".zip"):
            _unpack_zip(archive, directory)
        else:
            _unpack_tar(archive, directory)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ShimError(
                f"{archive} cannot be unpacked: {error.strerror}",
                "Free some space in the directory for temporary files (TMPDIR).",
            ) from error
        raise ShimError(
            f"{archive} cannot be unpacked: {_first(error) or 'it ends too early'}",
            "Fetch or make it anew: it may be damaged.",
        ) from error
    found = [path for path in directory.iterdir() if path.is_dir()]
    if len(found) != 1:
        raise ShimError(
            f"{archive} is no sdist: it has {len(found) or 'no'} directories at its top",
            "An sdist has one, NAME-VERSION, with everything in it.",
        )
    return found[0]


def _first(error: Exception) -> str:
    """What is wrong; tarfile lists on further lines what it has tried."""
    return str(error).partition("\n")[0].rstrip(":")


def _unpack_tar(archive: Path, directory: Path) -> None:
    with tarfile.open(archive) as tar:
        members: List[tarfile.TarInfo] = []
        for member in tar.getmembers():
            if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
                raise _refused(archive, member.name, "is a device or a pipe")
            _require_inside(archive, member.name, member.name)
            if member.issym():
                beside = PurePosixPath(member.name).parent / member.linkname
                _require_inside(archive, member.name, str(beside), link=member.linkname)
            elif member.islnk():
                _require_inside(archive, member.name, member.linkname, link=member.linkname)
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            members.append(member)
        links = {PurePosixPath(m.name) for m in members if m.issym()}
        for member in members:
            if links.intersection(PurePosixPath(member.name).parents):
                raise _refused(archive, member.name, "lies behind a symbolic link")
        if hasattr(tarfile, "data_filter"):
            tar.extractall(directory, members, filter="data")
        else:
            tar.extractall(directory, members)  # noqa: S202 - every member was looked at


def _unpack_zip(archive: Path, directory: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            _require_inside(archive, member.filename, member.filename)
            path = Path(zipped.extract(member, directory))
            if (member.external_attr >> 16) & stat.S_IXUSR and path.is_file():
                path.chmod(0o755)


def _require_inside(archive: Path, name: str, path: str, link: Optional[str] = None) -> None:
    depth = 0
    for part in _parts(path):
        depth += -1 if part == ".." else 1
        if depth < 0:
            break
    if depth >= 0 and not path.startswith("/") and not (link or "").startswith("/"):
        return
    raise _refused(archive, name, f"leads to {link}" if link else "would land outside")


def _parts(path: str) -> Iterable[str]:
    return (part for part in path.replace("\\", "/").split("/") if part not in ("", "."))


def _refused(archive: Path, name: str, why: str) -> ShimError:
    return ShimError(
        f"{archive} is not unpacked: its member {name!r} {why}",
        "No build tool makes such an sdist: ask where it comes from.",
    )
