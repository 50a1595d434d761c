"""Projects built for a foreign system, installed there by its own pip, and used there."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    Callable,
    ContextManager,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Sequence,
    Tuple,
)

import pytest
import roots
from _pytest.mark.structures import ParameterSet
from support import interpreters, projects, sdists, wheels
from support.machine import lacking
from support.workshop import UV_BUILD_WHEEL, Frontend, Workshop

from manylinux_shim._platforms import architecture, lowest_policy


@dataclass(frozen=True)
class Project:
    """What is built, and what proves that it works."""

    name: str
    source: Callable[[Path, Workshop], Path]
    """Puts the project into a directory, and returns where in it."""
    use: str
    prints: str
    """What ``use`` prints there; empty if that depends on the system."""
    tags: str = ""
    """Python and ABI tag of a wheel that is for any Python, and so built by this one."""
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: Tuple[str, ...] = ()
    """What it needs to run; the wheels for there come from the index."""
    frontend: Frontend = UV_BUILD_WHEEL
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of the shim for the build, besides the target."""
    slow: bool = False


def each(projects: Iterable[Project]) -> List[ParameterSet]:
    """Parameters of a test for each of the projects, under its name."""
    return [
        pytest.param(project, id=project.name, marks=[pytest.mark.slow] * project.slow)
        for project in projects
    ]


def sample(name: str) -> Callable[[Path, Workshop], Path]:
    return lambda directory, workshop: projects.copy_sample(name, directory / name)


def written(name: str, files: Mapping[str, str]) -> Callable[[Path, Workshop], Path]:
    return lambda directory, workshop: projects.write(directory / name, files)


def sdist(requirement: str, *requires: str) -> Callable[[Path, Workshop], Path]:
    """An sdist of the index with the two-line change; it may require more for its build."""

    def fetch(directory: Path, workshop: Workshop) -> Path:
        tree = sdists.fetch(requirement, directory / "sdist", workshop)
        sdists.adopt(tree, **{"require-native": True})
        path = tree / "pyproject.toml"
        more = "".join(f'"{name}", ' for name in requires)
        text = path.read_text(encoding="utf-8").replace(
            '"manylinux-shim"', more + '"manylinux-shim"'
        )
        path.write_text(text, encoding="utf-8")
        return tree

    return fetch


