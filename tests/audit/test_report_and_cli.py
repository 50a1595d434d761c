"""What people and programs are told: the report, the JSON, the commands' exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from made_elf import ET_EXEC, Made, Need, glibc_need
from made_wheel import make_wheel

from manylinux_shim._platforms import Policy
from manylinux_shim.audit import audit_wheel, render, render_refusal, schema, to_json
from manylinux_shim.audit._systems import SYSTEMS
from manylinux_shim.audit.reasons import KINDS
from manylinux_shim.cli import COMMANDS, main

LIBC = ("libc.so.6",)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A wheel that says manylinux2014 and needs glibc 2.25."""
    needs = [glibc_need("getrandom", "2.25"), glibc_need("memcpy", "2.14")]
    made = Made(needed=LIBC, undefined=needs)
    return make_wheel(tmp_path, {"made/_made.abi3.so": made}, "cp311-abi3-manylinux2014_x86_64")


@pytest.fixture
def true(tmp_path: Path) -> Path:
    """A wheel that is what it says."""
    made = Made(needed=LIBC, undefined=[glibc_need("memcpy", "2.14")])
    return make_wheel(tmp_path, {"made/_made.abi3.so": made}, "cp311-abi3-manylinux_2_14_x86_64")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken-1.0-py3-none-any.whl"
    path.write_bytes(b"PK\5\6 this is no archive")
    return path


def test_the_report_says_the_verdict_first(newer: Path) -> None:
    lines = render(audit_wheel(newer)).splitlines()
    assert lines[:3] == [
        "made-1.0-cp311-abi3-manylinux2014_x86_64.whl",
        "  has earned manylinux_2_25_x86_64",
        "  claims manylinux2014_x86_64: NOT TRUE",
    ]


def test_the_report_names_file_symbol_version_library_what_is_allowed_and_what_to_do(
    newer: Path,
) -> None:
    text = " ".join(render(audit_wheel(newer)).split())
    assert (
        "made/_made.abi3.so, getrandom@GLIBC_2.25, libc.so.6,"
        " manylinux_2_24 allows glibc 2.24" in text
    )
    assert "-> Link against an older glibc" in text


def test_the_report_goes_from_the_worst_to_the_least(newer: Path) -> None:
    text = render(audit_wheel(newer))
    steps = re.findall(r"What stands between it and (\S+)", text)
    assert steps == ["manylinux_2_24", "manylinux_2_13"]


def test_the_report_says_on_which_systems_it_runs(newer: Path) -> None:
    text = render(audit_wheel(newer))
    answers = dict(re.findall(r"^  (?:yes|no ) ?(.*?) {2,}(?:glibc|musl) (\S+)$", text, re.M))
    assert answers["Debian 12"] == "2.36"
    assert re.search(r"^  no +RHEL, CentOS 7 ", text, re.M)
    assert re.search(r"^  yes +Amazon Linux 2 ", text, re.M)
    assert "Alpine" not in text


def test_a_static_program_runs_on_both_families_of_systems(tmp_path: Path) -> None:
    made = Made(type=ET_EXEC, dynamic=False)
    wheel = make_wheel(tmp_path, {"made-1.0.data/scripts/made": made}, "py3-none-linux_x86_64")
    text = render(audit_wheel(wheel))
    assert re.search(r"^  yes +Alpine 3.12 ", text, re.M)
    assert re.search(r"^  yes +RHEL, CentOS 7 ", text, re.M)


def test_the_report_fits_into_80_columns_whatever_the_names(tmp_path: Path) -> None:
    long = "_ZN" + "9namespace" * 300
    needs = [Need(long, "GLIBCXX_3.4.29", "libstdc++.so.6"), Need(long + "v")]
    made = Made(needed=("lib" + "x" * 200 + ".so.1",), undefined=needs, run_path="/" + "p" * 300)
    name = "/".join(["directory"] * 20) + "/" + "n" * 100 + ".abi3.so"
    verdict = audit_wheel(make_wheel(tmp_path, {name: made}))
    for full in (False, True):
        assert max(map(len, render(verdict, full=full).splitlines())) <= 80
    assert long in "".join(render(verdict, full=True).split())
    assert long not in "".join(render(verdict).split())


