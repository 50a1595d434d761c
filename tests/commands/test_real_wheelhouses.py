"""Files as public projects have them, each a wheelhouse for three systems that are not this one.

Every package that can be built here is there; both installers take it without a network; no
file in it is of this machine's architecture; every binary wheel is proven; and a second run
builds nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Set, Tuple

import pytest
from support import interpreters, sdists, wheels
from support.interpreters import Interpreter
from support.machine import lacking
from support.workshop import Outcome, Workshop

from manylinux_shim._platforms import ARCHITECTURES, host_architecture
from manylinux_shim.commands.trying._there import RELEASES, _environment, _root, _start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.pypi,
    pytest.mark.skipif(
        sys.version_info < (3, 10), reason="the reader of locks is for Python 3.10 or later"
    ),
]

FILES = Path(__file__).with_name("wheelhouses")
PYTHON = "3.12"
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


class System(NamedTuple):
    """Where a wheelhouse is to be installed."""

    arch: str
    policy: str
    uv: str
    """uv's name of the platform."""
    pip: Tuple[str, ...]
    """pip's names of the platforms that it takes wheels of."""
    machine: int
    """``e_machine`` of its ELF files."""

    @property
    def name(self) -> str:
        """As the locks have it."""
        return f"{self.arch}-{self.policy}-cp312"

    @property
    def tag(self) -> str:
        """What is asked for."""
        return f"{self.policy}_{self.arch}"


def glibc(newest: int) -> Tuple[str, ...]:
    """What installers of a system with that glibc take."""
    tags = [f"manylinux_2_{minor}_aarch64" for minor in range(newest, 16, -1)]
    return (*tags, "manylinux2014_aarch64")


SYSTEMS = (
    System("aarch64", "manylinux_2_17", "aarch64-manylinux2014", glibc(17), 183),
    System("aarch64", "manylinux_2_28", "aarch64-manylinux_2_28", glibc(28), 183),
    System(
        "x86_64",
        "musllinux_1_2",
        "x86_64-unknown-linux-musl",
        ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64"),
        62,
    ),
)


class File(NamedTuple):
    """One of the files, and what of it has to be built or cannot be."""

    name: str
    built: Tuple[str, ...]
    """For aarch64 at 2_17, or for all."""


CASES = (
    File("flask_service.txt", ("gevent", "greenlet")),
    File("fastapi_service.txt", ("asyncpg", "greenlet")),
    File("data_job.txt", ("numpy", "pandas")),
    File("lambda_function.txt", ("psycopg2",)),
    File("discord_bot.txt", ("pillow", "pycares")),
    File("scraper.txt", ("faust-cchardet",)),
    File("pure_sdists.txt", ("docopt", "intervaltree", "wikipedia")),
    File("git_urls.txt", ("markupsafe", "simplejson")),
    File("uv.lock", ("pillow",)),
    File("pylock.toml", ("cbor2",)),
)


BEYOND = (
    "Rust's standard library for",  # of musl, where this machine's Rust lacks it
    "is for glibc, and this build is for musl",  # Debian's libraries
    "packed relocations (DT_RELR)",  # wheels without an sdist, for newer systems than they say
    "and it is there since 1.2.",  # functions of musl that came within 1.2
)
"""What no build on this machine gets around, in words of the reasons: for musl alone."""


def is_beyond(reason: str) -> bool:
    """Whether a package fails for what is not the tool's to change."""
    return any(words in " ".join(reason.split()) for words in BEYOND)


def repositories(directory: Path, workshop: Workshop) -> None:
    """Bare repositories of two sdists, one of them below a directory."""
    for name, inside, tag, requirement in (
        ("markupsafe", "", "3.0.3", "markupsafe==3.0.3"),
        ("shared", "python/simplejson", "v1", "simplejson==3.20.1"),
    ):
        work = directory / f"{name}-work"
        tree = sdists.fetch(requirement, directory / f"{name}-sdist", workshop)
        shutil.copytree(tree, work / inside)
        for command in (
            ["init", "-q"], ["add", "-f", "."], [*IDENTITY, "commit", "-qm", "all"], ["tag", tag],
            ["clone", "-q", "--bare", ".", str(directory / f"{name}.git")],
        ):  # fmt: skip
            subprocess.run(["git", "-C", str(work), *command], check=True)


