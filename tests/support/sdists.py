"""Source distributions from the index, and the two-line change made to them."""

from __future__ import annotations

import hashlib
import sys
import tarfile
import urllib.request
from pathlib import Path

import tomlkit

from support.interpreters import uv
from support.workshop import Workshop, base_python

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"
"""What PEP 517 has frontends use where no backend is named."""


def fetch(requirement: str, directory: Path, workshop: Workshop) -> Path:
    """The source tree of ``name==version``, unpacked below ``directory``.

    uv asks the index that the user has configured and writes down where the sdist
    is and its hash; no build backend is run for that, as ``pip download`` would.
    """
    directory.mkdir(parents=True)
    wanted = directory / "wanted.in"
    wanted.write_text(requirement + "\n", encoding="utf-8")
    lock = directory / "pylock.toml"
    command = [uv(), "pip", "compile", "-q", "--no-deps", "-p", base_python()]
    workshop.run([*command, "-o", str(lock), str(wanted)], directory).passed()
    (package,) = tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]
    sdist = package["sdist"]
    with urllib.request.urlopen(sdist["url"], timeout=120) as response:
        data = response.read()
    assert hashlib.sha256(data).hexdigest() == sdist["hashes"]["sha256"]
    archive_path = directory / "sdist.tar.gz"
    archive_path.write_bytes(data)
    tree = directory / "tree"
    with tarfile.open(archive_path) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(tree, filter="data")
        else:
            archive.extractall(tree)
    (project,) = (path for path in tree.iterdir() if path.is_dir())
    return project


def adopt(project: Path, **settings: object) -> None:
    """Make the two-line change in a project's pyproject.toml, whatever it says so far.

    Only ``[build-system]`` and ``[tool.manylinux-shim]`` change; ``settings`` go into the latter.
    """
    path = project / "pyproject.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    system = document.setdefault("build-system", tomlkit.table())
    requires = list(system.get("requires", ["setuptools", "wheel"]))
    system["requires"] = ["manylinux-shim", *requires]
    ours = tomlkit.table()
    ours["backend"] = system.get("build-backend", DEFAULT_BACKEND)
    if "backend-path" in system:
        ours["backend-path"] = system.pop("backend-path")
    for key, value in settings.items():
        ours[key.replace("_", "-")] = value
    system["build-backend"] = "manylinux_shim"
    document.setdefault("tool", tomlkit.table(is_super_table=True))["manylinux-shim"] = ours
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
