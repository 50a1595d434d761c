"""Every frontend puts out the same proven wheel, and does with settings what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import projects, wheels
from support.workshop import (
    BUILDERS,
    PIP_EDITABLE,
    PIP_INSTALL,
    QUICK_BUILDERS,
    UV_BUILD_HERE,
    UV_BUILD_WHEEL,
    UV_EDITABLE,
    UV_INSTALL,
    Frontend,
    Workshop,
    base_python,
    contents,
)

HERE = f"cp3{base_python().rpartition('.')[2]}"
NAME = f"tiny-1.0-{HERE}-{HERE}-{wheels.lowest_tags()}.whl"


def python_for(frontend: Frontend, workshop: Workshop, stocked: Path) -> Path:
    return workshop.frontends() if frontend.isolated else stocked


@pytest.mark.parametrize("frontend", BUILDERS, ids=str)
def test_frontend_puts_out_one_proven_wheel(
    frontend: Frontend, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    python = python_for(frontend, workshop, stocked)
    workshop.build(frontend, project, out, python=python, zig_on_path=False).passed()
    sdist = ["tiny-1.0.tar.gz"] if frontend.makes_sdist else []
    found = [name for name in contents(out) if name != ".gitignore"]
    assert found == sorted([NAME, *sdist])
    wheels.check_manylinux(out / NAME)
    printed = workshop.try_wheel(out / NAME, tmp_path / "fresh", projects.TINY_USE)
    assert printed == projects.TINY_PRINTS


@pytest.mark.parametrize("frontend", QUICK_BUILDERS, ids=str)
def test_settings_reach_the_shim_and_the_real_backend(
    frontend: Frontend, workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    python = python_for(frontend, workshop, stocked)
    settings = {"policy": "manylinux_2_34", "--build-option": "--build-number=7"}
    workshop.build(frontend, project, out, python=python, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    architecture = wheels.lowest_tags().split(".")[0].split("_", 3)[3]
    platform = f"manylinux_2_34_{architecture}"
    assert wheel.name == f"tiny-1.0-7-{HERE}-{HERE}-{platform}.whl"
    wheels.check_manylinux(wheel, platform)


def test_build_settings_win_over_environment_which_wins_over_the_file(
    workshop: Workshop, stocked: Path, tmp_path: Path
) -> None:
    project = projects.tiny(tmp_path / "project", settings='policy = "manylinux_2_31"')
    environment = {"MANYLINUX_SHIM_POLICY": "manylinux_2_34"}
    settings = {"manylinux-shim.policy": "manylinux_2_35"}
    found = []
    for number, (extra, given) in enumerate([({}, {}), (environment, {}), (environment, settings)]):
        out = tmp_path / str(number)
        workshop.build(
            UV_BUILD_HERE, project, out, python=stocked, settings=given, environment=extra
        ).passed()
        found.append(wheels.only_wheel(out).name.split("-")[-1].split("_x86")[0].split("_aarch")[0])
    assert found == ["manylinux_2_31", "manylinux_2_34", "manylinux_2_35"]


@pytest.mark.parametrize(
    "frontend", [pytest.param(PIP_INSTALL, marks=pytest.mark.slow), UV_INSTALL], ids=str
)
def test_install_from_source_installs_the_proven_wheel(
    frontend: Frontend, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    python = workshop.venv(tmp_path / "fresh", ["pip"])
    workshop.build(frontend, project, out, python=python).passed()
    code = (
        f"{projects.TINY_USE}; from importlib import metadata;"
        "print(metadata.distribution('tiny').read_text('WHEEL'))"
    )
    printed = workshop.use(python, code)
    assert printed.startswith(projects.TINY_PRINTS)
    tags = [f"Tag: {HERE}-{HERE}-{platform}" for platform in wheels.lowest_tags().split(".")]
    assert set(tags) <= set(printed.splitlines())


@pytest.mark.parametrize("frontend", [PIP_EDITABLE, UV_EDITABLE], ids=str)
def test_editable_install_works_on_the_source_tree(
    frontend: Frontend, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    python = workshop.venv(tmp_path / "fresh", ["pip"])
    workshop.build(frontend, project, out, python=python).passed()
    assert workshop.use(python, projects.TINY_USE) == projects.TINY_PRINTS
    (project / "tiny" / "__init__.py").write_text("def answer(text): return 'edited'\n")
    assert workshop.use(python, projects.TINY_USE) == "edited\n"


def test_build_leaves_the_source_tree_as_the_real_backend_does(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    real = projects.copy(project, tmp_path / "real")
    plain = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    (real / "pyproject.toml").write_text(plain)
    workshop.build(UV_BUILD_HERE, real, tmp_path / "elsewhere", python=stocked).passed()
    assert contents(project) == contents(real)


def test_an_optional_extension_that_failed_is_named(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    project = projects.tiny(tmp_path / "project")
    setup = (project / "setup.py").read_text()
    fast = 'ext_modules=[Extension("tiny._fast", ["tiny/_fast.c"], optional=True), '
    assert setup.count("ext_modules=[") == 1
    (project / "setup.py").write_text(setup.replace("ext_modules=[", fast))
    (project / "tiny" / "_fast.c").write_text("#error this machine is slow\n")
    built = workshop.build(UV_BUILD_HERE, project, out, python=stocked).passed()
    assert [line for line in built.lines() if "optional extension tiny._fast failed" in line]
    assert not [line for line in built.lines() if "tiny._tiny failed" in line]


@pytest.mark.slow
def test_an_optional_extension_in_rust_that_failed_is_named(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.copy_sample("setuptools_rust", tmp_path / "project")
    file = project / "pyproject.toml"
    file.write_text(
        file.read_text().replace('binding = "PyO3"', 'binding = "PyO3"\noptional = true')
    )
    (project / "src/lib.rs").write_text("this is no Rust")
    built = workshop.build(UV_BUILD_WHEEL, project, out).passed()
    said = "optional extension natural_order._order failed"
    assert [line for line in built.lines() if said in line]
