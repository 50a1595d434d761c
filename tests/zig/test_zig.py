"""Which zig is taken: the range is stated, enforced, and works at both ends."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest
from support.interpreters import uv

from manylinux_shim._errors import ToolchainError
from manylinux_shim._platforms import Policy, host_architecture
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig import _zig

CXX = """
#include <stdexcept>
#include <string>
extern "C" int caught() {
    try { throw std::runtime_error(std::string(40, 'x')); }
    catch (const std::exception &e) { return (int)std::string(e.what()).size(); }
}
"""


@pytest.fixture(scope="session")
def zigs(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """The oldest and the newest zig of the range, and the last one before it, from PyPI."""
    installed = {}
    for version in ("0.13", "0.14", "0.17"):
        directory = tmp_path_factory.mktemp("zig")
        subprocess.run(
            [uv(), "pip", "install", "-q", "-p", sys.executable, f"ziglang=={version}.*"]
            + ["--target", str(directory)],
            check=True,
        )
        installed[version] = directory
    return installed


def test_the_zigs_of_the_tests_are_the_ends_of_the_range() -> None:
    assert (_zig.OLDEST, _zig.BEFORE) == ((0, 14), (0, 18))
    assert _zig.REQUIREMENT == "ziglang>=0.14,<0.18"


@pytest.mark.pypi
@pytest.mark.parametrize("version", ["0.14", "0.17"])
def test_both_ends_of_the_range_link_cxx_that_runs(
    version: str, zigs: Dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only(monkeypatch, zigs[version])
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    zig = _zig.find_zig()
    assert zig.version.startswith(version)
    host = host_architecture()
    assert host is not None
    added = prepare(zig, host, Policy.parse("manylinux_2_17"), tmp_path, notice=print)
    (tmp_path / "a.cpp").write_text(CXX)
    subprocess.run(
        [added["CXX"], "-O2", "-shared", "-fPIC", "a.cpp", "-o", "a.so"],
        cwd=tmp_path,
        env={**os.environ, **added},
        check=True,
    )
    assert ctypes.CDLL(str(tmp_path / "a.so")).caught() == 40


@pytest.mark.pypi
def test_a_zig_before_the_range_is_refused_by_name(
    zigs: Dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _only(monkeypatch, zigs["0.13"])
    with pytest.raises(ToolchainError) as caught:
        _zig.find_zig()
    assert "is zig 0.13" in str(caught.value)
    assert "ziglang>=0.14,<0.18" in str(caught.value)


def test_no_zig_is_an_error_that_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only(monkeypatch, tmp_path)
    with pytest.raises(ToolchainError, match="pip install"):
        _zig.find_zig()
    assert _zig.usable_zig() is None


def test_a_zig_on_the_path_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = _zig.find_zig()
    _only(monkeypatch, tmp_path)
    link = tmp_path / "bin" / "zig"
    link.parent.mkdir()
    link.symlink_to(installed.executable)
    monkeypatch.setenv("PATH", str(link.parent), prepend=os.pathsep)
    assert _zig.find_zig() == installed


def _only(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Let ``directory`` be the only place where a ziglang package could be."""
    kept = [entry for entry in sys.path if not (Path(entry) / "ziglang").exists()]
    monkeypatch.setattr(sys, "path", [str(directory), *kept])
    monkeypatch.delitem(sys.modules, "ziglang", raising=False)
