"""A project, copied for one build, that is built through the running shim."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from manylinux_shim._errors import SettingsError
from manylinux_shim.commands.build_wheels import _own_wheel
from manylinux_shim.project import overlaid


def overlay(project: Path, backend: Optional[str], source: str = "the project") -> Optional[Path]:
    """Change the ``pyproject.toml`` of ``project``, a copy that nobody else uses.

    ``source`` is what it is called in errors; ``backend`` as for ``overlaid``.
    Returns the file that was changed, None if none was.
    Raises SettingsError for a project, or a ``pyproject.toml``, that is none.
    """
    path = project / "pyproject.toml"
    if not any((project / name).is_file() for name in (path.name, "setup.py", "setup.cfg")):
        raise SettingsError(
            f"{source} is no Python project: it has no pyproject.toml, setup.py or setup.cfg",
            "Name the directory that has one of them, an sdist, or NAME==VERSION.",
        )
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        after = overlaid(before, backend, _own_wheel.version(), _own_wheel.url)
    except (ValueError, TypeError, AttributeError) as error:
        # tomlkit's errors are ValueErrors; the others are tables that are no tables.
        raise SettingsError(
            f"{path.name} of {source} cannot be read: {error}",
            "Correct it: it has to be valid TOML in UTF-8, with a [build-system] as in PEP 518.",
        ) from error
    if after == before:
        return None
    path.write_text(after, encoding="utf-8")
    return path
