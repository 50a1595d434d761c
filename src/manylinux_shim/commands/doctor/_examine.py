"""One examination, from the settings to the real backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from manylinux_shim._errors import ShimError
from manylinux_shim._plan import USER_COMPILER, Host, Plan, make_plan
from manylinux_shim._settings import TABLE, Settings, load_settings, read_toml
from manylinux_shim.commands.doctor import _backend, _machine
from manylinux_shim.commands.doctor._findings import Findings
from manylinux_shim.project import MODULE, SHIM, names, our_table, pure_backend


def examine(
    project: Path,
    config_settings: Mapping[str, Any],
    environ: Mapping[str, str],
    host: Host,
) -> Findings:
    """What a build of ``project`` would do with these settings, and what stands in its way.

    Raises SettingsError when there is no ``pyproject.toml`` that can be read;
    everything else that is wrong is a problem among the findings.
    """
    path = project / "pyproject.toml"
    document = read_toml(path)
    findings = Findings()
    findings.fact("project", str(project))
    try:
        ours = our_table(document)
        requires = _requires(findings, document, ours)
        if not ours and findings.problems:
            _machine.python(findings)
            return findings  # what `init` writes would be missed a second time
        settings, _ = load_settings(project, config_settings, environ)
        plan = make_plan(settings, environ, host)
    except ShimError as error:
        findings.error(error)
        _machine.python(findings)
        return findings
    _decisions(findings, plan, _Origins(ours, environ, config_settings))
    nothing = plan.mode != "off" and pure_backend(project, _as_wrapped(document, settings))
    if nothing:
        findings.notes.append(
            f"{settings.backend} compiles nothing here: the wheel comes out as it is, and no"
            " toolchain is used"
        )
    _machine.python(findings)
    if plan.mode in ("zig", "relink") and not nothing:
        _machine.zig(findings, plan)
    if plan.mode != "off" and not nothing:
        _machine.tools(findings, plan, project)
    if plan.mode == "zig" and not nothing:
        _machine.headers(findings, plan)
    if plan.mode in ("check", "relink") and not nothing:
        if plan.cross and plan.target is not None:
            _machine.foreign_compilers(findings, plan.target, environ)
        else:
            _machine.compiler(findings, environ)
            _machine.libc(findings)
    if plan.mode in ("zig", "relink"):
        _machine.cache(findings, environ)
    if plan.mode != "off":
        _machine.rust(findings, plan, document, environ)
    _backend.examine(findings, settings, project, requires)
    return findings


def _requires(
    findings: Findings, document: Mapping[str, Any], table: Mapping[str, Any]
) -> List[str]:
    """Build requirements as they stand; a problem where a build would not come to the shim."""
    system = document.get("build-system")
    if not isinstance(system, dict):
        findings.problem(
            "pyproject.toml has no [build-system], so frontends take setuptools (PEP 518) and a"
            " build does not come to manylinux-shim",
            "`manylinux-shim init` makes the change.",
        )
        return []
    listed = system.get("requires")
    requires = [str(entry) for entry in listed] if isinstance(listed, list) else []
    backend = system.get("build-backend")
    listed_too = any(names(entry, SHIM) for entry in requires)
    if backend != MODULE and not (listed_too and "backend" in table):
        findings.problem(
            f"`build-backend` is {backend!r}, so a build does not come to manylinux-shim",
            "`manylinux-shim init` makes the change.",
        )
    elif not listed_too:
        findings.problem(
            "manylinux-shim is not in `requires` of [build-system], so an isolated build cannot"
            " import it",
            f"[build-system]\nrequires = {_quoted([SHIM, *requires])}",
        )
    return requires


def _quoted(requires: List[str]) -> str:
    return "[" + ", ".join(f'"{entry}"' for entry in requires) + "]"


def _as_wrapped(document: Mapping[str, Any], settings: Settings) -> Dict[str, Any]:
    """The document as it would be without the shim."""
    system = dict(document.get("build-system", {}))
    system["build-backend"] = settings.backend
    if settings.backend_path:
        system["backend-path"] = list(settings.backend_path)
    return {**document, "build-system": system}


class _Origins:
    """Who said what a setting is."""

    def __init__(
        self,
        table: Mapping[str, Any],
        environ: Mapping[str, str],
        config_settings: Mapping[str, Any],
    ) -> None:
        self._table = table
        self._environ = environ
        self._config = config_settings

    def __call__(self, key: str) -> str:
        variable = "MANYLINUX_SHIM_" + key.upper().replace("-", "_")
        if key in self._config or f"manylinux-shim.{key}" in self._config:
            return "asked for here"
        if self._environ.get(variable):
            return f"the environment variable {variable}"
        return f"{key} in [{TABLE}]" if key in self._table else ""


def _decisions(findings: Findings, plan: Plan, origin: _Origins) -> None:
    """Mode, target, policy and the tag that comes of them."""
    notices = list(plan.notices)
    named = origin("mode") if plan.settings.mode == plan.mode else ""
    if named or plan.mode == "zig":
        why = named or "the default on Linux" + _no_compiler_of_theirs(plan)
    elif plan.mode == "off":
        why = "this is not Linux, and no target is named"
    else:
        why = notices.pop(0) if notices else ""
    findings.fact("mode", plan.mode, why)
    findings.notes += notices
    if plan.mode == "off":
        findings.notes.append("the real backend's wheel comes out as it is, and is not proven")
        return
    if plan.target is not None:
        findings.fact("target", plan.target.name, origin("target") or "this machine")
    findings.fact("policy", *_policy(plan, origin))
    if plan.policy is not None and plan.target is not None:
        findings.fact("tag", ".".join(plan.policy.tags(plan.target.name)))
    if plan.cross:
        findings.notes.append(
            "what is built does not run on this machine: an editable install is refused, and"
            " programs that a build makes and runs are a matter for its build system"
        )


def _no_compiler_of_theirs(plan: Plan) -> str:
    return f"; none of {', '.join(USER_COMPILER)} is set" if plan.settings.mode is None else ""


def _policy(plan: Plan, origin: _Origins) -> List[str]:
    named: Optional[str] = origin("policy") or None
    if plan.policy is not None:
        return [plan.policy.name, named or "the default: the lowest that Pythons of today need"]
    if plan.settings.policy == "auto":
        return ["auto: the most compatible that the wheel proves", named or ""]
    return ["the best that the wheel has earned", "none is named"]
