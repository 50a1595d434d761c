"""Packages of Debian and Ubuntu for the target, unpacked into the cache.

Source of what is where in them: Debian's policy manual (8.1.1, 9.1).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import posixpath
import re
import shutil
import tarfile
import tempfile
import time
from pathlib import Path, PurePosixPath
from typing import Callable, Dict, List, Optional, Sequence
from urllib.parse import quote, unquote

from manylinux_shim._errors import ToolchainError
from manylinux_shim._messages import counted
from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.libraries._apt import Apt, complaints, files_of
from manylinux_shim.libraries._config_programs import replace_programs, tells_of_a_library
from manylinux_shim.libraries._licences import debian_licence
from manylinux_shim.libraries._origins import Origin, write_origins
from manylinux_shim.libraries._relocated import relocated, states_paths
from manylinux_shim.libraries._requirements import Requirement
from manylinux_shim.libraries._sources import for_architecture
from manylinux_shim.zig import make_once

_LAYOUT = 3

# What the sysroot has, or the compiler: libc, the kernel's headers, GCC's own libraries.
_OURS = re.compile(
    r"libc6(-dev)?|libc-(dev-)?bin|linux-libc-dev|libgcc-s1|libgcc-\d+-dev|gcc-\d+-base"
    r"|libstdc\+\+.*|libcrypt-dev|libnsl-dev|libtirpc-dev|rpcsvc-proto|debconf.*|dpkg|tar"
)
_CXX = re.compile(r"libstdc\+\+6_(?:\d+%3a)?(?P<major>\d+)")
_OF_GCC = re.compile(r"libstdc\+\+\.a|libgcc\.a|libstdc\+\+\.so\.6")
"""What makes the libstdc++ of a policy newer, where a C++ library is linked again: beside each
other in GCC's own directory, where no linker looks."""
_FRESH = 24 * 3600
"""Seconds for which the lists of packages are believed."""

_URI = re.compile(r"^'[^']*' (?P<file>\S+\.deb) (?P<size>\d+)", re.MULTILINE)


