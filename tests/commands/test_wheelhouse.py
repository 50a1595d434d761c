"""``manylinux-shim build -r``: a requirements file becomes a wheelhouse for another machine."""

from __future__ import annotations

import _ctypes
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version
from support import projects, wheels
from support.workshop import Outcome, Workshop

from manylinux_shim._errors import SettingsError, ShimError
from manylinux_shim.commands._download import _certificates, download
from manylinux_shim.commands.build_wheels._jobs import Job
from manylinux_shim.commands.wheelhouse._deployment import deployments
from manylinux_shim.commands.wheelhouse._packages import File, Item
from manylinux_shim.commands.wheelhouse._per_package import PackageSettings
from manylinux_shim.commands.wheelhouse._record import Record, sha256_of
from manylinux_shim.commands.wheelhouse._resolving import _hashes
from manylinux_shim.commands.wheelhouse._taking import take

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 10), reason="the reader of locks is for Python 3.10 or later"
)

PYTHON = "{}.{}".format(*sys.version_info)
ABI = "cp{}{}".format(*sys.version_info)
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


@pytest.mark.parametrize(
    ("job", "first", "last", "platform"),
    [
        (Job("aarch64", "manylinux_2_17", "3.12"), "manylinux_2_17_aarch64", "any",
         ["--python-platform", "aarch64-manylinux_2_17"]),
        (Job("aarch64", "manylinux_2_27", "3.12"), "manylinux_2_27_aarch64", "any",
         ["--python-platform", "aarch64-manylinux_2_28"]),
        (Job("x86_64", "musllinux_1_1", "3.12"), "musllinux_1_1_x86_64", "any", ["--universal"]),
        (Job("armv7l", "manylinux_2_31", "3.12"), "manylinux_2_31_armv7l", "any", ["--universal"]),
    ],
)  # fmt: skip
def test_target_has_its_own_tags_and_markers(
    job: Job, first: str, last: str, platform: List[str]
) -> None:
    (deployment,) = deployments([job])
    assert deployment.tags[0].platform == first
    assert deployment.tags[-1].platform == last
    assert {tag.abi for tag in deployment.tags} == {"cp312", "abi3", "none"}
    assert deployment.markers["platform_machine"] == job.target
    assert deployment.uv_platform == platform


def test_free_threaded_python_has_no_stable_abi() -> None:
    (deployment,) = deployments([Job("aarch64", "manylinux_2_28", "3.14t")])
    assert deployment.name == "aarch64-manylinux_2_28-cp314t"
    assert "abi3" not in {tag.abi for tag in deployment.tags}


def test_policy_that_says_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="auto"):
        deployments([Job("aarch64", "auto", "3.12")])


def test_hashes_are_read_through_included_files(tmp_path: Path) -> None:
    one, two = "a" * 64, "B" * 64
    (tmp_path / "more.txt").write_text(f"B_b[x] == 2 --hash=sha256:{two}\n-r r.txt\n")
    file = tmp_path / "r.txt"
    file.write_text(f"a==1 \\\n    --hash=sha256:{one} \\\n --hash=sha256:{two}\n-r more.txt\nc\n")
    assert _hashes([file]) == {"a": {one, two.lower()}, "b-b": {two.lower()}}


def test_settings_of_one_package_are_its_own(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(
        '[tool.manylinux-shim.package.My_Pkg]\nmode = "relink"\nexclude = ["a.so", "b.so"]\n'
        'strip = false\ntest = "pytest \'a b\'"\ntest-requires = ["pytest", "x>=1,<2"]\n'
        'config-settings = { "setup-args" = ["-Da=1", "-Db=2"] }\n'
    )
    settings = PackageSettings.read(file, ["x=1", "my-pkg:mode=check", "other:own=2"])
    assert settings.of("my-pkg") == (
        "x=1",
        "manylinux-shim.mode=relink",
        "manylinux-shim.exclude=a.so,b.so",
        "manylinux-shim.strip=false",
        "setup-args=-Da=1",
        "setup-args=-Db=2",
        "manylinux-shim.mode=check",
    )
    assert settings.of("other") == ("x=1", "own=2")
    assert settings.test("my-pkg") == ("pytest 'a b'", ("pytest", "x>=1,<2"))
    assert settings.test("other") == (None, ())
    assert settings.exclude("my-pkg") == ["a.so", "b.so"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.manylinux-shim.package.a]\nmood='zig'", "'mood'"),
        ("[tool.manylinux-shim.package]\na=1", "not a table"),
        ("[tool.manylinux-shim.package.a]\nexclude=[[1]]", "is \\[\\[1\\]\\]"),
        ("[tool.manylinux-shim.package.a]\npolicy='manylinux_2_28'", "'policy'"),
    ],
)
def test_wrong_settings_of_a_package_are_named(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=says):
        PackageSettings.read(file, [])


