"""What build systems are told of the target: config settings, machine files, host packages."""

from __future__ import annotations

import configparser
import stat
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import pytest

from manylinux_shim._platforms import ARCHITECTURES, architecture
from manylinux_shim.environment._backends import MESON_VARIABLE, config_settings, requirements
from manylinux_shim.environment._cross_files import cross_files
from manylinux_shim.environment._host_packages import host_packages, links_only_to

CROSS = {MESON_VARIABLE: "/cache/meson.ini"}
MESON = {
    "build-system": {"requires": ["manylinux-shim", "Meson_Python>=0.15 ; python_version>'3'"]}
}
OTHER = {"build-system": {"requires": ["manylinux-shim", "setuptools"]}}
FILE = "--cross-file=/cache/meson.ini"


@pytest.mark.parametrize(
    ("given", "environment", "backend", "in_tree", "pyproject", "expected"),
    [
        (None, CROSS, "mesonpy", False, MESON, {"setup-args": [FILE]}),
        (
            {"setup-args": "-Dx=1"}, CROSS, "mesonpy", False, MESON,
            {"setup-args": [FILE, "-Dx=1"]},
        ),
        (
            {"setup-args": ["-Dx=1", "--cross-file=own"], "builddir": "b"},
            CROSS, "mesonpy", False, MESON,
            {"setup-args": [FILE, "-Dx=1", "--cross-file=own"], "builddir": "b"},
        ),
        (None, CROSS, "wrapper", True, MESON, {"setup-args": [FILE]}),
        (None, CROSS, "wrapper", True, OTHER, None),
        (None, CROSS, "setuptools.build_meta", False, MESON, None),
        (None, {}, "mesonpy", False, MESON, None),
        ({"setup-args": "-Dx=1"}, {}, "mesonpy", False, MESON, {"setup-args": "-Dx=1"}),
    ],
    ids=[
        "none given", "one given", "several given", "in the tree", "in the tree, no Meson",
        "another backend", "native", "native, one given",
    ],
)  # fmt: skip
def test_meson_is_given_the_cross_file_before_what_the_user_gives(
    given: Optional[Mapping[str, Any]],
    environment: Mapping[str, str],
    backend: str,
    in_tree: bool,
    pyproject: Mapping[str, Any],
    expected: Optional[Dict[str, Any]],
) -> None:
    before = dict(given) if given else given
    result = config_settings(
        given, environment, backend=backend, in_tree=in_tree, pyproject=pyproject
    )
    assert result == expected
    assert given == before, "the frontend's own dictionary was changed"


def test_requirements_are_compared_by_their_normalized_names() -> None:
    lines = ["Meson_Python>=0.15", "ninja ; x", "scikit.build-core[x]", "a@file:///b"]
    assert requirements({"build-system": {"requires": lines}}) == [
        "meson-python", "ninja", "scikit-build-core", "a",
    ]  # fmt: skip
    assert requirements({}) == []


PYTHON = {
    "INCLUDEPY": "/cache/headers/python3.13t/include",
    "SOABI": "cpython-313t-aarch64-linux-gnu",
    "EXT_SUFFIX": ".cpython-313t-aarch64-linux-gnu.so",
}


def test_cmake_knows_of_python_under_all_its_names(tmp_path: Path) -> None:
    text = Path(made(tmp_path, "aarch64")["CMAKE_TOOLCHAIN_FILE"]).read_text()
    assert "foreach(name Python Python3 PYTHON)" in text
    assert f'set(${{name}}_SOABI "{PYTHON["SOABI"]}" CACHE STRING "")' in text
    assert f'set(${{name}}_INCLUDE_DIR "{PYTHON["INCLUDEPY"]}" CACHE PATH "")' in text
    assert f'set(PYTHON_MODULE_EXTENSION "{PYTHON["EXT_SUFFIX"]}" CACHE STRING "")' in text


