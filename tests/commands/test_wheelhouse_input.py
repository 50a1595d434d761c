"""What goes wrong while a wheelhouse is filled: a line each, and what is there stays right."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import resource
import socketserver
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import pytest
from support.machine import lacking

from manylinux_shim.cli import main

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 10), reason="the reader of locks is for Python 3.10 or later"
)

PYTHON = "{}.{}".format(*sys.version_info)
USUAL = ["build", "--policy", "manylinux2014_aarch64", "--python", PYTHON, "-o", "house"]


def wheel(directory: Path, name: str, size: int = 100) -> Path:
    """A pure wheel with ``size`` bytes in it that do not shrink."""
    directory.mkdir(exist_ok=True)
    path = directory / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.bin", os.urandom(size))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def lock(directory: Path, files: Dict[str, str], wrong: str = "") -> List[str]:
    """A lock of the files (by path, or address) with their hashes; the arguments that name it."""
    lines = ['lock-version = "1.0"', 'created-by = "a test"']
    for path, address in files.items():
        name, version = Path(path).name.split("-")[:2]
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        if name == wrong:
            digest = "0" * 64
        file = f'{{ url = "{address}", hashes = {{ sha256 = "{digest}" }} }}'
        version = re.sub(r"\.(tar\.gz|zip)$", "", version)
        lines += ["[[packages]]", f'name = "{name}"', f'version = "{version}"']
        lines.append(f"wheels = [{file}]" if path.endswith(".whl") else f"sdist = {file}")
    (directory / "pylock.toml").write_text("\n".join(lines) + "\n")
    return ["-r", "pylock.toml"]


class Index:
    """A server of files that hangs up in the middle of some."""

    def __init__(self, directory: Path, dies: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = directory / self.path.lstrip("/")
                if not path.is_file():
                    self.send_error(404)
                    return
                data = path.read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if dies in path.name else data)

            def log_message(self, *words: object) -> None:
                pass

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextlib.contextmanager
def serving(directory: Path, dies: str) -> Iterator[str]:
    """The address of a server that hangs up where a file's name has ``dies`` in it."""
    index = Index(directory, dies)
    thread = threading.Thread(target=index.server.serve_forever)
    thread.start()
    try:
        yield index.address
    finally:
        index.server.shutdown()
        thread.join()
        index.server.server_close()


def failure(said: str, name: str) -> List[str]:
    """What the table says of a package."""
    lines = said.splitlines()
    at = lines.index(f"{name}: failed")
    rest = [line for line in lines[at + 1 :] if line]
    return [line.strip() for line in rest[: next(i for i, x in enumerate(rest) if x[0] != " ")]]


