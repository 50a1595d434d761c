"""The README and the pages beside it say what is so: every block in them is used here."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest
from ruamel.yaml import YAML
from support import projects
from support.interpreters import uv
from support.workshop import Workshop

from manylinux_shim import _settings, cli
from manylinux_shim.commands.trying._there import RELEASES
from manylinux_shim.libraries import parse
from manylinux_shim.project import inserted
from manylinux_shim.zig import OBJECTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = Path(_settings.__file__).with_name("docs")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
ALL = "\n".join([README, *PAGES.values()])

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def blocks(language: str) -> List[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", ALL, re.MULTILINE | re.DOTALL)


def settings_table() -> str:
    lines = ["| key | what | values | default |", "|---|---|---|---|"]
    lines += [
        f"| `{key.name}` | {key.help} | {key.values} | {key.default} |"
        for key in _settings.documentation()
    ]
    return "\n".join(lines)


def test_table_of_settings_is_the_models_own() -> None:
    start, end, page = "model -->\n", "\n<!-- end of settings", PAGES["settings"]
    assert page[page.index(start) + len(start) : page.index(end)] == settings_table()


PROJECTS = [block for block in blocks("toml") if "[build-system]" in block]


@pytest.mark.parametrize("block", PROJECTS)
def test_every_example_of_pyproject_is_a_configuration_that_loads(
    block: str, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
    system = tomllib.loads(block)["build-system"]
    settings, _ = _settings.load_settings(tmp_path, None, {})
    parse(settings.libraries)
    assert "manylinux-shim" in system["requires"]
    assert any(settings.backend.split(".")[0] in name for name in system["requires"])
    assert system["build-backend"] == "manylinux_shim" or "backend-path" in system


def test_the_two_lines_are_what_init_writes() -> None:
    bare = (
        '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    assert tomllib.loads(inserted(bare).text) == tomllib.loads(PROJECTS[0])


def test_other_examples_of_toml_are_of_cibuildwheel_and_set_what_is_ours() -> None:
    others = [tomllib.loads(block) for block in blocks("toml") if block not in PROJECTS]
    linux = [document["tool"]["cibuildwheel"]["linux"] for document in others]
    assert linux == [
        {"repair-wheel-command": ""},
        {"environment": {"MANYLINUX_SHIM_MODE": "check"}},
    ]
    assert linux[1]["environment"]["MANYLINUX_SHIM_MODE"] in _settings.MODES


@pytest.mark.parametrize("block", blocks("python"))
def test_the_backend_in_the_tree_is_the_one_of_the_sample(block: str) -> None:
    sample = (ROOT / "sample_projects/in_tree_backend/_build/build_backend.py").read_text()
    for line in ("from manylinux_shim import *", "def build_wheel("):
        assert line in block
        assert line in sample
    compile(block, "README.md", "exec")


@pytest.mark.long
def test_first_command_builds_the_samples_wheel(tmp_path: Path) -> None:
    command = blocks("sh")[0]
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    subprocess.run(["sh", "-e"], input=command, cwd=clone, check=True, encoding="utf-8")
    wheels = sorted((clone / "sample_projects/setuptools_c/dist").glob("*.whl"))
    assert [w.name for w in wheels if "-manylinux_2_17_" in w.name]
    assert len(wheels) == 1


@pytest.mark.long
def test_cross_builds_of_the_readme_give_the_wheels_it_tells_of(tmp_path: Path) -> None:
    (block,) = (block for block in blocks("sh") if "-C target=" in block)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    project = clone / "sample_projects/setuptools_c"
    environment = {**os.environ, "PATH": f"{Path(uv()).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        ["sh", "-e"], input=block, cwd=project, env=environment, check=True, encoding="utf-8"
    )
    built = sorted(path.name.partition("-cp")[2] for path in (project / "dist").glob("*.whl"))
    assert [name.partition("-")[2].partition("-")[2] for name in built] == [
        "manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        "musllinux_1_2_armv7l.whl",
    ]


def test_second_command_is_what_the_projects_own_check_runs() -> None:
    command = blocks("sh")[1].strip()
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def named_commands() -> List[List[str]]:
    """Every call of ours in a block of commands, as words; `dist/*.whl` is one."""
    lines = dict.fromkeys("\n".join(blocks("sh")).splitlines())
    return [shlex.split(line)[1:] for line in lines if line.startswith("manylinux-shim ")]


@pytest.mark.parametrize("words", named_commands(), ids=" ".join)
def test_every_command_of_the_readme_is_understood(words: List[str]) -> None:
    behind = cli._behind(words[0], words)
    options = cli._parser(words[0]).parse_args(words[: len(words) - len(behind)])
    assert callable(options.run)


def test_every_setting_of_the_readme_is_one() -> None:
    keys = {key.name for key in _settings.documentation()}
    plain = re.findall(r"-C ([a-z-]+)=", ALL)
    assert set(plain) - {"key"} <= keys
    variables = set(re.findall(r"MANYLINUX_SHIM_([A-Z_]+)", ALL)) - {"KEY"}
    assert {v.lower().replace("_", "-") for v in variables} <= keys | {
        name.lower().replace("_", "-") for name in _settings.ENVIRONMENT_ONLY
    }


def rows(heading: str) -> Dict[str, str]:
    """The table below a heading: first column, without its quotes, and the rest."""
    section = PAGES["settings"].partition(f"\n{heading}\n")[2].partition("\n#")[0]
    found = re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.MULTILINE)
    return dict(found)


def test_table_of_commands_has_every_command_with_its_exit_codes() -> None:
    table = rows("## Commands")
    assert set(table) == set(cli.COMMANDS)
    for row in table.values():
        assert row.rpartition("|")[2].strip().startswith("0")


def test_table_of_modes_has_every_mode() -> None:
    assert set(rows("### Modes")) == set(_settings.MODES)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_every_command_has_an_example(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "manylinux_shim.cli", name, "--help"],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert f"example:\n  manylinux-shim {name}" in done.stdout


def anchors(text: str) -> Set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        there = path.parent / name if name else path
        assert there.is_file(), link
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), link


def test_readme_names_every_page_and_what_a_maintainer_needs_fits_into_it() -> None:
    named = re.findall(
        r"^\| \[(\w+)\]\(src/manylinux_shim/docs/(\w+)\.md\) \|", README, re.MULTILINE
    )
    assert sorted(named) == [(name, name) for name in PAGES]
    assert len(README.splitlines()) < 300
    assert README.index("uv build") < 1000


def test_every_page_is_in_the_wheel_and_printed(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    (wheel,) = workshop.links.glob("manylinux_shim-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert cli.main(["docs"]) == 0
    listed = capsys.readouterr().out
    for name, text in PAGES.items():
        assert f"manylinux_shim/docs/{name}.md" in names
        assert cli.main(["docs", name]) == 0
        assert capsys.readouterr().out == text
        assert text.startswith("# ")
        assert f"{name:<12}{text.splitlines()[0][2:]}\n" in listed


# The workflow: its form by the schema and a linter, its builds by running them.


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's workflow, as a file where GitHub looks for it."""
    (block,) = (block for block in blocks("yaml") if "jobs:" in block)
    path = tmp_path_factory.mktemp("workflow") / ".github/workflows/wheels.yml"
    path.parent.mkdir(parents=True)
    path.write_text(block, encoding="utf-8")
    return path


