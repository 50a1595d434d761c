"""apt and dpkg-deb with a state of their own.

Neither the machine's list of packages nor its list of architectures changes, nobody has to
be root, and no script of a package runs. Keys and, where no other source is named, sources
are the machine's own.

Sources: apt.conf(5), apt-get(8), sources.list(5), dpkg-deb(1).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Callable, Iterator, List, Mapping, Optional, Tuple

from manylinux_shim._errors import ToolchainError

_PLAIN = {"LC_ALL": "C"}


class Apt:
    """apt for one architecture, by Debian's name, working in the directory ``scratch``."""

    def __init__(
        self,
        scratch: Path,
        architecture: str,
        *,
        lists: Optional[Path] = None,
        source: Optional[str] = None,
        sources: Optional[Mapping[str, str]] = None,
    ) -> None:
        """``lists`` is where lists of packages stay. In the place of the machine's sources comes
        ``source``, a line of sources.list(5), or ``sources``, the texts of files by name.
        """
        self.archives = scratch / "archives"
        self.lists = lists if lists is not None else scratch / "lists"
        for directory in (self.archives / "partial", self.lists / "partial", scratch / "state"):
            directory.mkdir(parents=True, exist_ok=True)
        (scratch / "status").touch()
        options = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Get::Assume-Yes": "true",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",  # the directory is its owner's alone
            "Acquire::http::Timeout": "60",
            "Acquire::https::Timeout": "60",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Debug::NoLocking": "true",
            "Dir::Cache": str(scratch),
            "Dir::Cache::archives": str(self.archives),
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Log": str(scratch),
            "Dir::State": str(scratch / "state"),
            "Dir::State::lists": str(self.lists),
            "Dir::State::status": str(scratch / "status"),
        }
        if source is not None:
            (scratch / "sources.list").write_text(source + "\n", encoding="utf-8")
            options["Dir::Etc::sourcelist"] = str(scratch / "sources.list")
            options["Dir::Etc::sourceparts"] = "/dev/null"
            options["Acquire::Check-Valid-Until"] = "false"  # a mirror may be a snapshot
        if sources is not None:
            parts = scratch / "sources.list.d"
            parts.mkdir()
            for name, text in sources.items():
                (parts / name).write_text(text, encoding="utf-8")
            options["Dir::Etc::sourcelist"] = "/dev/null"
            options["Dir::Etc::sourceparts"] = str(parts)
        self._command = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]

    def call(
        self, *arguments: str, cwd: Optional[Path] = None, got: Callable[[], None] = lambda: None
    ) -> Tuple[int, str]:
        """The exit code of ``apt-get`` and what it said; OSError if it cannot be started.

        ``got`` is called for each file that it begins to fetch.
        """
        said = []
        with subprocess.Popen(
            [*self._command, *arguments],
            cwd=cwd,
            env={**os.environ, **_PLAIN},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if line.startswith("Get:"):
                    got()
        return process.returncode, "".join(said)


def complaints(said: str) -> List[str]:
    """apt's errors and warnings among what it said."""
    return [line for line in said.splitlines() if line[:2] in ("E:", "W:")]


@contextlib.contextmanager
def files_of(package: Path) -> Iterator[tarfile.TarFile]:
    """The files of a ``.deb``, to be read in their order.

    Raises ToolchainError where the package cannot be read to its end.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    said = ""
    try:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **_PLAIN}
        ) as reader, tarfile.open(fileobj=reader.stdout, mode="r|") as archive:
            yield archive
            _, errors = reader.communicate()
            said = errors.decode("utf-8", "replace").strip()
        failed = reader.returncode != 0
    except (OSError, tarfile.TarError) as error:
        failed, said = True, str(error)
    if failed:
        raise ToolchainError(
            f"{package.name} cannot be unpacked: {said}", "Try again; free some disk space."
        )