def run(arguments: List[str], directory: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(directory)
    return main([*USUAL, *arguments])


def test_index_that_dies_half_way_costs_what_it_did_not_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [wheel(tmp_path / "files", name, 300_000) for name in ("good", "half")]
    with serving(tmp_path / "files", "half") as address:
        named = lock(tmp_path, {str(path): f"{address}/{path.name}" for path in files})
        assert run(named, tmp_path, monkeypatch) == 1
    (said,) = [line for line in failure(capsys.readouterr().out, "half 1.0") if "half" in line]
    assert "cannot be fetched" in said
    house = tmp_path / "house"
    assert [path.name for path in house.glob("*.whl")] == [files[0].name]
    assert "good==1.0" in (house / "requirements.txt").read_text()
    assert "half" not in (house / "requirements.txt").read_text()
    assert not list(house.glob(".*.part"))
    # With an index that lives the rest comes, and what was there is not asked for again.
    with serving(tmp_path / "files", "good") as address:
        named = lock(tmp_path, {str(path): f"{address}/{path.name}" for path in files})
        assert run(named, tmp_path, monkeypatch) == 0
    assert len(list(house.glob("*.whl"))) == 2


@pytest.mark.parametrize(
    ("name", "content", "wrong", "says"),
    [
        ("odd-1.0-py3-none-any.whl", None, "odd", "does not have the hash"),
        ("odd-1.0.tar.gz", b"<html>moved</html>", "odd", "does not have the hash"),
        ("odd-1.0.tar.gz", b"<html>moved</html>", "", "odd-1.0.tar.gz cannot be unpacked"),
        ("odd-1.0.zip", b"PK\x03\x04 and no more", "", "odd-1.0.zip cannot be unpacked"),
        ("odd-1.0-py3-none-any.whl", b"PK\x03\x04 and no more", "", "ZIP"),
    ],
    ids=["hash of a wheel", "hash of an sdist", "no archive", "no zip", "no wheel"],
)
def test_file_that_is_not_what_was_said_is_one_failure(
    name: str, content: Optional[bytes], wrong: str, says: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    good, odd = wheel(tmp_path / "files", "good"), wheel(tmp_path / "files", "odd")
    if content is not None:
        odd = odd.rename(odd.with_name(name))
        odd.write_bytes(content)
    named = lock(tmp_path, {str(path): path.as_uri() for path in (good, odd)}, wrong)
    assert run(named, tmp_path, monkeypatch) == 1
    said = capsys.readouterr().out
    told = failure(said, "odd 1.0")
    assert says in told[0]
    assert len(told) <= 2  # what is wrong, and what to do
    assert "1 failed, 1 taken" in said
    assert [path.name for path in (tmp_path / "house").glob("*.whl")] == [good.name]


def test_wheel_that_is_not_proven_is_taken_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pure = wheel(tmp_path / "files", "odd")
    odd = pure.rename(pure.with_name("odd-1.0-py3-none-manylinux_2_17_aarch64.whl"))
    with zipfile.ZipFile(odd, "a") as archive:
        archive.write("/bin/true", "odd-1.0.data/scripts/true")  # of another machine
    named = lock(tmp_path, {str(odd): odd.as_uri()})
    for _ in range(2):
        assert run(named, tmp_path, monkeypatch) == 1
        told = failure(capsys.readouterr().out, "odd 1.0")
        assert told[-1].startswith("-C odd:take=unproven ")
        assert not list(tmp_path.glob("house/*.whl"))
    assert run([*named, "-C", "odd:take=unproven"], tmp_path, monkeypatch) == 0
    assert "taken, odd-1.0-py3" in capsys.readouterr().out
    assert (tmp_path / "house" / odd.name).read_bytes() == odd.read_bytes()
    assert run([*named, "-C", "odd:take=it"], tmp_path, monkeypatch) == 2
    assert "Use `unproven`" in capsys.readouterr().err


def test_resolver_whose_index_dies_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "files" / "good" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<html>" + "<a href='good-1.0-py3-none-any.whl'>good</a>" * 9)
    (tmp_path / "r.txt").write_text("good\n")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_FIND_LINKS", "")
    with serving(tmp_path / "files", "index") as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        assert run(["-r", "r.txt"], tmp_path, monkeypatch) == 2
    assert "r.txt cannot be resolved" in capsys.readouterr().err
    assert not (tmp_path / "house").exists()


@contextlib.contextmanager
def small_disk(place: Path, size: int) -> Iterator[None]:
    """A file system of ``size`` bytes at ``place``."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
        lacking("right to mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_costs_what_has_no_room_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [wheel(tmp_path / "files", "good"), wheel(tmp_path / "files", "large", 400_000)]
    named = lock(tmp_path, {str(path): path.as_uri() for path in files})
    with small_disk(tmp_path / "house", 200_000):
        assert run(named, tmp_path, monkeypatch) == 1
        told = failure(capsys.readouterr().out, "large 1.0")
        assert len(told) == 1
        assert told[0].endswith("No space left on device")
        names = sorted(path.name for path in (tmp_path / "house").iterdir())
        assert names == [
            ".manylinux-shim.json", files[0].name, "pylock.toml", "requirements.txt",
        ]  # fmt: skip
        before = (tmp_path / "house/requirements.txt").read_text()
        assert "large" not in before
        # No room for a lock either: the old one stays, and so does the wheel.
        full = tmp_path / "house/full"
        with contextlib.suppress(OSError):
            full.write_bytes(b"x" * 400_000)
        more = [*files[:1], wheel(tmp_path / "files", "more", 10)]
        named = lock(tmp_path, {str(path): path.as_uri() for path in more})
        assert run(named, tmp_path, monkeypatch) == 1
        said = capsys.readouterr()
        assert "No space left on device" in said.out + said.err
        assert (tmp_path / "house/requirements.txt").read_text() == before
        assert (tmp_path / "house" / files[0].name).read_bytes() == files[0].read_bytes()


def test_file_that_may_not_grow_further_is_one_failure(tmp_path: Path) -> None:
    files = [wheel(tmp_path / "files", "good"), wheel(tmp_path / "files", "large", 400_000)]
    named = lock(tmp_path, {str(path): path.as_uri() for path in files})
    done = subprocess.run(
        [sys.executable, "-m", "manylinux_shim", *USUAL, *named, "--json"],
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert done.returncode == 1
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert found["large"]["reason"].endswith("File too large")
    assert found["good"]["outcome"] == "taken"


def test_sdist_with_no_room_to_unpack_is_told_from_one_that_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "odd-1.0"
    tree.mkdir()
    (tree / "zeros.bin").write_bytes(bytes(900_000))
    archive = tmp_path / "odd-1.0.tar.gz"
    subprocess.run(["tar", "-czf", str(archive), tree.name], cwd=tmp_path, check=True)
    named = lock(tmp_path, {str(archive): archive.as_uri()})
    with small_disk(tmp_path / "temporary", 300_000):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        assert run(named, tmp_path, monkeypatch) == 1
    told = failure(capsys.readouterr().out, "odd 1.0")
    assert "cannot be unpacked: No space left on device" in told[0]
    assert "TMPDIR" in told[1]


def test_page_and_annotations_say_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, odd = wheel(tmp_path / "files", "good"), wheel(tmp_path / "files", "odd")
    named = lock(tmp_path, {str(path): path.as_uri() for path in (good, odd)}, "odd")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert run([*named, "--report", "report.md"], tmp_path, monkeypatch) == 1
    page = (tmp_path / "report.md").read_text()
    assert page.startswith("### house: 1 failed, 1 taken\n\n**odd 1.0** for aarch64-")
    assert f"| taken | `{good.name}` |" in page
    assert (tmp_path / "summary.md").read_text() == page + "\n"
    assert "::error title=odd 1.0 for aarch64-" in capsys.readouterr().err


def test_report_that_cannot_be_written_is_found_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = wheel(tmp_path / "files", "good")
    named = lock(tmp_path, {str(good): good.as_uri()})
    assert run([*named, "--report", "none/x.md"], tmp_path, monkeypatch) == 2
    assert "--report none/x.md cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "house").exists()
    assert run(["--report", "none/x.md"], tmp_path, monkeypatch) == 2
    assert "--report none/x.md cannot be written" in capsys.readouterr().err