def test_record_forgets_what_was_changed(tmp_path: Path) -> None:
    (deployment,) = deployments([Job("aarch64", "manylinux_2_17", "3.12")])
    wheel = tmp_path / "a-1-cp312-cp312-manylinux_2_17_aarch64.whl"
    wheel.write_bytes(b"one")
    record = Record(tmp_path)
    record.built(wheel, "source", ["x=1"], "job")
    record.write()
    again = Record(tmp_path)
    assert again.find_built("source", ["x=1"], deployment.tags) == wheel
    assert again.find_built("source", [], deployment.tags) is None
    assert again.find_built("other", ["x=1"], deployment.tags) is None
    assert again.find_built(None, ["x=1"], deployment.tags) is None
    wheel.write_bytes(b"two")
    assert again.find_built("source", ["x=1"], deployment.tags) is None
    (tmp_path / ".manylinux-shim.json").write_text("[3")
    assert Record(tmp_path).find_built("source", ["x=1"], deployment.tags) is None


def test_wheel_that_was_built_stays_where_the_index_has_one_of_its_name(tmp_path: Path) -> None:
    from packaging.pylock import Package, PackageSdist

    (deployment,) = deployments([Job("s390x", "manylinux_2_17", "3.12")])
    house, settings = tmp_path / "house", PackageSettings((), {})
    house.mkdir()
    promises = tmp_path / "a-1-cp312-cp312-manylinux_2_17_s390x.whl"
    with zipfile.ZipFile(promises, "w") as archive:  # of this machine, whatever it says
        archive.writestr("a.cpython-312-s390x-linux-gnu.so", Path(_ctypes.__file__).read_bytes())
        archive.writestr("a-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n")
        archive.writestr("a-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1\n")
        archive.writestr("a-1.dist-info/RECORD", "")
    sdist = PackageSdist(path="a-1.tar.gz", hashes={"sha256": "0" * 64})
    package = Package(name=canonicalize_name("a"), version=Version("1"), sdist=sdist)
    file = File(promises.name, promises.as_uri(), sha256_of(promises))
    item = Item(package, deployment, tmp_path, file)
    built = house / promises.name
    for there in (False, True):
        record = Record(house)
        results, missing = take([item], house, record, settings)
        assert (results, [each.wheel for each in missing]) == ([], [None])
        assert built.exists() is there
        built.write_bytes(b"built")
        record.built(built, "source", [], "job")
        record.write()


