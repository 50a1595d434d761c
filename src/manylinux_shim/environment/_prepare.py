"""What a build is told, so that whatever it runs compiles and links through our tools.

Set once and generally; what one backend needs in particular stands in a function
of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import sysconfig
import threading
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence, Tuple, TypeVar, Union

from manylinux_shim._platforms import Architecture, Policy
from manylinux_shim.environment._cross_files import cross_files
from manylinux_shim.environment._emulator import find_emulator
from manylinux_shim.environment._fortran import FORTRAN_VARIABLES, find_fortran
from manylinux_shim.environment._host_packages import host_packages
from manylinux_shim.environment._objects import cached_objects
from manylinux_shim.environment._tools import host_directories, tools, variables
from manylinux_shim.environment._variables import (
    archivers,
    compilers,
    native_sysconfig,
    prefix_variables,
    target_python,
    target_sysconfig,
)
from manylinux_shim.libraries import Prefix
from manylinux_shim.supply import newer_headers
from manylinux_shim.sysroot import NO_THREADS, Sysroot, runtimes_directory, sysroot
from manylinux_shim.target_python import staged_headers
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
    strip: Union[bool, str] = True,
    from_host: Sequence[str] = (),
    host_libraries: bool = False,
    prefixes: Sequence[Prefix] = (),
    supply: bool = True,
    debug_files: bool = False,
    cached: bool = False,
    notice: Callable[[str], None],
) -> Dict[str, str]:
    """Make what the target needs, and return the variables for the real backend.

    ``source`` is the project's directory; ``cross`` says that the target is not
    what this Python runs on; ``from_host`` are patterns on
    sonames of libraries that may be linked to as they are on this machine;
    ``prefixes`` have libraries for the target. With ``supply``, what has come to glibc since
    the target's is declared, and linked in; ``cached`` keeps what is compiled.
    ``strip`` is ``"debug"`` where symbols stay; with ``debug_files``, links leave debug
    information behind. Raises ToolchainError.
    """
    cache = cache_root(os.environ, notice)
    multiarch = arch.triplet(policy.family, sys.version_info[:2])
    host = sysconfig.get_config_var("MULTIARCH") or multiarch
    names = [soname.split(".so")[0] for soname in from_host]
    with beside(lambda: sysroot(zig, arch, policy, cache)) as made:  # zig makes it, mostly
        includes = staged_headers(cache, arch, host, policy.family)
        packages = host_packages(cache, host, names, native=not cross)
        root = made()
    supply = supply and policy.family == "manylinux"
    root = with_newer_headers(root, newer_headers(cache)) if supply else root
    root = replace(root, cxx_flags=(*cxx_headers(cache), *root.cxx_flags))
    fortran = (
        find_fortran(arch, os.environ, native=not cross) if policy.family == "manylinux" else None
    )
    directory = tools(
        cache,
        arch,
        policy,
        root,
        runtimes_directory(zig, arch, policy, cache),
        multiarch=multiarch,
        includes=includes,
        from_host=names,
        fortran=fortran,
        prefixes=prefixes,
        native=not cross,
        strip=strip,
        supply=supply,
        debug_files=debug_files,
    )
    rust = arch.rust_target(policy.family)
    optional = {**archivers(directory), **_cargo(directory, rust), **_maturin()}
    # What find_library(m) is to find is the stub, not the host's own.
    libraries = [str(root.lib)]
    if cross or not host_libraries:
        optional["PKG_CONFIG_LIBDIR"] = str(packages.pkg_config)
        libraries.append(str(packages.libraries))
    else:
        libraries += host_directories("lib", host)
    optional["CMAKE_LIBRARY_PATH"] = os.pathsep.join(libraries)
    found = prefix_variables(prefixes, {**optional, **os.environ})
    # What cargo linked otherwise is as fresh to it as what it links now.
    optional["CARGO_TARGET_DIR"] = str(source / "target" / directory.name)
    if cross:
        optional.update({"CARGO_BUILD_TARGET": rust, **_HOST_COMPILERS})
        python = target_python(arch, policy.family, multiarch, directory, includes)
        parts = (directory, root.directory, host)
        emulator = find_emulator(arch, policy.family, os.environ)
        if emulator is not None:
            notice(f"CMake and Meson may run what they build, by {emulator.program}")
        optional.update(cross_files(cache, arch, multiarch, *parts, os.environ, python, emulator))
    unset = {name: value for name, value in optional.items() if not os.environ.get(name)}
    ours = {**unset, **found, **variables(zig, source), **compilers(directory)}
    if cached:
        ours.update(cached_objects(zig, cache, notice))
    if fortran is not None:
        ours.update(dict.fromkeys(FORTRAN_VARIABLES, str(directory / "fc")))
    if cross:
        ours.update(target_sysconfig(cache, arch, multiarch, python))
    else:
        ours.update(native_sysconfig(cache, directory))
    return ours


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


def with_newer_headers(root: Sysroot, headers: Path) -> Sysroot:
    """``root`` with ``headers`` before those of its libc, and with C11's threads."""

    def flags(given: Sequence[str]) -> Tuple[str, ...]:
        kept = [flag for flag in given if flag != NO_THREADS]
        libcs = next(n for n, flag in enumerate(kept) if "/libc/include/" in flag)
        return (*kept[: libcs - 1], "-isystem", str(headers), *kept[libcs - 1 :])

    return replace(root, c_flags=flags(root.c_flags), cxx_flags=flags(root.cxx_flags))


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
