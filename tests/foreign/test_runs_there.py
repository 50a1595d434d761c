"""Cross-built wheels, installed by the pip of a foreign system and used there."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator

import pytest
import roots
import widths
from support import interpreters, projects, sdists, wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

from manylinux_shim._platforms import architecture, lowest_policy

pytestmark = pytest.mark.foreign

ALWAYS = ("arm64", "armhf", "s390x")
SYSTEMS = [
    pytest.param(system, id=name, marks=() if name in ALWAYS else pytest.mark.slow)
    for name, system in roots.SYSTEMS.items()
]


@dataclass(frozen=True)
class Project:
    """What is built, and what proves that it works."""

    name: str
    source: Callable[[Path, Workshop], Path]
    """Puts the project into a directory, and returns where in it."""
    use: str
    prints: str


def sample(name: str) -> Callable[[Path, Workshop], Path]:
    return lambda directory, workshop: projects.copy_sample(name, directory / name)


def sdist(requirement: str) -> Callable[[Path, Workshop], Path]:
    def fetch(directory: Path, workshop: Workshop) -> Path:
        tree = sdists.fetch(requirement, directory / "sdist", workshop)
        sdists.adopt(tree, **{"require-native": True})
        return tree

    return fetch


PROJECTS = (
    Project(
        "setuptools_c",
        sample("setuptools_c"),
        "import asyncio, async_stack\n"
        "async def inner(): await asyncio.get_running_loop().create_future()\n"
        "async def outer(): await inner()\n"
        "async def main():\n"
        "    task = asyncio.ensure_future(outer())\n"
        "    await asyncio.sleep(0)\n"
        "    print([link.name for link in async_stack.chain(task)][:2])\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
        "print(async_stack.chain(3)[0].filename)",
        "['outer', 'inner']\nNone\n",
    ),
    Project(
        "setuptools_cpp",
        sample("setuptools_cpp"),
        "import wordtally\n"
        "print(sorted(wordtally.tally(['a rose is', 'a rose'] * 1000).items()))\n"
        "for bad in (['fine'] * 50 + ['a\\0b'], [3]):\n"
        "    try: wordtally.tally(bad)\n"
        "    except Exception as error: print(type(error).__name__, str(error)[:10])",
        "[('a', 2000), ('is', 1000), ('rose', 2000)]\n"
        "ValueError text 50: a\nTypeError bad argume\n",
    ),
    Project(
        "widths",
        lambda directory, workshop: projects.write(directory / "widths", widths.FILES),
        widths.USE,
        "",  # depends on the system
    ),
    Project(
        "markupsafe",
        sdist("markupsafe==3.0.2"),
        "from markupsafe import Markup, _speedups, escape\n"
        "print(_speedups.__file__[-3:], escape('<\\u00e4 & \\U0001f600>'), Markup('%s') % '\"')",
        ".so &lt;\u00e4 &amp; \U0001f600&gt; &#34;\n",
    ),
    Project(
        "wrapt",
        sdist("wrapt==1.17.3"),
        "import wrapt, _thread\n"
        "from wrapt import _wrappers\n"
        "@wrapt.decorator\n"
        "def twice(wrapped, instance, args, kwargs): return 2 * wrapped(*args, **kwargs)\n"
        "@twice\n"
        "def add(a, b): return a + b\n"
        "proxy = wrapt.ObjectProxy(2**70)\n"
        "print(_wrappers.__file__[-3:], add(2, b=3), proxy >> 1 == 2**69,"
        " hash(proxy) == hash(2**70))",
        ".so 10 True True\n",
    ),
    Project(
        "kiwisolver",
        sdist("kiwisolver==1.4.7"),
        "import kiwisolver as k\n"
        "from kiwisolver import _cext\n"
        "x, y = k.Variable('x'), k.Variable('y'); s = k.Solver()\n"
        "for c in (x + y == 10, x - y == 4): s.addConstraint(c)\n"
        "s.updateVariables()\n"
        "print(_cext.__file__[-3:], x.value(), y.value())\n"
        "try: s.addConstraint(x == 8)\n"
        "except k.UnsatisfiableConstraint: print('unsatisfiable')",
        ".so 7.0 3.0\nunsatisfiable\n",
    ),
)


class Bench:
    """Every project built for one system, two at a time, and installed there by its pip."""

    def __init__(self, root: roots.Root, workshop: Workshop, directory: Path, place: Path) -> None:
        self.root = root
        self._workshop = workshop
        self._directory = directory
        self._place = place
        self._site = ""
        self._pool = ThreadPoolExecutor(2)
        found = interpreters.find(root.system.python)
        if found is None:
            text = f"no CPython {root.system.python} with headers on this machine"
            pytest.fail(text, pytrace=False)
        self._python = found.path
        self._wheels: Dict[str, Future[Path]] = {
            project.name: self._pool.submit(self._build, project) for project in PROJECTS
        }

    def wheel(self, project: Project) -> Path:
        """The project's wheel; fails the test with the build's output when there is none."""
        return self._wheels[project.name].result()

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
        self._bring_pip()
        options = ["--no-index", "--no-deps", "--no-compile", "--target", f"{here}/site"]
        arguments = ["install", *options, *(f"{here}/{wheel.name}" for wheel in built)]
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
        settings = {"target": self.root.system.arch}
        self._workshop.build(
            UV_BUILD_WHEEL, source, out, python=self._python, settings=settings
        ).passed()
        return wheels.only_wheel(out)

    def _bring_pip(self) -> None:
        """Copy a pip for this Python version, compiled here: emulated that takes longest."""
        environment = self._workshop.frontends(self._python).parent.parent
        (pip,) = environment.glob("lib/python*/site-packages/pip")
        tools = self._place / "tools"
        shutil.copytree(pip, tools / "pip")
        compile_ = [str(self._python), "-m", "compileall", "-q", str(tools)]
        self._workshop.run(compile_, self._place).passed()


@pytest.fixture(scope="module", params=SYSTEMS)
def bench(
    request: pytest.FixtureRequest, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    root = roots.root(request.param, roots.default_cache())
    with root.place() as place:
        bench = Bench(root, workshop, tmp_path_factory.mktemp(request.param.name), place)
        yield bench
        bench.close()


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_wheel_bears_the_lowest_tag_of_its_architecture(bench: Bench, project: Project) -> None:
    wheel = bench.wheel(project)
    arch = bench.root.system.arch
    tags = ".".join(lowest_policy(architecture(arch)).tags(arch))
    assert wheel.name.endswith(f"-{tags}.whl")
    wheels.check_consistent(wheel)


@pytest.mark.parametrize(
    "project", [p for p in PROJECTS if p.prints], ids=lambda project: project.name
)
def test_wheel_installed_by_pip_there_works_there(bench: Bench, project: Project) -> None:
    assert bench.use(project) == project.prints


def test_word_size_byte_order_and_floating_point_are_those_of_there(bench: Bench) -> None:
    (project,) = (p for p in PROJECTS if p.name == "widths")
    arch = architecture(bench.root.system.arch)
    printed = json.loads(bench.use(project))
    assert printed == widths.expected(arch.name, arch.bits, arch.byteorder)
