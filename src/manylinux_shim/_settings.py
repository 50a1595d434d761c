"""``-C key=value``, ``MANYLINUX_SHIM_<KEY>`` and ``[tool.manylinux-shim]`` -> one Settings.

The dataclass is the model: what a key means, which values it takes and where it
may stand is said once, on its field, and the parser, the errors and the table of
the documentation are derived from that. Config settings win over the environment,
which wins over the file.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from manylinux_shim._errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = "tool.manylinux-shim"
_PREFIX = "manylinux-shim."
_VARIABLE_PREFIX = "MANYLINUX_SHIM_"

PACKAGES = "package"
"""A table in ours with tables of single packages, for ``build -r``: no setting of a build."""

PACKAGE_ONLY = ("test", "test-requires", "take")
"""What stands in such a table besides settings: a command line and what that requires; and
whether the index's wheel is taken although it is not proven."""

ENVIRONMENT_ONLY = ("VERBOSE", "CACHE_DIR", "CACHE_LOG", "JOBS", "EMULATOR", "DEBIAN")
"""Variables of ours that are about the machine, not the build, and are no settings."""

MODES = ("zig", "check", "relink", "off")

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


def _key(
    help: str,  # noqa: A002 - the word that every command line library uses
    *,
    default: str,
    choices: Tuple[str, ...] = (),
    in_file: bool = True,
) -> Dict[str, Any]:
    return {"help": help, "default": default, "choices": choices, "in_file": in_file}


@dataclass(frozen=True)
class Settings:
    """What this build was asked for; ``None`` where nobody said."""

    backend: str = field(
        metadata=_key("object path of the real backend, as in PEP 517", default="required")
    )
    backend_path: Tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "directories of a real backend that lives in the tree, as in PEP 517", default="none"
        ),
    )
    mode: Optional[str] = field(
        default=None,
        metadata=_key(
            "compile and link through zig, only check the wheel, link the finished wheel again,"
            " or stay out of the way",
            default="`zig` on Linux, `check` with a compiler of yours in `CC`, else `off`",
            choices=MODES,
        ),
    )
    target: Optional[str] = field(
        default=None,
        metadata=_key(
            "architecture to build for, never in the file:"
            " a plain `pip install .` must stay installable",
            default="the host's",
            in_file=False,
        ),
    )
    policy: Optional[str] = field(
        default=None,
        metadata=_key(
            "the tag to reach: `manylinux_X_Y`, `manylinux1`, `manylinux2010`, `manylinux2014`,"
            " `musllinux_X_Y`, or `auto` for the most compatible one that the wheel proves; in the"
            " file it means at least this one",
            default="`manylinux_2_17`, or the lowest that the architecture has;"
            " in `check` mode the best that the wheel has earned",
        ),
    )
    strip: Union[bool, str] = field(
        default=True,
        metadata=_key(
            "leave out debug information and local symbols, or debug information alone",
            default="`true`",
            choices=("debug",),
        ),
    )
    debug_files: Optional[str] = field(
        default=None,
        metadata=_key(
            "in mode `zig`, a directory for the debug information of each file, by its build id as"
            " gdb and debuginfod look it up; relative to where the wheel goes",
            default="none",
        ),
    )
    cxx_runtime: Optional[str] = field(
        default=None,
        metadata=_key(
            "whether the files of the wheel that have C++ share one C++ library, or have each its"
            " own",
            default="`auto`: shared where there are two or more such files",
            choices=("auto", "static", "shared"),
        ),
    )
    repair: bool = field(
        default=False,
        metadata=_key(
            "graft libraries of this machine that the wheel needs into it, with auditwheel",
            default="`false`",
        ),
    )
    libraries: Tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "libraries to fetch for the target: `deb:libpq-dev`, a package of the distribution,"
            " or `wheel:scipy-openblas32`, a wheel of PyPI; what the wheel links of them goes into"
            " it",
            default="none",
        ),
    )
    prefix: Tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "directories like `/usr` with libraries for the target, `deps/{target}`, which are"
            " searched first and go into the wheel as far as it links them",
            default="none",
        ),
    )
    before_all: Optional[str] = field(
        default=None,
        metadata=_key(
            "a command that builds libraries into `$PREFIX`, once for each target and policy",
            default="none",
        ),
    )
    before_all_inputs: Tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "patterns on files of the project that `before-all` depends on, besides those that it"
            " names: where one changes, it runs again",
            default="none",
        ),
    )
    supply: bool = field(
        default=True,
        metadata=_key(
            "in mode `zig`, declare functions that are newer than the target's glibc, such as"
            " `getrandom`, and link them in",
            default="`true`",
        ),
    )
    cache: bool = field(
        default=False,
        metadata=_key(
            "keep what is compiled in mode `zig`, and take it from there in later builds",
            default="`false`",
        ),
    )
    sbom: bool = field(
        default=True,
        metadata=_key(
            "list in `*.dist-info/sboms/` what the build put into the wheel", default="`true`"
        ),
    )
    require_native: bool = field(
        default=False,
        metadata=_key(
            "make a wheel without compiled files an error: optional extensions fail silently",
            default="`false`",
        ),
    )
    exclude: Tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "patterns on sonames, such as `libcuda.so.*`, that another package provides at run"
            " time",
            default="none",
        ),
    )
    mode_named_for_build: bool = field(default=False, metadata={"internal": True})
    """Whether ``mode`` came with this build (``-C`` or environment), not from the file."""
    policy_named_for_build: bool = field(default=False, metadata={"internal": True})
    """The same of ``policy``: the file's is for every target, and means at least this one."""


