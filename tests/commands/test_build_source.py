"""What is built from: copies that leave the original alone, sdists that cannot harm."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Callable, Dict, Optional

import pytest
from packaging.requirements import Requirement
from support import projects
from support.interpreters import Interpreter

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim.commands.build_wheels import _own_wheel
from manylinux_shim.commands.build_wheels._copying import copy_again, copy_project, hide_change
from manylinux_shim.commands.build_wheels._overlay import overlay
from manylinux_shim.commands.build_wheels._pythons import find_python
from manylinux_shim.commands.build_wheels._source import source_tree, unpack

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=clean)
    return done.stdout.strip()


def state(directory: Path) -> Dict[str, str]:
    """Everything that is on disk, by its contents and date."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)
        elif path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = f"{found.get(str(path))} {path.lstat().st_mtime_ns}"
    return found


@pytest.fixture
def checkout_of_two(tmp_path: Path) -> Path:
    """A repository with a project in a subdirectory, a tag, and things that are no source."""
    root = projects.write(
        tmp_path / "checkout",
        {
            "shared/answer.h": "#define ANSWER 42\n",
            "shared/old.h": "",
            "notes/big.bin": "not tracked\n",
            "python/pyproject.toml": "[project]\nname = 'demo'\nversion = '1'\n",
            "python/demo.c": "int x;\n",
            "python/new.c": "int y;\n",
            "python/target/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
            "python/target/huge": "",
            "python/env/pyvenv.cfg": "",
            "python/__pycache__/demo.pyc": "",
            "python/dist/demo-1.whl": "",
            "python/build/CACHEDIR.TAG": "this is no signature\n",
        },
    )
    git(root, "init", "-q")
    git(root, "add", "shared", "python/pyproject.toml", "python/demo.c")
    git(root, "commit", "-q", "-m", "first")
    git(root, "tag", "v1.2.3")
    (root / "shared" / "old.h").unlink()
    return root


