"""What a call builds, what its lines say, what is printed of it: tables, no builds."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import pytest

from manylinux_shim._errors import SettingsError
from manylinux_shim._plan import Host
from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.audit._systems import SYSTEMS
from manylinux_shim.commands.build_wheels._building import (
    Order,
    Outcome,
    Task,
    failure,
    left_out,
    stage_of,
)
from manylinux_shim.commands.build_wheels._frontends import Frontend
from manylinux_shim.commands.build_wheels._jobs import Entry, Job, make_jobs, matrix, words
from manylinux_shim.commands.build_wheels._pythons import Python
from manylinux_shim.commands.build_wheels._summary import headline, oldest_systems, table, to_json

HOST = Host(ARCHITECTURES["x86_64"], "manylinux", linux=True, has_zig=True)
NOT_LINUX = Host(None, "manylinux", linux=False, has_zig=False)
LINE = "demo-1.0-cp311-cp311-manylinux_2_17_{0}.manylinux2014_{0}.whl"


@pytest.mark.parametrize(
    ("targets", "policies", "expected"),
    [
        ([], [], [("x86_64", None)]),
        (["arm64", "s390x"], [], [("aarch64", None), ("s390x", None)]),
        (["aarch64", "arm64"], [], [("aarch64", None)]),
        (["i686"], ["manylinux2014", "manylinux_2_17"], [("i686", "manylinux_2_17")]),
        (
            ["aarch64"],
            ["manylinux_2_28", "musllinux_1_2"],
            [("aarch64", "manylinux_2_28"), ("aarch64", "musllinux_1_2")],
        ),
        ([], ["manylinux2014_aarch64"], [("aarch64", "manylinux_2_17")]),
        (
            ["s390x"],
            ["auto", "manylinux2014_aarch64"],
            [("s390x", "auto"), ("aarch64", "manylinux_2_17")],
        ),
    ],
)
def test_targets_and_policies_become_jobs(
    targets: List[str], policies: List[str], expected: List[Tuple[str, Optional[str]]]
) -> None:
    jobs = make_jobs(targets, policies, [], {}, HOST)
    assert [(job.target, job.policy) for job in jobs] == expected


def test_all_is_every_architecture_that_pypi_takes() -> None:
    jobs = make_jobs(["all"], [], [], {}, HOST)
    assert {job.target for job in jobs} == set(ARCHITECTURES) - {"loongarch64"}


def test_all_with_a_policy_is_every_architecture_that_has_it() -> None:
    jobs = make_jobs(["all"], ["manylinux1", "musllinux_1_2"], [], {}, HOST)
    assert [job.target for job in jobs if job.policy == "manylinux_2_5"] == ["x86_64", "i686"]
    assert "riscv64" in {job.target for job in jobs if job.policy == "musllinux_1_2"}
    with pytest.raises(SettingsError, match="does not exist on riscv64"):
        make_jobs(["all", "riscv64"], ["manylinux1"], [], {}, HOST)
    with pytest.raises(SettingsError, match="not known"):
        make_jobs(["all"], ["musllinux_1_9"], [], {}, HOST)


def test_every_python_builds_every_wheel() -> None:
    jobs = make_jobs(["aarch64", "s390x"], [], ["3.9", "3.12"], {}, HOST)
    assert [(job.target, job.python) for job in jobs] == [
        ("aarch64", "3.9"),
        ("s390x", "3.9"),
        ("aarch64", "3.12"),
        ("s390x", "3.12"),
    ]


def test_the_environment_names_the_target_as_it_does_for_one_build() -> None:
    (job,) = make_jobs([], [], [], {"MANYLINUX_SHIM_TARGET": "s390x"}, HOST)
    assert job.target == "s390x"
    (job,) = make_jobs(["aarch64"], [], [], {"MANYLINUX_SHIM_TARGET": "s390x"}, HOST)
    assert job.target == "aarch64"


@pytest.mark.parametrize(
    ("targets", "policies", "host", "says"),
    [
        (["sparc"], [], HOST, "unknown target 'sparc'"),
        ([], ["manylinux"], HOST, "unknown policy 'manylinux'"),
        (["riscv64"], ["manylinux_2_17"], HOST, "does not exist on riscv64"),
        (["x86_64", "aarch64"], ["manylinux1"], HOST, "does not exist on aarch64"),
        (["aarch64"], ["musllinux_1_7"], HOST, "musllinux_1_7 is not known"),
        (["aarch64"], ["manylinux2014_s390x"], HOST, "names its architecture"),
        ([], ["manylinux2014_sparc"], HOST, "unknown target 'sparc'"),
        ([], [], NOT_LINUX, "no Linux"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is(
    targets: List[str], policies: List[str], host: Host, says: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        make_jobs(targets, policies, [], {}, host)
    assert says in refused.value.message
    assert refused.value.remedy


def test_another_system_builds_what_is_named() -> None:
    (job,) = make_jobs(["aarch64"], [], [], {}, NOT_LINUX)
    assert job == Job("aarch64", None, "")


def test_names_are_separated_by_commas_or_given_again() -> None:
    assert words(["a,b", "c"], "--target") == ["a", "b", "c"]
    with pytest.raises(SettingsError, match="empty name"):
        words(["a,,b"], "--target")


def test_matrix_has_one_entry_a_job_that_an_engine_can_use() -> None:
    jobs = [Job("armv7l", "musllinux_1_2", "3.12"), Job("x86_64", None, "")]
    common = ["pkg dir", "-C", "a=b c"]
    found = matrix("github", [Entry(job, common) for job in jobs], "3.11")
    first, second = json.loads(json.dumps(found))["include"]
    assert shlex.split(first["command"]) == [
        *("manylinux-shim", "build", "pkg dir", "-C", "a=b c", "--target", "armv7l"),
        *("--policy", "musllinux_1_2", "--python", "3.12"),
    ]
    assert shlex.split(first["command"])[2:] == shlex.split(first["arguments"])
    assert (first["qemu"], first["artifact"]) == ("linux/arm/v7", "wheel-3.12-musllinux_1_2-armv7l")
    assert (second["policy"], second["python"]) == ("default", "3.11")
    interpreters = (first["interpreter"], second["interpreter"])
    assert interpreters == ("", "cpython-3.11-linux-x86_64-gnu")
    (of_one,) = matrix("github", [Entry(jobs[1], ["-r", "r"], "pkg")], "3.14t")["include"]
    assert of_one["artifact"] == "wheel-pkg-3.14t-default-x86_64"
    assert of_one["interpreter"] == "cpython-3.14+freethreaded-linux-x86_64-gnu"
    assert "--policy" not in second["command"]


@pytest.mark.long
@pytest.mark.skipif(sys.version_info < (3, 9), reason="check-jsonschema is for 3.9 and later")
def test_gitlab_takes_the_matrix_of_a_child_pipeline(tmp_path: Path) -> None:
    jobs = [Entry(Job("aarch64", policy, "3.12"), []) for policy in ("auto", "musllinux_1_2")]
    found = matrix("gitlab", jobs, "3.11")
    entries = found[".manylinux-shim"]["parallel"]["matrix"]
    assert [entry["POLICY"] for entry in entries] == ["auto", "musllinux_1_2"]
    wheel = {"extends": ".manylinux-shim", "script": ["manylinux-shim build $ARGUMENTS"]}
    pipeline = tmp_path / "pipeline.yml"
    pipeline.write_text(json.dumps({**found, "wheel": wheel}))
    checker = [str(Path(sys.executable).with_name("check-jsonschema"))]
    checker += ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    subprocess.run([*checker, str(pipeline)], check=True)
    wheel["parallel"] = found[".manylinux-shim"].pop("parallel")["matrix"]
    pipeline.write_text(json.dumps({**found, "wheel": wheel}))
    assert subprocess.run([*checker, str(pipeline)]).returncode == 1


def test_every_architecture_has_a_name_for_emulation_and_an_artifact_of_its_own() -> None:
    jobs = [Job(name, None, "/opt/pypy/bin/pypy3") for name in ARCHITECTURES]
    entries = matrix("forgejo", [Entry(job, []) for job in jobs], "3.11")["include"]
    assert len({entry["artifact"] for entry in entries}) == len(ARCHITECTURES)
    assert all(entry["qemu"].startswith("linux/") for entry in entries)
    assert not any(set(entry["artifact"]) & set('":<>|*?\\/') for entry in entries)


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("Building wheel...", "building"),
        ("* Installing packages in isolated environment:", "installing build requirements"),
        ("manylinux-shim: zig 0.17.1 links for manylinux_2_17_s390x", "compiling for"),
        ("  building 'markupsafe._speedups' extension", "compiling markupsafe._speedups"),
        ("\x1b[1m\x1b[32m   Compiling\x1b[0m libc v0.2.180", "compiling libc"),
        ("[12/40] Building CXX object a.o", "compiling 12/40"),
        ("[1/1] Cythonizing a.pyx", "translating a.pyx"),
        ("manylinux-shim: a-1.0-py3-none-any.whl is proven", "proven"),
        ("copying a.py -> b", None),
        ("", None),
    ],
)
def test_stages_are_told_from_what_is_printed(line: str, stage: Optional[str]) -> None:
    found = stage_of(line)
    assert found == stage or (stage and found and found.startswith(stage))


def test_failure_is_the_error_of_the_shim_without_what_comes_after() -> None:
    lines = [
        "gcc: noise",
        "manylinux-shim: error: x.whl has not earned manylinux_2_17:",
        "    x.so: getrandom@GLIBC_2.25",
        "",
        "  -> Link it statically.",
        "error: Failed to build `/tmp/x`",
    ]
    assert failure(lines) == (
        "x.whl has not earned manylinux_2_17:\n  x.so: getrandom@GLIBC_2.25\n\n"
        "-> Link it statically."
    )


def test_failure_that_refers_to_what_the_backend_said_comes_with_it() -> None:
    error = ["manylinux-shim: error: it did not build a wheel", "  What it said stands above."]
    assert failure(["no such header", *error]).splitlines()[0] == "no such header"


def test_failure_of_anything_else_is_the_end_of_what_it_printed() -> None:
    lines = [f"line {number}" for number in range(40)]
    assert failure([*lines, "", "\x1b[31merror\x1b[0m: no such header"]).splitlines()[-2:] == [
        "line 39",
        "error: no such header",
    ]


def test_every_known_system_is_named_in_short() -> None:
    for system in SYSTEMS:
        family = "manylinux" if system.family == "manylinux" else "musllinux"
        tags = [
            f"{family}_{system.libc[0]}_{system.libc[1]}_{arch}" for arch in system.architectures
        ]
        distribution = system.name.split()[0].rstrip(",")
        named = [name for name in oldest_systems(tags) if name.startswith(distribution)]
        assert len(named) == 1, (system.name, named)
        assert "," not in named[0]


@pytest.mark.parametrize(
    ("tag", "first"),
    [
        ("manylinux_2_17_x86_64", "RHEL 7"),
        ("manylinux_2_28_aarch64", "RHEL 8"),
        ("musllinux_1_1_x86_64", "Alpine 3.12"),
        ("musllinux_1_2_s390x", "Alpine 3.13"),
    ],
)
def test_the_oldest_systems_of_a_tag(tag: str, first: str) -> None:
    assert oldest_systems([tag])[0] == first


@pytest.mark.parametrize("tag", ["any", "linux_x86_64", "manylinux_2_99_x86_64"])
def test_no_system_is_promised_where_the_tag_promises_none(tag: str) -> None:
    assert oldest_systems([tag]) == []


def outcomes(names: Sequence[str], failed: int = 0) -> List[Outcome]:
    python = Python(Path("/usr/bin/python3"), (3, 11, 2), "cpython", False)

    here = Path()
    order = Order(here, here, here, Frontend("build", None), (), {}, here)

    def task(name: str, number: int) -> Task:
        whole = f"{name}-default-py3.11"
        return Task(Job(name, None, ""), python, python.path, number, whole, order)

    built = [
        Outcome(task(name, n), 2.0, Path("dist") / LINE.format(name), 23456)
        for n, name in enumerate(names)
    ]
    bad = Outcome(task("ppc64le", 99), 1.0, error="no\nwonder", log=Path("/logs/x.log"))
    return built + [bad] * failed


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_table_fits_and_has_wheel_size_tag_and_systems(width: int) -> None:
    text = table(outcomes(["x86_64", "aarch64"], failed=1), width)
    assert max(map(len, text.splitlines())) <= width
    for part in (
        "demo-1.0-cp311-cp311",
        "23.5 kB",
        "manylinux_2_17_aarch64",
        "RHEL 7",
        "SLES 12 SP5",
    ):
        assert part in text
    assert (LINE.format("x86_64") in text) == (width == 80)
    assert ("Oldest systems" in text) == (width > 80)
    assert "ppc64le-default-py3.11: failed, see /logs/x.log" in text


def test_what_was_built_is_counted_by_wheels() -> None:
    twin = outcomes(["x86_64", "x86_64"])
    assert headline(twin, Path("dist")) == "1 wheel in dist"
    assert headline(outcomes(["x86_64"], failed=1), Path("dist")) == (
        "1 wheel in dist, 1 of 2 builds failed"
    )


def test_what_a_wheel_is_without_is_said_and_so_is_that_it_is_for_this_machine() -> None:
    (built,) = outcomes(["x86_64"])
    here = Path("dist/demo-1.0-cp311-cp311-linux_x86_64.whl")
    less = dataclasses.replace(built, wheel=here, left_out=("demo._fast",), log=Path("/logs/x.log"))
    assert "without demo._fast, optional, which failed: see /logs/x.log" in table([less], 100)
    assert to_json([less])[0]["left_out"] == ["demo._fast"]
    assert headline([built, less], Path("dist")) == (
        "2 wheels in dist, 1 of them for this machine only"
    )


def test_what_was_tested_and_what_could_not_be_is_said() -> None:
    (built,) = outcomes(["x86_64"])
    tested = dataclasses.replace(built, tested="debian12, x86_64, Python 3.11")
    untried = dataclasses.replace(built, untried="no system with musl\ncan be had")
    text = table([tested, untried], 100)
    assert "x86_64-default-py3.11: tested on debian12, x86_64, Python 3.11" in text
    assert "x86_64-default-py3.11: NOT tested: no system with musl can be had" in text
    assert [found["tested"] is None for found in to_json([tested, untried])] == [False, True]


def test_programs_are_told_everything() -> None:
    good, bad = to_json(outcomes(["aarch64"], failed=1))
    assert good["tags"] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64"]
    assert (good["size"], good["error"], good["systems"][0]) == (23456, None, "RHEL 7")
    assert (bad["wheel"], bad["error"], bad["log"]) == (None, "no\nwonder", "/logs/x.log")
    expected: Dict[str, object] = {"target": "ppc64le", "policy": None}
    assert expected.items() <= bad.items()


def test_optional_extensions_that_failed_are_read_of_whatever_builds_them() -> None:
    lines = [
        "manylinux-shim: the optional extension a._a failed, and the wheel is without it",
        '\x1b[33mWARNING: building extension "a._a" failed: command gcc failed\x1b[0m',
        'building extension "b._b" failed: command gcc failed',
        "Build optional Rust extension c._c failed.",
        "the extension d failed",
    ]
    assert left_out(lines) == ("a._a", "b._b", "c._c")