def made(tmp_path: Path, name: str, environ: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    arch = architecture(name)
    tools = tmp_path / "it's tools"
    return cross_files(
        tmp_path / "cache", arch, arch.triplet_gnu, tools, tmp_path, "x86_64-linux-gnu",
        environ or {}, PYTHON,
    )  # fmt: skip


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_meson_file_describes_the_target(name: str, tmp_path: Path) -> None:
    arch = architecture(name)
    file = configparser.ConfigParser(interpolation=None)
    file.read(made(tmp_path, name)[MESON_VARIABLE])
    assert dict(file["host_machine"]) == {
        "system": "'linux'",
        "kernel": "'linux'",
        "cpu_family": f"'{arch.meson}'",
        "cpu": f"'{name}'",
        "endian": "'big'" if name == "s390x" else "'little'",
    }
    assert file["properties"]["needs_exe_wrapper"] == "true"


def test_files_of_the_same_target_are_made_once_and_those_of_another_differ(
    tmp_path: Path,
) -> None:
    assert made(tmp_path, "aarch64") == made(tmp_path, "aarch64")
    assert not set(made(tmp_path, "aarch64").values()) & set(made(tmp_path, "s390x").values())


def test_programs_that_the_files_name_can_be_started(tmp_path: Path) -> None:
    directory = Path(made(tmp_path, "aarch64")[MESON_VARIABLE]).parent
    for name in ("run", "python"):
        assert (directory / name).stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        (None, "['pkg-config']"),
        ("/opt/bin/pkgconf", "['/opt/bin/pkgconf']"),
        ("pkg-config --static", "['pkg-config', '--static']"),
        ("/it's/pkgconf", r"['/it\'s/pkgconf']"),
    ],
)
def test_meson_gets_the_pkg_config_of_the_user(
    variable: Optional[str], expected: str, tmp_path: Path
) -> None:
    environ = {"PKG_CONFIG": variable} if variable else {}
    file = configparser.ConfigParser(interpolation=None)
    file.read(made(tmp_path, "aarch64", environ)[MESON_VARIABLE])
    assert file["binaries"]["pkg-config"] == expected


PC = "prefix=/usr\nName: it\nVersion: 1\n"


@pytest.mark.parametrize(
    ("libs", "allowed"),
    [
        ("Libs: -L${libdir} -lz\n", True),
        ("Libs:-lz -lm -pthread -Wl,--as-needed\n", True),
        ("Libs: -lcuda_driver\n", True),
        ("Cflags: -I${includedir}/eigen3\n", True),
        ("Libs: -lz\nLibs.private: -lother\n", True),
        ("Libs: -lssl\n", False),
        ("Libs: -lz -lssl\n", False),
        ("Libs: ${libdir}/libz.a\n", False),
        ("Libs: -l${name}\n", False),
    ],
)
def test_package_of_the_host_may_be_found_if_all_that_it_links_to_may(
    libs: str, allowed: bool
) -> None:
    assert links_only_to(PC + libs, ["libz", "libcuda*"]) is allowed


def test_nothing_of_the_host_is_found_in_a_cross_build(tmp_path: Path) -> None:
    found = host_packages(tmp_path, "x86_64-linux-gnu", ["libz"], native=False)
    assert found.pkg_config.is_dir()
    assert found.libraries.is_dir()
    assert names(found.pkg_config) + names(found.libraries) == []


def test_packages_that_come_and_go_are_noticed(tmp_path: Path) -> None:
    first = host_packages(tmp_path, "none-linux-gnu", ["libz"], native=True)
    again = host_packages(tmp_path, "none-linux-gnu", ["libz"], native=True)
    assert first == again
    other = host_packages(tmp_path, "none-linux-gnu", ["lib*"], native=True)
    assert set(names(first.pkg_config)) <= set(names(other.pkg_config))
    assert all(Path(link).exists() for link in other.pkg_config.iterdir())


def names(directory: Path) -> List[str]:
    return sorted(path.name for path in directory.iterdir())


def test_ninja_is_given_its_share_by_meson_unless_the_project_has_said() -> None:
    def told(pyproject: Mapping[str, Any], given: Optional[Mapping[str, Any]]) -> Any:
        return config_settings(
            given, {}, backend="mesonpy", in_tree=False, pyproject=pyproject, jobs=3
        )

    own = {"tool": {"meson-python": {"args": {"compile": ["-j1"]}}}}
    assert told({}, None) == {"compile-args": ["-j3"]}
    assert told({}, {"compile-args": "-j9"}) == {"compile-args": ["-j3", "-j9"]}
    assert told(own, None) is None
