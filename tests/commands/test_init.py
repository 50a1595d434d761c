"""``init`` and ``init --remove``: what they write, what they leave, what they refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional

import pytest
from support import projects, sdists, wheels
from support.machine import pseudo_terminal
from support.workshop import UV_BUILD_HERE, Workshop

from manylinux_shim import _settings
from manylinux_shim._errors import SettingsError
from manylinux_shim.cli import main
from manylinux_shim.project import inserted, removed

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SETUPTOOLS = """\
# A project
[build-system]
requires = ["setuptools>=61", "cython"] # two
build-backend = "setuptools.build_meta"

[project]
name = "some"
version = "1"
"""

LAYOUTS: Dict[str, str] = {
    "one line": SETUPTOOLS,
    "spaces inside": '[build-system]\nrequires = [ "maturin>=1,<2" ]\nbuild-backend = "maturin"\n',
    "single quotes": (
        "[build-system]\nrequires = ['flit_scm']\nbuild-backend = 'flit_scm:buildapi'\n"
    ),
    "one entry a line": """\
[tool.black]
line-length = 100

[build-system]
requires = [
    # the headers' names
    "numpy>=2.0",
    "setuptools>=61",  # pyproject
]
build-backend  =  "setuptools.build_meta"  # as ever

[[tool.mypy.overrides]]
module = "x.*"
ignore_missing_imports = true
""",
    "a comment behind the bracket": """\
[build-system] # how
requires = [ # what
\t'meson-python',
\t'cython'
]
build-backend = 'mesonpy'
""",
    "backend first": (
        '[build-system]\nbuild-backend = "maturin"\nrequires = ["maturin"]\n[tool.maturin]\nx = 1\n'
    ),
    "no line's end at the end": '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"',
    "blank lines at the end": (
        '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n\n\n'
    ),
    "no backend": (
        '[build-system]\nrequires = ["setuptools>=61", "wheel"]\n\n[project]\nname = "x"\n'
    ),
    "no backend, no line's end": '[build-system]\nrequires = ["setuptools>=61"]',
    "no build-system": '[project]\nname = "x"\nversion = "1"\n\n[tool.ruff]\nline-length = 100\n',
    "no build-system, no line's end": "[tool.isort]\nprofile = 'black'",
    "empty": "",
    "legacy by name": (
        '[build-system]\nrequires = ["setuptools"]\n'
        'build-backend = "setuptools.build_meta:__legacy__"\n'
    ),
    "backend in the tree": """\
[build-system]
requires = ["setuptools"]
build-backend = "backend"
backend-path = ["_build"] # ours

[project]
name = "x"
""",
    "backend in the tree, in another order": """\
[build-system]
backend-path=[
  "_build",
  ".",
]
# needed for the tables
requires = ["setuptools"]
build-backend = "backend:object"