def test_copy_has_what_a_build_sees_and_the_original_stays_as_it_is(
    checkout_of_two: Path, tmp_path: Path
) -> None:
    before = state(checkout_of_two)
    project = checkout_of_two / "python"
    inside = copy_project(project, tmp_path / "copy", [project / "dist"])
    assert inside == tmp_path / "copy" / "python"
    copied = {
        str(path.relative_to(tmp_path / "copy"))
        for path in (tmp_path / "copy").rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    assert copied == {
        "shared/answer.h",
        "python/pyproject.toml",
        "python/demo.c",
        "python/new.c",
        "python/build/CACHEDIR.TAG",
    }
    assert state(checkout_of_two) == before


@pytest.mark.parametrize("kind", ["plain", "linked worktree", "submodule"])
def test_git_in_a_copy_knows_the_version_and_an_overlay_does_not_make_it_dirty(
    kind: str, checkout_of_two: Path, tmp_path: Path
) -> None:
    git(checkout_of_two, "checkout", "-q", "shared/old.h")
    root = checkout_of_two
    if kind == "linked worktree":
        git(checkout_of_two, "worktree", "add", "-q", str(tmp_path / "other"), "v1.2.3")
        root = tmp_path / "other"
    elif kind == "submodule":
        above = tmp_path / "above"
        git(tmp_path, "init", "-q", str(above))
        allowed = ("-c", "protocol.file.allow=always")
        git(above, *allowed, "submodule", "--quiet", "add", str(checkout_of_two), "module")
        root = above / "module"
    before = state(checkout_of_two)
    inside = copy_project(root / "python", tmp_path / "copy")
    changed = overlay(inside, None)
    assert changed is not None
    hide_change(changed)
    copy_again(tmp_path / "copy", tmp_path / "job")
    (tmp_path / "job" / "python" / "more.c").write_text("int z;\n")
    described = git(tmp_path / "job" / "python", "describe", "--tags", "--dirty")
    assert described == "v1.2.3"
    assert git(tmp_path / "job", "status", "--porcelain", "--untracked-files=no") == ""
    git(tmp_path / "job", "add", "python/more.c")
    git(tmp_path / "job", "commit", "-q", "-m", "in the copy")
    assert state(checkout_of_two) == before
    assert git(root, "describe", "--tags", "--dirty") == "v1.2.3"


def test_repository_that_does_not_track_the_project_has_no_part_in_it(tmp_path: Path) -> None:
    home = projects.write(tmp_path / "home", {".profile": "", "demo/setup.py": ""})
    git(home, "init", "-q")
    git(home, "add", ".profile")
    git(home, "commit", "-q", "-m", "settings")
    inside = copy_project(home / "demo", tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["setup.py"]
    assert inside == tmp_path / "copy"


def test_links_lead_into_the_copy_and_outside_to_where_they_led(tmp_path: Path) -> None:
    tree = projects.write(tmp_path / "tree", {"a/real.c": "1", "setup.py": ""})
    outside = projects.write(tmp_path / "outside", {"x.h": "2"})
    (tree / "a" / "near.c").symlink_to("real.c")
    (tree / "absolute.c").symlink_to(tree / "a" / "real.c")
    (tree / "there").symlink_to(Path("..") / "outside")
    (tree / "broken").symlink_to("nowhere")
    os.mkfifo(tree / "pipe")
    copy = copy_project(tree, tmp_path / "deep" / "er" / "copy")
    assert (copy / "a" / "near.c").resolve() == copy / "a" / "real.c"
    assert (copy / "absolute.c").resolve() == copy / "a" / "real.c"
    assert (copy / "there" / "x.h").resolve() == outside / "x.h"
    assert os.readlink(copy / "broken") == "nowhere"
    assert not (copy / "pipe").exists()


def test_copy_of_what_is_read_only_can_be_written(tmp_path: Path) -> None:
    tree = projects.write(tmp_path / "tree", {"setup.py": "", "run.sh": ""})
    (tree / "setup.py").chmod(0o444)
    (tree / "run.sh").chmod(0o555)
    copy = copy_project(tree, tmp_path / "copy")
    assert stat.S_IMODE((copy / "setup.py").stat().st_mode) == 0o644
    assert stat.S_IMODE((copy / "run.sh").stat().st_mode) == 0o755


LINK, HARD, DEVICE = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE


def tar(path: Path, *members: tuple[str, bytes, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            data = b"x" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


FILE = tarfile.REGTYPE


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([("d-1/../../evil", FILE, "")], "would land outside"),
        ([("../evil", FILE, "")], "would land outside"),
        ([("/evil", FILE, "")], "would land outside"),
        ([("d-1/link", LINK, "../../evil")], "leads to"),
        ([("d-1/link", LINK, "/etc/passwd")], "leads to /etc/passwd"),
        ([("d-1/link", HARD, "../evil")], "leads to"),
        ([("d-1/a", LINK, "b"), ("d-1/a/c", FILE, "")], "behind a symbolic link"),
        ([("d-1/dev", DEVICE, "")], "device"),
        ([("d-1/a", FILE, ""), ("e-1/a", FILE, "")], "2 directories"),
        ([("a", FILE, "")], "no directories"),
    ],
)
def test_harmful_or_foreign_sdist_is_refused_and_nothing_lands_outside(
    members: list[tuple[str, bytes, str]], says: str, tmp_path: Path
) -> None:
    archive = tar(tmp_path / "d-1.tar.gz", *members)
    with pytest.raises(ShimError) as refused:
        unpack(archive, tmp_path / "in" / "to")
    assert says in refused.value.message
    assert str(archive) in refused.value.message
    assert [path.name for path in tmp_path.rglob("evil")] == []


def test_links_inside_an_sdist_are_kept(tmp_path: Path) -> None:
    archive = tar(tmp_path / "d-1.tar.gz", ("d-1/a/f", FILE, ""), ("d-1/b/l", LINK, "../a/f"))
    assert (unpack(archive, tmp_path / "to") / "b" / "l").read_text() == "x"


def test_zip_sdist_is_unpacked_and_a_harmful_one_refused(tmp_path: Path) -> None:
    good, bad = tmp_path / "d-1.zip", tmp_path / "e-1.zip"
    with zipfile.ZipFile(good, "w") as archive:
        archive.writestr("d-1/setup.py", "x")
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("e-1/../../evil", "x")
    assert (unpack(good, tmp_path / "good") / "setup.py").read_text() == "x"
    with pytest.raises(ShimError, match="would land outside"):
        unpack(bad, tmp_path / "bad")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["d-1.tar.gz", "d-1.zip"])
@pytest.mark.parametrize("keep", [0, 20, 150])
def test_damaged_sdist_is_an_error_that_names_it(name: str, keep: int, tmp_path: Path) -> None:
    archive = tmp_path / name
    if name.endswith("zip"):
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("d-1/setup.py", "x" * 1000)
    else:
        tar(archive, *((f"d-1/{n:x}", FILE, "") for n in range(200)))
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(ShimError, match="cannot be unpacked") as refused:
        unpack(archive, tmp_path / "to")
    assert name in refused.value.message


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("./nowhere", "there is no ./nowhere"),
        ("gone-1.0.tar.gz", "there is no gone-1.0.tar.gz"),
        ("no name!", "nothing that can be built"),
        ("markupsafe", "no directory or sdist markupsafe"),
        ("demo[extra]==1", "more than a name and a version"),
        ("{file}", "is no sdist"),
    ],
)
def test_source_that_is_none_is_refused(source: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("")
    with pytest.raises(SettingsError) as refused:
        source_tree(source.format(file=file), tmp_path / "scratch", [], lambda _: None)
    assert says in refused.value.message


def overlaid(text: Optional[str], tmp_path: Path, backend: Optional[str] = None) -> Dict[str, Dict]:
    (tmp_path / "setup.py").write_text("")
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    overlay(tmp_path, backend)
    document: Dict[str, Dict] = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))
    return document


