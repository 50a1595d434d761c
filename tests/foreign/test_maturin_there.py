"""Rust for another architecture: built by maturin here, installed by pip and used there.

Debian's Rust has the standard library of each of Debian's architectures in a package;
rustup's would have to be downloaded.
"""

from __future__ import annotations

import os
from typing import Iterator

import pytest
import roots
from bench import Bench, Project, bench_of, each, sample, sdist, written
from support import projects, wheels
from support.workshop import BUILD_WHEEL, PIP_WHEEL, UV_BUILD

pytestmark = pytest.mark.foreign

DEBIANS_RUST = {"PATH": f"/usr/bin:{os.environ.get('PATH', '')}"}

CARGO = """\
[package]
name = "counted"
version = "1.0.0"
edition = "2021"
publish = false

[lib]
crate-type = ["cdylib"]
"""

LIB = """\
use std::collections::BTreeSet;
use std::thread;

fn different(bytes: &[u8]) -> usize {
    bytes.iter().collect::<BTreeSet<_>>().len()
}

/// How many different bytes there are in each half of a buffer, counted by two threads;
/// -1 if the buffer is empty, which is a panic that stops here.
///
/// # Safety
/// `data` points to `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn halves(data: *const u8, length: usize) -> i64 {
    let bytes = std::slice::from_raw_parts(data, length);
    let counted = std::panic::catch_unwind(|| {
        assert!(!bytes.is_empty(), "an empty buffer");
        let (first, second) = bytes.split_at(length / 2);
        thread::scope(|scope| {
            let other = scope.spawn(|| different(first));
            different(second) + 100 * other.join().unwrap()
        })
    });
    counted.map_or(-1, |number| number as i64)
}
"""

CFFI_FILES = {
    "pyproject.toml": projects.pyproject(["maturin>=1,<2", "cffi"], "maturin")
    + """
[project]
name = "counted"
version = "1.0"
dependencies = ["cffi"]

[tool.maturin]
bindings = "cffi"
module-name = "counted.native"
""",
    "Cargo.toml": CARGO,
    "src/lib.rs": LIB,
    "target/header.h": "int64_t halves(const uint8_t *data, size_t length);\n",
    "counted/__init__.py": "",
}

TREESIZE = Project(
    "maturin_bin",
    sample("maturin_bin"),
    "",
    "",  # the program itself is run
    tags="py3-none",
    environment=DEBIANS_RUST,
    frontend=PIP_WHEEL,
)
PROJECTS = (
    Project(
        "maturin_mixed",  # PyO3, abi3: built by this Python for all
        sample("maturin_mixed"),
        "import nearnames\n"
        "print(nearnames.distance('pyhton', 'python'),"
        " nearnames.nearest('rset', ['reset', 'rest', 'completely else', 'set']))",
        "1 ['reset', 'rest', 'set']\n",
        tags="cp38-abi3",
        environment=DEBIANS_RUST,
        frontend=UV_BUILD,
        slow=True,
    ),
    TREESIZE,
    Project(
        "cffi",
        written("counted", CFFI_FILES),
        "from counted.native import lib\nprint(lib.halves(b'abcaabbb', 8), lib.halves(b'', 0))",
        "302 -1\n",
        tags="py3-none",
        environment=DEBIANS_RUST,
        needs=("cffi",),
    ),
    Project(
        "rpds-py",  # PyO3, for one Python
        sdist("rpds-py==0.27.1"),
        "import rpds\n"
        "from rpds import rpds as native\n"
        "m = rpds.HashTrieMap({'a': 1})\n"
        "print(native.__file__[-3:], m.insert('b', 2)['b'], len(m))\n"
        "try: m['c']\n"
        "except KeyError as error: print(error)",
        ".so 2 1\n'c'\n",
        environment=DEBIANS_RUST,
        frontend=BUILD_WHEEL,
        slow=True,
    ),
    Project(
        "nh3",  # PyO3, abi3
        sdist("nh3==0.2.18"),
        "import nh3; print(nh3.clean('<b onclick=x>a</b><script>b</script>\\u00e4'))",
        "<b>a</b>\u00e4\n",
        tags="cp37-abi3",
        environment=DEBIANS_RUST,
        slow=True,
    ),
)


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with bench_of(request, roots.SYSTEMS["arm64"], PROJECTS) as bench:
        yield bench


@pytest.mark.parametrize("project", each(PROJECTS))
def test_wheel_bears_the_lowest_tag_and_auditwheel_agrees(bench: Bench, project: Project) -> None:
    bench.check_tag(project)
    tags = "manylinux_2_17_aarch64.manylinux2014_aarch64"
    wheels.check_manylinux(bench.wheel(project), tags)


@pytest.mark.parametrize("project", each(p for p in PROJECTS if p.prints))
def test_wheel_installed_by_pip_there_works_there(bench: Bench, project: Project) -> None:
    assert bench.use(project).endswith(project.prints)


def test_program_installed_by_pip_there_runs_there(bench: Bench) -> None:
    bench.wheel(TREESIZE)
    program = f"{bench.site()}/bin/treesize"
    with bench.root.place() as place:
        (place / "tree" / "deep").mkdir(parents=True)
        (place / "tree" / "deep" / "file").write_bytes(b"x" * 1234)
        measured = bench.root.run([program, f"{bench.root.inside(place)}/tree"])
    missing = bench.root.run([program, "/missing"])
    assert (measured.returncode, measured.stdout.split()[0]) == (0, "1234")
    assert (missing.returncode, missing.stdout[:18]) == (1, "treesize: /missing")