class Bench:
    """Every project built for one system, two at a time, and installed there by its pip."""

    def __init__(
        self,
        root: roots.Root,
        workshop: Workshop,
        directory: Path,
        place: Path,
        projects: Sequence[Project],
    ) -> None:
        self.root = root
        self._workshop = workshop
        self._directory = directory
        self._place = place
        self._projects = projects
        self._site = ""
        self._pool = ThreadPoolExecutor(2)
        found = interpreters.find(root.system.python)
        if found is None:
            lacking(f"CPython {root.system.python} with headers")
        self._python = workshop.frontends(found.path)
        self._this_python = workshop.frontends()
        self._wheels: Dict[str, Future[Path]] = {
            project.name: self._pool.submit(self._build, project) for project in projects
        }

    def wheel(self, project: Project) -> Path:
        """The project's wheel; fails the test with the build's output when there is none."""
        return self._wheels[project.name].result()

    def check_tag(self, project: Project) -> None:
        """Assert that the wheel bears the lowest tag there is, and that it is consistent."""
        wheel = self.wheel(project)
        arch = self.root.system.arch
        python = "cp" + self.root.system.python.replace(".", "")
        tags = ".".join(lowest_policy(architecture(arch)).tags(arch))
        assert wheel.name.endswith(f"-{project.tags or f'{python}-{python}'}-{tags}.whl")
        wheels.check_consistent(wheel)

    def use(self, project: Project) -> str:
        """What the project's code prints there, with its wheel installed."""
        self.wheel(project)
        site = self.site()
        used = self.root.python(f"import sys; sys.path.insert(0, {site!r})\n{project.use}")
        assert used.returncode == 0, used.stdout
        return used.stdout

    def site(self) -> str:
        """Where all wheels that could be built are installed, by the name that it has there."""
        if self._site:
            return self._site
        built = [f.result() for f in self._wheels.values() if f.exception() is None]
        here = self.root.inside(self._place)
        for wheel in built:
            shutil.copy2(wheel, self._place)
        self._fetch_needs()
        self._bring_pip()
        names = sorted(wheel.name for wheel in self._place.glob("*.whl"))
        options = ["--no-index", "--no-deps", "--no-compile", "--target", f"{here}/site"]
        arguments = ["install", *options, *(f"{here}/{name}" for name in names)]
        installed = self.root.python(
            f"import sys; sys.path.insert(0, '{here}/tools'); from pip import main\n"
            f"sys.exit(main({arguments}))"
        )
        assert installed.returncode == 0, installed.stdout
        self._site = f"{here}/site"
        return self._site

    def close(self) -> None:
        for future in self._wheels.values():
            future.cancel()
        self._pool.shutdown()

    def _build(self, project: Project) -> Path:
        directory = self._directory / project.name
        out = directory / "out"
        out.mkdir(parents=True)
        source = project.source(directory, self._workshop)
        self._workshop.build(
            project.frontend,
            source,
            out,
            python=self._this_python if project.tags else self._python,
            settings={"target": self.root.system.arch, **project.settings},
            environment=project.environment,
        ).passed()
        return wheels.only_wheel(out)

    def _fetch_needs(self) -> None:
        needs = sorted({need for project in self._projects for need in project.needs})
        if not needs:
            return
        *_, platform = lowest_policy(architecture(self.root.system.arch)).tags(
            self.root.system.arch
        )
        command = [str(self._this_python), "-m", "pip", "download", "-q"]
        command += ["--only-binary=:all:", "--platform", platform, "-d", str(self._place)]
        command += ["--python-version", self.root.system.python, *needs]
        self._workshop.run(command, self._place).passed()

    def _bring_pip(self) -> None:
        """Copy a pip for this Python version, compiled here: emulated that takes longest."""
        environment = self._python.parent.parent
        (pip,) = environment.glob("lib/python*/site-packages/pip")
        tools = self._place / "tools"
        shutil.copytree(pip, tools / "pip")
        compile_ = [str(self._python), "-m", "compileall", "-q", str(tools)]
        self._workshop.run(compile_, self._place).passed()


@contextmanager
def bench_of(
    request: pytest.FixtureRequest,
    system: roots.System,
    projects: Sequence[Project],
    always: Sequence[Project] = (),
) -> Iterator[Bench]:
    """A bench for as long as a module's tests need it.

    Of ``projects`` it has those that are parameters of tests that run.
    """
    workshop: Workshop = request.getfixturevalue("workshop")
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    tests = [item for item in request.session.items if item.path == request.path]
    called = [test.callspec.params for test in tests if hasattr(test, "callspec")]
    own = getattr(request, "param", None)
    asked = [
        each.get("project")
        for each in called
        if each.get("bench") == own and each.get("system", system) == system
    ]
    chosen = [*always, *(project for project in projects if project in asked)]
    root = roots.root(system, roots.default_cache())
    with root.place() as place:
        bench = Bench(root, workshop, factory.mktemp(system.name), place, chosen)
        try:
            yield bench
        finally:
            bench.close()


class Benches:
    """Benches by name, each made when it is first asked for, and kept as long as the others."""

    def __init__(self, make: Callable[[str], ContextManager[Bench]]) -> None:
        self._make = make
        self._made: Dict[str, Bench] = {}
        self._open = ExitStack()

    def __enter__(self) -> Benches:
        return self

    def __exit__(self, *failure: object) -> None:
        self._open.close()

    def __getitem__(self, name: str) -> Bench:
        if name not in self._made:
            self._made[name] = self._open.enter_context(self._make(name))
        return self._made[name]