[tool.other.deep]
key = { a = 1 }
""",
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_removal_gives_back_every_byte(layout: str, ends: str) -> None:
    text = LAYOUTS[layout].replace("\n", ends)
    changed = inserted(text, {"policy": "manylinux_2_28"}).text
    assert changed != text
    assert removed(changed).text == text
    if text:
        assert ("\r" in changed) == ("\r" in text)
        assert changed.count("\n") == changed.count(ends)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_changed_file_is_a_configuration_that_loads(layout: str, tmp_path: Path) -> None:
    text = LAYOUTS[layout]
    before = tomllib.loads(text).get("build-system", {})
    (tmp_path / "pyproject.toml").write_text(inserted(text).text, encoding="utf-8")
    after = _settings.read_toml(tmp_path / "pyproject.toml")
    settings, _ = _settings.load_settings(tmp_path, None, {})
    assert after["build-system"]["build-backend"] == "manylinux_shim"
    assert after["build-system"]["requires"][0] == "manylinux-shim"
    assert after["build-system"]["requires"][1:] == before.get("requires", ["setuptools>=40.8.0"])
    assert "backend-path" not in after["build-system"]
    default = "setuptools.build_meta:__legacy__"
    assert settings.backend == before.get("build-backend", default)
    assert settings.backend_path == tuple(before.get("backend-path", ()))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_second_insertion_changes_nothing(layout: str) -> None:
    changed = inserted(LAYOUTS[layout]).text
    assert inserted(changed).text == changed


def test_only_the_lines_that_matter_change() -> None:
    before = LAYOUTS["one entry a line"].splitlines()
    after = inserted(LAYOUTS["one entry a line"]).text.splitlines()
    assert [line for line in after if line not in before] == [
        '    "manylinux-shim",',
        'build-backend  =  "manylinux_shim"  # as ever',
        "[tool.manylinux-shim]",
        'backend = "setuptools.build_meta"',
    ]
    assert [line for line in before if line not in after] == [
        'build-backend  =  "setuptools.build_meta"  # as ever'
    ]


def test_removal_after_other_hands_were_at_it_keeps_what_they_wrote() -> None:
    text = inserted(SETUPTOOLS).text
    text = text.replace('["manylinux-shim", ', '["Manylinux_Shim >= 0.1" , ')
    text = text.replace(
        "[tool.manylinux-shim]\n", '[tool.manylinux-shim]\nexclude = ["a",\n\n"b"]\n'
    )
    text += "\n[tool.ruff] # theirs\nline-length = 100\n"
    after = removed(text).text
    data = tomllib.loads(after)
    assert data["build-system"] == tomllib.loads(SETUPTOOLS)["build-system"]
    assert data["tool"] == {"ruff": {"line-length": 100}}
    assert "# A project" in after
    assert "# two" in after
    assert "# theirs" in after


def test_settings_are_added_to_a_table_that_is_there() -> None:
    text = inserted(SETUPTOOLS).text
    more = inserted(text, {"mode": "check"}).text
    assert tomllib.loads(more)["tool"]["manylinux-shim"] == {
        "backend": "setuptools.build_meta",
        "mode": "check",
    }
    assert removed(more).text == SETUPTOOLS


def test_a_table_that_waits_for_its_backend_gets_it() -> None:
    text = SETUPTOOLS + '\n[tool.manylinux-shim]\npolicy = "manylinux_2_28"\n'
    assert tomllib.loads(inserted(text).text)["tool"]["manylinux-shim"] == {
        "policy": "manylinux_2_28",
        "backend": "setuptools.build_meta",
    }


def test_a_backend_in_the_tree_that_calls_the_shim_stays_in_front() -> None:
    sample = projects.REPOSITORY / "sample_projects/in_tree_backend/pyproject.toml"
    text = sample.read_text(encoding="utf-8")
    assert inserted(text).text == text
    with pytest.raises(SettingsError, match="of its own, 'build_backend'"):
        removed(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[build-system]\nbuild-backend = "x"\n', "without a list `requires`"),
        ("[build-system]\nrequires = [1]\n", "without a list `requires`"),
        ("build-system = { requires = [] }\n", "no line \\[build-system\\]"),
        ('build-system.requires = ["x"]\n', "no line \\[build-system\\]"),
        ("tool = { x = 1 }\n", "would not say what it should"),
        ("tool = 3\n", "is not a table"),
        ("[tool]\nmanylinux-shim = 3\n", "is not a table"),
        (SETUPTOOLS + '[tool.manylinux-shim]\nbackend = "maturin"\n', "and 'maturin' in"),
        (SETUPTOOLS.replace("setuptools.build_meta", "manylinux_shim"), "no `backend`"),
    ],
)
def test_what_cannot_be_changed_without_guessing_is_an_error(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        inserted(text)
    assert caught.value.remedy


# The command.


def run(*arguments: object, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "manylinux_shim.cli", "init", *map(str, arguments)],
        input=answer,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    projects.write(tmp_path / "some", {"pyproject.toml": SETUPTOOLS, "setup.py": "# C\n"})
    return tmp_path / "some"


def names(directory: Path) -> List[str]:
    return sorted(path.name for path in directory.iterdir())


def test_without_a_terminal_the_change_is_shown_and_not_made(project: Path) -> None:
    done = run(project)
    assert done.returncode == 1
    assert '+requires = ["manylinux-shim", "setuptools>=61", "cython"] # two' in done.stdout
    assert "`--yes` makes the change" in done.stdout
    assert "\033" not in done.stdout
    assert (project / "pyproject.toml").read_text() == SETUPTOOLS


def test_yes_makes_it_and_remove_takes_it_back_with_mode_and_neighbours(project: Path) -> None:
    path = project / "pyproject.toml"
    path.chmod(0o640)
    assert run(project, "--yes").returncode == 0
    assert path.read_text() == inserted(SETUPTOOLS).text
    again = run(project, "--yes")
    assert (again.returncode, "already" in again.stdout) == (0, True)
    assert run("--remove", "--yes", path).returncode == 0
    assert path.read_text() == SETUPTOOLS
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(project) == ["pyproject.toml", "setup.py"]
    nothing = run(project, "--remove", "--yes")
    assert (nothing.returncode, "nothing to take out" in nothing.stdout) == (0, True)


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_in_a_pipe_are_asked_for_by_force_color(
    project: Path, variables: Dict[str, str], coloured: bool
) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    shown = subprocess.run(
        [sys.executable, "-m", "manylinux_shim.cli", "init", "--yes", str(project)],
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert b"+build-backend" in shown
    assert (b"\033[32m+" in shown) == coloured


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("\4", 1)])
def test_on_a_terminal_it_asks_and_the_diff_is_coloured(
    project: Path, answer: str, code: int
) -> None:
    master, slave = pseudo_terminal()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "manylinux_shim.cli", "init", str(project)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
    )
    os.close(slave)
    os.write(master, answer.encode())
    shown = b""
    try:
        while True:
            data = os.read(master, 4096)
            if not data:
                break
            shown += data
    except OSError:  # what reading from a terminal gives when its last program has gone
        pass
    finally:
        os.close(master)
    assert process.wait() == code
    assert b"Make this change? [y/N]" in shown
    assert b"\033[32m+" in shown
    changed = (project / "pyproject.toml").read_text() != SETUPTOOLS
    assert changed == (code == 0)


def test_a_link_stays_one(project: Path, tmp_path: Path) -> None:
    real = (project / "pyproject.toml").rename(tmp_path / "real.toml")
    (project / "pyproject.toml").symlink_to(real)
    assert run(project, "--yes").returncode == 0
    assert (project / "pyproject.toml").is_symlink()
    assert real.read_text() == inserted(SETUPTOOLS).text


def test_pure_projects_are_left_alone(tmp_path: Path) -> None:
    for number, (requires, backend) in enumerate(
        [
            ("flit_core", "flit_core.buildapi"),
            ("hatchling", "hatchling.build"),
            ("poetry-core", "poetry.core.masonry.api"),
            ("setuptools>=61", "setuptools.build_meta"),
        ]
    ):
        text = f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n'
        directory = tmp_path / str(number)
        projects.write(directory, {"pyproject.toml": text + projects.PURE_PROJECT})
        done = run(directory, "--yes")
        assert done.returncode == 0
        assert f"{backend} compiles nothing here" in done.stdout
        assert (directory / "pyproject.toml").read_text() == text + projects.PURE_PROJECT


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        (None, (), "is not a directory"),
        ({"README.md": ""}, (), "there is no pyproject.toml in"),
        ({"setup.py": ""}, ("--remove",), "there is no pyproject.toml in"),
        ({"pyproject.toml": "[project]\nname = \n"}, (), "line 2"),
        ({"pyproject.toml": SETUPTOOLS}, ("--policy", "manylinux9"), "unknown policy"),
    ],
)
def test_what_is_no_project_is_an_error(
    files: Optional[Dict[str, str]], arguments: List[str], message: str, tmp_path: Path
) -> None:
    if files is not None:
        projects.write(tmp_path / "some", files)
    done = run(tmp_path / "some", "--yes", *arguments)
    assert done.returncode == 2
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert names(tmp_path / "some" if files else tmp_path) == sorted(files or [])


def test_without_tomlkit_the_error_names_the_extra(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    assert main(["init", str(project), "--yes"]) == 2
    assert "manylinux-shim[cli]" in capsys.readouterr().err


@pytest.mark.parametrize("pyproject", [None, "[tool.ruff]\nline-length = 100\n"])
def test_a_project_with_a_setup_py_alone_builds_after_init_and_is_bare_after_remove(
    pyproject: Optional[str], workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "tiny", projects.TINY_FILES)
    if pyproject is not None:
        (project / "pyproject.toml").write_text(pyproject)
    done = run(project, "--yes")
    assert done.returncode == 0
    assert "PEP 518" in done.stdout
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    assert workshop.try_wheel(wheel, tmp_path / "fresh", projects.TINY_USE) == projects.TINY_PRINTS
    assert run(project, "--remove", "--yes").returncode == 0
    assert (project / "pyproject.toml").exists() == (pyproject is not None)
    if pyproject is not None:
        assert (project / "pyproject.toml").read_text() == pyproject


def test_a_backend_in_the_tree_builds_after_init(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.write(
        tmp_path / "tiny",
        {
            **projects.TINY_FILES,
            "_build/backend.py": "from setuptools.build_meta import *\n",
            "pyproject.toml": LAYOUTS["backend in the tree"].partition("\n[project]")[0],
        },
    )
    assert run(project, "--yes").returncode == 0
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    wheels.check_manylinux(wheels.only_wheel(out))


@pytest.mark.pypi
@pytest.mark.parametrize(
    ("requirement", "says"),
    [
        ("kiwisolver==1.4.7", '+    "manylinux-shim",'),
        ("meson-python==0.17.1", "+# backend-path is in [tool.manylinux-shim]"),
        ("simplejson==3.20.1", "+# made by `manylinux-shim init`"),
        ("zstandard==0.23.0", '+build-backend = "manylinux_shim"'),
    ],
)
def test_projects_nobody_here_wrote_come_back_as_they_were(
    requirement: str, says: str, workshop: Workshop, tmp_path: Path
) -> None:
    project = sdists.fetch(requirement, tmp_path / "sdist", workshop)
    path = project / "pyproject.toml"
    before = path.read_bytes() if path.exists() else None
    there = names(project)
    done = run(project, "--yes")
    assert (done.returncode, says in done.stdout.splitlines()) == (0, True), done.stdout
    _settings.load_settings(project, None, {})
    assert run(project, "--remove", "--yes").returncode == 0
    assert (path.read_bytes() if path.exists() else None) == before
    assert names(project) == there