class Key(NamedTuple):
    """One row of the settings' documentation."""

    name: str
    help: str
    default: str
    values: str


_FIELDS = {
    f.name.replace("_", "-"): f
    for f in dataclasses.fields(Settings)
    if not f.metadata.get("internal")
}
_LISTS = ("backend-path", "libraries", "prefix", "before-all-inputs", "exclude")
_BOOLEANS = ("strip", "repair", "supply", "cache", "sbom", "require-native")


def documentation() -> List[Key]:
    """Every key as the table of the page on settings shows it."""
    rows = []
    for name, spec in _FIELDS.items():
        choices = ", ".join(f"`{choice}`" for choice in spec.metadata["choices"])
        if name in _LISTS:
            choices = "list of strings"
        elif name in _BOOLEANS:
            choices = ", ".join(filter(None, ("`true`, `false`", choices)))
        rows.append(Key(name, spec.metadata["help"], spec.metadata["default"], choices or "string"))
    return rows


_POLICY = "^(auto|manylinux(1|2010|2014)|(manylinux|musllinux)_[0-9]{1,4}_[0-9]{1,4})$"


def schema(_tool: str = "") -> Dict[str, Any]:
    """The JSON schema (draft 7) of ``[tool.manylinux-shim]``.

    As ``validate_pyproject.tool_schema`` asks for it, with the tool's name.
    """
    keys: Dict[str, Any] = {}
    for name, spec in _FIELDS.items():
        if not spec.metadata["in_file"]:
            continue
        of_type: Dict[str, Any] = {"type": "string"}
        if name in _LISTS:
            of_type = {"type": "array", "items": {"type": "string"}}
        elif name in _BOOLEANS:
            choices = spec.metadata["choices"]
            of_type = {"enum": [True, False, *choices]} if choices else {"type": "boolean"}
        elif spec.metadata["choices"]:
            of_type = {"enum": list(spec.metadata["choices"])}
        elif name == "policy":
            of_type["pattern"] = _POLICY
        default = spec.metadata["default"]
        keys[name] = {"description": f"{spec.metadata['help']} (default: {default})", **of_type}
    of_one = {name: key for name, key in keys.items() if name != "policy"}
    of_one["config-settings"] = {
        "description": "config settings for the package's own backend, as in PEP 517",
        "type": "object",
    }
    of_one[PACKAGE_ONLY[0]] = {
        "description": "a command that its wheels have to pass, as `build --test` has it",
        "type": "string",
    }
    of_one[PACKAGE_ONLY[1]] = {
        "description": "what that command needs besides the wheel",
        "type": "array",
        "items": {"type": "string"},
    }
    of_one[PACKAGE_ONLY[2]] = {
        "description": "take the index's wheel although it is not what its tags promise",
        "enum": ["unproven"],
    }
    keys[PACKAGES] = {
        "description": "settings of single packages, for `manylinux-shim build -r`",
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": of_one,
            "additionalProperties": False,
        },
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://json.schemastore.org/partial-manylinux-shim.json",
        "title": f"[{TABLE}]",
        "description": "Settings of the build backend manylinux-shim",
        "type": "object",
        "properties": keys,
        "additionalProperties": False,
    }


