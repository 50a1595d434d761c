"""PEP 517 hooks, called as build frontends call them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

from pyproject_hooks import BuildBackendHookCaller

from support.workshop import Outcome, Workshop


class Hooks:
    """The hooks of a project, each in a process of its own as pyproject_hooks runs them."""

    def __init__(
        self,
        workshop: Workshop,
        python: Path,
        project: Path,
        backend: str = "manylinux_shim",
        *,
        environment: Optional[Mapping[str, str]] = None,
        backend_path: Optional[Sequence[str]] = None,
    ) -> None:
        self._workshop = workshop
        self._environment = environment or {}
        self.outcomes: List[Outcome] = []
        self.call = BuildBackendHookCaller(
            str(project),
            backend,
            backend_path=backend_path,
            runner=self._run,
            python_executable=str(python),
        )

    @property
    def output(self) -> str:
        """What all hooks so far have printed."""
        return "".join(outcome.output for outcome in self.outcomes)

    def _run(
        self,
        command: Sequence[str],
        cwd: Optional[str] = None,
        extra_environ: Optional[Mapping[str, str]] = None,
    ) -> None:
        environment = {**self._environment, **(extra_environ or {})}
        outcome = self._workshop.run(command, Path(cwd or "."), environment)
        self.outcomes.append(outcome)
        if not outcome.ok:
            raise subprocess.CalledProcessError(outcome.code, list(command), outcome.output)
