"""What a build is told, so that whatever it runs compiles and links through our tools.

Set once and generally; what one backend needs in particular stands in a function
of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pprint
import sys
import sysconfig
import threading
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Sequence, Tuple, TypeVar

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.environment._cross_files import cross_files
from manylinux_shim.environment._host_packages import host_packages
from manylinux_shim.environment._tools import host_directories, tools, variables
from manylinux_shim.sysroot import runtimes_directory, sysroot
from manylinux_shim.target_python import host_variables, staged_headers, sysconfig_variables
from manylinux_shim.zig import Zig, cache_root, make_once

_HOST_COMPILERS = {"HOST_CC": "cc", "HOST_CXX": "c++", "HOST_AR": "ar"}
"""What the cc crate takes for build scripts, which run on this machine."""


def prepare(
    zig: Zig,
    arch: Architecture,
    policy: Policy,
    source: Path,
    *,
    cross: bool = False,
    strip: bool = True,
    from_host: Sequence[str] = (),
    host_libraries: bool = False,
    notice: Callable[[str], None],
) -> Dict[str, str]:
    """Make what the target needs, and return the variables for the real backend.

    ``source`` is the project's directory; ``cross`` says that the target is not
    what this Python runs on; ``from_host`` are patterns on
    sonames of libraries that may be linked to as they are on this machine.
    Raises ToolchainError.
    """
    cache = cache_root(os.environ, notice)
    multiarch = arch.triplet(policy.family, sys.version_info[:2])
    host = sysconfig.get_config_var("MULTIARCH") or multiarch
    names = [soname.split(".so")[0] for soname in from_host]
    with beside(lambda: sysroot(zig, arch, policy, cache)) as made:  # zig makes it, mostly
        includes = staged_headers(cache, arch, host, policy.family)
        packages = host_packages(cache, host, names, native=not cross)
        root = made()
    root = replace(root, cxx_flags=(*cxx_headers(cache), *root.cxx_flags))
    directory = tools(
        cache,
        arch,
        policy,
        root,
        runtimes_directory(zig, arch, policy, cache),
        multiarch=multiarch,
        includes=includes,
        from_host=names,
        native=not cross,
        strip=strip,
    )
    rust = arch.rust_target(policy.family)
    optional = {**_archivers(directory), **_cargo(directory, rust), **_maturin()}
    # What find_library(m) is to find is the stub, not the host's own.
    libraries = [str(root.lib)]
    if cross or not host_libraries:
        optional["PKG_CONFIG_LIBDIR"] = str(packages.pkg_config)
        libraries.append(str(packages.libraries))
    else:
        libraries += host_directories("lib", host)
    optional["CMAKE_LIBRARY_PATH"] = os.pathsep.join(libraries)
    # What cargo linked otherwise is as fresh to it as what it links now.
    optional["CARGO_TARGET_DIR"] = str(source / "target" / directory.name)
    if cross:
        optional.update({"CARGO_BUILD_TARGET": rust, **_HOST_COMPILERS})
        optional.update(
            cross_files(cache, arch, multiarch, directory, root.directory, host, os.environ)
        )
    unset = {name: value for name, value in optional.items() if not os.environ.get(name)}
    ours = {**unset, **variables(zig, source), **_compilers(directory)}
    if cross:
        ours.update(_sysconfig(cache, arch, policy.family, multiarch, directory, includes))
    return ours


def _sysconfig(
    cache: Path,
    arch: Architecture,
    family: str,
    multiarch: str,
    tools: Path,
    includes: Mapping[str, str],
) -> Dict[str, str]:
    """Make Python's own sysconfig answer for the target, in the real backend's process.

    CPython reads its build-time variables from a module that the environment
    may name; setuptools, CMake's FindPython and Meson all ask sysconfig.
    """
    headers = next(iter(includes.values()), sysconfig.get_path("include"))
    variables = sysconfig_variables(host_variables(), arch, multiarch, tools, headers, family)
    text = f"build_time_vars = {pprint.pformat(variables)}\n"
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


def _compilers(tools: Path) -> Dict[str, str]:
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


def _archivers(tools: Path) -> Dict[str, str]:
    return {"AR": str(tools / "ar"), "RANLIB": str(tools / "ranlib")}


def _cargo(tools: Path, triple: str) -> Dict[str, str]:
    """Cargo's linker, and the compilers of the cc crate, for one Rust target."""
    under = triple.replace("-", "_")
    return {
        f"CARGO_TARGET_{under.upper()}_LINKER": str(tools / "cc"),
        f"CC_{under}": str(tools / "cc"),
        f"CXX_{under}": str(tools / "c++"),
        f"AR_{under}": str(tools / "ar"),
        f"RANLIB_{under}": str(tools / "ranlib"),
    }


def _maturin() -> Dict[str, str]:
    """maturin warns when another backend stands in [build-system]: here that is meant."""
    return {"MATURIN_NO_MISSING_BUILD_BACKEND_WARNING": "1"}


T = TypeVar("T")


@contextlib.contextmanager
def beside(action: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Begin ``action`` in a thread; what this gives waits for it, and returns or raises as it did.

    At the end of the context the action has come to its end too.
    """
    results: List[T] = []
    errors: List[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)

    def result() -> T:
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    thread.start()
    try:
        yield result
    finally:
        thread.join()


BROUGHT_ALONG = {
    "string": ("cerrno", "cstdio", "cstdlib", "cwchar"),
    "stdexcept": ("string",),
}


def cxx_headers(cache: Path) -> Tuple[str, ...]:
    """clang's arguments that put the headers first, made if they are not in the cache yet."""
    texts = {
        name: "".join(
            ["#pragma once\n", f"#include_next <{name}>\n", *(f"#include <{n}>\n" for n in more)]
        )
        for name, more in BROUGHT_ALONG.items()
    }
    digest = hashlib.sha256("\0".join(texts.values()).encode("utf-8")).hexdigest()[:16]

    def make(staging: Path) -> None:
        for name, text in texts.items():
            (staging / name).write_text(text, encoding="utf-8")

    return ("-isystem", str(make_once(cache / "headers" / f"c++-{digest}", make)))