def test_kept_objects_are_where_the_shim_keeps_them() -> None:
    (block,) = (block for block in blocks("yaml") if "jobs:" not in block)
    assert f"path: ~/.cache/manylinux-shim/{OBJECTS}\n" in block


def tool(name: str) -> str:
    """A command of the environment that the tests run in."""
    return str(Path(sys.executable).with_name(name))


@pytest.mark.long
def test_workflow_follows_githubs_schema(workflow: Path) -> None:
    schema = ["--builtin-schema", "vendor.github-workflows"]
    subprocess.run([tool("check-jsonschema"), *schema, str(workflow)], check=True)
    wrong = workflow.with_name("wrong.yml")
    wrong.write_text(workflow.read_text().replace("runs-on:", "runs:"))
    assert subprocess.run([tool("check-jsonschema"), *schema, str(wrong)]).returncode == 1
    wrong.unlink()


PINS = """\
rules:
  unpinned-uses:
    config:
      policies:
        "actions/*": ref-pin # GitHub's own, by version: hashes in a README grow old
"""


def test_workflow_is_one_that_a_security_linter_has_nothing_against(
    workflow: Path, tmp_path: Path
) -> None:
    config = tmp_path / "zizmor.yml"
    config.write_text(PINS)
    command = [tool("zizmor"), "--offline", "--no-progress", "--config", str(config)]
    subprocess.run([*command, str(workflow)], check=True)
    text = workflow.read_text().replace("          persist-credentials: false\n", "")
    wrong = workflow.with_name("wrong.yml")
    wrong.write_text(text.replace('"$TARGET"', "${{ github.head_ref }}"))
    assert subprocess.run([*command, str(wrong)]).returncode != 0
    wrong.unlink()


