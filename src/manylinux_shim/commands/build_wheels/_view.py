"""How a call that builds many wheels is watched: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, TextIO, Tuple

from manylinux_shim.commands.build_wheels._building import SHORT, WAITING, Outcome, Task, now
from manylinux_shim.commands.build_wheels._summary import failure_lines, size_text, tag_text


class View:
    """Plain lines: one when a task comes to something that takes time, one when it ends."""

    def __init__(self, tasks: Sequence[Task], stream: TextIO) -> None:
        self._stream = stream
        self._width = max((len(task.name) for task in tasks), default=0)
        self._said: Set[Tuple[Task, str]] = set()

    def stage(self, task: Task, stage: str) -> None:
        """A task has come to a stage. Of its files and crates one line is enough."""
        kind = stage.split()[0]
        if kind not in SHORT and (task, kind) not in self._said:
            self._said.add((task, kind))
            self._line(task, stage)

    def finished(self, outcome: Outcome) -> None:
        """A task has ended."""
        seconds = f"{outcome.seconds:.0f} s"
        if outcome.wheel is not None:
            size = size_text(outcome.size)
            self._line(outcome.task, f"{outcome.wheel.name}, {size}, {seconds}")
        else:
            self._line(outcome.task, f"failed after {seconds}")
            self.say("\n".join(failure_lines(outcome)))

    def tick(self) -> None:
        """Some time has gone by."""

    def say(self, text: str) -> None:
        """A line that is about no task."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def _line(self, task: Task, text: str) -> None:
        self.say(f"{task.name:{self._width}}  {text}")


class LiveView(View):
    """One line a task, written anew as it goes on. Needs rich."""

    def __init__(self, tasks: Sequence[Task], stream: TextIO, console: Any) -> None:
        super().__init__(tasks, stream)
        from rich.live import Live
        from rich.spinner import Spinner

        self._tasks = tasks
        self._console = console
        self._stage: Dict[Task, str] = {}
        self._begun: Dict[Task, float] = {}
        self._ended: Dict[Task, Outcome] = {}
        self._spinner = Spinner("dots" if console.encoding.startswith("utf") else "line")
        self._live = Live(
            get_renderable=self._table,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """On the screen, until the block ends; then off it without a trace."""
        with self._live:
            yield

    def stage(self, task: Task, stage: str) -> None:
        """A task has come to a stage."""
        self._begun.setdefault(task, now())
        self._stage[task] = stage

    def finished(self, outcome: Outcome) -> None:
        """A task has ended."""
        self._ended[outcome.task] = outcome
        if outcome.wheel is None:
            self.say("\n".join(failure_lines(outcome)))

    def tick(self) -> None:
        """Some time has gone by."""
        self._live.refresh()

    def say(self, text: str) -> None:
        """A line that is about no task, above the others."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _table(self) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column(no_wrap=True, justify="right")
        table.expand = True
        shown = self._shown(max(self._console.size.height - 2, 1))
        for task in shown:
            table.add_row(*self._row(task))
        left = len(self._tasks) - len(shown)
        done = len(self._ended)
        count = f"{done} of {len(self._tasks)} done" + (f", {left} not shown" if left else "")
        return Group(table, Text(count, style="dim"))

    def _shown(self, room: int) -> List[Task]:
        """The tasks that there is room for: those at work first, in the order asked for."""

        def weight(task: Task) -> int:
            return 2 if task in self._ended else 0 if task in self._stage else 1

        chosen = sorted(self._tasks, key=weight)[:room]
        return [task for task in self._tasks if task in chosen]

    def _row(self, task: Task) -> Sequence[Any]:
        from rich.text import Text

        outcome = self._ended.get(task)
        if outcome is None:
            stage = self._stage.get(task, WAITING)
            time = f"{now() - self._begun[task]:.0f} s" if task in self._begun else ""
            sign: Any = self._spinner if task in self._begun else ""
            return (sign, task.name, Text(stage, style="" if task in self._begun else "dim"), time)
        time = f"{outcome.seconds:.0f} s"
        if outcome.wheel is None:
            return (Text("x", "bold red"), task.name, Text("failed", "red"), time)
        what = f"{tag_text(outcome.wheel)}, {size_text(outcome.size)}"
        return (Text("+", "bold green"), task.name, Text(what, "green"), time)


@contextlib.contextmanager
def view(tasks: Sequence[Task], environ: Mapping[str, str] = os.environ) -> Iterator[View]:
    """The view that fits the error stream: live on a terminal if rich is there, else plain."""
    stream = sys.stderr
    if not stream.isatty() or environ.get("TERM") in ("dumb", "unknown"):
        yield View(tasks, stream)
        return
    try:
        from rich.console import Console
    except ImportError:
        yield View(tasks, stream)
        return
    live = LiveView(tasks, stream, Console(file=stream))
    with live.shown():
        yield live