def load_settings(
    project: Path,
    config_settings: Optional[Mapping[str, Any]],
    environ: Mapping[str, str],
) -> Tuple[Settings, Optional[Dict[str, Any]]]:
    """The settings of this build, and the config settings that are the real backend's.

    ``project`` is the directory of ``pyproject.toml``. Raises SettingsError for
    a missing table, an unknown key, a wrong type or an impossible value.
    """
    file = _from_file(project / "pyproject.toml")
    variables = _from_environment(environ)
    build, rest = _from_config_settings(config_settings)
    merged = {**file, **variables, **build}
    if not merged.get("backend"):
        raise SettingsError(
            f"[{TABLE}] in {project / 'pyproject.toml'} does not name the real backend",
            f'Add it, for example:\n\n[{TABLE}]\nbackend = "setuptools.build_meta"\n',
        )
    values = {name.replace("-", "_"): value for name, value in merged.items()}
    for key in ("mode", "policy"):
        values[f"{key}_named_for_build"] = key in build or key in variables
    return Settings(**values), rest


def read_toml(path: Path) -> Dict[str, Any]:
    """A project's ``pyproject.toml``; SettingsError when it is not there or is no TOML."""
    try:
        document: Dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"there is no pyproject.toml in {path.parent}",
            "Call the build from the project's directory.",
        ) from None
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}", "Correct it: it has to be valid TOML in UTF-8."
        ) from error
    return document


def _from_file(path: Path) -> Dict[str, Any]:
    tool = read_toml(path).get("tool")
    table = tool.get("manylinux-shim", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"[{TABLE}] in {path} is not a table", "Write it as a table.")
    values = {}
    for name, value in table.items():
        if name == PACKAGES:
            continue
        where = f"{name!r} in [{TABLE}] of {path}"
        spec = _known(name, where)
        if not spec.metadata["in_file"]:
            raise SettingsError(
                f"{where} is not allowed",
                f"A plain `pip install .` would then make a wheel for another machine. Give it"
                f" for one build instead: `-C {name}={value}` or"
                f" {_VARIABLE_PREFIX}{name.upper()}={value}.",
            )
        values[name] = _typed(name, value, where)
    return values


def _from_environment(environ: Mapping[str, str]) -> Dict[str, Any]:
    values = {}
    for variable, text in environ.items():
        if not variable.startswith(_VARIABLE_PREFIX) or not text:
            continue
        short = variable[len(_VARIABLE_PREFIX) :]
        if short in ENVIRONMENT_ONLY:
            continue
        name = short.lower().replace("_", "-")
        where = f"the environment variable {variable}"
        _known(name, where)
        values[name] = _from_text(name, text, where)
    return values