def test_file_with_another_hash_is_not_kept(tmp_path: Path) -> None:
    source = tmp_path / "a.bin"
    source.write_bytes(b"a")
    with pytest.raises(ShimError, match="hash"):
        download(source.as_uri(), tmp_path / "b.bin", "0" * 64, "it")
    with pytest.raises(ShimError, match="it cannot be read"):
        download((tmp_path / "none").as_uri(), tmp_path / "b.bin", None, "it")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    download(source.as_uri(), tmp_path / "b.bin", sha256_of(source), "it")
    assert (tmp_path / "b.bin").read_bytes() == b"a"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"SSL_CERT_FILE": "/own.pem"}, "/own.pem"),
        ({"SSL_CERT_DIR": "/own"}, "/own"),
        ({"SSL_CERT_FILE": "/own.pem", "REQUESTS_CA_BUNDLE": "/other.pem"}, True),
    ],
)
def test_certificates_are_those_of_uv_unless_requests_has_its_own(
    variables: Dict[str, str], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _certificates() == expected


@pytest.fixture(scope="module")
def builder(workshop: Workshop) -> Path:
    """The Python of an environment with the command, as its extra installs it, and uv."""
    return workshop.venv(workshop.root / "wheelhouses", ["manylinux-shim[cli]", "uv", "pip"])


@pytest.fixture
def fill(builder: Path, workshop: Workshop, tmp_path: Path) -> Callable[..., Outcome]:
    """Run the command in ``tmp_path``, for aarch64 of 2014 and the Python that runs this."""

    def run(*arguments: str) -> Outcome:
        usual = ["--policy", "manylinux2014_aarch64", "--python", PYTHON, "-o", "house"]
        command = [str(builder), "-m", "manylinux_shim", "build", *usual, *arguments]
        return workshop.run(command, tmp_path, workshop.with_zig())

    return run


def outcomes(said: Outcome) -> Dict[str, Dict[str, Any]]:
    found = json.loads(said.output[said.output.index("[\n") :])
    return {each["name"]: each for each in found}


def sdist(project: Path, name: str, directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    archive = directory / f"{name}.tar.gz"
    info = f"Metadata-Version: 2.1\nName: {name.split('-')[0]}\nVersion: {name.split('-')[1]}\n"
    (project / "PKG-INFO").write_text(info)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(project, name)
    return archive


def installed(python: Path, house: Path, workshop: Workshop, to: Path) -> List[str]:
    """What uv and pip install from the wheelhouse alone, for its platform."""
    common = ["--no-index", "--find-links", str(house), "-r", str(house / "requirements.txt")]
    uv = [str(python), "-m", "uv", "pip", "install", "--python-platform=aarch64-manylinux2014"]
    workshop.run([*uv, f"--python-version={PYTHON}", f"--target={to}-uv", *common], house).passed()
    pip = [str(python), "-m", "pip", "install", "--platform=manylinux2014_aarch64"]
    pip += [f"--python-version={PYTHON}", "--only-binary=:all:", f"--target={to}-pip"]
    workshop.run([*pip, *common], house).passed()
    by_uv, by_pip = (
        sorted((path.name for path in Path(f"{to}-{name}").glob("*.dist-info")), key=str.lower)
        for name in ("uv", "pip")
    )
    assert by_uv == by_pip
    return by_uv


@pytest.mark.pypi
@pytest.mark.long
def test_what_the_index_lacks_for_the_target_is_built_and_the_rest_taken(
    fill: Callable[..., Outcome], builder: Path, workshop: Workshop, tmp_path: Path
) -> None:
    projects.write(
        tmp_path / "own",
        {**projects.TINY_FILES, "pyproject.toml": "[build-system]\nrequires=['setuptools']\n"},
    )
    (tmp_path / "r.txt").write_text(
        "markupsafe==3.0.2\n./own\n-r more.txt\ncolorama; sys_platform == 'win32'\n"
        "intervaltree==2.1.0; platform_machine == 'aarch64'\n"
    )
    (tmp_path / "more.txt").write_text("itsdangerous\n")
    found = outcomes(fill("-r", "r.txt", "--json").passed())
    assert {name: each["outcome"] for name, each in found.items()} == {
        "itsdangerous": "taken",
        "markupsafe": "taken",
        "intervaltree": "built",
        "sortedcontainers": "taken",
        "tiny": "built",
    }
    house = tmp_path / "house"
    checked = [str(builder), "-m", "manylinux_shim", "check", *map(str, house.glob("*.whl"))]
    workshop.run(checked, tmp_path).passed()
    for wheel in house.glob("*.whl"):
        for elf in wheels.elf_members(wheel).values():
            assert int.from_bytes(elf[18:20], "little") == 183  # EM_AARCH64
    layer = installed(builder, house, workshop, tmp_path / "layer")
    assert [name.partition("-")[0].lower() for name in layer] == [
        "intervaltree", "itsdangerous", "markupsafe", "sortedcontainers", "tiny",
    ]  # fmt: skip
    lock = tomllib.loads((house / "pylock.toml").read_text())
    assert {package["name"] for package in lock["packages"]} == set(found)

    again = outcomes(fill("-r", "r.txt", "--json").passed())
    assert again["intervaltree"]["outcome"] == "kept"
    # From the lock of an earlier run the same is taken.
    by_lock = outcomes(fill("-r", "house/pylock.toml", "--json", "-o", "copy").passed())
    assert {each["outcome"] for each in by_lock.values()} == {"taken"}
    # Another machine's part of the work is joined.
    shutil.copytree(house, tmp_path / "parts")
    joined = outcomes(fill("-r", "r.txt", "--join", "parts", "-o", "joined", "--json").passed())
    assert {joined[name]["outcome"] for name in ("tiny", "intervaltree")} == {"joined"}


@pytest.mark.pypi
@pytest.mark.long
def test_what_fits_two_targets_is_built_once_and_each_has_its_own_lock(
    fill: Callable[..., Outcome], tmp_path: Path
) -> None:
    own = projects.write(
        tmp_path / "own",
        {**projects.TINY_FILES, "pyproject.toml": "[build-system]\nrequires=['setuptools']\n"},
    )
    for command in (["init", "-q"], ["add", "."], [*IDENTITY, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(own), *command], check=True)
    (tmp_path / "r.txt").write_text(f"tiny @ git+{own.as_uri()}\nintervaltree==2.1.0\n")
    both = ["-r", "r.txt", "--policy", "musllinux_1_2_s390x"]
    said = fill(*both).passed()
    assert said.output.count("intervaltree-2.1.0-py3-none-any.whl, ") == 1
    house = tmp_path / "house"
    names = {path.name.rpartition("-")[2] for path in house.glob("tiny-*.whl")}
    assert names == {
        "manylinux_2_17_aarch64.manylinux2014_aarch64.whl", "musllinux_1_2_s390x.whl",
    }  # fmt: skip
    for where in (f"aarch64-manylinux_2_17-{ABI}", f"s390x-musllinux_1_2-{ABI}"):
        lock = tomllib.loads((house / f"pylock.{where}.toml").read_text())
        assert {p["name"] for p in lock["packages"]} == {
            "intervaltree", "sortedcontainers", "tiny",
        }  # fmt: skip
        assert "tiny==1.0" in (house / f"requirements-{where}.txt").read_text()
    assert "4 kept, 2 taken" in fill(*both).passed().output


@pytest.mark.pypi
@pytest.mark.foreign
@pytest.mark.long
def test_what_was_built_is_tested_and_goes_if_it_fails(
    fill: Callable[..., Outcome], tmp_path: Path
) -> None:
    projects.write(
        tmp_path / "own",
        {
            **projects.TINY_FILES,
            "pyproject.toml": "[build-system]\nrequires=['setuptools']\n",
            "tests/words.txt": "abcde",
        },
    )
    (tmp_path / "r.txt").write_text("./own\nratelimit==2.2.1\n")
    # Of another machine, with what the project has; and here, with what it depends on.
    use = "import tiny, sys; print(tiny.answer(open(sys.argv[1]).read()))"
    there = f"tiny:test=python -c '{use}' {{project}}/tests/words.txt"
    here = "ratelimit:test=python -c 'import ratelimit as r; assert {}'"
    settings = ["-r", "r.txt", "--json", "-C", there]
    failed = fill(*settings, "-C", here.format("not r.limits"))
    assert failed.code == 1
    found = outcomes(failed)
    assert "its test failed with 1 on this machine" in found["ratelimit"]["reason"]
    assert "AssertionError" in found["ratelimit"]["reason"]
    assert not list(tmp_path.glob("house/ratelimit*.whl"))
    assert "ratelimit" not in (tmp_path / "house/requirements.txt").read_text()
    if PYTHON in ("3.9", "3.11", "3.13"):  # those of Debian
        assert "aarch64" in found["tiny"]["tested"]
    else:
        assert found["tiny"]["untried"]
    passed = outcomes(fill(*settings, "-C", here.format("r.limits")))
    assert passed["ratelimit"]["tested"].startswith("this machine")
    assert passed["tiny"]["tested"] == found["tiny"]["tested"]


@pytest.mark.pypi
def test_matrix_has_a_job_for_what_has_to_be_built(
    fill: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "r.txt").write_text("intervaltree==2.1.0\n")
    said = fill("-r", "r.txt", "--print-matrix", "github").passed()
    (job,) = json.loads(said.output.splitlines()[-1])["include"]
    assert job["arguments"].startswith("-r r.txt --only intervaltree --target aarch64")
    assert not (tmp_path / "house" / "requirements.txt").exists()


@pytest.mark.pypi
@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["no-such-package-anywhere-1==9"], "cannot be resolved"),
        (["markupsafe==2.0.1", "markupsafe==3.0.2"], "cannot be resolved"),
        (["markupsafe==3.0.2 --hash=sha256:" + "0" * 64], "markupsafe 3.0.2"),
        (["./nothing-here"], "cannot be resolved"),
    ],
    ids=["unknown", "conflict", "hash", "no directory"],
)
def test_what_cannot_be_resolved_is_an_error_and_leaves_nothing(
    lines: Sequence[str], says: str, fill: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "r.txt").write_text("\n".join(lines) + "\n")
    failed = fill("-r", "r.txt")
    assert failed.code == 2
    assert says in failed.output
    assert "Traceback" not in failed.output
    assert not list(tmp_path.glob("house/*.whl"))


