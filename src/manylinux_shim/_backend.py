"""One build from hook to wheel: this page is the story, the rooms below have the details."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from manylinux_shim import _delegate, _earlier_builds, _purity
from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim._messages import reported, say
from manylinux_shim._plan import Plan, make_plan, refuse_editable, this_host
from manylinux_shim._platforms import Policy
from manylinux_shim._settings import Settings, load_settings, read_toml, verbose

ConfigSettings = Optional[Mapping[str, Any]]


def build_wheel(
    wheel_directory: str, config_settings: ConfigSettings, metadata_directory: Optional[str]
) -> str:
    """Build with the real backend, prove the tag, put the wheel into ``wheel_directory``."""
    project, settings, rest = _begin(config_settings)
    plan = make_plan(settings, os.environ, this_host())
    if plan.mode == "off":
        name: str = delegated("build_wheel", wheel_directory, config_settings, metadata_directory)
        return name
    for notice in plan.notices:
        say(notice)
    toolchain = _toolchain(plan, project, rest)
    if verbose():
        for name, value in toolchain.items():
            say(f"{name}={value}")
    if toolchain:
        _earlier_builds.outdate(project)
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as scratch:
        built = _delegate.build_wheel(
            settings, project, Path(scratch), rest, metadata_directory, toolchain, plan.hint
        )
        from manylinux_shim import _proof

        return _proof.proven(built, plan, Path(wheel_directory)).name


def get_requires_for_build_wheel(config_settings: ConfigSettings) -> List[str]:
    """What the real backend asks for, and zig when this build will use it and has none."""
    project, settings, _ = _begin(config_settings)
    plan = make_plan(settings, os.environ, this_host())
    requires = list(delegated("get_requires_for_build_wheel", config_settings) or [])
    if plan.mode == "zig":
        from manylinux_shim.toolchain import _zig

        if _zig.usable_zig() is None and not _purity.compiles_nothing(settings, project):
            requires.append(_zig.REQUIREMENT)
    return requires


def optional_hook(name: str) -> Optional[Callable[..., Any]]:
    """What the real backend has under ``name``, without our settings; None if it has not.

    When the configuration is broken every hook is there, so that whichever one
    the frontend calls can say what is wrong.
    """
    try:
        project, settings, _ = _begin(None)
        backend = _delegate.load_backend(settings, project)
    except ShimError:
        backend = None
    if backend is not None and not hasattr(backend, name):
        return None
    if name == "UnsupportedOperation":
        return getattr(backend, name, None)
    takes_directory = not name.startswith("get_requires_")

    def hook(*arguments: Any, **keywords: Any) -> Any:
        directory = [arguments[0]] if takes_directory else []
        rest = arguments[len(directory) :]
        config_settings = rest[0] if rest else keywords.get("config_settings")
        more = [*rest[1:], *(v for k, v in keywords.items() if k != "config_settings")]
        with reported():
            return delegated(name, *directory, config_settings, *more)

    hook.__name__ = hook.__qualname__ = name
    return hook


def delegated(name: str, *arguments: Any) -> Any:
    """Call the real backend's hook in this process, without the settings that are ours."""
    at = 0 if name.startswith("get_requires_") else 1
    project, settings, rest = _begin(arguments[at])
    if name.endswith("_editable"):
        refuse_editable(make_plan(settings, os.environ, this_host()))
    backend = _delegate.load_backend(settings, project)
    return _delegate.call(backend, name, *arguments[:at], rest, *arguments[at + 1 :])


def _begin(config_settings: ConfigSettings) -> Tuple[Path, Settings, ConfigSettings]:
    """The project, its settings, and the config settings that are the real backend's own."""
    project = Path.cwd()
    settings, rest = load_settings(project, config_settings, os.environ)
    return project, settings, rest


def _toolchain(plan: Plan, project: Path, rest: ConfigSettings) -> Dict[str, str]:
    """The variables that make the real backend compile and link through zig."""
    if plan.mode != "zig" or plan.target is None or plan.linked is None:
        return {}
    from manylinux_shim.audit._policies import OTHER_LIBRARIES
    from manylinux_shim.toolchain._environment import prepare
    from manylinux_shim.toolchain._rust import compiles_rust, require_standard_library
    from manylinux_shim.toolchain._zig import find_zig, usable_zig

    zig = usable_zig()
    if zig is None:
        # Perhaps the frontend was not asked for it, because nothing is compiled.
        delegated("get_requires_for_build_wheel", rest)
        if _purity.compiles_nothing(plan.settings, project):
            return {}
        zig = find_zig()
    if plan.cross and compiles_rust(read_toml(project / "pyproject.toml")):
        require_standard_library(plan.target, plan.linked.family, os.environ)
    newest = zig.newest_glibc()
    if plan.linked.family == "manylinux" and plan.linked.version > newest:
        raise SettingsError(
            f"zig {zig.version} does not know glibc {plan.linked.version} ({plan.linked})",
            f"The highest policy that it links for is {Policy('manylinux', newest)}.",
        )
    say(f"zig {zig.version} links for {plan.linked}_{plan.target.name}")
    return prepare(
        zig,
        plan.target,
        plan.linked,
        project,
        cross=plan.cross,
        strip=plan.settings.strip,
        from_host=(*OTHER_LIBRARIES, *plan.settings.exclude),
        notice=say,
    )
