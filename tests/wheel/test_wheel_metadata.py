"""File name, WHEEL and RECORD as text: tables of what goes in and comes out."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import pytest
from small_wheels import digest

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel import WheelName
from manylinux_shim.wheel._metadata import find_dist_info, updated_record, wheel_tags, with_tags

NAMES = {
    "small-1.0-cp311-cp311-linux_x86_64.whl": WheelName(
        "small", "1.0", "", ("cp311",), ("cp311",), ("linux_x86_64",)
    ),
    "Mixed.Case_name-1.0.post1+local.7-12abc-py2.py3-none-any.whl": WheelName(
        "Mixed.Case_name", "1.0.post1+local.7", "12abc", ("py2", "py3"), ("none",), ("any",)
    ),
    "a-1-cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl": WheelName(
        "a", "1", "", ("cp38",), ("abi3",), ("manylinux_2_17_x86_64", "manylinux2014_x86_64")
    ),
}


@pytest.mark.parametrize("filename", NAMES)
def test_names_keep_their_spelling(filename: str) -> None:
    name = WheelName.parse(filename)
    assert name == NAMES[filename]
    assert name.filename == filename


def test_compressed_tags_expand_in_order() -> None:
    name = WheelName.parse("a-1-py2.py3-none.abi3-any.linux_x86_64.whl")
    assert name.tags == (
        "py2-none-any",
        "py2-none-linux_x86_64",
        "py2-abi3-any",
        "py2-abi3-linux_x86_64",
        "py3-none-any",
        "py3-none-linux_x86_64",
        "py3-abi3-any",
        "py3-abi3-linux_x86_64",
    )


def test_new_platforms_replace_all_old_ones() -> None:
    name = WheelName.parse("a-1-2-cp38-abi3-manylinux1_x86_64.linux_x86_64.whl")
    new = name.with_platforms(["manylinux_2_17_x86_64", "manylinux2014_x86_64"])
    assert new.filename == "a-1-2-cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    assert name.with_platforms(["any", "any"]).platforms == ("any",)


@pytest.mark.parametrize(
    "filename",
    [
        "",
        ".whl",
        "a.whl",
        "a-1.whl",
        "a-1-py3-none.whl",
        "a-1-py3-none-any.zip",
        "a-1-py3-none-any",
        "a-1-2-3-py3-none-any.whl",
        "a-notaversion-py3-none-any.whl",
        "a-1-x2-py3-none-any.whl",
        "a-1-py3-none-.whl",
        "a-1-py3--any.whl",
        "a-1-py3..py2-none-any.whl",
        "a-1-py3-none-a/../b.whl",
        "a-1-py3-none-any\n.whl",
        "a\n-1-py3-none-any.whl",
        "a-1\n-py3-none-any.whl",
        "a-1-py3-none-any.whl\n",
        "a b-1-py3-none-any.whl",
        "-1-py3-none-any.whl",
    ],
)
def test_names_that_are_none_are_refused(filename: str) -> None:
    with pytest.raises(WheelError) as caught:
        WheelName.parse(filename)
    assert caught.value.remedy


@pytest.mark.parametrize("platforms", [[], [""], ["a-b"], ["any.linux_x86_64"], ["../any"]])
def test_platforms_that_are_none_are_refused(platforms: List[str]) -> None:
    with pytest.raises(WheelError):
        WheelName.parse("a-1-py3-none-any.whl").with_platforms(platforms)


TAGGED: Dict[str, Tuple[bytes, bytes]] = {
    "replaced": (b"A: 1\nTag: x-y-z\nB: 2\n", b"A: 1\nTag: p-q-r\nTag: p-q-s\nB: 2\n"),
    "several, apart": (b"Tag: 1\nA: 1\nTag: 2\n", b"Tag: p-q-r\nTag: p-q-s\nA: 1\n"),
    "any case": (b"tAG:1\nTagged: no\n", b"Tag: p-q-r\nTag: p-q-s\nTagged: no\n"),
    "no newline at the end": (b"A: 1\nTag: 1", b"A: 1\nTag: p-q-r\nTag: p-q-s\n"),
    "line ends of Windows": (b"A: 1\r\nTag: 1\r\n", b"A: 1\r\nTag: p-q-r\r\nTag: p-q-s\r\n"),
    "none yet": (b"A: 1\nB: 2\n", b"A: 1\nB: 2\nTag: p-q-r\nTag: p-q-s\n"),
    "none yet, no newline": (b"A: 1", b"A: 1\nTag: p-q-r\nTag: p-q-s\n"),
    "none yet, a blank line": (b"A: 1\n\nText\n", b"A: 1\nTag: p-q-r\nTag: p-q-s\n\nText\n"),
    "empty": (b"", b"Tag: p-q-r\nTag: p-q-s\n"),
    "already so": (b"Tag: p-q-r\nTag: p-q-s\nA: 1", b"Tag: p-q-r\nTag: p-q-s\nA: 1"),
    "already so, another order": (b"Tag:p-q-s\nA:1\nTag:p-q-r", b"Tag:p-q-s\nA:1\nTag:p-q-r"),
    "bytes that are no text": (b"A: \xff\nTag: \xff\n", b"A: \xff\nTag: p-q-r\nTag: p-q-s\n"),
}


@pytest.mark.parametrize("kind", TAGGED)
def test_tags_are_replaced_and_every_other_byte_stays(kind: str) -> None:
    before, after = TAGGED[kind]
    assert with_tags(before, ["p-q-r", "p-q-s"]) == after
    assert sorted(wheel_tags(after)) == ["p-q-r", "p-q-s"]


FILES = {"a.py": b"a", "b,c.py": b"bc", 'say "x".py': b"x", "r/RECORD": b"old"}
A, BC, X = (f"{digest(FILES[n])},{len(FILES[n])}" for n in ("a.py", "b,c.py", 'say "x".py'))
TRUE = f'a.py,{A}\n"b,c.py",{BC}\n"say ""x"".py",{X}\nr/RECORD,,\n'

RECORDS: Dict[str, Tuple[str, Optional[str]]] = {
    # None where the right result is TRUE
    "true": (TRUE, TRUE),
    "empty": ("", None),
    "a line lacks": (
        TRUE.replace(f"a.py,{A}\n", ""),
        f'"b,c.py",{BC}\n"say ""x"".py",{X}\na.py,{A}\nr/RECORD,,\n',
    ),
    "a hash lacks": (TRUE.replace(A, ","), None),
    "a weak hash": (TRUE.replace(A, "md5=aaaa,1"), None),
    "another size": (TRUE.replace(A, A[:-1] + "2"), None),
    "no size": (TRUE.replace(A, A[:-2] + ","), None),
    "too few columns": (TRUE.replace(A, A[:-2]), None),
    "a name twice": (TRUE.replace("r/R", f"a.py,{A}\nr/R"), None),
    "a name that is not there": (TRUE.replace("r/R", f"gone.py,{A}\nr/R"), None),
    "blank lines": (TRUE.replace("\n", "\n\n"), None),
    "its own hash": (TRUE.replace("RECORD,,", f"RECORD,{A}"), None),
    "its own line twice": (TRUE + "r/RECORD,,\n", None),
    "no newline at the end": (TRUE[:-1], None),
    "own line first": ("r/RECORD,,\n" + TRUE, "r/RECORD,,\n" + TRUE.replace("r/RECORD,,\n", "")),
    "line ends of Windows": (TRUE.replace("\n", "\r\n"), TRUE.replace("\n", "\r\n")),
    "a quote that never ends": (
        TRUE.replace("r/R", '"r/R'),
        None,
    ),
    "needless quotes": (TRUE.replace("a.py", '"a.py"'), TRUE.replace("a.py", '"a.py"')),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_record_becomes_complete_and_true_and_keeps_true_lines(kind: str) -> None:
    before, after = RECORDS[kind]
    sizes = {name: len(data) for name, data in FILES.items()}
    result = updated_record(before.encode(), "r/RECORD", sizes, {}, FILES.__getitem__).decode()
    assert result == (TRUE if after is None else after)
    assert updated_record(result.encode(), "r/RECORD", sizes, {}, {}.__getitem__).decode() == result


def test_lines_of_changed_members_are_made_anew_in_their_place() -> None:
    sizes = {name: len(data) for name, data in FILES.items()}
    changed = {"a.py": b"new", "z,z.py": b"zz"}
    # Hashes that are there are trusted: no member is read.
    result = updated_record(
        TRUE.encode(), "r/RECORD", {**sizes, "z,z.py": 2}, changed, {}.__getitem__
    )
    expected = TRUE.replace(A, f"{digest(b'new')},3")
    assert result.decode() == expected.replace(
        "r/RECORD,,", f'"z,z.py",{digest(b"zz")},2\nr/RECORD,,'
    )


@pytest.mark.parametrize(
    "record",
    [b"\xff\xfe,,\n", b"a\rb,,\n", b"\n" * 300_000, b"x" * 17 * 2**20, b'"' + b"x" * 200_000],
    ids=["not UTF-8", "lone carriage return", "too many lines", "too long", "endless field"],
)
def test_record_that_cannot_be_read_is_an_error_that_names_it(record: bytes) -> None:
    with pytest.raises(WheelError, match="r/RECORD") as caught:
        updated_record(record, "r/RECORD", {}, {}, {}.__getitem__)
    assert caught.value.remedy


DIST_INFO = {
    "same": ("a-1.0-py3-none-any.whl", ["a-1.0.dist-info/WHEEL", "a/x.py"]),
    "other spelling": ("A_b.c-1.0-py3-none-any.whl", ["a.B-c-1.0.dist-info/WHEEL"]),
    "other zeros": ("a-1.0.0-py3-none-any.whl", ["a-1.dist-info/WHEEL"]),
    "local version": ("a-1.0+b_1-py3-none-any.whl", ["a-1.0+b.1.dist-info/WHEEL"]),
    "one vendored": ("a-1-py3-none-any.whl", ["a-1.dist-info/WHEEL", "a/v/b-1.dist-info/WHEEL"]),
    "a file of that name": ("a-1-py3-none-any.whl", ["a-1.dist-info/WHEEL", "b-1.dist-info"]),
}


@pytest.mark.parametrize("kind", DIST_INFO)
def test_the_dist_info_directory_is_found(kind: str) -> None:
    filename, members = DIST_INFO[kind]
    assert find_dist_info(WheelName.parse(filename), members) == members[0].split("/")[0]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ([], "none"),
        (["a/x.py"], "none"),
        (["a-1.dist-info/WHEEL", "b-1.dist-info/WHEEL"], "2"),
        (["a-1.dist-info/WHEEL", "A-1.0.dist-info/WHEEL"], "2"),
        (["b-1.dist-info/WHEEL"], "another wheel"),
        (["a-2.dist-info/WHEEL"], "another wheel"),
        (["a-not.a.version.dist-info/WHEEL"], "another wheel"),
        ([".dist-info/WHEEL"], "another wheel"),
    ],
)
def test_a_dist_info_directory_that_is_not_the_one_is_an_error(
    members: List[str], problem: str
) -> None:
    with pytest.raises(WheelError, match=problem) as caught:
        find_dist_info(WheelName.parse("a-1-py3-none-any.whl"), members)
    assert caught.value.remedy
