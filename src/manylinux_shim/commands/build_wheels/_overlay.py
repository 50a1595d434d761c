"""The two-line change, made in a copy of a project's ``pyproject.toml`` for one build."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List, Optional

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim.commands.build_wheels import _own_wheel

EXTRA = 'pip install "manylinux-shim[cli]"'

_LEGACY = "setuptools.build_meta:__legacy__"
_LEGACY_REQUIRES = ("setuptools",)
"""What PEP 517 and PEP 518 have frontends use where a project names nothing."""

_OURS = "manylinux_shim"


def overlay(project: Path, backend: Optional[str], source: str = "the project") -> Optional[Path]:
    """Have ``project``, a copy that nobody else uses, built through the running shim.

    ``source`` is what it is called in errors. ``backend`` is the real backend where
    the project's own word is not to count.
    Nothing but ``[build-system]``, ``[tool.manylinux-shim]`` and the shim's own
    entry in ``[tool.uv.sources]`` changes. A project that names the shim keeps its
    settings; the shim that it asks for becomes this one, if the version will do.
    Returns the file that was changed, None if none was.
    Raises SettingsError for a project, or a ``pyproject.toml``, that is none.
    """
    tomlkit = require_tomlkit()
    path = project / "pyproject.toml"
    _require_project(project, source)
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        document: Any = tomlkit.parse(before)
        system = document.setdefault("build-system", tomlkit.table())
        if _names_shim(document):
            _adapt(document, system, backend, tomlkit.table)
        else:
            _adopt(document, system, backend, tomlkit.table)
        after = tomlkit.dumps(document)
    except (ValueError, TypeError, AttributeError) as error:
        # tomlkit's errors are ValueErrors; the others are tables that are no tables.
        raise SettingsError(
            f"{path.name} of {source} cannot be read: {error}",
            "Correct it: it has to be valid TOML in UTF-8, with a [build-system] as in PEP 518.",
        ) from error
    if after == before:
        return None
    path.write_text(after, encoding="utf-8")
    return path


def _require_project(project: Path, source: str) -> None:
    names = ("pyproject.toml", "setup.py", "setup.cfg")
    if not any((project / name).is_file() for name in names):
        raise SettingsError(
            f"{source} is no Python project: it has no pyproject.toml, setup.py or setup.cfg",
            "Name the directory that has one of them, an sdist, or NAME==VERSION.",
        )


def _names_shim(document: Any) -> bool:
    backend = str(document["build-system"].get("build-backend", ""))
    return backend.partition(":")[0].partition(".")[0] == _OURS or any(
        # A backend in the tree may come before the shim.
        _is_shim(line)
        for line in document["build-system"].get("requires", [])
    )


def _adopt(document: Any, system: Any, backend: Optional[str], table: Callable[..., Any]) -> None:
    """For a project that does not know of the shim."""
    requires = _requires(system)
    tools = document.setdefault("tool", table(is_super_table=True))
    ours = tools.setdefault("manylinux-shim", table())
    if backend or "backend" not in ours:
        ours["backend"] = backend or system.get("build-backend", _LEGACY)
    if "backend-path" in system:
        ours["backend-path"] = system.pop("backend-path")
    system["requires"] = [f"{_own_wheel.NAME} @ {_own_wheel.url()}", *requires]
    system["build-backend"] = _OURS


def _adapt(document: Any, system: Any, backend: Optional[str], table: Callable[..., Any]) -> None:
    """For a project that names it: this shim, where it is one that will do."""
    requires = []
    for line in _requires(system):
        if _is_shim(line) and _will_do(Requirement(line)):
            requires.append(_this_one(Requirement(line)))
            sources = document.get("tool", {}).get("uv", {}).get("sources", {})
            for name in [name for name in sources if canonicalize_name(name) == _own_wheel.NAME]:
                del sources[name]
        else:
            requires.append(line)
    system["requires"] = requires
    if backend is not None:
        tools = document.setdefault("tool", table(is_super_table=True))
        tools.setdefault("manylinux-shim", table())["backend"] = backend


def _requires(system: Any) -> List[str]:
    requires = system.get("requires", _LEGACY_REQUIRES)
    if isinstance(requires, str) or not all(isinstance(line, str) for line in requires):
        raise TypeError("`requires` in [build-system] is no list of strings")
    return list(requires)


def _is_shim(line: Any) -> bool:
    try:
        return canonicalize_name(Requirement(line).name) == _own_wheel.NAME
    except (InvalidRequirement, TypeError):
        return False


def _will_do(requirement: Requirement) -> bool:
    return requirement.url is None and requirement.specifier.contains(
        _own_wheel.version(), prereleases=True
    )


def _this_one(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{_own_wheel.NAME}{extras} @ {_own_wheel.url()}{marker}"


def require_tomlkit() -> Any:
    """The module; ShimError, with the extra to install, when it is not there."""
    try:
        import tomlkit
    except ImportError:
        raise ShimError("`manylinux-shim build` needs tomlkit", f"Install it: {EXTRA}") from None
    return tomlkit
