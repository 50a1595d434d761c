"""``doctor``: what it says is what a build then does, and every problem has its remedy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import pytest
from support import machine, projects, wheels
from support.workshop import UV_BUILD_HERE, Workshop

from manylinux_shim._plan import Host, this_host
from manylinux_shim._platforms import ARCHITECTURES, host_architecture
from manylinux_shim.commands.doctor._examine import examine
from manylinux_shim.commands.doctor._findings import Findings, render
from manylinux_shim.zig import _zig

SYSTEM = '[build-system]\nrequires = ["manylinux-shim", "setuptools"]\n'
SHIM = 'build-backend = "manylinux_shim"\n'
TABLE = '[tool.manylinux-shim]\nbackend = "setuptools.build_meta"\n'
MUSL = Host(ARCHITECTURES["x86_64"], "musllinux", linux=True, has_zig=True)
MAC = Host(None, "manylinux", linux=False, has_zig=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return projects.tiny(tmp_path / "tiny")


@pytest.fixture
def cache(tmp_path: Path) -> Dict[str, str]:
    return {"MANYLINUX_SHIM_CACHE_DIR": str(tmp_path / "cache")}


def facts(findings: Findings) -> Dict[str, str]:
    return {fact.name: fact.value for fact in findings.facts}


def why(findings: Findings, name: str) -> str:
    (found,) = (fact.why for fact in findings.facts if fact.name == name)
    return found


def run(
    *arguments: object, python: str = sys.executable, environ: Optional[Mapping[str, str]] = None
) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("CC", "CXX", "LDSHARED")}
    return subprocess.run(
        [python, "-m", "manylinux_shim.cli", "doctor", *map(str, arguments)],
        env={**clean, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def test_a_sound_project_has_no_problem(project: Path, cache: Dict[str, str]) -> None:
    findings = examine(project, {}, cache, this_host())
    arch = host_architecture()
    zig = _zig.find_zig()
    assert findings.problems == []
    found = facts(findings)
    assert arch is not None
    assert found["mode"] == "zig"
    assert found["target"] == arch.name
    assert found["tag"] == wheels.lowest_tags()
    assert found["zig"] == f"{zig.version}, {zig.executable}"
    assert (Path(found["headers"]) / "Python.h").is_file()
    assert found["cache"].startswith(cache["MANYLINUX_SHIM_CACHE_DIR"])
    assert "build_editable" in found["hooks"]
    assert "none of CC" in why(findings, "mode")


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ({}, {}),
        ({"policy": "manylinux_2_28"}, {}),
        ({}, {"MANYLINUX_SHIM_TARGET": "aarch64"}),
        ({"target": "aarch64", "policy": "musllinux_1_2"}, {}),
        ({}, {"CC": "cc"}),
        ({"mode": "off"}, {}),
    ],
)
def test_a_build_does_what_doctor_says(
    settings: Dict[str, str],
    environ: Dict[str, str],
    project: Path,
    workshop: Workshop,
    stocked: Path,
    out: Path,
) -> None:
    options = [f"-C{key}={value}" for key, value in settings.items()]
    said = workshop.run(
        [str(stocked), "-m", "manylinux_shim.cli", "doctor", "--json", *options, str(project)],
        project,
        environ,
    ).passed()
    found: Dict[str, Any] = json.loads(said.output)["facts"]
    workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, settings=settings, environment=environ
    ).passed()
    wheel = wheels.only_wheel(out)
    compiler = " ".join(wheels.comments(next(iter(wheels.elf_members(wheel).values()))))
    assert ("LLD" in compiler) == (found["mode"]["value"] == "zig")
    if "tag" in found:
        assert wheel.name.endswith(f"-{found['tag']['value']}.whl")
    elif found["mode"]["value"] == "off":
        assert "-linux_" in wheel.name


@pytest.mark.parametrize(
    ("environ", "settings", "table", "expected"),
    [
        ({}, {}, "", "the default on Linux; none of CC, CXX, LDSHARED is set"),
        ({"MANYLINUX_SHIM_MODE": "check"}, {}, "", "the environment variable MANYLINUX_SHIM_MODE"),
        ({"MANYLINUX_SHIM_MODE": "zig"}, {"mode": "check"}, "", "asked for here"),
        ({}, {"manylinux-shim.mode": "zig"}, "", "asked for here"),
        ({}, {}, 'mode = "check"', "mode in [tool.manylinux-shim]"),
        ({"CXX": "g++"}, {}, "", "CXX is set, so your compiler is used"),
    ],
)
def test_the_reason_for_the_mode_is_who_said_so(
    environ: Dict[str, str],
    settings: Dict[str, str],
    table: str,
    expected: str,
    tmp_path: Path,
    cache: Dict[str, str],
) -> None:
    project = projects.tiny(tmp_path / "tiny", settings=table)
    findings = examine(project, settings, {**cache, **environ}, this_host())
    assert why(findings, "mode").startswith(expected)


def test_other_hosts_have_their_own_defaults(project: Path, cache: Dict[str, str]) -> None:
    musl = facts(examine(project, {}, cache, MUSL))
    assert (musl["mode"], musl["tag"]) == ("zig", "musllinux_1_2_x86_64")
    mac = examine(project, {}, cache, MAC)
    assert facts(mac)["mode"] == "off"
    assert "not Linux" in why(mac, "mode")


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("[project]\nname = 'x'\n", "has no [build-system]", "manylinux-shim init"),
        (
            SYSTEM + 'build-backend = "setuptools.build_meta"\n',
            "a build does not come to manylinux-shim",
            "manylinux-shim init",
        ),
        (
            SYSTEM.replace('"manylinux-shim", ', "") + SHIM + TABLE,
            "not in `requires`",
            '["manylinux-shim", "setuptools"]',
        ),
        (
            SYSTEM.replace(', "setuptools"', "") + SHIM + TABLE,
            "does not name what brings setuptools.build_meta",
            '"setuptools"]',
        ),
        (SYSTEM + SHIM, "does not name the real backend", "backend ="),
        (SYSTEM + SHIM + TABLE + "polcy = 'x'\n", "'polcy'", "policy"),
        (SYSTEM + SHIM + TABLE + "policy = 'manylinux_2_99'\n", "glibc 2.99", "highest"),
        (SYSTEM + SHIM + TABLE + "policy = 'manylinux_3_1'\n", "manylinux_3_1", "manylinux_2_Y"),
        (
            SYSTEM + SHIM + TABLE.replace("build_meta", "buildmeta"),
            "cannot be imported",
            "requires",
        ),
        (
            SYSTEM + SHIM + TABLE.replace("setuptools.build_meta", "manylinux_shim"),
            "itself",
            "names",
        ),
        (
            SYSTEM + SHIM + TABLE.replace("setuptools.build_meta", "ours") + "backend-path = ['x']",
            "'ours' cannot be imported",
            "requires",
        ),
    ],
)
def test_each_problem_has_its_remedy(
    text: str, message: str, remedy: str, tmp_path: Path, cache: Dict[str, str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    findings = examine(tmp_path, {}, cache, this_host())
    assert len(findings.problems) == 1
    assert message in findings.problems[0].message
    assert remedy in findings.problems[0].remedy


def test_rust_without_the_target_is_a_problem_before_the_build_starts(
    cache: Dict[str, str],
) -> None:
    sample = projects.REPOSITORY / "sample_projects/maturin_bin"
    environ = {**os.environ, **cache}
    sound = examine(sample, {}, environ, this_host())
    assert not [problem for problem in sound.problems if "Rust" in problem.message]
    assert "-unknown-linux-gnu" in facts(sound)["rust"]
    (problem,) = examine(sample, {"target": "s390x"}, environ, this_host()).problems
    assert "s390x-unknown-linux-gnu" in problem.message
    assert "rustup target add" in problem.remedy
    (problem,) = examine(sample, {}, {**environ, "RUSTC": "/no/rustc"}, this_host()).problems
    assert "rustc does not run here" in problem.message


def test_a_compiler_that_is_not_there_is_a_problem(project: Path, cache: Dict[str, str]) -> None:
    (problem,) = examine(project, {}, {**cache, "CC": "no-such-cc -O2"}, this_host()).problems
    assert "'no-such-cc'" in problem.message
    assert "CC" in problem.remedy


def test_compilers_for_another_machine_are_named(project: Path, cache: Dict[str, str]) -> None:
    host = Host(ARCHITECTURES["x86_64"], "manylinux", linux=True, has_zig=True)
    settings = {"mode": "relink", "target": "loongarch64"}
    findings = examine(project, settings, cache, host)
    (problem,) = findings.problems
    assert "loongarch64-linux-gnu-gcc is not on the path" in problem.message
    assert "apt install gcc-loongarch64-linux-gnu" in problem.remedy
    machine.need_program("aarch64-linux-gnu-gcc")
    found = facts(examine(project, {**settings, "target": "aarch64"}, cache, host))
    assert found["C for aarch64"].endswith("aarch64-linux-gnu-gcc")
    assert "compiler" not in found


def test_a_cache_that_cannot_be_is_told(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    findings = examine(project, {}, {"MANYLINUX_SHIM_CACHE_DIR": str(file / "x")}, this_host())
    assert [note for note in findings.notes if "cannot be written" in note]


def test_a_project_that_compiles_nothing_needs_no_toolchain(
    tmp_path: Path, cache: Dict[str, str]
) -> None:
    project = projects.pure(tmp_path / "plain", "flit_core", "flit_core.buildapi")
    findings = examine(project, {}, cache, this_host())
    assert findings.problems == []
    assert "zig" not in facts(findings)
    assert [note for note in findings.notes if "compiles nothing here" in note]


def test_without_zig_the_build_will_get_it(
    project: Path, workshop: Workshop, without_zig: Path
) -> None:
    done = workshop.run([str(without_zig), "-m", "manylinux_shim.cli", "doctor"], project).passed()
    assert _zig.REQUIREMENT in " ".join(done.output.split())


def test_tools_of_grafting_are_named_where_they_are_missing(
    project: Path, workshop: Workshop, without_zig: Path
) -> None:
    command = [str(without_zig), "-m", "manylinux_shim.cli", "doctor", "-C", "repair=true"]
    said = " ".join(workshop.run(command, project).passed().output.split())
    assert "auditwheel" in said


def test_headers_that_are_missing_are_a_problem_with_the_package(
    project: Path, cache: Dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / name))
    (problem,) = examine(project, {}, cache, this_host()).problems
    assert "headers of Python" in problem.message
    assert "-dev on Debian" in problem.remedy


# The command.


def test_exit_codes_tell_the_verdict(project: Path, tmp_path: Path, cache: Dict[str, str]) -> None:
    sound = run(project, environ=cache)
    assert (sound.returncode, sound.stdout.splitlines()[-1]) == (0, "no problem found")
    ill = run("--target", "vax", project / "pyproject.toml", environ=cache)
    assert (ill.returncode, ill.stdout.splitlines()[-1]) == (1, "1 problem")
    assert "Known targets are" in ill.stdout
    for directory, text in (("none", None), ("broken", "x = \n")):
        (tmp_path / directory).mkdir()
        if text is not None:
            (tmp_path / directory / "pyproject.toml").write_text(text)
        unreadable = run(tmp_path / directory, environ=cache)
        assert unreadable.returncode == 2
        assert "Traceback" not in unreadable.stdout
    assert run("-C", "mode", project, environ=cache).returncode == 2


def test_json_has_what_the_text_has(project: Path, cache: Dict[str, str]) -> None:
    done = run("--json", "--policy", "manylinux_2_28", project, environ=cache)
    document = json.loads(done.stdout)
    assert document["facts"]["policy"] == {"value": "manylinux_2_28", "why": "asked for here"}
    assert document["problems"] == []


def test_the_text_keeps_to_its_width_and_what_is_to_be_copied_whole() -> None:
    findings = Findings()
    findings.fact("mode", "zig", "because " * 20)
    findings.problem("some " * 30, '[build-system]\nrequires = ["' + "x" * 90 + '"]')
    lines = render(findings, 60).splitlines()
    assert [line for line in lines if len(line) > 60] == [
        " " * 10 + 'requires = ["' + "x" * 90 + '"]'
    ]
