"""Fixtures of the audit's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def wheel_cache(request: pytest.FixtureRequest) -> Path:
    """A directory for downloaded wheels that outlives the session: pytest's own cache."""
    cache = request.config.cache
    assert cache is not None
    return Path(cache.mkdir("wheels-for-second-opinions"))