def test_colour_repeats_what_the_words_say(newer: Path) -> None:
    verdict = audit_wheel(newer)
    coloured = render(verdict, colour=True)
    assert "\033[31m" in coloured
    assert re.sub(r"\033\[\d*m", "", coloured) == render(verdict)
    assert "\033" not in render(verdict)


def test_a_build_is_told_what_the_report_says(newer: Path) -> None:
    verdict = audit_wheel(newer)
    policy = Policy.parse("manylinux_2_17")
    refusal = render_refusal(verdict, policy)
    assert "has not earned manylinux_2_17" in refusal.splitlines()[0]
    reasons = [line for line in refusal.splitlines()[1:] if line]
    assert reasons
    assert all(line in render(verdict, policy).splitlines() for line in reasons)


def test_many_symbols_of_one_version_are_one_cause(tmp_path: Path) -> None:
    needs = [Need(f"_ZNSt{i}", "GLIBCXX_3.4.29", "libstdc++.so.6") for i in range(50)]
    made = Made(needed=("libstdc++.so.6", *LIBC), undefined=needs)
    text = render(audit_wheel(make_wheel(tmp_path, {"made/_made.abi3.so": made})))
    assert "... 48 more of GLIBCXX_3.4.29" in text
    assert text.count("GLIBCXX_3.4.29") < 10


def test_systems_have_the_libc_that_the_project_notes_for_them() -> None:
    libcs = {system.name: system.libc_text for system in SYSTEMS}
    assert len(libcs) == len(SYSTEMS)
    assert {
        "RHEL, CentOS 7": "glibc 2.17",
        "RHEL, AlmaLinux, Rocky Linux 8": "glibc 2.28",
        "RHEL, AlmaLinux, Rocky Linux 9": "glibc 2.34",
        "RHEL, AlmaLinux, Rocky Linux 10": "glibc 2.39",
        "Amazon Linux 2": "glibc 2.26",
        "Amazon Linux 2023": "glibc 2.34",
        "Debian 11": "glibc 2.31",
        "Debian 12": "glibc 2.36",
        "Debian 13": "glibc 2.41",
        "Ubuntu 20.04": "glibc 2.31",
        "Ubuntu 22.04": "glibc 2.35",
        "Ubuntu 24.04": "glibc 2.39",
        "SLES 12 SP5": "glibc 2.22",
    }.items() <= libcs.items()


