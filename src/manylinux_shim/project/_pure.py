"""Whether a project surely compiles nothing, from its files alone: nothing of it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Optional

from manylinux_shim._settings import Settings
from manylinux_shim.project._backends import compiles_nothing
from manylinux_shim.project._change import LEGACY, SHIM
from manylinux_shim.project._requires import names

_ONLY_PYTHON = ("setuptools", "setuptools-scm", "wheel", SHIM)
"""Build requirements that compile nothing by themselves."""


def pure_backend(project: Path, document: Mapping[str, Any]) -> Optional[str]:
    """The backend of ``project`` if it surely makes a pure wheel; None in all other cases.

    ``document`` is its pyproject.toml, as it is without the shim.
    """
    system = document.get("build-system", {})
    backend = system.get("build-backend") or LEGACY
    if not isinstance(backend, str) or "backend-path" in system:
        return None
    if backend.partition(":")[0] == "setuptools.build_meta":
        return backend if _pure_setuptools(project, document, system) else None
    return backend if compiles_nothing(Settings(backend=backend), project) else None


def _pure_setuptools(project: Path, document: Mapping[str, Any], system: Mapping[str, Any]) -> bool:
    """No code of the project's own, no extension named, no plugin that could bring one."""
    if (project / "setup.py").exists() or (project / "setup.cfg").exists():
        return False
    requires = [str(entry) for entry in system.get("requires", [])]
    setuptools = document.get("tool", {}).get("setuptools", {})
    return (
        "project" in document
        and not {"ext-modules", "cmdclass"} & set(setuptools)
        and all(any(names(entry, known) for known in _ONLY_PYTHON) for entry in requires)
    )
