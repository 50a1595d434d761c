"""Our compiler for one target, as a build would be given it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, Sequence

import pytest
from support.workshop import Workshop

from manylinux_shim._platforms import Architecture, lowest_policy
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig._zig import find_zig


@dataclass(frozen=True)
class Compiler:
    """The variables of a build for one target."""

    variables: Dict[str, str]

    def make(self, name: str, source: str, directory: Path, options: Sequence[str] = ()) -> Path:
        """Write ``source`` to a file called ``name`` and make a program of it."""
        (directory / name).write_text(source, encoding="utf-8")
        program = directory / name.partition(".")[0]
        tool = "CXX" if name.endswith(".cpp") else "CC"
        command = [self.variables[tool], "-O2", *options, name, "-o", program.name]
        done = subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout
        return program


@dataclass(frozen=True)
class Compilers:
    """Makes compilers, all with the caches of the session's builds."""

    scratch: Path

    def compiler(self, arch: Architecture, family: str) -> Compiler:
        policy = lowest_policy(arch, family)
        found = prepare(find_zig(), arch, policy, self.scratch, cross=True, notice=print)
        return Compiler(found)


@pytest.fixture(scope="module")
def compilers(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compilers]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", workshop.environment()["XDG_CACHE_HOME"])
        yield Compilers(tmp_path_factory.mktemp("compilers"))