def show_json(wheel: Path, capsys: pytest.CaptureFixture[str]) -> Dict[str, Any]:
    assert main(["show", "--json", str(wheel)]) == 0
    found: Dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_json_has_the_documented_keys(newer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = show_json(newer, capsys)
    assert list(found) == [
        "version", "wheel", "claimed", "earned", "earned_tags", "truthful",
        "policy", "proven", "unproven", "architecture", "libc", "files", "reasons", "notes",
    ]  # fmt: skip
    assert found["version"] == 1
    assert found["wheel"] == newer.name
    assert found["claimed"] == ["manylinux2014_x86_64"]
    assert found["earned"] == "manylinux_2_25_x86_64"
    assert found["truthful"] is False
    assert found["libc"] == {"manylinux": "2.25"}
    assert found["reasons"][0] == {
        "policy": "manylinux_2_24",
        "file": "made/_made.abi3.so",
        "kind": "symbol-version",
        "symbol": "getrandom",
        "version": "GLIBC_2.25",
        "library": "libc.so.6",
        "allowed": "manylinux_2_24 allows glibc 2.24",
        "remedy": found["reasons"][0]["remedy"],
    }
    assert found["reasons"][0]["remedy"]
    (facts,) = found["files"]
    assert facts["needed"] == ["libc.so.6"]
    assert facts["undefined"][0]["name"] == "getrandom"


def test_every_documented_key_of_json_is_documented() -> None:
    from manylinux_shim.audit import _json

    documented = set(re.findall(r"^``(\w+)``", _json.__doc__ or "", re.M))
    source = Path(_json.__file__).read_text()
    top = source[source.index("def to_json") : source.index("def _facts")]
    assert documented == set(re.findall(r'^        "(\w+)":', top, re.M))
    inner = source[source.index("def _facts") :]
    for key in re.findall(r'^        "(\w+)":', inner, re.M):
        assert f"``{key}``" in (_json.__doc__ or ""), key


def valid(line: str) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads(line)
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    validator.check_schema(schema())
    validator(schema()).validate(found)
    return found


def test_check_and_show_say_the_same_to_programs_in_the_published_schema(
    newer: Path, true: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"none")
    wheels = list(map(str, (newer, true, broken)))
    assert main(["check", "--json", *wheels]) == 2
    checked = list(map(valid, capsys.readouterr().out.splitlines()))
    assert [found.get("proven") for found in checked] == [False, True, None]
    assert [refused["tag"] for refused in checked[0]["unproven"]] == ["manylinux2014_x86_64"]
    assert checked[0]["unproven"][0]["reasons"][0]["symbol"] == "getrandom"
    assert "broken" in checked[2]["error"]
    assert main(["show", "--json", *wheels]) == 2
    assert list(map(valid, capsys.readouterr().out.splitlines())) == checked
    assert main(["check", "--json", "--policy", "manylinux_2_28", wheels[0]]) == 0
    assert valid(capsys.readouterr().out)["proven"] is True
    assert main(["check", "--json", "--policy", "manylinux_2_4", wheels[1]]) == 1
    (reason,) = valid(capsys.readouterr().out)["reasons"]
    assert (reason["kind"], reason["remedy"]) == ("tag", "Claim manylinux_2_5 or newer.")


def test_schema_knows_every_key_and_kind(newer: Path) -> None:
    parts = schema()["$defs"]
    found = to_json(audit_wheel(newer))
    assert list(found) == list(parts["verdict"]["properties"])
    assert list(found["files"][0]) == list(parts["file"]["properties"])
    assert list(found["reasons"][0]) == list(parts["reason"]["properties"])
    assert set(parts["reason"]["properties"]["kind"]["enum"]) == set(KINDS)


def test_directories_stand_for_their_wheels_and_dist_for_none(
    newer: Path, true: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    assert "no wheel in dist" in capsys.readouterr().err
    (tmp_path / "dist").mkdir()
    shutil.copy(true, tmp_path / "dist")
    assert main(["check"]) == 0
    assert capsys.readouterr().out.startswith(true.name)
    shutil.copy(newer, tmp_path / "dist")
    assert main(["check", "dist"]) == 1
    assert main(["show"]) == 0


def test_kinds_in_json_are_known(tmp_path: Path) -> None:
    made = Made(
        needed=("libnone.so.1",), undefined=[Need("nobody"), glibc_need("getrandom", "2.25")],
        run_path="/x", stack=7, isa_needed=7, relr=True,
    )  # fmt: skip
    wheel = make_wheel(tmp_path, {"made.cpython-311-aarch64-linux-gnu.so": made})
    found = {reason["kind"] for reason in to_json(audit_wheel(wheel))["reasons"]}
    assert found <= set(KINDS)
    assert len(found) >= 7


def test_several_wheels_are_one_json_object_a_line(
    newer: Path, true: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "--json", str(newer), str(true)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["truthful"] for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "TRUE"], 0),
        (["check", "NEWER"], 1),
        (["check", "NEWER", "--policy", "manylinux_2_25"], 0),
        (["check", "NEWER", "--policy", "manylinux_2_28_x86_64"], 0),
        (["check", "NEWER", "--policy", "manylinux2014"], 1),
        (["check", "TRUE", "--policy", "musllinux_1_2"], 1),
        (["check", "TRUE", "NEWER"], 1),
        (["check", "BROKEN"], 2),
        (["check", "BROKEN", "TRUE"], 2),
        (["check", "MISSING"], 2),
        (["check", "TRUE", "--policy", "manylinux_2"], 2),
        (["check"], 2),
        (["show", "TRUE"], 0),
        (["show", "NEWER"], 0),
        (["show", "BROKEN"], 2),
        (["show", "TRUE", "--nonsense"], 2),
        (["nonsense"], 2),
        ([], 2),
        (["--version"], 0),
        (["--help"], 0),
    ],
)
def test_exit_codes(
    arguments: List[str], code: int, newer: Path, true: Path, broken: Path, tmp_path: Path
) -> None:
    paths = {
        "TRUE": str(true),
        "NEWER": str(newer),
        "BROKEN": str(broken),
        "MISSING": str(tmp_path / "nothing-1.0-py3-none-any.whl"),
    }
    assert main([paths.get(argument, argument) for argument in arguments]) == code