def prepared(name: str, directory: Path, workshop: Workshop, builder: Path) -> List[str]:
    """The arguments that name the file, which is made where a tool makes such files."""
    uv = [str(builder), "-m", "uv"]
    if name == "git_urls.txt":
        repositories(directory / "repositories", workshop)
        text = (
            (FILES / name)
            .read_text()
            .replace("{repositories}", (directory / "repositories").as_uri())
        )
        (directory / name).write_text(text)
    elif name == "uv.lock":
        shutil.copy(FILES / "django_project/pyproject.toml", directory)
        found = interpreters.find(PYTHON)
        assert found is not None
        workshop.run([*uv, "lock", "-q", "-p", str(found.path)], directory).passed()
        return ["-r", name, "--extra", "images", "--group", "production"]
    elif name == "pylock.toml":
        compile_ = [*uv, "pip", "compile", "-q", "--universal", "--python-version", PYTHON]
        lock = ["--format=pylock.toml", "-o", name]
        workshop.run([*compile_, *lock, str(FILES / "locked_service.txt")], directory).passed()
    else:
        for path in FILES.glob("*.txt"):
            shutil.copy(path, directory)
    return ["-r", name]


def environment(builder: Path) -> Dict[str, str]:
    """The tools that builds look for, of two Rusts the one that has aarch64's library."""
    there = Path("/usr/lib/rustlib/aarch64-unknown-linux-gnu").is_dir()
    first = [str(builder.parent), *["/usr/bin"] * there]  # with CMake, which pycares looks for
    return {"PATH": os.pathsep.join([*first, os.environ["PATH"]])}


@pytest.fixture(scope="module")
def builder(workshop: Workshop) -> Path:
    """The Python of an environment with the command, as its extra installs it, and installers."""
    return workshop.venv(
        workshop.root / "wheelhouses", ["manylinux-shim[cli,relink]", "uv", "pip", "cmake"]
    )


def filled(run: Callable[..., Outcome]) -> Dict[Tuple[str, str], Dict[str, Any]]:
    """What came of a run, by package and policy."""
    said = run()
    found = json.loads(said.output[said.output.index("[\n") :])
    return {(each["name"], f"{each['policy']}_{each['target']}"): each for each in found}


def machines(directory: Path) -> Set[int]:
    """``e_machine`` of all ELF files in a directory."""
    found = set()
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                head = file.read(20)
            if head[:4] == b"\x7fELF":
                found.add(int.from_bytes(head[18:20], "little"))
    return found


def installed(
    builder: Path,
    house: Path,
    requirements: Path,
    system: System,
    workshop: Workshop,
    to: Path,
    partly: bool = False,
) -> Tuple[List[str], List[str]]:
    """The packages that uv and pip have installed from the wheelhouse, without an index.

    ``partly`` where some that others need could not be built.
    """
    common = ["--no-index", "--find-links", str(house), "-r", str(requirements)]
    common += ["--no-deps"] if partly else []
    uv = [str(builder), "-m", "uv", "pip", "install", "--python-platform", system.uv]
    uv += ["--python-version", PYTHON, "--target", str(to / "uv")]
    pip = [str(builder), "-m", "pip", "install", "--python-version", PYTHON]
    pip += [word for tag in system.pip for word in ("--platform", tag)]
    pip += ["--only-binary=:all:", "--target", str(to / "pip")]
    offline = {"UV_OFFLINE": "1", "UV_FIND_LINKS": "", "PIP_FIND_LINKS": ""}
    for command in (uv, pip):
        workshop.run([*command, *common], to.parent, offline).passed()
    by_uv, by_pip = (
        sorted(path.name.lower() for path in (to / name).glob("*.dist-info"))
        for name in ("uv", "pip")
    )
    return by_uv, by_pip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_file_becomes_a_wheelhouse_for_each_system(
    case: File,
    builder: Path,
    workshop: Workshop,
    interpreter: Callable[[str], Interpreter],
    tmp_path: Path,
) -> None:
    interpreter(PYTHON)
    if host_architecture() is None or host_architecture().name != "x86_64":
        lacking("x86_64, which these are built across from,")
    named = prepared(case.name, tmp_path, workshop, builder)
    house = tmp_path / "house"
    command = [str(builder), "-m", "manylinux_shim", "build", *named, "--python", PYTHON]
    command += [word for system in SYSTEMS for word in ("--policy", system.tag)]
    command += ["--package-settings", str(FILES / "settings.toml"), "-o", str(house), "--json"]

    def run() -> Outcome:
        return workshop.run(command, tmp_path, environment(builder), timeout=7200)

    results = filled(run)
    failed = {key: each["reason"] for key, each in results.items() if each["wheel"] is None}
    wrong = {key: reason for key, reason in failed.items() if not is_beyond(reason)}
    assert not wrong, wrong
    assert not [key for key in failed if "aarch64" in key[1]], failed
    how = {name: each["outcome"] for (name, policy), each in results.items() if "2_17" in policy}
    assert all(how[name] == "built" for name in case.built), how

    for system in SYSTEMS:
        to = tmp_path / "layers" / system.name
        to.mkdir(parents=True)
        requirements = house / f"requirements-{system.name}.txt"
        partly = any(policy == system.tag for _, policy in failed)
        by_uv, by_pip = installed(builder, house, requirements, system, workshop, to, partly)
        there = [each["wheel"] for (_, policy), each in results.items()
                 if policy == system.tag and each["wheel"]]  # fmt: skip
        assert by_uv == by_pip
        assert len(by_uv) == len(there)
        # What is for an older system than its name says is still for this one.
        binary = [wheel for wheel in there if wheels.elf_members(Path(wheel))]
        check = [str(builder), "-m", "manylinux_shim", "check", "--policy", system.policy]
        if binary:
            workshop.run([*check, *binary], tmp_path).passed()
        assert machines(to) <= {system.machine}

    again = filled(run)
    assert {key: each["wheel"] for key, each in again.items()} == {
        key: each["wheel"] for key, each in results.items()
    }
    assert not [key for key, each in again.items() if each["outcome"] == "built"]


