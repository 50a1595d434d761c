"""What goes wrong is one clear error: what, where, what to do; and nothing is left behind."""

from __future__ import annotations

import re
import resource
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Tuple

import pytest
from support import projects, wheels
from support.hooks import Hooks
from support.workshop import (
    BUILD_WHEEL,
    ERROR,
    PIP_WHEEL_HERE,
    UV_BUILD_HERE,
    Frontend,
    Outcome,
    Workshop,
    contents,
)

FRONTENDS = (UV_BUILD_HERE, PIP_WHEEL_HERE)

TABLE = "[tool.manylinux-shim]\n"
SYSTEM = '[build-system]\nrequires = ["manylinux-shim", "setuptools"]\n'
SYSTEM += 'build-backend = "manylinux_shim"\n'


@dataclass(frozen=True)
class Case:
    """One mistake of a user."""

    name: str
    says: Tuple[str, ...]
    """What the message has to contain, the remedy included."""
    table: str = 'backend = "setuptools.build_meta"\n'
    """What stands in [tool.manylinux-shim]; a text with a ``[`` at its start replaces that too."""
    settings: Dict[str, str] = field(default_factory=dict)
    environment: Dict[str, str] = field(default_factory=dict)
    needs_zig: bool = False
    """Whether only zig's own tables can tell, so that asking for requirements still works."""

    def __str__(self) -> str:
        return self.name


BACKEND = 'backend = "setuptools.build_meta"\n'

MISTAKES = [
    Case("no table", ("backend", TABLE.strip(), "setuptools.build_meta"), table="[tool.other]\n"),
    Case("no backend", ("backend", TABLE.strip(), "setuptools.build_meta"), table=""),
    Case("table is no table", ("table",), table="[tool]\nmanylinux-shim = 3\n"),
    Case(
        "backend that is not there",
        ("nowhere_at_all", 'requires = ["manylinux-shim", "nowhere_at_all"]'),
        table='backend = "nowhere_at_all.build"\n',
    ),
    Case(
        "backend whose distribution has another name",
        ('requires = ["manylinux-shim", "meson-python"]',),
        table='backend = "mesonpy"\n',
    ),
    Case(
        "backend without such an object",
        ("no_such_object", "backend"),
        table='backend = "setuptools.build_meta:no_such_object"\n',
    ),
    Case(
        "backend is the shim",
        ("manylinux-shim itself", "setuptools.build_meta"),
        table='backend = "manylinux_shim"\n',
    ),
    Case(
        "backend-path out of the project",
        ("backend-path", "inside the project"),
        table='backend = "elsewhere"\nbackend-path = [".."]\n',
    ),
    Case("unknown key in the file", ("polcy", "'policy'"), table=BACKEND + 'polcy = "auto"\n'),
    Case(
        "unknown key in the environment",
        ("MANYLINUX_SHIM_POLCY", "'policy'"),
        environment={"MANYLINUX_SHIM_POLCY": "auto"},
    ),
    Case(
        "unknown key in the settings",
        ("manylinux-shim.polcy", "'policy'"),
        settings={"manylinux-shim.polcy": "auto"},
    ),
    Case(
        "unknown policy",
        ("manylinux_x", "manylinux_X_Y"),
        table=BACKEND + 'policy = "manylinux_x"\n',
    ),
    Case(
        "policy of another system",
        ("macosx_11_0", "manylinux_X_Y"),
        settings={"policy": "macosx_11_0"},
    ),
    Case(
        "policy below what the architecture has",
        ("manylinux_2_4", "lowest"),
        settings={"policy": "manylinux_2_4"},
    ),
    Case(
        "glibc that zig does not know",
        ("2.99", "highest"),
        settings={"policy": "manylinux_2_99"},
        needs_zig=True,
    ),
    Case(
        "glibc that never was",
        ("3_0",),
        settings={"policy": "manylinux_3_0"},
        needs_zig=True,
    ),
    Case(
        "musl that never was",
        ("musllinux_1_9", "musllinux_1_2"),
        settings={"policy": "musllinux_1_9"},
    ),
    Case("unknown mode", ("zag", "zig, check"), settings={"mode": "zag"}),
    Case("unknown target", ("vax", "x86_64"), settings={"target": "vax"}),
    Case("target in the file", ("target", "-C target="), table=BACKEND + 'target = "aarch64"\n'),
    Case(
        "setting given twice",
        ("policy", "once"),
        settings={"policy": "auto", "policy ": "auto"},
    ),
    Case("backend of the wrong type", ("backend", "string"), table="backend = 3\n"),
    Case("policy of the wrong type", ("policy", "string"), table=BACKEND + "policy = 2.17\n"),
    Case("strip of the wrong type", ("strip", "true or false"), table=BACKEND + 'strip = "yes"\n'),
    Case("strip that is neither", ("strip", "true or false"), settings={"strip": "perhaps"}),
    Case("exclude of the wrong type", ("exclude", "list"), table=BACKEND + 'exclude = "lib*"\n'),
    Case("exclude of wrong things", ("exclude", "list"), table=BACKEND + "exclude = [1]\n"),
]


