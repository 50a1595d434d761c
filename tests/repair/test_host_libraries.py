"""Which libraries of this machine a link may take."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

import pytest

from manylinux_shim.compiler._command import Command, Target
from manylinux_shim.compiler._host_libraries import explanations, take_from_host

ANY = ("*",)
"""What ``repair = true`` allows."""


def target(directory: Path, from_host: Sequence[str], *, native: bool = True) -> Target:
    for name in ("foo", "m", "stdc++", "python3.11", "own"):
        (directory / f"lib{name}.so").touch()
    return Target(
        family="manylinux",
        libraries={"own": "/sysroot/libown.so"},
        host_libraries=[str(directory)],
        from_host=from_host,
        native=native,
    )


@pytest.mark.parametrize(
    ("given", "from_host", "taken"),
    [
        (["-lfoo"], ANY, ["{host}/libfoo.so"]),
        (["-lfoo"], (), ["-lfoo"]),
        (["-lfoo"], ["libfoo"], ["{host}/libfoo.so"]),
        (["-lbar"], ANY, ["-lbar"]),
        # The target's own libc, compiler runtime and Python, whatever the pattern says.
        (["-lm", "-lstdc++", "-lpython3.11", "-lown"], ANY, None),
        (["-Bstatic", "-lfoo", "-Bdynamic", "-lfoo"], ANY, [..., "-lfoo", ..., "{host}/libfoo.so"]),
    ],
)
def test_library_of_this_machine(
    given: Sequence[str], from_host: Sequence[str], taken: object, tmp_path: Path
) -> None:
    command = Command(cxx=False, links=True)
    command.linker = list(given)
    take_from_host(command, target(tmp_path, from_host))
    expected = given if taken is None else taken
    assert isinstance(expected, list)
    assert command.linker == [
        word if want is ... else want.format(host=tmp_path)
        for word, want in zip(command.linker, expected)
    ]


def test_gccs_openmp_is_llvms_where_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "libomp.so").touch()
    for directory, linked in (("named", "-lomp"), ("elsewhere", "-lgomp")):
        command = Command(cxx=False, links=True)
        command.linker = [f"-L{tmp_path / directory}", "-lgomp"]
        take_from_host(command, target(tmp_path, ()))
        assert command.linker[1] == linked


@pytest.mark.parametrize(("native", "static"), [(False, False), (True, True)])
def test_none_is_taken_for_another_machine_or_into_a_static_program(
    native: bool, static: bool, tmp_path: Path
) -> None:
    command = Command(cxx=False, links=True)
    command.linker, command.static = ["-lfoo"], static
    take_from_host(command, target(tmp_path, ANY, native=native))
    assert command.linker == ["-lfoo"]


@pytest.mark.parametrize("native", [True, False])
def test_repair_is_named_where_it_can_help(native: bool, tmp_path: Path) -> None:
    said = "ld.lld: error: unable to find library -lfoo\n"
    (line,) = explanations(said, target(tmp_path, (), native=native))
    assert str(tmp_path / "libfoo.so") in line
    assert ("`repair = true`" in line) is native


def test_what_a_package_of_this_machines_python_brings_is_to_be_named(tmp_path: Path) -> None:
    said = (
        "ld.lld: error: /v/site-packages/pkg/lib/libpkg.a(a.o) is incompatible with aarch64linux\n"
        "ld.lld: error: /v/site-packages/pkg/lib/libpkg.a(b.o) is incompatible with aarch64linux\n"
        "ld.lld: error: build/c.o is incompatible with aarch64linux\n"
    )
    (line,) = explanations(said, target(tmp_path, (), native=False))
    assert 'libraries = ["wheel:pkg"]' in line