SERVICE = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
import greenlet, platform
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
db = SQLAlchemy(app)
class Row(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String)
@app.route("/<text>")
def answer(text):
    db.create_all()
    db.session.add(Row(text=text))
    db.session.commit()
    return {"rows": [row.text for row in Row.query], "on": platform.machine()}
print(app.test_client().get("/<é>").json, greenlet.greenlet(lambda: 7).switch())
"""

FUNCTION = """
import json, jwt, platform, psycopg2, pydantic_core
from cryptography.hazmat.primitives.asymmetric import rsa
from psycopg2 import extensions
def handler(event, context):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = jwt.encode(event, key, algorithm="RS256")
    return jwt.decode(token, key.public_key(), algorithms=["RS256"])
print(handler({"sub": "me"}, None), extensions.adapt("it's").getquoted(),
      psycopg2.__libpq_version__ > 100000, platform.machine())
try:
    psycopg2.connect("host=127.0.0.1 port=1 connect_timeout=1")
except psycopg2.OperationalError as error:
    print("refused" in str(error))
"""


@pytest.mark.foreign
@pytest.mark.parametrize(
    ("name", "code", "prints"),
    [
        ("flask_service.txt", SERVICE, "{'on': 'aarch64', 'rows': ['<é>']} 7\n"),
        ("lambda_function.txt", FUNCTION, "{'sub': 'me'} b\"'it''s'\" True aarch64\nTrue\n"),
    ],
    ids=["service", "function"],
)
def test_layer_runs_where_it_is_to(
    name: str,
    code: str,
    prints: str,
    builder: Path,
    workshop: Workshop,
    interpreter: Callable[[str], Interpreter],
    tmp_path: Path,
) -> None:
    # Debian 12's Python, whose glibc is newer than the one that all of it is for.
    interpreter("3.11")
    named = prepared(name, tmp_path, workshop, builder)
    command = [str(builder), "-m", "manylinux_shim", "build", *named, "--python", "3.11"]
    command += ["--policy", "manylinux2014_aarch64", "-o", "house"]
    command += ["--package-settings", str(FILES / "settings.toml")]
    workshop.run(command, tmp_path, environment(builder), timeout=7200).passed()
    install = [str(builder), "-m", "uv", "pip", "install", "--no-index", "--target", "layer"]
    install += ["--python-platform", "aarch64-manylinux2014", "--python-version", "3.11"]
    install += ["--find-links", "house", "-r", "house/requirements.txt"]
    workshop.run(install, tmp_path, {"UV_OFFLINE": "1"}).passed()
    arch = ARCHITECTURES["aarch64"]
    root = _root(RELEASES[1], arch)
    (tmp_path / "run.py").write_text(code)
    there = [*_start(arch, root), str(root / "usr/bin/python3.11"), str(tmp_path / "run.py")]
    done = subprocess.run(
        there,
        env=_environment(tmp_path, tmp_path / "layer", root / "usr"),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (0, prints)