@pytest.mark.pypi
@pytest.mark.long
def test_package_that_cannot_be_built_stands_first_and_the_rest_is_there(
    fill: Callable[..., Outcome], tmp_path: Path
) -> None:
    files = {**projects.TINY_FILES, "tiny/_tiny.c": "#error no\n"}
    projects.write(
        tmp_path / "bad", {**files, "pyproject.toml": "[build-system]\nrequires=['setuptools']\n"}
    )
    (tmp_path / "r.txt").write_text("./bad\nitsdangerous==2.2.0\n")
    failed = fill("-r", "r.txt")
    assert failed.code == 1
    table = failed.output[failed.output.rindex("tiny") :]
    assert "failed" in failed.output
    assert "1 failed, 1 taken" in table
    requirements = (tmp_path / "house" / "requirements.txt").read_text()
    assert "itsdangerous==2.2.0" in requirements
    assert "tiny" not in requirements


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["project", "-r", "r.txt"], "both given"),
        (["-r", "none.txt"], "there is no file none.txt"),
        (["-r", "r.txt", "--backend", "x"], "does not say for which package"),
        (["-r", "r.txt", "--package-settings", "none.toml"], "there is no file none.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: List[str], says: str, fill: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "r.txt").write_text("")
    failed = fill(*arguments)
    assert failed.code == 2
    assert says in failed.output
