"""The sdist of ``NAME==VERSION``, from the index that the user's own tools are set up for.

uv says where the sdist is and which hash it has, and runs nothing of the project
for that. pip has no such command: ``pip download`` asks the project's backend for
its metadata, which takes longer and needs what the backend needs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable, List, Mapping, Optional

from packaging.requirements import Requirement

from manylinux_shim._errors import ShimError
from manylinux_shim._messages import fetching
from manylinux_shim._processes import run
from manylinux_shim._settings import read_toml
from manylinux_shim.commands._download import download, file_name
from manylinux_shim.commands.build_wheels._pythons import find_pip, find_uv


def fetch(requirement: Requirement, directory: Path, say: Callable[[str], None]) -> Path:
    """The sdist that fits ``requirement``, in ``directory``, which is made.

    Raises ShimError when there is none, or it cannot be fetched.
    """
    directory.mkdir(parents=True)
    uv = find_uv()
    if uv is not None:
        archive = _with_uv(uv, requirement, directory)
    else:
        archive = _with_pip(requirement, directory)
    say(f"{archive.name} is fetched")
    return archive


def _with_uv(uv: str, requirement: Requirement, directory: Path) -> Path:
    wanted = directory / "wanted.in"
    wanted.write_text(f"{requirement}\n", encoding="utf-8")
    lock = directory / "pylock.toml"
    command = [uv, "pip", "compile", "--quiet", "--no-deps", "-p", sys.executable]
    # The tree that this is called in has no say in it.
    _run([*command, "-o", str(lock), str(wanted)], requirement, directory)
    sdist: Optional[Mapping[str, Any]] = read_toml(lock)["packages"][0].get("sdist")
    if sdist is None:
        raise ShimError(
            f"the index has no sdist of {requirement}",
            "There are wheels only: build from the project's repository.",
        )
    place = str(sdist.get("url") or directory / str(sdist.get("path")))
    archive = directory / str(sdist.get("name") or file_name(place))
    what = f"the sdist of {requirement}"
    with fetching(archive.name, sdist.get("size") or 0) as got:
        download(place, archive, sdist.get("hashes", {}).get("sha256"), what, got)
    return archive


def _with_pip(requirement: Requirement, directory: Path) -> Path:
    pip = find_pip()
    if pip is None:
        raise ShimError(
            f"there is neither uv nor pip to fetch {requirement} with",
            "Install uv, or fetch the sdist and name the file.",
        )
    command = [*pip, "download", "--quiet", "--no-deps", "--no-binary=:all:"]
    _run([*command, f"--dest={directory}", str(requirement)], requirement, directory)
    return next(iter(directory.iterdir()))


def _run(command: List[str], requirement: Requirement, directory: Path) -> None:
    try:
        done = run(command, cwd=directory)
    except OSError as error:
        raise ShimError(f"{command[0]} does not run: {error}", "Install it anew.") from error
    if done.returncode != 0:
        raise ShimError(
            f"no sdist of {requirement} was found:\n{done.stdout.strip()}",
            "Look at its name and version, and at the index that your tools are set up for.",
        )
