"""Files that exchange C++, cross-built with one C++ library, on a foreign system."""

from __future__ import annotations

from typing import Iterator

import pytest
import roots
from bench import Bench, Project, bench_of, written
from support import exchanging

pytestmark = [pytest.mark.foreign, pytest.mark.slow]

SYSTEMS = [pytest.param(system, id=name) for name, system in roots.SYSTEMS.items()]
PROJECT = Project(
    "exchange",
    written("exchange", exchanging.files("hidden")),
    exchanging.USE,
    exchanging.PRINTED,
)


@pytest.fixture(scope="module", params=SYSTEMS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with bench_of(request, request.param, (), [PROJECT]) as bench:
        yield bench


def test_what_passes_between_files_there_is_what_gcc_passes(bench: Bench) -> None:
    bench.check_tag(PROJECT)
    assert bench.use(PROJECT) == PROJECT.prints
