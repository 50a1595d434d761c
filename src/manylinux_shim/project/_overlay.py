"""The two-line change for one build, in a copy that nobody reads: any layout will do. Pure."""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from packaging.requirements import Requirement

from manylinux_shim.project._change import LEGACY, MODULE, SHIM
from manylinux_shim.project._requires import names
from manylinux_shim.project._values import tomlkit

_LEGACY_REQUIRES = ("setuptools",)
"""What PEP 518 has frontends use where a project names nothing."""


def overlaid(text: str, backend: Optional[str], version: str, url: Callable[[], str]) -> str:
    """``text`` of a ``pyproject.toml``, or none, with the shim of ``version`` at ``url()``.

    ``backend`` is the real backend where the project's own word is not to count.
    Nothing but ``[build-system]``, ``[tool.manylinux-shim]`` and the shim's own
    entry in ``[tool.uv.sources]`` changes. A project that names the shim keeps its
    settings; the shim that it asks for becomes this one, if ``version`` will do.
    Raises ValueError, TypeError or AttributeError for a file that is not as PEP 518 has it.
    """
    document: Any = tomlkit().parse(text)
    system = document.setdefault("build-system", tomlkit().table())
    requires = system.get("requires", _LEGACY_REQUIRES)
    if isinstance(requires, str) or not all(isinstance(line, str) for line in requires):
        raise TypeError("`requires` in [build-system] is no list of strings")
    module = str(system.get("build-backend", "")).partition(":")[0].partition(".")[0]
    # A backend in the tree may come before the shim.
    if module == MODULE or any(names(line, SHIM) for line in requires):
        system["requires"] = [_this_one(line, document, version, url) for line in requires]
        if backend is not None:
            _ours(document)["backend"] = backend
        return str(document.as_string())
    ours = _ours(document)
    if backend or "backend" not in ours:
        ours["backend"] = backend or system.get("build-backend", LEGACY)
    if "backend-path" in system:
        ours["backend-path"] = system.pop("backend-path")
    system["requires"] = [f"{SHIM} @ {url()}", *requires]
    system["build-backend"] = MODULE
    return str(document.as_string())


def _ours(document: Any) -> Any:
    tools = document.setdefault("tool", tomlkit().table(is_super_table=True))
    return tools.setdefault(SHIM, tomlkit().table())


def _this_one(line: str, document: Any, version: str, url: Callable[[], str]) -> str:
    """A requirement as it is to be; what is not for the shim, or for another one, stays."""
    if not names(line, SHIM):
        return line
    asked = Requirement(line)
    if asked.url is not None or not asked.specifier.contains(version, prereleases=True):
        return line
    sources = document.get("tool", {}).get("uv", {}).get("sources", {})
    others: List[str] = [name for name in sources if names(name, SHIM)]
    for name in others:
        del sources[name]
    extras = f"[{','.join(sorted(asked.extras))}]" if asked.extras else ""
    marker = f" ; {asked.marker}" if asked.marker else ""
    return f"{SHIM}{extras} @ {url()}{marker}"
