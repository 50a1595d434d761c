"""The compiler that the user chose, and what a wheel built with it may say of itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import projects, wheels
from support.workshop import ERROR, UV_BUILD_HERE, Workshop, contents

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None, reason="these tests are about the host's own gcc"
)

GCC = {"CC": "gcc", "LDSHARED": "gcc -shared"}
"""A pyenv Python's own LDSHARED puts a run path into the wheel, which then earns no tag."""


def compiled_by_gcc(wheel: Path) -> bool:
    (elf,) = wheels.elf_members(wheel).values()
    return any(comment.startswith("GCC:") for comment in wheels.comments(elf))


def test_compiler_of_the_user_is_used_and_said_in_one_line(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked, environment=GCC).passed()
    assert len([line for line in outcome.lines() if "CC is set" in line]) == 1
    wheel = wheels.only_wheel(out)
    assert compiled_by_gcc(wheel)
    wheels.check_consistent(wheel)
    # The tag is the best that this gcc and glibc earned; auditwheel says the same.
    assert str(wheels.auditwheel(wheel)["overall_tag"]) in wheel.name


def test_mode_named_for_the_build_wins_over_the_compiler_of_the_user(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    workshop.build(
        UV_BUILD_HERE, project, out, python=stocked, environment=GCC, settings={"mode": "zig"}
    ).passed()
    wheels.check_manylinux(wheels.only_wheel(out))
    assert not compiled_by_gcc(wheels.only_wheel(out))


def test_objects_of_an_earlier_build_by_another_compiler_are_not_taken(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    off = {**GCC, "MANYLINUX_SHIM_MODE": "off"}
    first = tmp_path / "first"
    workshop.build(UV_BUILD_HERE, project, first, python=stocked, environment=off).passed()
    assert compiled_by_gcc(wheels.only_wheel(first))
    assert (project / "build").is_dir()
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    wheels.check_manylinux(wheels.only_wheel(out))
    assert not compiled_by_gcc(wheels.only_wheel(out))


def test_objects_of_an_earlier_build_for_a_newer_policy_are_not_taken(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    # From glibc 2.34 on, all of these libraries are one.
    source = projects.TINY_C.replace("<unistd.h>", "<unistd.h>\n#include <pthread.h>").replace(
        "assert(getpid() > 0);", "pthread_create(NULL, NULL, NULL, NULL);"
    )
    projects.write(project, {"tiny/_tiny.c": source})
    newer = {"policy": "manylinux_2_34"}
    first = tmp_path / "first"
    workshop.build(UV_BUILD_HERE, project, first, python=stocked, settings=newer).passed()
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    wheels.check_manylinux(wheels.only_wheel(out))


def test_check_needs_no_zig(
    workshop: Workshop, without_zig: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project", settings='mode = "check"')
    workshop.build(UV_BUILD_HERE, project, out, python=without_zig, environment=GCC).passed()
    wheel = wheels.only_wheel(out)
    assert compiled_by_gcc(wheel)
    assert str(wheels.auditwheel(wheel)["overall_tag"]) in wheel.name


def test_relink_says_what_is_not_installed_before_anything_is_compiled(
    workshop: Workshop, without_zig: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project", settings='mode = "relink"')
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=without_zig, environment=GCC)
    said, _, after = outcome.output.partition("running build_ext")
    assert after
    (line,) = (line for line in said.splitlines() if "not installed" in line)
    assert "ziglang" in line


def external(workshop: Workshop, directory: Path, settings: str = "") -> Path:
    """A project that links against a library of this machine alone."""
    lib = directory / "lib"
    lib.mkdir(parents=True)
    (lib / "dep.c").write_text("int tinydep(void) { return 3; }\n")
    shared = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libtinydep.so.1", "-o", "libtinydep.so"]
    workshop.run([*shared, "dep.c"], lib).passed()
    project = projects.tiny(directory / "project", settings=settings)
    extension = f'["tiny/_tiny.c"], libraries=["tinydep"], library_dirs=[{str(lib)!r}]'
    files = {
        "setup.py": projects.SETUP.replace('["tiny/_tiny.c"]', extension),
        "tiny/_tiny.c": projects.TINY_C.replace(
            "static PyObject *", "int tinydep(void);\nstatic PyObject *", 1
        )
        .replace("getpid() > 0", "tinydep() == 3")
        .replace("strlen(utf8)", "(strlen(utf8) + 0 * tinydep())"),
    }
    return projects.write(project, files)


def test_check_without_a_policy_leaves_a_wheel_that_earned_no_tag_installable(
    workshop: Workshop, without_zig: Path, tmp_path: Path, out: Path
) -> None:
    project = external(workshop, tmp_path, 'mode = "check"')
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=without_zig).passed()
    wheel = wheels.only_wheel(out)
    assert "-linux_" in wheel.name
    wheels.check_consistent(wheel)
    assert "libtinydep.so.1" in outcome.output
    assert not outcome.lines(ERROR)


def test_check_with_a_policy_fails_on_a_library_from_outside(
    workshop: Workshop, without_zig: Path, tmp_path: Path, out: Path
) -> None:
    project = external(workshop, tmp_path, 'mode = "check"\npolicy = "manylinux_2_28"')
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=without_zig)
    assert not outcome.ok
    assert len(outcome.lines(ERROR)) == 1
    for part in ("libtinydep.so.1", "_tiny", "manylinux_2_28"):
        assert part in outcome.output
    assert [name for name in contents(out) if name != ".gitignore"] == []


def test_wheel_of_a_build_for_another_system_is_handed_through(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    """As pyodide-build and cibuildwheel build for Emscripten and Android on Linux."""
    project = projects.tiny(tmp_path / "project")
    environment = {**GCC, "_PYTHON_HOST_PLATFORM": "android-24-x86_64"}
    done = workshop.build(UV_BUILD_HERE, project, out, python=stocked, environment=environment)
    assert done.passed().lines() == []
    assert wheels.only_wheel(out).name.endswith("-android_24_x86_64.whl")


def test_name_that_no_interpreter_keeps_is_refused(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    (project / "setup.cfg").write_text("[bdist_wheel]\npy_limited_api = cp38\n")
    outcome = workshop.build(UV_BUILD_HERE, project, out, python=stocked)
    assert not outcome.ok
    assert ERROR in outcome.output
    assert "says cp38-abi3, which is not so" in outcome.output
    assert list(out.glob("*.whl")) == []
