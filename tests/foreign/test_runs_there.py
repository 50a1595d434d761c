"""Cross-built wheels, installed by the pip of a foreign system and used there."""

from __future__ import annotations

import json
from typing import Iterator

import pytest
import roots
import widths
from bench import Benches, Project, bench_of, sample, sdist, written
from support import unwinding

from manylinux_shim._platforms import architecture

pytestmark = pytest.mark.foreign

ALWAYS = {
    "arm64": "setuptools_c widths markupsafe kiwisolver",
    "armhf": "unwinding widths wrapt",
    "s390x": "widths wrapt kiwisolver",
}
"""By system: what runs there each time, and not only among what takes minutes."""

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
        "unwinding",
        written("unwinding", unwinding.FILES),
        f"{unwinding.USE}; print(unwinding.rethrown())",
        f"{unwinding.PRINTED}{unwinding.RETHROWN}\n",
    ),
    Project(
        "widths",
        written("widths", widths.FILES),
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


EACH = [
    pytest.param(
        system,
        project,
        id=f"{name}-{project.name}",
        marks=[pytest.mark.slow] * (project.name not in ALWAYS.get(name, "").split()),
    )
    for name, system in roots.SYSTEMS.items()
    for project in PROJECTS
]


@pytest.fixture(scope="module")
def benches(request: pytest.FixtureRequest) -> Iterator[Benches]:
    with Benches(lambda name: bench_of(request, roots.SYSTEMS[name], PROJECTS)) as benches:
        yield benches


@pytest.mark.parametrize(("system", "project"), EACH)
def test_wheel_bears_the_lowest_tag_of_its_architecture(
    system: roots.System, project: Project, benches: Benches
) -> None:
    benches[system.name].check_tag(project)


@pytest.mark.parametrize(("system", "project"), EACH)
def test_wheel_installed_by_pip_there_works_there(
    system: roots.System, project: Project, benches: Benches
) -> None:
    bench = benches[system.name]
    printed = bench.use(project)
    if project.prints:
        assert printed == project.prints
    else:
        arch = architecture(bench.root.system.arch)
        assert json.loads(printed) == widths.expected(arch.name, arch.bits, arch.byteorder)
