"""What is to happen with a module as soon as it has been imported, without importing it."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any, Callable, Mapping, Optional, Sequence

Action = Callable[[Any], object]


def once_imported(actions: Mapping[str, Action]) -> None:
    """Call what belongs to a module's name with the module: now, or when it is imported.

    setuptools imports its own distutils, whose parts come when they are needed, under the
    names of Python's.
    """
    for name, action in actions.items():
        if name in sys.modules:
            action(sys.modules[name])
    sys.meta_path.insert(0, _Finder(actions))


class _Finder:
    """A finder (PEP 302, PEP 451) that has the others find, and adds to the loading."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self._actions = actions
        self._asking = False

    def find_spec(
        self, name: str, _path: Optional[Sequence[str]] = None, _target: object = None
    ) -> Any:
        """As the others do; None for what is not in the actions."""
        action = self._actions.get(name)
        if action is None or self._asking:
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking = False
        load = getattr(spec and spec.loader, "exec_module", None)
        if spec is None or load is None:
            return None

        def load_and_act(module: Any) -> None:
            load(module)
            action(module)

        loader: Any = spec.loader
        loader.exec_module = load_and_act
        return spec
