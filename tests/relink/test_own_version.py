"""A library of the wheel's own beside an older one of the same name that the process has."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from linked import compiled

from manylinux_shim._errors import ElfError
from manylinux_shim.elf import read_elf
from manylinux_shim.relink import bound_to, patched, with_own_version

# ``first`` has no version, as the oldest functions of zlib have none.
LIBRARY = """\
int first(void) { return %d; }
int second(void) { return first() + 10; }
#if %d > 1
int third(void) { return second() + 100; }
#endif
"""
OLD, NEW = "LIB_1.0.0 { global: second; };\n", "LIB_1.2.0 { global: third; } LIB_1.0.0;\n"
USER = """\
int first(void), second(void), third(void);
int all_of_it(void) { return first() * 1000 + third(); }
"""


def library(directory: Path, release: int) -> bytes:
    directory.mkdir()
    script = directory / "versions.map"
    script.write_text(OLD + (NEW if release > 1 else ""))
    flags = ["-shared", "-fPIC", f"-Wl,--version-script={script}", "-Wl,-soname,libparts.so.1"]
    return compiled(directory, LIBRARY % (release, release), *flags)


def test_every_call_is_served_by_the_wheels_own(tmp_path: Path) -> None:
    old, new = library(tmp_path / "old", 1), library(tmp_path / "new", 2)
    (tmp_path / "old" / "libparts.so.1").write_bytes(old)
    (tmp_path / "new" / "libparts.so.1").write_bytes(new)
    directory = tmp_path / "wheel"
    directory.mkdir()
    flags = ["-shared", "-fPIC", str(tmp_path / "new" / "libparts.so.1")]
    user = compiled(directory, USER, *flags)

    name = "libparts-12345678.so.1"
    own = with_own_version(patched(new, ["--set-soname", name]))
    moved = patched(user, ["--replace-needed", "libparts.so.1", name, "--set-rpath", "$ORIGIN"])
    after = bound_to("user.so", moved, name, own)
    (directory / name).write_bytes(own.data)
    (directory / "user.so").write_bytes(after)
    asked = {u.name: u.version for u in read_elf("user.so", after).undefined}
    assert asked["first"] == asked["third"] == own.version != "LIB_1.0.0"

    use = f"import ctypes; print(ctypes.CDLL({str(directory / 'user.so')!r}).all_of_it())"
    preload = {"LD_PRELOAD": str(tmp_path / "old" / "libparts.so.1")}
    done = subprocess.run(
        [sys.executable, "-c", use], env=preload, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2112\n"
    assert ctypes.CDLL(str(directory / name)).third() == 112


def test_file_that_got_a_version_may_be_lengthened_by_others(tmp_path: Path) -> None:
    # What was added must not lie where patchelf then moves strings away from.
    new = library(tmp_path / "new", 2)
    (tmp_path / "new" / "libparts.so.1").write_bytes(new)
    source = "int first(void), abs(int);\nint twice(void) { return abs(first()) * 2; }"
    flags = ["-shared", "-fPIC", str(tmp_path / "new" / "libparts.so.1")]
    user = compiled(tmp_path, source, *flags)
    own = with_own_version(new)
    after = bound_to("user.so", user, "libparts.so.1", own)
    assert len(after) > len(user)  # there was no room for one more
    longer = patched(after, ["--set-rpath", str(tmp_path / "new") + ":/nowhere" * 50])
    assert read_elf("f", longer).version_needs == read_elf("f", after).version_needs
    (tmp_path / "user.so").write_bytes(longer)
    (tmp_path / "new" / "libparts.so.1").write_bytes(own.data)
    assert ctypes.CDLL(str(tmp_path / "user.so")).twice() == 4


def test_version_is_made_of_the_library(tmp_path: Path) -> None:
    first, second = (with_own_version(library(tmp_path / str(n), n)) for n in (2, 3))
    assert first.version != second.version
    assert {"first", "second", "third"} <= set(first.names)


def test_library_without_versions_is_refused(tmp_path: Path) -> None:
    data = compiled(tmp_path, "int first(void) { return 1; }", "-shared", "-fPIC")
    with pytest.raises(ElfError, match="no versions"):
        with_own_version(data)