def _from_config_settings(
    config_settings: Optional[Mapping[str, Any]],
) -> Tuple[Dict[str, Any], Optional[Dict[str, Any]]]:
    """Ours, and what is left for the real backend (None stays None).

    ``manylinux-shim.target`` is always ours. Once it is given, a plain
    ``target`` is the real backend's.
    """
    if config_settings is None:
        return {}, None
    ours: Dict[str, Any] = {}
    rest: Dict[str, Any] = {}
    for key, value in config_settings.items():
        if key.startswith(_PREFIX):
            name = key[len(_PREFIX) :]
            _known(name, f"the config setting {key!r}")
        elif key in _FIELDS and _PREFIX + key not in config_settings:
            name = key
        else:
            rest[key] = value
            continue
        ours[name] = _from_text(name, value, f"the config setting {key!r}")
    return ours, rest or None


def near_misses(rest: Optional[Mapping[str, Any]]) -> List[str]:
    """A sentence for each config setting of the real backend's that looks like one of ours.

    It may be the real backend's own, so it is passed on and is no error.
    """
    return [
        f"the config setting {key!r} goes to the real backend: it is none of manylinux-shim's."
        f" Did you mean {name!r}?"
        for key in rest or ()
        for name in _FIELDS
        if key != name and _one_slip(key.lower().replace("_", "-"), name)
    ]


def _one_slip(typed: str, meant: str) -> bool:
    """Equal but for one letter left out, added or wrong, or two that changed places."""
    shorter = min(len(typed), len(meant))
    start = next((i for i in range(shorter) if typed[i] != meant[i]), shorter)
    a, b = typed[start:], meant[start:]
    swapped = a[1::-1] + a[2:] == b
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


def _known(name: str, where: str) -> Any:
    if name in _FIELDS:
        return _FIELDS[name]
    near = difflib.get_close_matches(name.replace("_", "-"), _FIELDS, n=1, cutoff=0.5)
    raise SettingsError(
        f"{where} is not a setting of manylinux-shim",
        f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(_FIELDS)}.",
    )


def _from_text(name: str, value: Any, where: str) -> Any:
    """A value from ``-C`` or the environment, where everything is a string."""
    if name in _LISTS:
        texts = value if isinstance(value, list) else [value]
        items = [item.strip() for text in texts for item in str(text).split(",")]
        return _typed(name, [item for item in items if item], where)
    if isinstance(value, list):
        raise SettingsError(
            f"{where} is given {len(value)} times: {', '.join(map(str, value))}",
            "One build makes one wheel: give it once, and run one build for each value.",
        )
    if name in _BOOLEANS and isinstance(value, str) and value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    return _typed(name, value, where)


def _typed(name: str, value: Any, where: str) -> Any:
    spec = _FIELDS[name]
    if name in _LISTS:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SettingsError(f"{where} is {value!r}", "Use a list of strings.")
        return tuple(value)
    if name in _BOOLEANS:
        if isinstance(value, bool) or value in spec.metadata["choices"]:
            return value
        others = "".join(f", or {choice}" for choice in spec.metadata["choices"])
        raise SettingsError(f"{where} is {value!r}", f"Use true or false{others}.")
    if not isinstance(value, str):
        raise SettingsError(f"{where} is {value!r}", "Use a string.")
    choices = spec.metadata["choices"]
    if choices and value not in choices:
        raise SettingsError(f"{where} is {value!r}", f"Use one of: {', '.join(choices)}.")
    return value


def verbose(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether ``MANYLINUX_SHIM_VERBOSE`` asks for more lines."""
    return environ.get(_VARIABLE_PREFIX + "VERBOSE", "").lower() not in ("", *_FALSE)


def source_date(environ: Mapping[str, str]) -> Optional[int]:
    """``SOURCE_DATE_EPOCH`` (reproducible-builds.org): the date of every file in the wheel.

    In seconds since 1970 (UTC); None where nobody said. Raises SettingsError for
    what is no number.
    """
    text = environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    if not text.isdecimal():
        raise SettingsError(
            f"the environment variable SOURCE_DATE_EPOCH is {text!r}",
            "Use a number of seconds since 1970, or unset it.",
        )
    return int(text)
