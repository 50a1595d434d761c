"""What a link leaves on record, and to which file of a wheel it belongs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict

import pytest

from manylinux_shim.sbom import library_directories, read_links
from manylinux_shim.sbom._links import Link, links_of


def record(directory: Path, name: str, place: str, output: str, inputs: str = "") -> None:
    (directory / f"{name}.output").write_text(f"{place}\n{output}")
    (directory / f"{name}.inputs").write_text(f"{output}: {inputs}\n\na.o:\n")
    (directory / f"{name}.extracted").write_text("reference\textracted\tsymbol\na.o\tx.a(b.o)\tb\n")


def test_record_is_read_with_names_as_make_escapes_them(tmp_path: Path) -> None:
    inputs = r"\
 a\ b.o \
 $$c.o \
 ../lib/libd.so.1"
    record(tmp_path, "1", "/src/build", "out/e.so", inputs)
    (link,) = read_links(tmp_path)
    assert link.output == "/src/build/out/e.so"
    assert link.inputs == ("/src/build/a b.o", "/src/build/$c.o", "/src/lib/libd.so.1")
    assert link.extracted == {"x.a(b.o)"}
    assert library_directories([link]) == ["/src/lib"]


def test_a_link_that_failed_does_not_count_and_a_later_one_replaces_an_earlier(
    tmp_path: Path,
) -> None:
    record(tmp_path, "1", "/src", "a.so", "old.o")
    (tmp_path / "2.inputs").write_text("b.so: b.o\n")
    os.utime(tmp_path / "1.output", (1, 1))
    record(tmp_path, "3", "/src", "a.so", "new.o")
    assert [link.inputs for link in read_links(tmp_path)] == [("/src/new.o",)]


def test_directory_of_a_libc_is_not_one_to_look_into(tmp_path: Path) -> None:
    for name in ("lib/libd.so.1", "sysroot/libc.so.6", "sysroot/libm.so.6"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    inputs = tuple(str(tmp_path / name) for name in ("lib/libd.so.1", "sysroot/libm.so.6", "a.o"))
    assert library_directories([Link("/e.so", inputs, frozenset())]) == [str(tmp_path / "lib")]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pkg/a.so": b"a"}, {"pkg/a.so": ["one/a.so"]}),  # by content: there are two of the name
        ({"pkg/b.so": b"changed since"}, {"pkg/b.so": ["b.so"]}),  # by name
        ({"pkg/renamed.so": b"b"}, {"pkg/renamed.so": ["b.so"]}),  # by content
        ({"pkg/a.so": b"?"}, {"pkg/a.so": ["one/a.so", "two/a.so"]}),  # either
        # Whichever is left of its kind, when neither name nor content tells.
        ({"x.so": b"?", "b.so": b"?", "a.so": b"a"}, {"x.so": ["two/a.so"]}),
        ({"x": b"?", "a.so": b"?", "b.so": b"b"}, {"x": ["program-0a1b"]}),
    ],
)
def test_file_of_a_wheel_is_traced_to_its_link(
    files: Dict[str, bytes], expected: Dict[str, object], tmp_path: Path
) -> None:
    outputs = {"one/a.so": b"a", "two/a.so": b"A", "b.so": b"b", "program-0a1b": b"p"}
    for name, data in outputs.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    links = tuple(
        Link(str(tmp_path / n), () if ".so" in n else ("/lib/Scrt1.o",), frozenset())
        for n in outputs
    )
    found = links_of(files, files.__getitem__, links)
    for file, names in expected.items():
        assert [str(Path(link.output).relative_to(tmp_path)) for link in found[file]] == names


def test_file_of_no_link_is_left_out() -> None:
    assert links_of(["a.so"], lambda name: b"", ()) == {}
