"""What one backend needs to be told in particular, because no variable tells it.

The environment is set once and for all (``_prepare``); here stands what only
config settings can say, and how many commands run at once, in any mode. Pure.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from manylinux_shim.compiler import SLOTS_VARIABLE, ZIG_VARIABLE
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
    jobs: Optional[int] = None,
) -> ConfigSettings:
    """The config settings for the real backend: ours first, so that the user's win.

    ``environment`` is what ``prepare`` returned. A backend that is
    ``in_tree`` is taken to wrap those that the project requires for its build. ``jobs`` is how
    many compilers may run at once, where Ninja is not to count processors itself.
    """
    module = backend.partition(":")[0].partition(".")[0]
    used = requirements(pyproject) if in_tree else [_DISTRIBUTIONS.get(module, module)]
    cross_file = environment.get(MESON_VARIABLE)
    if _MESON_PYTHON not in used:
        return given
    if cross_file:
        given = _with_first(given, "setup-args", f"--cross-file={cross_file}")
    if jobs and not any(word.startswith("-j") for word in _compile_arguments(pyproject)):
        given = _with_first(given, "compile-args", f"-j{jobs}")
    return given


def shares(jobs: int, cargos: int) -> Dict[str, str]:
    """How many commands at once CMake's and cargo's builds are given, as variables.

    They count processors themselves: this is for where others may have the same at that time.
    """
    return {"CARGO_BUILD_JOBS": str(cargos), "CMAKE_BUILD_PARALLEL_LEVEL": str(jobs)}


def compilers_at_once(share: int, additions: Mapping[str, str], environ: Mapping[str, str]) -> int:
    """How many compilers a build may begin whose share of those that run is ``share``.

    Where builds run side by side, our compilers wait for a slot of all: a build that is the last
    takes what others have left. Not more than four times the share, as who waits takes memory.
    """
    slots = environ.get(SLOTS_VARIABLE, "").partition(" ")[0]
    return min(int(slots), 4 * share) if slots and ZIG_VARIABLE in additions else share


def _compile_arguments(pyproject: Mapping[str, Any]) -> List[str]:
    """What the project itself gives to Ninja, by meson-python."""
    table = pyproject.get("tool", {}).get("meson-python", {}).get("args", {})
    return [str(word) for word in table.get("compile", [])]


def _with_first(given: ConfigSettings, key: str, value: str) -> Dict[str, Any]:
    """``given`` with one more value of a key that takes several."""
    merged = dict(given or {})
    old = merged.get(key, [])
    merged[key] = [value, *([old] if isinstance(old, str) else old)]
    return merged