Workflow = Dict[str, Any]


def parsed(workflow: Path) -> Workflow:
    return dict(YAML(typ="safe").load(workflow))


def expanded(value: str, matrix: Dict[str, str]) -> str:
    """A value with ``${{ matrix.key }}`` filled in."""
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: matrix[match[1]], value)


def test_jobs_of_the_workflow_wait_for_what_they_use(workflow: Path) -> None:
    jobs = parsed(workflow)["jobs"]
    assert jobs["wheel"]["needs"] == "matrix"
    assert set(jobs["publish"]["needs"]) == {"wheel", "sdist"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}


def test_matrix_of_the_workflow_has_every_key_that_its_jobs_use(
    workflow: Path, tmp_path: Path
) -> None:
    wheel = parsed(workflow)["jobs"]["wheel"]
    used = set(re.findall(r"matrix\.(\w+)", str({**wheel, "strategy": ""})))
    jobs = matrix_of(workflow, tmp_path)
    assert len(jobs) == 8
    assert all(used <= set(job) for job in jobs)
    assert len({job["artifact"] for job in jobs}) == len(jobs)
    assert {job["interpreter"] for job in jobs} == {
        f"cpython-3.{minor}-linux-{machine}-{libc}"
        for minor in (11, 12) for machine in ("x86_64", "aarch64") for libc in ("gnu", "musl")
    }  # fmt: skip


def matrix_of(workflow: Path, directory: Path) -> List[Dict[str, str]]:
    """The jobs that the workflow's first one puts out, by running its step."""
    (step,) = (s for s in parsed(workflow)["jobs"]["matrix"]["steps"] if s.get("id") == "matrix")
    output = directory / "output"
    run_step(step["run"], directory, {"GITHUB_OUTPUT": str(output)})
    name, _, value = output.read_text().strip().partition("=")
    assert name == "matrix"
    return list(json.loads(value)["include"])


def run_step(script: str, directory: Path, environment: Dict[str, str]) -> None:
    """A step as GitHub's runner runs it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=directory,
        env={**os.environ, **environment, "PATH": path},
        check=True,
    )


@pytest.mark.foreign
@pytest.mark.skipif(
    f"3.{sys.version_info[1]}" not in [release.python for release in RELEASES],
    reason="no Debian has this Python, and uv's cannot be counted on",
)
def test_build_step_of_the_workflow_makes_the_wheel_of_its_row_and_tries_it(
    workflow: Path, workshop: Workshop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wheel = parsed(workflow)["jobs"]["wheel"]
    (script,) = (step["run"] for step in wheel["steps"] if step.get("name") == "Build and test")
    script = script.replace("import yours", "import async_stack")
    rows = matrix_of(workflow, tmp_path)
    row = {**rows[0], "target": "aarch64", "policy": "manylinux_2_17"}
    assert row["artifact"]
    row["python"] = f"3.{sys.version_info[1]}"
    project = projects.copy_sample("setuptools_c", tmp_path / "project")
    step = {name: expanded(value, row) for name, value in wheel["env"].items()}
    run_step(script, project, {**workshop.environment(), **step})
    (built,) = (project / "dist").glob("*.whl")
    assert "-manylinux_2_17_aarch64." in built.name
    assert re.search(r"tested on debian\d+, aarch64, Python", capfd.readouterr().out)


def test_switching_the_shim_off_is_a_setting() -> None:
    (variable, value) = re.search(r"(MANYLINUX_SHIM_\w+)=(\w+) pip", README).groups()
    assert variable == "MANYLINUX_SHIM_MODE"
    assert value in _settings.MODES
