"""The real backend: whether it is here, which hooks it has, and who installs it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import List, Optional

from manylinux_shim import _delegate
from manylinux_shim._errors import ShimError
from manylinux_shim._settings import Settings
from manylinux_shim.commands.doctor._findings import Findings
from manylinux_shim.project import SHIM, names

_HOOKS = (
    "build_wheel",
    "build_sdist",
    "build_editable",
    "get_requires_for_build_wheel",
    "get_requires_for_build_sdist",
    "get_requires_for_build_editable",
    "prepare_metadata_for_build_wheel",
    "prepare_metadata_for_build_editable",
)


def examine(findings: Findings, settings: Settings, project: Path, requires: List[str]) -> None:
    """Look for the real backend here, and for its distribution in ``requires``."""
    top = settings.backend.partition(":")[0].partition(".")[0]
    distribution = _delegate.distribution(top)
    if not settings.backend_path:
        _named(findings, settings, distribution, requires)
        if _absent(top):
            findings.fact(
                "backend",
                settings.backend,
                "not installed beside this command; an isolated build installs it",
            )
            return
    try:
        backend = _delegate.load_backend(settings, project)
    except ShimError as error:
        findings.error(error)
        return
    hooks = [hook for hook in _HOOKS if hasattr(backend, hook)]
    version = None if settings.backend_path else _version(distribution)
    where = f"{distribution} {version}" if version else getattr(backend, "__file__", None) or ""
    findings.fact("backend", settings.backend, where)
    findings.fact("hooks", ", ".join(hooks))
    for hook in ("build_wheel", "build_sdist"):
        if hook not in hooks:
            findings.problem(
                f"the real backend {settings.backend!r} has no {hook}, which PEP 517 wants",
                "Correct `backend` in [tool.manylinux-shim].",
            )
    if "build_editable" not in hooks:
        findings.notes.append(f"{settings.backend} has no editable installs")


def _named(findings: Findings, settings: Settings, distribution: str, requires: List[str]) -> None:
    others = [entry for entry in requires if not names(entry, SHIM)]
    if any(names(entry, distribution) for entry in others):
        return
    if not others:
        findings.problem(
            f"`requires` of [build-system] does not name what brings {settings.backend}",
            f'[build-system]\nrequires = ["{SHIM}", "{distribution}"]',
        )
    else:
        findings.notes.append(
            f"`requires` does not name {distribution}: it has to come with one of"
            f" {', '.join(others)}"
        )


def _absent(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except (ImportError, ValueError):
        return True


def _version(distribution: str) -> Optional[str]:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
