"""What CI engines are told of a call of ``build``, and the page that it can write."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Dict, Mapping

import pytest

from manylinux_shim._annotations import annotation, engine, group, silenced
from manylinux_shim._errors import PolicyError, SettingsError
from manylinux_shim._messages import reported
from manylinux_shim.cli import main
from manylinux_shim.commands.build_wheels._building import Outcome
from manylinux_shim.commands.build_wheels._report import markdown, publish

GITHUB, GITLAB, AZURE = {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}, {"TF_BUILD": "True"}
WHEEL = "pkg-1.0-cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"


class Named:
    """Stands for a task, of which a report needs the name alone."""

    def __init__(self, name: str) -> None:
        self.name = name


def outcomes(tmp_path: Path) -> list:
    log = tmp_path / "x.log"
    log.write_text("cc -c x.c\n::set-output name=a::b\n##[error]no\n")
    return [
        Outcome(Named("aarch64-py3.12"), 3.0, Path("dist") / WHEEL, 23_400, tested="debian12"),
        Outcome(Named("x86_64-py3.12"), 1.0, error="it | failed:\n100% of it", log=log),
    ]


def test_page_has_a_table_and_what_failed(tmp_path: Path) -> None:
    page = markdown(outcomes(tmp_path), Path("dist"))
    assert page.startswith("### 1 wheel in dist, 1 of 2 builds failed\n")
    assert f"| `{WHEEL}` | 23.4 kB | manylinux_2_17_aarch64 | " in page
    assert "Ubuntu 18.04" in page
    assert "| debian12 |" in page
    assert "**x86_64-py3.12** failed:\n\n```text\nit | failed:\n100% of it\n```\n" in page


def test_page_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    summary, report = tmp_path / "summary", tmp_path / "report.md"
    summary.write_text("before\n")
    stream = io.StringIO()
    environ = {**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}
    publish(outcomes(tmp_path), Path("dist"), report, environ, stream)
    assert summary.read_text() == f"before\n{report.read_text()}\n"
    said = stream.getvalue()
    assert "::error title=x86_64-py3.12::it | failed:%0A100%25 of it\n" in said
    # What a log says is nobody's command.
    inside = re.search(r"^::group::log of x86_64-py3\.12\n(.*)^::endgroup::$", said, re.M | re.S)
    assert inside is not None
    assert "cc -c x.c" in inside[1]
    assert not any(line.lstrip().startswith(("::", "##[")) for line in inside[1].splitlines())


def test_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--report .*report\.md cannot be written"):
        publish([], Path("dist"), tmp_path / "none" / "report.md", {}, io.StringIO())
    assert main(["build", "-r", "x.txt", "--report", "x.md"]) != 0


@pytest.mark.parametrize(
    ("environ", "name", "line"),
    [
        (GITHUB, "github", "::error title=a%3A b%2C c::no%0Away"),
        (AZURE, "azure", "##vso[task.logissue type=error]a: b, c: no way"),
        (GITLAB, "gitlab", ""),
        ({"GITHUB_ACTIONS": "false"}, "", ""),
        ({}, "", ""),
        (silenced(GITHUB), "", ""),
    ],
)
def test_engine_is_spoken_to_in_its_words(environ: Mapping[str, str], name: str, line: str) -> None:
    assert engine(environ) == name
    assert annotation("a: b, c", "no\nway", environ) == line


def test_groups_begin_and_end() -> None:
    assert group("log", GITHUB, 7) == ("::group::log", "::endgroup::")
    assert group("log", AZURE, 7) == ("##[group]log", "##[endgroup]")
    start, end = group("log of x", GITLAB, 7)
    assert start.startswith("\x1b[0Ksection_start:7:log_of_x[collapsed=true]\r\x1b[0Klog of x")
    assert end == "\x1b[0Ksection_end:7:log_of_x\r\x1b[0K"
    assert group("log", {}, 7) == ("", "")


@pytest.mark.parametrize("environ", [GITHUB, {}])
def test_backend_annotates_its_error(
    environ: Dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(SystemExit), reported():
        raise PolicyError("the wheel is false", "Build it.")
    said = capsys.readouterr().err
    assert said.startswith("manylinux-shim: error: the wheel is false\n")
    annotated = "::error title=manylinux-shim::the wheel is false%0ABuild it.\n" in said
    assert annotated is bool(environ)
