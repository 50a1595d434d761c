"""Fixtures for tests that run code of other architectures."""

from __future__ import annotations

from compilers import compilers

__all__ = ["compilers"]
