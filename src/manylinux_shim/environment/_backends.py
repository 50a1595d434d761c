"""What one backend needs to be told in particular, because no variable tells it.

The environment is set once and for all (``_prepare``); here stands what only
config settings can say. Pure.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from manylinux_shim.project import requirements

ConfigSettings = Optional[Mapping[str, Any]]

MESON_VARIABLE = "_MANYLINUX_SHIM_MESON_CROSS_FILE"
"""Names the file that Meson has no variable of its own for."""

_MESON_PYTHON = "meson-python"
_DISTRIBUTIONS = {"mesonpy": _MESON_PYTHON}


def config_settings(
    given: ConfigSettings,
    environment: Mapping[str, str],
    *,
    backend: str,
    in_tree: bool,
    pyproject: Mapping[str, Any],
) -> ConfigSettings:
    """The config settings for the real backend: ours first, so that the user's win.

    ``environment`` is what ``prepare`` returned. A backend that is
    ``in_tree`` is taken to wrap those that the project requires for its build.
    """
    module = backend.partition(":")[0].partition(".")[0]
    used = requirements(pyproject) if in_tree else [_DISTRIBUTIONS.get(module, module)]
    cross_file = environment.get(MESON_VARIABLE)
    if cross_file and _MESON_PYTHON in used:
        return _with_first(given, "setup-args", f"--cross-file={cross_file}")
    return given


def _with_first(given: ConfigSettings, key: str, value: str) -> Dict[str, Any]:
    """``given`` with one more value of a key that takes several."""
    merged = dict(given or {})
    old = merged.get(key, [])
    merged[key] = [value, *([old] if isinstance(old, str) else old)]
    return merged