def debian_prefix(
    requirements: Sequence[Requirement],
    arch: Architecture,
    policy: Policy,
    cache: Path,
    notice: Callable[[str], None],
) -> Path:
    """The ``usr`` of a tree with the packages and what they depend on, for ``arch``.

    Raises ToolchainError where there is no apt, and with its words where it fails.
    """
    named = ", ".join(map(str, requirements))
    if policy.family == "musllinux":
        raise ToolchainError(
            f"{named} is for glibc, and this build is for musl",
            "Build it in `before-all`, or name a wheel that has it for musl.",
        )
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise ToolchainError(
                f"{named} is a package of Debian or Ubuntu, and this machine has no {program}",
                "Name a wheel of PyPI that has it (`wheel:`), build it in `before-all`, or name a"
                " directory with it in `prefix`.",
            )
    debian = arch.debian
    sources = _sources()
    elsewhere = for_architecture(sources, debian)
    changed = elsewhere if elsewhere != sources else None
    wanted = sorted(
        f"{one.name}={one.version}" if one.version else one.name for one in requirements
    )
    # Another release is another library.
    made_of = "\0".join([str(_LAYOUT), debian, *sources.values(), *wanted])
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    directory = cache / "libraries" / f"deb-{arch.name}-{digest}"

    def make(staging: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch:
            lists = cache / "libraries" / f"apt-{debian}"
            apt = Apt(Path(scratch), debian, lists=lists, sources=changed)
            packages = _fetched(apt, wanted, named, notice)
            origins: Dict[str, Origin] = {}
            for package in packages:
                _unpack(package, staging, directory, debian, origins)
            write_origins(staging, origins)
        (staging / "usr").mkdir(exist_ok=True)

    make_once(directory, make)
    return directory / "usr"


def _sources() -> Dict[str, str]:
    """The files of apt's sources: name -> text."""
    parts = Path("/etc/apt/sources.list.d")
    places = [Path("/etc/apt/sources.list"), *sorted(parts.glob("*.list"))]
    places += sorted(parts.glob("*.sources"))  # and no other is read by apt
    found = {}
    for place in places:
        try:
            found[place.name] = place.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return found


def _fetched(
    apt: Apt, wanted: Sequence[str], named: str, notice: Callable[[str], None]
) -> List[Path]:
    """The archives of ``wanted`` and of what they depend on; the sysroot's own are left out."""
    try:
        with (apt.lists / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another build fetches the same lists
            warnings = _update(apt)
        listed = _asked(apt, named, warnings, "install", "--print-uris", *wanted)
        found = [(unquote(match["file"]), int(match["size"])) for match in _URI.finditer(listed)]
        kept = [(name, size) for name, size in found if not _OURS.fullmatch(name.split("_")[0])]
        if not kept:
            return []
        megabytes = sum(size for _, size in kept) / 1e6
        notice(f"fetching {named}: {len(kept)} packages, {megabytes:.1f} MB")
        names = ["=".join(name.split("_")[:2]) for name, _ in kept]
        with counted(f"fetching {named}", len(names)) as got:
            _asked(apt, named, warnings, "download", *names, cwd=apt.archives, got=got)
        # Without it, what is in C++ among them serves the policies that have all it needs.
        for cxx in filter(None, (_CXX.match(name) for name, _ in found)):
            names = [f"libstdc++-{cxx['major']}-dev", f"libgcc-{cxx['major']}-dev", "libstdc++6"]
            code, _ = apt.call("download", *names, cwd=apt.archives)
            if code != 0:
                notice(f"apt cannot fetch {names[0]}: C++ libraries are not linked again with it")
    except OSError as error:
        raise ToolchainError(f"apt cannot fetch {named}: {error}", _TRY) from error
    return sorted(apt.archives.glob("*.deb"))


_TRY = "Look at the name, at the network, and whether apt's sources have this architecture."


def _update(apt: Apt) -> List[str]:
    """Have the lists of a day at most; what apt complained of."""
    stamp = apt.lists / ".updated"
    if stamp.is_file() and time.time() - stamp.stat().st_mtime < _FRESH:
        return []
    # One list of several may be missing for a while; what matters is whether apt then finds
    # the packages.
    _, said = apt.call("update")
    if not complaints(said):
        stamp.touch()
    return complaints(said)


def _asked(
    apt: Apt,
    named: str,
    warnings: Sequence[str],
    *arguments: str,
    cwd: Optional[Path] = None,
    got: Callable[[], None] = lambda: None,
) -> str:
    code, output = apt.call(*arguments, cwd=cwd, got=got)
    if code != 0:
        said = "\n".join([*warnings, *complaints(output)] or output.splitlines()[-5:])
        raise ToolchainError(f"apt cannot fetch {named}. It said:\n{said}", _TRY)
    return output


def _unpack(
    package: Path, staging: Path, tree: Path, architecture: str, origins: Dict[str, Origin]
) -> None:
    """Unpack what a build can use, with its paths as they will be in ``tree``."""
    name, version, _ = unquote(package.name).split("_", 2)
    files: List[str] = []
    licence = ""
    with files_of(package) as archive:
        for member in archive:
            path = _place(member.name)
            if path is not None and _OURS.fullmatch(name):
                path = _place_of_gcc(path, name, version)
            if path is None:
                continue
            if path.match("usr/share/doc/*/copyright"):
                file = archive.extractfile(member) if member.isfile() else None
                licence = debian_licence(file.read()) if file is not None else licence
            elif _is_wanted(path):
                _write(archive, member, path, staging, tree)
                files.append(str(path))
    replace_programs(name, staging, tree, files)
    libraries = [f for f in files if ".so" in posixpath.basename(f) or _OF_GCC.search(f)]
    vendor = quote(_vendor())
    purl = f"pkg:deb/{vendor}/{quote(name)}@{quote(version, safe='.-_~:')}?arch={architecture}"
    origin = Origin(name, version, purl, licence)
    origins.update(dict.fromkeys(libraries, origin))


def _vendor() -> str:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "debian"
    match = re.search(r'(?m)^ID="?([a-z0-9._-]+)', text)
    return match[1] if match else "debian"


def _place(name: str) -> Optional[PurePosixPath]:
    """Where a member goes, in a tree whose ``/lib`` is in ``/usr``; None if it leads out."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".")]
    if not parts or ".." in parts:
        return None
    if parts[0] in ("lib", "lib64", "bin", "sbin"):
        parts.insert(0, "usr")
    return PurePosixPath(*parts)


def _place_of_gcc(path: PurePosixPath, package: str, version: str) -> Optional[PurePosixPath]:
    """Where a file of a package that the sysroot stands for goes; None if it is not wanted."""
    if path.match("usr/share/doc/*/copyright"):
        return path
    name = "libstdc++.so.6" if path.name.startswith("libstdc++.so.6.") else path.name
    if not _OF_GCC.fullmatch(name) or path.name == "libstdc++.so.6" or "gdb" in path.parts:
        return None
    if package != "libstdc++6":
        return path
    major = version.rpartition(":")[2].partition(".")[0].partition("-")[0]
    return PurePosixPath("usr/lib/gcc", path.parts[2], major, name)


def _is_wanted(path: PurePosixPath) -> bool:
    """Headers, libraries, pkg-config's and CMake's files, and scripts that tell of them."""
    parts = path.parts
    if parts[0] != "usr" or len(parts) < 3:
        return False
    if parts[1] in ("include", "lib", "lib64"):
        return True
    if parts[1] == "bin":
        return tells_of_a_library(path.name)
    return parts[1] == "share" and parts[2] in ("pkgconfig", "cmake", "aclocal")


def _write(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    path: PurePosixPath,
    staging: Path,
    tree: Path,
) -> None:
    to = staging / path
    if any((staging / parent).is_symlink() for parent in path.parents):
        raise ToolchainError(f"a package's file {path} would be written through a link")
    if member.isdir():
        to.mkdir(parents=True, exist_ok=True)
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    if to.is_symlink() or to.exists():
        if to.is_dir() and not to.is_symlink():
            return
        to.unlink()
    if member.issym() or member.islnk():
        target = _link(member, path)
        if target is not None:
            to.symlink_to(target)
        return
    file = archive.extractfile(member)
    if file is None:
        return  # a device, or the like
    data = file.read()
    if states_paths(path.name, data):
        data = relocated(data, str(tree))
    to.write_bytes(data)
    to.chmod(0o755 if member.mode & 0o111 else 0o644)


def _link(member: tarfile.TarInfo, path: PurePosixPath) -> Optional[str]:
    """A link's target from where it is, inside of the tree; None if it leads out."""
    target = PurePosixPath(member.linkname)
    if member.islnk():
        target = PurePosixPath("/") / _normal(target.parts)
    whole = target if target.is_absolute() else PurePosixPath("/") / path.parent / target
    parts = _normal(whole.parts[1:]).parts
    placed = _place(str(PurePosixPath(*parts))) if parts else None
    if placed is None:
        return None
    return os.path.relpath(placed, path.parent)


def _normal(parts: Sequence[str]) -> PurePosixPath:
    """A path without ``..``, which at the root stays there."""
    found: List[str] = []
    for part in parts:
        if part == "..":
            found = found[:-1]
        elif part not in (".", "/"):
            found.append(part)
    return PurePosixPath(*found)