@pytest.mark.parametrize(
    ("text", "requires", "table"),
    [
        (None, ["setuptools"], {"backend": "setuptools.build_meta:__legacy__"}),
        ("[project]\nname='x'", ["setuptools"], {"backend": "setuptools.build_meta:__legacy__"}),
        (
            "[build-system]\nrequires=['maturin>=1']\nbuild-backend='maturin'",
            ["maturin>=1"],
            {"backend": "maturin"},
        ),
        (
            "[build-system]\nrequires=[]\nbuild-backend='own'\nbackend-path=['_b']",
            [],
            {"backend": "own", "backend-path": ["_b"]},
        ),
        (
            "[build-system]\nrequires=['a']\nbuild-backend='b'\n"
            "[tool.manylinux-shim]\npolicy='auto'\n[tool.other]\nx=1",
            ["a"],
            {"backend": "b", "policy": "auto"},
        ),
        (
            "tool.black.line-length = 3",
            ["setuptools"],
            {"backend": "setuptools.build_meta:__legacy__"},
        ),
    ],
)
def test_project_that_does_not_name_the_shim_is_built_through_this_one(
    text: Optional[str], requires: list[str], table: Dict[str, object], tmp_path: Path
) -> None:
    document = overlaid(text, tmp_path)
    shim, *rest = document["build-system"]["requires"]
    assert Requirement(shim).url == _own_wheel.url()
    assert rest == requires
    assert document["build-system"]["build-backend"] == "manylinux_shim"
    assert "backend-path" not in document["build-system"]
    assert document["tool"]["manylinux-shim"] == table


