"""Each sample project, built as its README says, installed, and used for what it is there for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable

import pytest
from support import wheels
from support.interpreters import Interpreter
from support.projects import REPOSITORY
from support.workshop import UV_BUILD, Workshop, base_python

MINOR = int(base_python().rpartition(".")[2])
HERE = f"cp3{MINOR}"

USE_ASYNC_STACK = """
import asyncio, async_stack

async def inner():
    await asyncio.get_running_loop().create_future()

async def outer():
    await inner()

async def numbers():
    await inner()
    yield 1

async def main():
    task = asyncio.ensure_future(outer())
    await asyncio.sleep(0)
    print([link.name for link in async_stack.chain(task)])
    print(all(link.lineno for link in async_stack.chain(task)[:2]))
    task.cancel()
    generator = numbers()
    step = asyncio.ensure_future(generator.__anext__())
    await asyncio.sleep(0)
    print([link.name for link in async_stack.chain(generator)])
    step.cancel()

asyncio.run(main())
unstarted = outer()
print(async_stack.render(unstarted).split()[0])
unstarted.close()
print(async_stack.chain(3)[0].filename)
"""

USE_WORDTALLY = """
import wordtally

counts = wordtally.tally(["a rose is", "a rose"] * 1000)
print(sorted(counts.items()))
for bad in (["fine"] * 50 + ["a\\0b"], [3], None):
    try:
        wordtally.tally(bad)
    except Exception as error:
        print(type(error).__name__, str(error)[:10])
"""

USE_NEARNAMES = """
import nearnames, subprocess, sys
from pathlib import Path

print(nearnames.distance("pyhton", "python"), nearnames.distance("", "\\u00e4\\u00f6"))
print(nearnames.nearest("rset", ["reset", "rest", "completely else", "set"]))
command = str(Path(sys.executable).with_name("nearnames"))
print(subprocess.run([command, "pyhton", "perl", "python"], stdout=subprocess.PIPE).stdout)
"""

USE_TREESIZE = """
import subprocess, sys
from pathlib import Path

