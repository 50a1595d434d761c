"""One build from hook to wheel: this page is the story, the rooms below have the details."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Callable, List, Mapping, Optional, Tuple

from manylinux_shim import _delegate
from manylinux_shim._errors import ShimError
from manylinux_shim._messages import reported, say
from manylinux_shim._plan import make_plan, refuse_editable, this_host
from manylinux_shim._processes import jobs
from manylinux_shim._settings import Settings, load_settings, near_misses
from manylinux_shim.environment import lines_to_add, missing, outdate, record_of_links, toolchain

ConfigSettings = Optional[Mapping[str, Any]]


def build_wheel(
    wheel_directory: str, config_settings: ConfigSettings, metadata_directory: Optional[str]
) -> str:
    """Build with the real backend, prove the tag, put the wheel into ``wheel_directory``."""
    project, settings, rest = _begin(config_settings)
    for notice in near_misses(rest):
        say(notice)
    plan = make_plan(settings, os.environ, this_host())
    if plan.mode == "off":
        name: str = delegated("build_wheel", wheel_directory, config_settings, metadata_directory)
        return name
    jobs(os.environ)  # what is wrong with it is said before anything is made
    for notice in plan.notices:
        say(notice)
    with tempfile.TemporaryDirectory(prefix="manylinux-shim-") as private:
        scratch = Path(private)
        with toolchain(
            plan, project, scratch, ask=lambda: delegated("get_requires_for_build_wheel", rest)
        ) as (variables, prefixes):
            if variables:
                outdate(project)
            record = record_of_links(plan, scratch, variables)
            built = _delegate.build_wheel(
                settings,
                project,
                scratch,
                rest,
                metadata_directory,
                variables,
                plan.hint,
                lambda: lines_to_add(plan, record),
            )
        from manylinux_shim.finish import finished  # slow to import, and every hook begins here

        return finished(built, plan, Path(wheel_directory), record, prefixes).name


def get_requires_for_build_wheel(config_settings: ConfigSettings) -> List[str]:
    """What the real backend asks for, and the tools that this build will use and has not."""
    project, settings, _ = _begin(config_settings)
    plan = make_plan(settings, os.environ, this_host())
    requires = list(delegated("get_requires_for_build_wheel", config_settings) or [])
    return [*requires, *missing(plan, project)]


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
