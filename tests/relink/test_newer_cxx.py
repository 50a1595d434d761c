"""C++ of a newer libstdc++ in wheels that are linked again for systems with an older one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Dict, Sequence, Tuple

import pytest
from linked import NAME, compiled, relinked, unpacked, wheel_of
from older_libstdcxx import older_libstdcxx
from support import machine, sboms, wheels

from manylinux_shim._errors import PolicyError
from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim.audit import audit_wheel, floor_of
from manylinux_shim.cli import main
from manylinux_shim.elf import read_elf
from manylinux_shim.graft import package_of
from manylinux_shim.relink import _planning
from manylinux_shim.relink._libstdcxx import find_libstdcxx
from manylinux_shim.relink._selection import CHANGED, CHANGED_IN

sys.path.append(str(Path(__file__).resolve().parent.parent / "foreign"))
import roots

pytestmark = pytest.mark.long

X86_64, AARCH64 = ARCHITECTURES["x86_64"], ARCHITECTURES["aarch64"]
SOURCE = Path(__file__).with_name("newer_cxx.cpp").read_text(encoding="utf-8")
FLAGS = ("-std=c++17", "-shared", "-fPIC")
POLICIES = ["manylinux_2_17", "manylinux_2_24", "manylinux_2_28", "manylinux_2_31"]

# What each function says; {category} is the file whose error categories it met.
EXPECTED = {
    "strings": "ff 1.5 xxx 42 word",
    "out_of_range": "caught: basic_string::at: __n (which is 7) >= this->size() (which is 3)",
    "threads": "7",
    "joined_twice": "Invalid argument, generic, {category}",
    "detached_twice": "Invalid argument, generic, {category}",
    "unlocked": "Operation not permitted, generic, {category}",
    "condition": "No such file or directory",
    "broken_promise": "Broken promise, {category}",
    "future_twice": "Future already retrieved, {category}",
    "asynchronous": "5",
    "stream_failure": "caught",
    "files": "a/ a/b/ a/file No such file or directory, {category}",
    "numbers": "0.1 same",
    "random_numbers": "random",
    "aligned": "aligned, no memory",
    "resources": "in a pool, default",
    "pointers": "made kept",
}
CAUGHT = [
    "shared: a type of its own",
    "system: timed out",
    "filesystem: No such file or directory",
    "failure: iostream error",
]
USE = """
import ctypes, json
one, other = ctypes.CDLL({directory!r} + "/a.so"), ctypes.CDLL({directory!r} + "/b.so")
found = {{}}
for name in {names!r}:
    function = getattr(one, name)
    function.restype = ctypes.c_char_p
    found[name] = function().decode()