Path("tree/deep").mkdir(parents=True)
Path("tree/a").write_bytes(b"x" * 1000)
Path("tree/deep/b").write_bytes(b"x" * 234)
command = str(Path(sys.executable).with_name("treesize"))
for argument in ("tree", "missing", "--version"):
    done = subprocess.run([command, argument], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    print(done.returncode, done.stdout.split(), done.stderr.decode()[:18])
"""

USE_UNITWISE = """
import unitwise

print(unitwise.convert(3, "mile", "metre"), len(unitwise.units()))
try:
    unitwise.convert(1, "mile", "parsec")
except KeyError as error:
    print(error)
"""

USE_NATURAL_ORDER = """
import natural_order

print(natural_order.in_order(["chapter 10", "Chapter 9", "appendix", "chapter 09"]))
print(natural_order.in_order([("v1.10", 1), ("v1.9", 2)], key=lambda item: item[0]))
pairs = [("a2", "A02"), ("a", "b"), ("\u00e4 10", "\u00e4 9")]
print([natural_order.compare(a, b) for a, b in pairs])
print(natural_order.compare("9" * 40, "1" + "0" * 40))
try:
    natural_order.in_order(["a", 3])
except TypeError:
    print("refused")
"""

USE_TRACKTHIN = """
import math, trackthin

print(trackthin.thin([(0, 0), (1, 0.1), (2, 0), (2, 5)], tolerance=0.5))
circle = [(math.cos(i / 100), math.sin(i / 100)) for i in range(629)]
print(len(trackthin.thin(circle, tolerance=0.01)), round(trackthin.length(circle), 3))
for track, tolerance in [([(0, 0)] * 9, -1), ([(0, 0), (0, math.nan)], 1), ([(0, 0)] * 9, 0)]:
    try:
        print(len(trackthin.thin(track, tolerance=tolerance)))
    except ValueError as error:
        print(error)
"""

USE_CRC32C = """
import crc32c, subprocess, sys
from pathlib import Path

print(hex(crc32c.checksum(b"123456789")), crc32c.checksum(b""))
print(hex(crc32c.checksum(memoryview(b"6789"), crc32c.checksum(bytearray(b"12345")))))
Path("sums").write_bytes(bytes(range(256)) * 9)
command = str(Path(sys.executable).with_name("crc32c"))
done = subprocess.run([command, "sums", "none"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
print(done.returncode, done.stdout, done.stderr)
"""

SAMPLES = {
    "setuptools_c": (
        f"async_stack-1.0-{HERE}-{HERE}",
        USE_ASYNC_STACK,
        "['outer', 'inner', 'FutureIter']\nTrue\n['numbers', 'inner', 'FutureIter']\nouter\nNone\n",
    ),
    "setuptools_cpp": (
        f"wordtally-1.0-{HERE}-{HERE}",
        USE_WORDTALLY,
        "[('a', 2000), ('is', 1000), ('rose', 2000)]\n"
        "ValueError text 50: a\nTypeError bad argume\nTypeError 'NoneType'\n",
    ),
    "setuptools_rust": (
        f"natural_order-1.0-{HERE}-{HERE}",
        USE_NATURAL_ORDER,
        "['appendix', 'Chapter 9', 'chapter 09', 'chapter 10']\n[('v1.9', 2), ('v1.10', 1)]\n"
        "[0, -1, 1]\n-1\nrefused\n",
    ),
    "scikit_build_core": (
        # nanobind has a stable ABI from 3.12 on
        f"trackthin-1.0-{HERE}-{HERE}" if MINOR < 12 else "trackthin-1.0-cp312-abi3",
        USE_TRACKTHIN,
        "[(0.0, 0.0), (2.0, 0.0), (2.0, 5.0)]\n33 6.28\n"
        "tolerance -1.000000 is negative\npoint 1 is not finite\n2\n",
    ),
    "meson_python": (
        f"crc32c_sums-1.0-{HERE}-{HERE}",
        USE_CRC32C,
        "0xe3069283 0\n0xe3069283\n1 b'29def29c sums\\n'"
        " b'crc32c: none: No such file or directory\\n'\n",
    ),
    "maturin_mixed": (
        "nearnames-1.0-cp38-abi3",
        USE_NEARNAMES,
        "1 2\n['reset', 'rest', 'set']\nb'python\\n'\n",
    ),
    "maturin_bin": (
        "treesize-1.0-py3-none",
        USE_TREESIZE,
        "0 [b'1234', b'tree'] \n1 [] treesize: missing:\n0 [b'treesize', b'1.0.0'] \n",
    ),
    "in_tree_backend": (
        f"unitwise-1.0-{HERE}-{HERE}",
        USE_UNITWISE,
        "4828.032 11\n'parsec'\n",
    ),
}


def commit_all(project: Path, workshop: Workshop) -> None:
    """Make a repository of a directory, as a clone of it is one."""
    who = {f"GIT_{role}_{what}": "test@example.com" for role in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all of it"]):
        workshop.run(["git", *command], project, who).passed()


def test_every_sample_is_built_by_a_test() -> None:
    directories = {p.parent.name for p in (REPOSITORY / "sample_projects").glob("*/pyproject.toml")}
    assert directories == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_builds_with_uv_build_and_does_its_work(
    name: str, workshop: Workshop, checkout: Path, tmp_path: Path
) -> None:
    stem, code, prints = SAMPLES[name]
    project = checkout / "sample_projects" / name
    if name == "meson_python":  # its sdists are of what git tracks
        commit_all(project, workshop)
    # Nothing says where the shim is but the project itself, as for a reader of the README.
    links = {"UV_FIND_LINKS": "", "PIP_FIND_LINKS": ""}
    out = tmp_path / "dist"
    workshop.build(UV_BUILD, project, out, python=base_python(), environment=links).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"{stem}-{wheels.lowest_tags()}.whl"
    wheels.check_manylinux(wheel)
    assert len(list(out.glob("*.tar.gz"))) == 1
    assert workshop.try_wheel(wheel, tmp_path / "fresh", code) == prints


@pytest.mark.parametrize("name", ["3.8", "3.9"])
def test_async_stack_is_manylinux_for_old_pythons_too(
    name: str,
    workshop: Workshop,
    checkout: Path,
    tmp_path: Path,
    interpreter: Callable[[str], Interpreter],
) -> None:
    python = interpreter(name)
    project = checkout / "sample_projects" / "setuptools_c"
    out = tmp_path / "dist"
    workshop.build(UV_BUILD, project, out, python=python.path).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    assert f"-{python.tag}-{python.tag}-" in wheel.name
    printed = workshop.try_wheel(wheel, tmp_path / "fresh", USE_ASYNC_STACK, python=python.path)
    assert printed == SAMPLES["setuptools_c"][2]


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_shows_the_two_line_change(name: str) -> None:
    text = (REPOSITORY / "sample_projects" / name / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^requires = \["manylinux-shim"(, "[a-z]+[^"]*")+\]$', text, re.M)
    assert re.search(r'^build-backend = "(manylinux_shim|build_backend)"$', text, re.M)
    assert re.search(r'^\[tool\.manylinux-shim\]\nbackend = "', text, re.M)
    assert (REPOSITORY / "sample_projects" / name / "README.md").is_file()