def broken(directory: Path, case: Case) -> Path:
    table = case.table if case.table.startswith("[") else TABLE + case.table
    return projects.write(directory, {**projects.TINY_FILES, "pyproject.toml": SYSTEM + table})


def check_refused(outcome: Outcome, out: Path, *says: str) -> None:
    """Assert that a build ended as every failing build has to."""
    assert outcome.code != 0
    assert len(outcome.lines(ERROR)) == 1, outcome.output
    # Frontends indent what a backend prints.
    message = re.sub(r"\s+", " ", outcome.output[outcome.output.index(ERROR) :])
    for part in says:
        assert part in message, outcome.output
    assert_no_traceback_of_ours(outcome)
    left = [name for name in contents(out) if name != ".gitignore"]  # the frontend's own
    assert left == []


def assert_no_traceback_of_ours(outcome: Outcome) -> None:
    frames = re.findall(r'File ".*/(?:manylinux_shim|_in_process)/.*', outcome.output)
    assert frames == [], outcome.output


@pytest.mark.parametrize("case", MISTAKES, ids=str)
def test_mistake_is_one_clear_error_in_the_hook(
    case: Case, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = broken(tmp_path / "project", case)
    settings: Dict[str, object] = dict(case.settings)
    if case.name == "setting given twice":
        settings = {"policy": ["auto", "manylinux_2_28"]}
    hooks = Hooks(workshop, stocked, project, environment=case.environment)
    asking = () if case.needs_zig else ("get_requires_for_build_wheel",)
    for hook in (*asking, "build_wheel"):
        arguments = [] if hook.startswith("get") else [str(out)]
        with pytest.raises(Exception, match="non-zero exit status 1"):
            getattr(hooks.call, hook)(*arguments, config_settings=settings)
        check_refused(hooks.outcomes[-1], out, *case.says)
        assert "Traceback" not in hooks.output


@pytest.mark.parametrize("frontend", FRONTENDS, ids=str)
@pytest.mark.parametrize(
    "case",
    [case for case in MISTAKES if case.name in ("no table", "unknown key in the file")],
    ids=str,
)
def test_mistake_is_one_clear_error_in_a_frontend(
    frontend: Frontend, case: Case, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = broken(tmp_path / "project", case)
    outcome = workshop.build(
        frontend, project, out, python=stocked,
        settings=case.settings, environment=case.environment,
    )  # fmt: skip
    check_refused(outcome, out, *case.says)
    assert "Traceback" not in outcome.output


@pytest.mark.parametrize("text", ["[build-system\n", "[tool.manylinux-shim]\nbackend = \n", "\0"])
def test_broken_toml_is_one_clear_error(
    text: str, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "project", {"pyproject.toml": text})
    hooks = Hooks(workshop, stocked, project)
    with pytest.raises(Exception, match="non-zero exit status 1"):
        hooks.call.build_wheel(str(out))
    check_refused(hooks.outcomes[-1], out, "pyproject.toml", "valid TOML")
    assert "Traceback" not in hooks.output


def test_backend_missing_from_requires_prints_the_line_to_add_in_an_isolated_build(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.pure(tmp_path / "project", "setuptools", "flit_core.buildapi")
    outcome = workshop.build(BUILD_WHEEL, project, out)
    check_refused(outcome, out, 'requires = ["manylinux-shim", "flit_core"]')


def test_no_zig_and_none_installable(
    workshop: Workshop, without_zig: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=without_zig)
    check_refused(outcome, out, "needs zig", "pip install", "ziglang", "mode=check")


def test_zig_that_is_too_old(
    workshop: Workshop, without_zig: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    old = tmp_path / "bin" / "zig"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 0.9.1\n")
    old.chmod(0o755)
    path = f"{old.parent}:{workshop.environment()['PATH']}"
    outcome = workshop.build(
        UV_BUILD_HERE, project, out, python=without_zig, environment={"PATH": path}
    )
    check_refused(outcome, out, "0.9.1", "pip install", "ziglang")


def test_undefined_symbol_fails_with_its_name(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    text = projects.TINY_C.replace("static PyObject *", "int nowhere(void);\nstatic PyObject *", 1)
    source = text.replace("strlen(utf8)", "(strlen(utf8) + nowhere())")
    assert source.count("nowhere()") == 1
    projects.write(project, {"tiny/_tiny.c": source})
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked)
    check_refused(outcome, out)
    assert "nowhere" in outcome.output.replace("nowhere()", "")


def test_python_function_that_this_python_does_not_have_fails_with_its_name(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    source = projects.TINY_C.replace(
        "static PyObject *", "int PyNowhere_Check(PyObject *);\nstatic PyObject *", 1
    ).replace("strlen(utf8)", "(strlen(utf8) + PyNowhere_Check(text))")
    projects.write(project, {"tiny/_tiny.c": source})
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked)
    check_refused(outcome, out)
    assert "PyNowhere_Check" in outcome.output


def test_symbol_newer_than_the_policy_fails_with_its_name(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    # glibc 2.25, and nothing that can be linked in.
    declaration = "int strfromd(char *, size_t, const char *, double);\nstatic PyObject *"
    source = projects.TINY_C.replace("static PyObject *", declaration, 1)
    source = source.replace("getpid() > 0", "1").replace(
        "strlen(utf8)", 'strfromd(NULL, 0, "%f", 1)'
    )
    projects.write(project, {"tiny/_tiny.c": source})
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked)
    check_refused(outcome, out)
    assert "strfromd" in outcome.output
    workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, settings={"policy": "manylinux_2_28"}
    ).passed()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="about the host's own gcc")
def test_wheel_that_has_not_earned_its_policy_says_what_stands_against_it(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    source = projects.TINY_C.replace("getpid() > 0", "1").replace(
        "strlen(utf8)", "getentropy(&module, 1)"
    )
    projects.write(project, {"tiny/_tiny.c": "#define _GNU_SOURCE\n" + source})
    settings = {"policy": "manylinux_2_17", "mode": "check"}
    outcome = workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, settings=settings,
        environment={"CC": "gcc"},
    )  # fmt: skip
    check_refused(
        outcome, out, "tiny/_tiny", "getentropy@GLIBC_2.25", "libc.so.6", "manylinux_2_17"
    )


REAL_BACKEND = """\
import os, signal, sys

def build_sdist(sdist_directory, config_settings=None):
    raise RuntimeError("no sdist")

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    {body}
"""

MISBEHAVIOUR = {
    "raises": ("raise KeyError('what the backend says')", ("in_tree", "without manylinux-shim")),
    "exits": ("sys.exit(3)", ("in_tree", "exit code 3")),
    "exits with a text": ("sys.exit('what the backend says')", ("in_tree", "exit code 1")),
    "exits with success": ("sys.exit(0)", ("in_tree",)),
    "leaves at once": ("os._exit(0)", ("in_tree",)),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", ("in_tree", "signal 9")),
    "writes no wheel": ("return 'p-1.0-py3-none-any.whl'", ("in_tree", "p-1.0-py3-none-any.whl")),
    "returns nothing": ("return None", ("in_tree", "None")),
    "returns a path": ("return '/etc/passwd'", ("in_tree",)),
    "returns what is no wheel": (
        "open(wheel_directory + '/p-1.0-py3-none-any.whl', 'w').write('no'); "
        "return 'p-1.0-py3-none-any.whl'",
        ("p-1.0-py3-none-any.whl",),
    ),
    "returns a wheel of a strange name": (
        "import zipfile; zipfile.ZipFile(wheel_directory + '/odd.whl', 'w').close(); "
        "return 'odd.whl'",
        ("odd.whl",),
    ),
    "prints a lot and closes its streams": (
        "print('x' * 100000); os.close(1); os.close(2); raise ValueError('late')",
        ("in_tree",),
    ),
}


def misbehaving(directory: Path, body: str) -> Path:
    text = projects.pyproject([], "in_tree", 'backend-path = ["backend"]')
    return projects.write(
        directory,
        {"pyproject.toml": text, "backend/in_tree.py": REAL_BACKEND.format(body=body)},
    )


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_real_backend_that_fails_is_one_clear_error(
    kind: str, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    body, says = MISBEHAVIOUR[kind]
    project = misbehaving(tmp_path / "project", body)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    outcome = workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, environment={"TMPDIR": str(temporary)}
    )
    check_refused(outcome, out, *says)
    if "what the backend says" in body:
        assert "what the backend says" in outcome.output
    assert not list(temporary.glob("manylinux-shim-*"))


@pytest.mark.parametrize("hook", ["build_sdist", "get_requires_for_build_wheel"])
def test_real_backend_that_raises_in_another_hook_is_one_clear_error(
    hook: str, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = misbehaving(tmp_path / "project", "return None")
    code = (
        "\ndef get_requires_for_build_wheel(config_settings=None):\n    raise RuntimeError('no')\n"
    )
    backend = project / "backend" / "in_tree.py"
    backend.write_text(backend.read_text() + code)
    hooks = Hooks(workshop, stocked, project)
    with pytest.raises(Exception, match="non-zero exit status 1"):
        getattr(hooks.call, hook)(*([str(out)] if hook == "build_sdist" else []))
    check_refused(hooks.outcomes[-1], out, hook)
    assert "RuntimeError: no" in hooks.output


LARGE_WHEEL = """\
import os, resource, sys, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    # This process has all the room it wants; only the shim's own has not.
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    info = "large-1.0.dist-info/"
    name = "large-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel_directory + "/" + name, "w") as archive:
        archive.writestr("large.bin", os.urandom(1000000))
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: large\\nVersion: 1.0\\n")
        archive.writestr(info + "WHEEL",
            "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "RECORD",
            "large.bin,,\\n%sMETADATA,,\\n%sWHEEL,,\\n%sRECORD,,\\n" % (info, info, info))
    return name
"""


def test_full_disk_is_one_clear_error(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    text = projects.pyproject([], "in_tree", 'backend-path = ["."]')
    project = projects.write(
        tmp_path / "project", {"pyproject.toml": text, "in_tree.py": LARGE_WHEEL}
    )
    # A file of more than 64 KB cannot be written: the nearest to a full disk that needs no root.
    program = (
        "import os, resource, sys; hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1];"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard));"
        f"sys.path.insert(0, {str(project)!r}); import manylinux_shim;"
        f"manylinux_shim.build_wheel({str(out)!r})"
    )
    outcome = workshop.run([str(stocked), "-c", program], project)
    check_refused(outcome, out, "disk is full")
    assert "Traceback" not in outcome.output


def test_full_disk_while_compiling_is_one_clear_error(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    program = (
        "import resource; hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1];"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048));"
        f"import manylinux_shim; manylinux_shim.build_wheel({str(out)!r})"
    )
    fresh = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    outcome = workshop.run([str(stocked), "-c", program], project, fresh)
    check_refused(outcome, out)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 2048
    # What the failed build made of the sysroot is no trap for the next one.
    workshop.build(UV_BUILD_HERE, project, out, python=stocked, environment=fresh).passed()
    wheels.check_manylinux(wheels.only_wheel(out))


@pytest.mark.parametrize("place", ["/dev/null/cache", "/proc/none/cache"])
def test_cache_directory_that_cannot_be_written_is_said_and_done_without(
    place: str, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    outcome = workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, environment={"XDG_CACHE_HOME": place}
    ).passed()
    assert any(place in line for line in outcome.lines()), outcome.output
    wheels.check_manylinux(wheels.only_wheel(out))


def test_output_directory_that_is_a_file(workshop: Workshop, stocked: Path, tmp_path: Path) -> None:
    project = projects.tiny(tmp_path / "project")
    file = tmp_path / "file"
    file.write_text("")
    program = f"import manylinux_shim; manylinux_shim.build_wheel({str(file)!r})"
    outcome = workshop.run([str(stocked), "-c", program], project)
    check_refused(outcome, tmp_path / "nothing", "file")
    assert file.read_text() == ""


def test_missing_extension_that_is_required_is_an_error(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    setup = projects.SETUP.replace('["tiny/_tiny.c"]', '["tiny/_tiny.c"], optional=True')
    project = projects.tiny(tmp_path / "project")
    projects.write(project, {"setup.py": setup, "tiny/_tiny.c": "#error cannot be compiled\n"})
    outcome = workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, settings={"require-native": "true"}
    )
    check_refused(outcome, out, "no compiled file", "require-native")
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    assert len([line for line in outcome.lines() if "no compiled file" in line]) == 1