one.caught_from.restype = ctypes.c_char_p
caught = [one.caught_from(other.throw_one, kind).decode() for kind in range(4)]
print(json.dumps([found, caught]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of two libraries that know each other by their exceptions alone."""
    return much(tmp_path_factory.mktemp("much"), "g++", "x86_64")


def much(directory: Path, compiler: str, arch: str) -> Path:
    machine.need_program(compiler)
    data = compiled(directory, SOURCE, *FLAGS, compiler=(compiler,))
    name = NAME.replace("x86_64", arch)
    return wheel_of(directory, {"small/a.so": data, "small/b.so": data}, name)


def said(command: Sequence[str], **environment: str) -> Tuple[Dict[str, str], Sequence[str]]:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found, caught = json.loads(done.stdout)
    return found, caught


def use(directory: str) -> str:
    return USE.format(directory=directory, names=list(EXPECTED))


def expected(category: str) -> Dict[str, str]:
    return {name: text.format(category=category) for name, text in EXPECTED.items()}


@pytest.mark.parametrize("policy", POLICIES)
def test_everything_is_there_with_an_older_library(
    policy: str, wheel: Path, tmp_path: Path
) -> None:
    aim = Policy.parse(policy)
    new = relinked(wheel, tmp_path / "out", aim)
    assert audit_wheel(new).proves(aim)
    wheels.check_consistent(new)
    tag, _, _ = str(wheels.auditwheel(new)["overall_tag"]).partition("_x86_64")
    assert Policy.parse(tag).version <= aim.version
    gcc = find_libstdcxx(X86_64)
    assert gcc is not None
    older = older_libstdcxx(gcc.shared, X86_64, aim, tmp_path / "older")
    code = use(str(unpacked(new, tmp_path / "site") / "small"))
    found, caught = said([sys.executable, "-c", code], LD_LIBRARY_PATH=str(older))
    # Where the older library has what an error says of itself in its present form, it is asked.
    ours = floor_of(aim) < (2, 24, 0)
    assert found == expected("ours" if ours else "libstdc++.so.6")
    assert caught == CAUGHT


def test_same_wheel_runs_with_the_newest_library(wheel: Path, tmp_path: Path) -> None:
    new = relinked(wheel, tmp_path / "out")
    code = use(str(unpacked(new, tmp_path / "site") / "small"))
    assert said([sys.executable, "-c", code]) == (expected("ours"), CAUGHT)


def test_older_library_refuses_the_wheel_as_it_was(wheel: Path, tmp_path: Path) -> None:
    gcc = find_libstdcxx(X86_64)
    assert gcc is not None
    older = older_libstdcxx(gcc.shared, X86_64, Policy.parse("manylinux_2_17"), tmp_path / "older")
    code = use(str(unpacked(wheel, tmp_path / "site") / "small"))
    environment = {**os.environ, "LD_LIBRARY_PATH": str(older)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert "not found (required by" in done.stderr


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_function_that_was_another_one_before_is_not_taken_from_there(
    name: str, tmp_path: Path
) -> None:
    source = (
        f'extern "C" void changed() __asm__("{name}");\n#include <string>\n'
        'extern "C" int f(const char *t) { if (!t) changed(); return std::string(t).size(); }\n'
        "std::string copy(const std::string &from) { return from + from; }"
    )
    data = compiled(tmp_path, source, "-shared", "-fPIC", compiler=("g++",))
    wheel = wheel_of(tmp_path, {"small/f.so": data})
    for policy, taken_along in (("manylinux_2_17", True), ("manylinux_2_31", False)):
        new = relinked(wheel, tmp_path / policy, Policy.parse(policy))
        members = wheels.elf_members(new)
        (found,) = (u for u in read_elf("f", members["small/f.so"]).undefined if u.name == name)
        assert found.version.startswith("MANYLINUX_SHIM_") == taken_along or (
            # ``wait`` itself has a newer version than that policy knows.
            "4wait" in name
        )


def test_what_changed_is_told_by_its_version() -> None:
    assert CHANGED_IN == "GLIBCXX_3.4.21"
    gcc = find_libstdcxx(X86_64)
    assert gcc is not None
    before = gcc.older(X86_64, Policy.parse("manylinux_2_17"))
    after = gcc.older(X86_64, Policy.parse("manylinux_2_24"))
    assert set(CHANGED) <= set(before.functions)
    assert not any(before.has(name) for name in CHANGED)
    assert all(after.has(name) or "4wait" in name for name in CHANGED)


FACETS = """
#include <regex>
extern "C" bool matches(const char *text)
{
    return std::regex_match(text, std::regex("[[:alpha:]]+"));
}
"""


def test_facet_that_older_locales_do_not_know_is_refused_by_name(tmp_path: Path) -> None:
    data = compiled(tmp_path, FACETS, *FLAGS, compiler=("g++",))
    wheel = wheel_of(tmp_path, {"small/f.so": data})
    with pytest.raises(PolicyError, match=r"f\.so, .*locales do not know the facet") as caught:
        relinked(wheel, tmp_path / "out")
    assert "manylinux_2_17 promises an older libstdc++.so.6" in caught.value.message
    assert list((tmp_path / "out").iterdir()) == []
    newer = relinked(wheel, tmp_path / "newer", Policy.parse("manylinux_2_24"))
    assert audit_wheel(newer).proves(Policy.parse("manylinux_2_24"))


def test_without_a_static_library_the_package_to_install_is_named(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_planning, "find_libstdcxx", lambda *_: None)
    with pytest.raises(PolicyError, match=r"small/a\.so, .*GLIBCXX_3\.4\.2") as caught:
        relinked(wheel, tmp_path / "out")
    assert "apt install g++-x86-64-linux-gnu" in caught.value.remedy
    assert "-static-libstdc++" in caught.value.remedy
    assert list((tmp_path / "out").iterdir()) == []


def test_static_library_of_an_older_gcc_is_told_what_it_lacks(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gcc = find_libstdcxx(X86_64)
    assert gcc is not None
    older = replace(gcc)
    older.__dict__["members"] = {}
    monkeypatch.setattr(_planning, "find_libstdcxx", lambda *_: older)
    with pytest.raises(PolicyError, match=r"libstdc\+\+\.a does not have it either") as caught:
        relinked(wheel, tmp_path / "out")
    assert "A newer GCC has it, with GLIBCXX_3.4." in caught.value.remedy
    assert "apt install g++-x86-64-linux-gnu" in caught.value.remedy


def test_list_of_contents_names_the_library_that_it_came_from(
    wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["relink", "--policy", "manylinux2014", "-o", str(tmp_path), str(wheel)]) == 0
    captured = capsys.readouterr()
    new = Path(captured.out.strip())
    wheels.check_consistent(new)
    (supplied,) = (c for c in sboms.own(new)["components"] if "GCC" in str(c.get("licenses")))
    gcc = find_libstdcxx(X86_64)
    assert gcc is not None
    package = package_of(gcc.archive)
    assert package is not None
    assert (supplied["name"], supplied["purl"]) == (package.name, package.purl)
    assert "libstdc++.a" in supplied["description"]
    assert "of GCC's libraries taken along" in captured.err
    assert captured.err.count("handler for std::ios_base::failure") == 1


@pytest.mark.foreign
@pytest.mark.parametrize(
    ("name", "compiler"), [("amd64", "g++"), ("arm64", "aarch64-linux-gnu-g++")]
)
def test_relinked_wheel_runs_on_debian_11(name: str, compiler: str, tmp_path: Path) -> None:
    system = roots.SYSTEMS[name]
    root = roots.root(system, roots.default_cache())
    before = much(tmp_path, compiler, system.arch)
    after = relinked(before, tmp_path / "out")
    assert audit_wheel(after).proves(Policy.parse("manylinux_2_17"))
    with root.place() as place:
        code = {
            kind: use(root.inside(unpacked(wheel, place / kind) / "small"))
            for kind, wheel in (("before", before), ("after", after))
        }
        assert "not found (required by" in root.python(code["before"]).stdout
        printed = root.python(code["after"]).stdout
    assert json.loads(printed) == [expected("ours"), CAUGHT]