def test_an_interrupted_command_ends_as_shells_expect(
    newer: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = (
        "import signal, sys\n"
        "import manylinux_shim.audit\n"
        "from manylinux_shim.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "manylinux_shim.audit.audit_wheel = lambda *_, **__: signal.raise_signal(signal.SIGINT)\n"
        "sys.exit(main(['show', sys.argv[1]]))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(newer)], check=False)
    assert done.returncode == 130
    assert capfd.readouterr() == ("", "manylinux-shim: interrupted\n")


@pytest.mark.parametrize(
    "name", ["not-a-wheel.whl", "a.zip", "", "x-1.0-py3-none-any.whl/", "\0-1.0-py3-none-any.whl"]
)
def test_a_name_that_is_none_is_an_error_without_traceback(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / name) if name else name]) == 2
    error = capsys.readouterr().err
    assert error.startswith("manylinux-shim: ")
    assert "Traceback" not in error


def test_one_unreadable_wheel_stops_no_other(
    broken: Path, true: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(broken), str(true)]) == 2
    captured = capsys.readouterr()
    assert "has earned manylinux_2_14_x86_64" in captured.out
    assert "broken-1.0" in captured.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_ends_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    assert f"example:\n  manylinux-shim {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"^    {command} +\w", text, re.M)


def test_what_is_excluded_is_not_held_against_a_wheel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Made(needed=("libcuda.so.1", *LIBC))
    wheel = make_wheel(tmp_path, {"made/_made.abi3.so": made}, "cp311-abi3-manylinux1_x86_64")
    assert main(["check", str(wheel)]) == 1
    assert "libcuda.so.1" in capsys.readouterr().out
    assert main(["check", "--exclude", "libcuda.so.*", str(wheel)]) == 0


def test_a_reader_that_goes_away_early_gets_no_traceback(newer: Path) -> None:
    command = [sys.executable, "-m", "manylinux_shim.cli", "show", "--json", *[str(newer)] * 400]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("need", "statement"),
    [
        (
            Need("f", "GLIBCXX_9.9", "libstdc++.so.6"),
            "made/_made.abi3.so, f@GLIBCXX_9.9, libstdc++.so.6, manylinux has no GLIBCXX_9.9",
        ),
        (
            Need("f", "GLIBC_PRIVATE", "libc.so.6"),
            "made/_made.abi3.so, f@GLIBC_PRIVATE, libc.so.6,"
            " it is private to one build of glibc, and manylinux allows none of that",
        ),
        (
            Need("nobody_has_this"),
            "made/_made.abi3.so, nobody_has_this,"
            " neither Python, glibc, the wheel nor an allowed library that it needs has it",
        ),
    ],
)
def test_what_no_policy_allows_is_said_of_all(tmp_path: Path, need: Need, statement: str) -> None:
    made = Made(needed=("libstdc++.so.6", *LIBC), undefined=[need])
    verdict = audit_wheel(make_wheel(tmp_path, {"made/_made.abi3.so": made}))
    (reason,) = verdict.reasons
    assert reason.policy is None
    assert reason.statement == statement
    assert str(reason) == f"{statement}\n  {reason.remedy}"


def test_a_library_that_no_policy_allows_is_said_of_all(tmp_path: Path) -> None:
    made = Made(needed=("libcrypt.so.1", *LIBC))
    verdict = audit_wheel(make_wheel(tmp_path, {"made/_made.abi3.so": made}))
    assert verdict.reasons[0].statement == (
        "made/_made.abi3.so, libcrypt.so.1, manylinux does not allow it outside the wheel"
    )


def test_names_that_a_terminal_cannot_write_are_escaped(tmp_path: Path) -> None:
    made = Made(needed=("libé.so.1", *LIBC))
    wheel = make_wheel(tmp_path, {"made/_ü.abi3.so": made})
    run = subprocess.run(
        [sys.executable, "-m", "manylinux_shim.cli", "show", str(wheel)],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert b"made/_\\xfc.abi3.so" in run.stdout
    assert b"\033" not in run.stdout


def test_importing_the_command_line_loads_no_command() -> None:
    program = (
        "import sys, manylinux_shim.cli\n"
        "print([m for m in sys.modules if m.startswith(('manylinux_shim.audit', 'elftools'))])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