NAMED = """
[build-system]
requires = ["{0}", "setuptools"]
build-backend = "manylinux_shim"
[tool.manylinux-shim]
backend = "setuptools.build_meta"
strip = false
[tool.uv.sources]
Manylinux_Shim = {{ path = "../.." }}
other = {{ path = "../other" }}
"""


@pytest.mark.parametrize("requirement", ["manylinux-shim", "Manylinux.Shim[abi3]>=0.1,<9"])
def test_project_that_names_the_shim_keeps_its_settings_and_gets_this_one(
    requirement: str, tmp_path: Path
) -> None:
    document = overlaid(NAMED.format(requirement), tmp_path)
    shim, *rest = document["build-system"]["requires"]
    assert Requirement(shim).url == _own_wheel.url()
    assert Requirement(shim).extras == Requirement(requirement).extras
    assert rest == ["setuptools"]
    assert document["tool"]["manylinux-shim"]["strip"] is False
    assert list(document["tool"]["uv"]["sources"]) == ["other"]


@pytest.mark.parametrize(
    "requirement", ["manylinux-shim==0.0.1", "manylinux-shim @ https://example.org/x.whl"]
)
def test_project_that_asks_for_another_shim_gets_the_one_it_asks_for(
    requirement: str, tmp_path: Path
) -> None:
    document = overlaid(NAMED.format(requirement), tmp_path)
    assert document["build-system"]["requires"] == [requirement, "setuptools"]
    assert "Manylinux_Shim" in document["tool"]["uv"]["sources"]


@pytest.mark.parametrize("text", ["[build-system]\nrequires=['a']\nbuild-backend='b'", "NAMED"])
def test_backend_of_the_command_line_wins(text: str, tmp_path: Path) -> None:
    text = NAMED.format("manylinux-shim") if text == "NAMED" else text
    document = overlaid(text, tmp_path, "mine:api")
    assert document["tool"]["manylinux-shim"]["backend"] == "mine:api"


@pytest.mark.parametrize(
    "text",
    [
        "[build-system",
        "build-system = 3",
        "tool = 3",
        "[build-system]\nrequires = 'setuptools'",
        "[build-system]\nrequires = [3]",
        "[tool]\nmanylinux-shim = 3",
    ],
)
def test_pyproject_that_is_none_is_an_error_that_names_it(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"pyproject\.toml"):
        overlaid(text, tmp_path)


def test_the_rest_of_pyproject_stays_as_it_is_written(tmp_path: Path) -> None:
    text = "# mine\n[project]\nname = 'x'   # so\n\n[build-system]\nrequires = ['flit_core']\n"
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    overlay(tmp_path, None)
    assert "# mine\n[project]\nname = 'x'   # so\n" in (tmp_path / "pyproject.toml").read_text()


def test_this_python_is_found_by_its_version_and_by_its_path() -> None:
    version = "{}.{}".format(*sys.version_info)
    for wanted in ("", version, "{}.{}.{}".format(*sys.version_info), sys.executable):
        found = find_python(wanted)
        assert found.version == sys.version_info[:3]
        assert found.short == version


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("3.99", "there is no Python 3.99"),
        ("/no/python", "no Python that runs"),
        ("sh", "no Python"),
    ],
)
def test_python_that_is_not_there_is_an_error_that_says_how_to_get_it(
    wanted: str, says: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        find_python(wanted)
    assert says in refused.value.message
    assert refused.value.remedy


def test_python_of_pyenv_is_found_the_newest_first(
    interpreter: Callable[[str], Interpreter], tmp_path: Path
) -> None:
    other = interpreter("3.9" if sys.version_info[:2] != (3, 9) else "3.10")
    for patch in ("1", "22", "3"):
        directory = tmp_path / "versions" / f"{other.name}.{patch}" / "bin"
        directory.mkdir(parents=True)
        (directory / "python").symlink_to(other.path if patch == "22" else "/bin/false")
    found = find_python(other.name, {"PYENV_ROOT": str(tmp_path), "PATH": ""})
    assert found.short == other.name
