"""maturin: binary crates, cffi bindings, and the arguments that a user gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional

import pytest
from support import projects, wheels
from support.workshop import PIP_WHEEL, UV_BUILD, UV_BUILD_WHEEL, Frontend, Workshop

PROJECT = """
[project]
name = "loud"
version = "1.0"

[tool.maturin]
"""

CARGO = """\
[package]
name = "loud"
version = "1.0.0"
edition = "2021"
publish = false

[features]
louder = []
"""

MAIN = """\
fn main() {
    let text = std::env::args().nth(1).unwrap_or_default();
    let text = if cfg!(feature = "louder") { text.to_uppercase() } else { text };
    println!("{text}");
}
"""

LIB = """\
use std::collections::HashMap;

/// How many different bytes there are in a buffer.
///
/// # Safety
/// `data` points to `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn different(data: *const u8, length: usize) -> usize {
    let bytes = std::slice::from_raw_parts(data, length);
    let counted: HashMap<u8, usize> = bytes.iter().map(|byte| (*byte, 1)).collect();
    counted.len()
}
"""

HEADER = "size_t different(const uint8_t *data, size_t length);\n"

USE = """
import subprocess, sys
from pathlib import Path

command = [str(Path(sys.executable).with_name("loud")), "hello"]
print(subprocess.run(command, stdout=subprocess.PIPE).stdout.decode().strip())
"""


def loud(directory: Path) -> Path:
    text = projects.pyproject(["maturin>=1,<2"], "maturin") + PROJECT + 'bindings = "bin"\n'
    files = {"pyproject.toml": text, "Cargo.toml": CARGO, "src/main.rs": MAIN}
    return projects.write(directory, files)


@pytest.mark.parametrize(
    ("settings", "environment", "prints"),
    [
        ({}, {}, "hello\n"),
        ({"maturin.build-args": "--features louder"}, {}, "HELLO\n"),
        ({"build-args": "--features=louder"}, {}, "HELLO\n"),
        ({}, {"MATURIN_PEP517_ARGS": "--features louder"}, "HELLO\n"),
        ({"build-args": "--locked"}, {"MATURIN_PEP517_ARGS": "--features louder"}, None),
    ],
    ids=["none", "maturin.build-args", "build-args", "MATURIN_PEP517_ARGS", "args that fail"],
)
def test_arguments_of_the_user_reach_maturin(
    settings: Dict[str, str],
    environment: Dict[str, str],
    prints: Optional[str],
    workshop: Workshop,
    tmp_path: Path,
    out: Path,
) -> None:
    project = loud(tmp_path / "project")
    outcome = workshop.build(
        UV_BUILD_WHEEL, project, out, settings=settings, environment=environment
    )
    if prints is None:  # no lock file is there, so cargo refuses
        assert not outcome.ok
        assert "--locked" in outcome.output
        return
    outcome.passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"loud-1.0-py3-none-{wheels.lowest_tags()}.whl"
    wheels.check_manylinux(wheel)
    assert workshop.try_wheel(wheel, tmp_path / "fresh", USE) == prints


@pytest.mark.parametrize("frontend", [UV_BUILD, PIP_WHEEL], ids=str)
def test_cffi_bindings(frontend: Frontend, workshop: Workshop, tmp_path: Path, out: Path) -> None:
    text = projects.pyproject(["maturin>=1,<2", "cffi"], "maturin") + PROJECT
    files = {
        "pyproject.toml": text.replace('1.0"\n', '1.0"\ndependencies = ["cffi"]\n', 1)
        + 'bindings = "cffi"\nmodule-name = "loud.native"\n',
        "Cargo.toml": CARGO + '\n[lib]\nname = "loud"\ncrate-type = ["cdylib"]\n',
        "src/lib.rs": LIB,
        "target/header.h": HEADER,
        "loud/__init__.py": "",
    }
    project = projects.write(tmp_path / "project", files)
    workshop.build(frontend, project, out).passed()
    wheel = wheels.only_wheel(out)
    assert wheel.name == f"loud-1.0-py3-none-{wheels.lowest_tags()}.whl"
    wheels.check_manylinux(wheel)
    code = "from loud.native import lib; print(lib.different(b'abcabcd', 7))"
    assert workshop.try_wheel(wheel, tmp_path / "fresh", code) == "4\n"
