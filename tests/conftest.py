"""Fixtures for tests that build wheels through real frontends."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Callable, List

import pytest
from support import interpreters, projects
from support.interpreters import Interpreter, uv
from support.machine import lacking
from support.workshop import Workshop, base_python

_BUILDING = {"checkout", "workshop"}
"""Fixtures of what builds wheels or compiles: not for ``--fast``."""
_LONG = {"long", "foreign", "pypi", "slow"}
"""Markers of the same, and of other work of seconds."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="leave out what compiles, builds wheels or fetches"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Or pytest-xdist begins with the modules that have the most tests, and those few that take
    # minutes come last.
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    fast = {id(item) for item in items if _is_fast(item)}
    if config.getoption("--fast"):
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in fast])
        items[:] = [item for item in items if id(item) in fast]
        return
    counts = Counter(item.path for item in items)
    slower = {item.path for item in items if id(item) not in fast}
    # Modules with few tests that are not fast are those whose end others would wait for.
    items.sort(key=lambda item: (item.path not in slower, counts[item.path], item.path))


def _is_fast(item: pytest.Item) -> bool:
    """Whether a test neither compiles, builds wheels nor fetches."""
    fixtures = getattr(item, "fixturenames", ())
    return not _BUILDING & set(fixtures) and not any(map(item.get_closest_marker, _LONG))


def pytest_report_header() -> List[str]:
    missing = interpreters.missing()
    found = [name for name in interpreters.MATRIX if name not in missing]
    lines = [f"Pythons to build for: {', '.join(found)}"]
    if missing:
        lines.append(f"Pythons NOT on this machine: {', '.join(missing)}")
    return lines


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository; a new path each session, so that no cache knows it."""
    return projects.copy_repository(tmp_path_factory.mktemp("checkout") / "repository")


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ``XDG_CACHE_HOME`` that all processes of this session share, empty when it begins."""
    base = tmp_path_factory.getbasetemp()
    # Side by side, each process has a directory of its own in that of the session.
    session = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return session / "cache"


@pytest.fixture(scope="session")
def shared_cache(caches: Path) -> Path:
    """The shim's cache there: for tests that want a compiler, and no cache of their own."""
    return caches / "manylinux-shim"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, checkout: Path, caches: Path) -> Workshop:
    """The shim built as a wheel, once, and all that is needed to build with it."""
    root = tmp_path_factory.mktemp("workshop")
    workshop = Workshop(root, root / "links", cache=caches)
    workshop.links.mkdir()
    workshop.run(
        [uv(), "build", "-q", "--wheel", "-p", base_python(), "-o", str(workshop.links)],
        checkout,
    ).passed()
    return workshop


@pytest.fixture(scope="session")
def stocked(workshop: Workshop) -> Path:
    """The Python of an environment for builds without isolation: the shim, setuptools, zig."""
    packages = ["build", "flit_core", "manylinux-shim", "pip", "setuptools", "wheel", "ziglang"]
    return workshop.venv(workshop.root / "stocked", packages)


@pytest.fixture(scope="session")
def without_zig(workshop: Workshop) -> Path:
    """As ``stocked``, but no zig."""
    packages = ["build", "flit_core", "manylinux-shim", "pip", "setuptools", "wheel"]
    return workshop.venv(workshop.root / "without-zig", packages)


@pytest.fixture
def interpreter() -> Callable[[str], Interpreter]:
    """Look up a Python of the matrix; the test says so when this machine has none."""

    def look_up(name: str) -> Interpreter:
        found = interpreters.find(name)
        if found is None:
            lacking(f"CPython {name} with headers")
        return found

    return look_up


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The directory that wheels are to appear in."""
    directory = tmp_path / "out"
    directory.mkdir()
    return directory
