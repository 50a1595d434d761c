"""All tasks side by side; what happens to them is told to a view, in one thread."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from manylinux_shim._errors import ShimError
from manylinux_shim._processes import jobs
from manylinux_shim.commands.build_wheels._building import Outcome, Task, build, now, put
from manylinux_shim.commands.build_wheels._children import Children, Stopped
from manylinux_shim.commands.build_wheels._view import View

_TICK = 0.1
"""Seconds between two looks of a live view at the clock."""


def workers(asked: Optional[int], tasks: int) -> int:
    """How many builds run side by side: as asked, else one for each compiler that may run."""
    return max(1, min(asked or jobs(os.environ), tasks))


class Queue:
    """The tasks of one call, and the wheels that came of them."""

    def __init__(self, out: Path, view: View, children: Children) -> None:
        self._out = out
        self._view = view
        self._children = children
        self._placing = threading.Lock()
        self._placed: Dict[str, Task] = {}
        self._events: queue.SimpleQueue[Tuple[Task, Any]] = queue.SimpleQueue()

    def run(self, tasks: Sequence[Task], side_by_side: int) -> List[Outcome]:
        """Every task's outcome, in the order of the tasks.

        On KeyboardInterrupt all children end before it goes on its way.
        """
        outcomes: Dict[Task, Outcome] = {}
        with ThreadPoolExecutor(side_by_side) as pool:
            futures = [pool.submit(self._one, task) for task in tasks]
            try:
                while len(outcomes) < len(tasks):
                    with contextlib.suppress(queue.Empty):
                        task, event = self._events.get(timeout=_TICK)
                        if isinstance(event, Outcome):
                            outcomes[task] = event
                            self._view.finished(event)
                        else:
                            self._view.stage(task, event)
                    self._view.tick()
                for future in futures:
                    future.result()
            except BaseException:
                for future in futures:
                    future.cancel()
                self._children.stop()
                raise
        return [self._without_twin(outcomes[task]) for task in tasks]

    def _one(self, task: Task) -> None:
        begun = now()
        outcome = Outcome(task, 0.0, error="it was not built")
        try:
            built = build(task, self._children, lambda stage: self._events.put((task, stage)))
            self._place(task, built.wheel)
            outcome = Outcome(
                task,
                now() - begun,
                self._out / built.wheel.name,
                built.wheel.stat().st_size,
                log=built.log,
                left_out=built.left_out,
                tested=built.tested,
                untried=built.untried,
            )
        except Stopped:
            return
        except ShimError as error:
            outcome = self._failed(task, begun, str(error))
        except OSError as error:
            outcome = self._failed(task, begun, f"{error.filename or ''}: {error.strerror}")
        finally:
            self._events.put((task, outcome))

    def _failed(self, task: Task, begun: float, error: str) -> Outcome:
        log = task.order.logs / f"{task.name}.log"
        return Outcome(task, now() - begun, error=error, log=log if log.is_file() else None)

    def _place(self, task: Task, wheel: Path) -> None:
        """Put the wheel into the output directory, unless an earlier task's is there."""
        with self._placing:
            placed = self._placed.get(wheel.name)
            if placed is None or placed.number > task.number:
                put(wheel, self._out)
                self._placed[wheel.name] = task

    def _without_twin(self, outcome: Outcome) -> Outcome:
        if outcome.wheel is None:
            return outcome
        stayed = self._placed[outcome.wheel.name]
        if stayed == outcome.task:
            return outcome
        return Outcome(
            outcome.task,
            outcome.seconds,
            outcome.wheel,
            outcome.wheel.stat().st_size,
            log=outcome.log,
            left_out=outcome.left_out,
            tested=outcome.tested,
            untried=outcome.untried,
            same_as=stayed.name,
        )
