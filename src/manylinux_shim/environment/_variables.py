"""Variables by which every build system learns of the compilers and of the target's Python."""

from __future__ import annotations

import hashlib
import os
import pprint
import sys
import sysconfig
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence

from manylinux_shim._platforms import Architecture
from manylinux_shim.libraries import Prefix, directories
from manylinux_shim.target_python import (
    host_module,
    host_variables,
    own_tools,
    sysconfig_variables,
)
from manylinux_shim.zig import make_once


def target_python(
    arch: Architecture,
    family: str,
    multiarch: str,
    tools: Path,
    includes: Mapping[str, str],
) -> Dict[str, Any]:
    """The build-time variables of the target's Python (``sysconfig``), with ``tools`` of ours.

    ``includes`` maps directories of this Python's headers to those of the target's.
    """
    headers = next(iter(includes.values()), sysconfig.get_path("include"))
    return sysconfig_variables(host_variables(), arch, multiarch, tools, headers, family)


_NATIVE = """\
# The build-time variables of one Python, compiled with flags that are the same for all.
import sys

if (sys.version_info[:2], sys.base_prefix) == {python!r}:
    build_time_vars = {variables}
else:  # another Python, which has its own
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    _own = __file__.rpartition("/")[0]
    _spec = PathFinder.find_spec(__name__, [path for path in sys.path if path != _own])
    _module = module_from_spec(_spec)
    _spec.loader.exec_module(_module)
    build_time_vars = _module.build_time_vars
"""


def native_sysconfig(cache: Path, tools: Path) -> Dict[str, str]:
    """Make this Python's sysconfig answer with compilers and flags of ours, and else as it does.

    The module stands under its own name before it on the path: a process that is told not to
    look there (``-I``), or another Python, has its own. PyPy keeps its flags elsewhere.
    """
    if sys.implementation.name != "cpython":
        return {}
    python = (sys.version_info[:2], sys.base_prefix)
    variables = pprint.pformat({**host_variables(), **own_tools(tools)})
    text = _NATIVE.format(python=python, variables=variables)
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    directory = cache / "sysconfig" / f"native-{digest}"

    def make(staging: Path) -> None:
        place = staging / f"{host_module()}.py"
        place.write_text(text, encoding="utf-8", errors="surrogateescape")

    make_once(directory, make)
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(directory), inherited]))}


def target_sysconfig(
    cache: Path, arch: Architecture, multiarch: str, variables: Mapping[str, Any]
) -> Dict[str, str]:
    """Make Python's own sysconfig answer ``variables``, in the real backend's process.

    CPython reads its build-time variables from a module that the environment
    may name; setuptools, CMake's FindPython and Meson all ask sysconfig.
    """
    text = f"build_time_vars = {pprint.pformat(dict(variables))}\n"
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    name = f"_sysconfigdata__linux_{multiarch}"
    directory = cache / "sysconfig" / f"{multiarch}-{digest}"

    def make(staging: Path) -> None:
        (staging / f"{name}.py").write_text(text, encoding="utf-8", errors="surrogateescape")

    make_once(directory, make)
    inherited = os.environ.get("PYTHONPATH")
    return {
        # PyO3's build script reads the same module.
        "PYO3_CROSS_LIB_DIR": os.environ.get("PYO3_CROSS_LIB_DIR") or str(directory),
        "_PYTHON_SYSCONFIGDATA_NAME": name,
        "_PYTHON_HOST_PLATFORM": f"linux-{arch.name}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(directory), inherited])),
    }


def compilers(tools: Path) -> Dict[str, str]:
    """The names that setuptools, autotools, CMake and Meson agree on.

    A user who sets one of them gets another mode; with this mode asked for by
    name for this build, they are ours.

    setuptools up to 58.0 does not carry ``CC`` over to ``LDSHARED``, and
    Python's own has run paths into the machine it was built on.
    """
    return {
        "CC": str(tools / "cc"),
        "CXX": str(tools / "c++"),
        "LDSHARED": f"{tools / 'cc'} -shared",
        "LDCXXSHARED": f"{tools / 'c++'} -shared",
    }


def archivers(tools: Path) -> Dict[str, str]:
    """What autotools and CMake make static libraries with."""
    return {"AR": str(tools / "ar"), "RANLIB": str(tools / "ranlib")}


def prefix_variables(prefixes: Sequence[Prefix], environ: Mapping[str, str]) -> Dict[str, str]:
    """What pkg-config, CMake and scripts on the path need to look into prefixes first.

    ``environ`` is what they would have seen: it comes after.
    """
    found = {
        "PATH": directories(p.bin for p in prefixes),
        "PKG_CONFIG_PATH": directories(p.pkg_config for p in prefixes),
        "CMAKE_PREFIX_PATH": [str(p.root) for p in prefixes],
        "CMAKE_INCLUDE_PATH": directories(p.include for p in prefixes),
        "CMAKE_LIBRARY_PATH": directories(p.lib for p in prefixes),
    }
    return _before(found, environ)


def compiler_variables(prefixes: Sequence[Prefix], environ: Mapping[str, str]) -> Dict[str, str]:
    """The same for GCC and clang of this machine (GCC's manual, "Environment Variables")."""
    found = {
        "CPATH": directories(p.include for p in prefixes),
        "LIBRARY_PATH": directories(p.lib for p in prefixes),
    }
    return _before(found, environ)


def _before(found: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> Dict[str, str]:
    return {
        name: os.pathsep.join([*places, *filter(None, [environ.get(name, "")])])
        for name, places in found.items()
        if places
    }
