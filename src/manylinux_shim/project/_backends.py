"""Whether a project surely compiles nothing, so that nothing large is installed for it.

Only a sure "nothing" counts. Where a backend may run code of the project's own,
or this module does not know the backend, the answer is that it may compile.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Mapping, Optional

from manylinux_shim._settings import Settings, read_toml
from manylinux_shim.project._change import LEGACY, SHIM
from manylinux_shim.project._requires import names, requirements


def compiles_nothing(settings: Settings, project: Path) -> bool:
    """True when the real backend surely makes a pure wheel of ``project``.

    For setuptools, ask after its ``get_requires_for_build_wheel`` has run in this
    process: what ``setup()`` was called with is known only then.
    """
    judge = _JUDGES.get(settings.backend.partition(":")[0])
    return judge is not None and not settings.backend_path and judge(project)


def _never_compiles(_project: Path) -> bool:
    return True


def _hatchling(project: Path) -> bool:
    hatch = _tool(project, "hatch").get("build", {})
    return not (
        (project / "hatch.toml").exists()
        or (project / "hatch_build.py").exists()
        or hatch.get("hooks")
        or hatch.get("targets", {}).get("wheel", {}).get("hooks")
    )


def _poetry(project: Path) -> bool:
    return "build" not in _tool(project, "poetry")


def _pdm(project: Path) -> bool:
    build = _tool(project, "pdm").get("build", {})
    # Hooks may be other distributions' as well, which are required for the build then.
    known = {"manylinux-shim", "pdm-backend"}
    return not (
        build.get("run-setuptools")
        or (project / build.get("custom-hook", "pdm_build.py")).exists()
        or set(requirements(read_toml(project / "pyproject.toml"))) - known
    )


def _setuptools(_project: Path) -> bool:
    for name in ("setuptools._distutils.core", "distutils.core"):
        distribution = getattr(sys.modules.get(name), "_setup_distribution", None)
        if distribution is not None:
            # setuptools fills in commands of its own; a project's may do anything.
            commands = distribution.cmdclass.values()
            return not (
                distribution.has_ext_modules()
                or distribution.has_c_libraries()
                or any(c.__module__.split(".")[0] not in _KNOWN_COMMANDS for c in commands)
                or getattr(distribution, "cffi_modules", None)
                or getattr(distribution, "rust_extensions", None)
            )
    return False


def _tool(project: Path, name: str) -> Dict[str, Any]:
    table: Dict[str, Any] = read_toml(project / "pyproject.toml").get("tool", {}).get(name, {})
    return table


_KNOWN_COMMANDS = ("setuptools", "distutils", "wheel")

_JUDGES: Dict[str, Callable[[Path], bool]] = {
    "flit_core.buildapi": _never_compiles,
    "hatchling.build": _hatchling,
    "pdm.backend": _pdm,
    "poetry.core.masonry.api": _poetry,
    "setuptools.build_meta": _setuptools,
    "uv_build": _never_compiles,
}


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


_FORTRAN_SUFFIXES = (".f", ".for", ".ftn", ".f77", ".f90", ".f95", ".f03", ".f08", ".pyf")
_NOT_SOURCES = ("build", "dist", "node_modules", "target", "venv")


def has_fortran(project: Path) -> bool:
    """Whether there is Fortran in the tree, directories that a build makes left out."""
    return any(path.lower().endswith(_FORTRAN_SUFFIXES) for path in _files(project))


def has_ready_made(project: Path) -> bool:
    """Whether there are files in the tree, for ELF's loaders, that somebody has linked already."""
    return any(map(_is_linked, _files(project)))


def _is_linked(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            head = file.read(18)
    except OSError:
        return False
    # e_type: ET_EXEC or ET_DYN (System V ABI, chapter 4), in either order of bytes.
    return head[:4] == b"\x7fELF" and any(kind in (2, 3) for kind in head[16:18])


def _files(project: Path) -> Iterator[str]:
    for place, directories, files in os.walk(project):
        yield from (f"{place}/{name}" for name in files)
        directories[:] = [
            name for name in directories if name[0] != "." and name not in _NOT_SOURCES
        ]
