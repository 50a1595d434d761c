"""Settings of one package among many: ``-C NAME:KEY=VALUE`` and a table of a file. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from manylinux_shim._errors import SettingsError
from manylinux_shim._settings import PACKAGE_ONLY, PACKAGES, TABLE, documentation, read_toml
from manylinux_shim.project import canonical

_TABLE = f"{TABLE}.{PACKAGES}"
_NOT_HERE = ("target", "policy")


class PackageSettings:
    """What the builds of each package are told."""

    def __init__(self, of_all: Sequence[str], of_one: Mapping[str, Sequence[str]]) -> None:
        self._of_all = tuple(of_all)
        self._of_one = of_one

    @classmethod
    def read(cls, file: Optional[Path], given: Sequence[str]) -> PackageSettings:
        """From the tables of ``file``, and from what was given as ``[NAME:]KEY=VALUE``.

        The latter wins. Raises SettingsError for a key that is none of ours and no
        config setting of the real backend's (those stand in ``config-settings``).
        """
        of_one = _tables(file) if file is not None else {}
        of_all = []
        for setting in given:
            key, _, value = setting.partition("=")
            name, colon, rest = key.partition(":")
            if colon and rest:
                own = f"manylinux-shim.{rest}" if rest in (*_KEYS, *PACKAGE_ONLY) else rest
                of_one.setdefault(canonical(name), []).append(f"{own}={value}")
            else:
                of_all.append(setting)
        return cls(of_all, of_one)

    def of(self, name: str) -> Tuple[str, ...]:
        """``KEY=VALUE`` for the builds of the package with this normalized name."""
        own = self._of_one.get(name, ())
        return (*self._of_all, *(s for s in own if not s.startswith(_OURS)))

    def test(self, name: str) -> Tuple[Optional[str], Tuple[str, ...]]:
        """The command line that wheels of the package have to pass, if one is named for it.

        Behind it is what the test needs besides the wheel.
        """
        own = self._of_one.get(name, ())
        lines = [s[len(_TEST) :] for s in own if s.startswith(_TEST)]
        requires = [s[len(_TEST_REQUIRES) :] for s in own if s.startswith(_TEST_REQUIRES)]
        return lines[-1] if lines else None, tuple(requires)

    def takes_unproven(self, name: str) -> bool:
        """Whether the index's wheel is taken although it is not what its tags promise."""
        own = [s[len(_TAKE) :] for s in self._of_one.get(name, ()) if s.startswith(_TAKE)]
        if own and own[-1] != "unproven":
            raise SettingsError(f"`take` of {name} is {own[-1]!r}", "Use `unproven`.")
        return bool(own)

    def exclude(self, name: str) -> List[str]:
        """The libraries that another package brings, by the package's ``exclude``."""
        prefix = "manylinux-shim.exclude="
        lists = [s[len(prefix) :] for s in self.of(name) if s.startswith(prefix)]
        return [pattern for text in lists for pattern in text.split(",") if pattern]

    def names(self) -> List[str]:
        """The packages that have some of their own."""
        return list(self._of_one)


_TEST, _TEST_REQUIRES, _TAKE = _OURS = tuple(f"manylinux-shim.{key}=" for key in PACKAGE_ONLY)

_KEYS = frozenset(row.name for row in documentation()) - set(_NOT_HERE)


def _tables(file: Path) -> Dict[str, List[str]]:
    if not file.is_file():
        raise SettingsError(f"there is no file {file}", "Name a TOML file, or leave it out.")
    data: Any = read_toml(file)
    for part in _TABLE.split("."):
        data = data.get(part, {}) if isinstance(data, dict) else {}
    found: Dict[str, List[str]] = {}
    for name, table in data.items() if isinstance(data, dict) else ():
        where = f"[{_TABLE}.{name}] of {file}"
        if not isinstance(table, dict):
            raise SettingsError(f"{where} is not a table", "Write it as a table.")
        lines = found.setdefault(canonical(name), [])
        for key, value in table.items():
            if key == "config-settings" and isinstance(value, dict):
                lines += [f"{k}={text}" for k, v in value.items() for text in _texts(v, where)]
            elif key in PACKAGE_ONLY:
                lines += [f"manylinux-shim.{key}={text}" for text in _texts(value, where)]
            elif key in _KEYS:
                lines.append(f"manylinux-shim.{key}={','.join(_texts(value, where))}")
            else:
                raise SettingsError(
                    f"{key!r} in {where} is no setting of a package",
                    f"Known are: {', '.join(sorted([*_KEYS, *PACKAGE_ONLY]))}, and config-settings"
                    " for those of the real backend.",
                )
    return found


def _texts(value: Any, where: str) -> List[str]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, (str, bool, int)) for each in values):
        raise SettingsError(f"a value in {where} is {value!r}", "Use strings, or lists of them.")
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
