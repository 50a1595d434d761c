"""The rooms of the house: every import leads down, and to what the lower room offers."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

import pytest

PACKAGE = "manylinux_shim"
SOURCES = Path(__file__).resolve().parent.parent / "src" / PACKAGE

ORDER = (
    # what all derive from
    "_errors _annotations _messages _lazy _processes _platforms _settings _plan",
    "elf",
    "wheel",
    "audit",
    "project",
    "zig",
    "supply",
    "sysroot",
    "runtimes",
    "compiler",
    "target_python",
    "libraries",
    "relink",
    "graft",
    "environment",
    "sbom",
    "shared_cxx",
    "finish",
    "side_by_side",  # in the real backend's process
    "_delegate _in_child",
    "_backend",
    "commands",
    "cli __main__",
)
"""From the lowest to the highest: a room, or modules of the top level that stand together."""

LEVEL = {name: level for level, names in enumerate(ORDER) for name in names.split()}


class Import(NamedTuple):
    where: str
    """File and line."""
    room: str
    """The room that imports, or its module on the top level."""
    target: str
    """The same of what is imported."""
    inside: str
    """What of the target: a dotted path, or empty."""


def room_of(path: Path) -> str:
    return path.relative_to(SOURCES).with_suffix("").parts[0]


def imports() -> Iterator[Import]:
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules: List[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            for module in modules:
                top, _, rest = module.partition(".")
                target, _, inside = rest.partition(".")
                if top == PACKAGE and target in LEVEL:
                    where = f"{path.relative_to(SOURCES)}:{getattr(node, 'lineno', 0)}"
                    yield Import(where, room_of(path), target, inside)


def offered() -> Iterator[Tuple[str, str]]:
    """What the rooms' ``__init__`` import, for them that type-check or for all: room, name."""
    for path in sorted(SOURCES.glob("*/__init__.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        checked = [node for outer in tree.body if isinstance(outer, ast.If) for node in outer.body]
        for node in [*tree.body, *checked]:
            if isinstance(node, ast.ImportFrom) and f"{node.module}".startswith(PACKAGE):
                for alias in node.names:
                    yield path.parent.name, alias.name


@pytest.mark.parametrize(("room", "name"), sorted(set(offered())))
def test_what_a_room_offers_is_there(room: str, name: str) -> None:
    assert getattr(importlib.import_module(f"{PACKAGE}.{room}"), name) is not None


def test_every_room_has_its_place() -> None:
    found = {path.stem for path in SOURCES.glob("*.py")} - {"__init__"}
    found |= {path.parent.name for path in SOURCES.glob("*/__init__.py")}
    assert found == set(LEVEL)


def test_every_arrow_points_down() -> None:
    wrong = [
        each
        for each in imports()
        if each.room != "__init__" and LEVEL[each.target] > LEVEL[each.room]
    ]
    assert wrong == []


def test_no_room_imports_what_another_keeps_to_itself() -> None:
    wrong = [
        each
        for each in imports()
        if each.room != each.target
        and (SOURCES / each.target).is_dir()
        and any(part.startswith("_") for part in each.inside.split("."))
    ]
    assert wrong == []
