"""One job: a tree of its own, a frontend in a child process, a wheel that lands whole."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._annotations import silenced
from manylinux_shim._errors import ShimError
from manylinux_shim._platforms import Policy, parse_platform_tag
from manylinux_shim._settings import TABLE
from manylinux_shim.commands.build_wheels import _copying
from manylinux_shim.commands.build_wheels._children import Children
from manylinux_shim.commands.build_wheels._frontends import Frontend
from manylinux_shim.commands.build_wheels._jobs import Job
from manylinux_shim.commands.build_wheels._pythons import Python
from manylinux_shim.commands.trying._attempt import Test, Untried, attempt
from manylinux_shim.wheel import WheelName


@dataclass(frozen=True)
class Order:
    """What all tasks of one project have in common."""

    tree: Path
    """The copy that no build is run in."""
    inside: Path
    """The project's place in it, relative."""
    scratch: Path
    frontend: Frontend
    settings: Tuple[str, ...]
    """``KEY=VALUE``, as given by the user."""
    environment: Mapping[str, str]
    logs: Path
    test: Optional[str] = None
    """A command line that each wheel has to pass; ``{project}`` is a copy of the project."""
    test_requires: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A job with all that was found out for it."""

    job: Job
    python: Python
    runner: Path
    """The interpreter to give to the frontend."""
    number: int
    """Its place in the order asked for, from 0."""
    name: str
    """Tells it from its neighbours; also the name of its log, without the ending."""
    order: Order = field(compare=False, repr=False)


@dataclass(frozen=True)
class Outcome:
    """What came of a task."""

    task: Task
    seconds: float
    wheel: Optional[Path] = None
    """Where it is, None when there is none."""
    size: int = 0
    """In bytes."""
    error: str = ""
    log: Optional[Path] = None
    """What was printed, if that is kept."""
    left_out: Tuple[str, ...] = ()
    """Optional extensions that failed, and that the wheel is without."""
    tested: str = ""
    """Where it passed the test; empty if there was none."""
    untried: str = ""
    """Why it could not be tested."""
    same_as: Optional[str] = None
    """The name of the task whose wheel has the same name, and stayed."""


class Built(NamedTuple):
    """What a frontend has made."""

    wheel: Path
    """In a directory of the task's."""
    log: Path
    left_out: Tuple[str, ...]
    """Optional extensions that failed."""
    tested: str = ""
    untried: str = ""


def build(task: Task, children: Children, stage: Callable[[str], None]) -> Built:
    """The wheel of one task.

    Raises ShimError with what the build said when it fails, and Stopped.
    """
    order = task.order
    room = order.scratch / "jobs" / task.name
    log = order.logs / f"{task.name}.log"
    stage(COPYING)
    _copying.copy_again(order.tree, room / "tree")
    stage(PREPARING)
    lines: List[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        found = stage_of(line)
        if found is not None:
            stage(found)

    out = room / "wheel"
    out.mkdir()
    # Short, for the sockets that some tools make there; it goes whatever happens.
    temporary = order.scratch / "t" / str(task.number)
    temporary.mkdir(parents=True)
    command = order.frontend.command(
        task.runner, room / "tree" / order.inside, out, _settings(task.job, order.settings)
    )
    try:
        environment = {**silenced(order.environment), "TMPDIR": str(temporary)}
        status = children.run(command, room, environment, log, heard)
    finally:
        shutil.rmtree(room / "tree", ignore_errors=True)
        shutil.rmtree(temporary, ignore_errors=True)
    wheels = list(out.glob("*.whl"))
    if status != 0 or len(wheels) != 1:
        raise ShimError(failure(lines) or f"{order.frontend.name} ended with {status}")
    _require_as_asked(wheels[0].name, task.job)
    built = Built(wheels[0], log, left_out(lines))
    if order.test is None:
        return built
    stage(TESTING)
    return _tested(built, task, order.test, children)


def _tested(built: Built, task: Task, test: str, children: Children) -> Built:
    """What was built, tested; ShimError with the end of what was said when it fails."""
    order = task.order
    room = order.scratch / "jobs" / task.name / "test"
    room.mkdir()
    _copying.copy_again(order.tree, room / "tree")
    line = test.replace("{project}", shlex.quote(str(room / "tree" / order.inside)))
    asked = Test(
        tuple(shlex.split(line)), order.test_requires, python=str(task.python.path), shell=line
    )
    lines: List[str] = []

    def run(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> int:
        return children.run(command, directory, environment, room / "log", lines.append)

    try:
        tried = attempt(built.wheel, asked, room, run)
    except Untried as error:
        return built._replace(untried=str(error))
    finally:
        with built.log.open("a", encoding="utf-8", errors="replace") as log:
            log.write("".join(f"{line}\n" for line in [f"test: {test}", *lines]))
        shutil.rmtree(room, ignore_errors=True)
    if tried.status != 0:
        raise ShimError(
            "\n".join([f"its test failed with {tried.status} on {tried.system}:", *lines[-WORTH:]])
        )
    return built._replace(tested=tried.system)


def _require_as_asked(wheel: str, job: Job) -> None:
    """ShimError for a wheel for something else: with ``mode = "off"`` nobody else looks."""
    platforms = WheelName.parse(wheel).platforms
    if platforms == ("any",):
        return
    strangers = [tag for tag in platforms if not tag.endswith(f"_{job.target}")]
    reached = [parsed[0] for parsed in map(parse_platform_tag, platforms) if parsed is not None]
    if job.policy not in (None, "auto"):
        asked = Policy.parse(str(job.policy))
        reached = [p for p in reached if p.family == asked.family and p <= asked]
    # Where no policy is named, the project may check only, and promise nothing.
    if strangers or (job.policy is not None and not reached):
        raise ShimError(
            f"{wheel} is not for {job.target} and {job.policy_name} as asked for",
            f"Look at `mode` in [{TABLE}] and MANYLINUX_SHIM_MODE: with `off`, or a compiler of"
            " your own in `check`, the build is for this machine.",
        )


def _settings(job: Job, given: Sequence[str]) -> List[str]:
    # In full: a real backend may have keys of the same name.
    ours = [f"manylinux-shim.target={job.target}"]
    if job.policy is not None:
        ours.append(f"manylinux-shim.policy={job.policy}")
    return [*ours, *given]


@contextlib.contextmanager
def writable(directory: Path) -> Iterator[Path]:
    """The directory for wheels or logs, made if need be, and gone again if it stays empty.

    Raises ShimError when nothing can be put into it.
    """
    made = not directory.is_dir()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ShimError(
            f"nothing can be put into {directory}: {error.strerror}",
            "Name another directory with --out or --logs.",
        ) from error
    try:
        yield directory
    finally:
        if made:
            with contextlib.suppress(OSError):
                directory.rmdir()


def put(wheel: Path, directory: Path) -> Path:
    """``wheel`` in ``directory``, whole or not at all; another of its name is replaced."""
    final = directory / wheel.name
    handle, name = tempfile.mkstemp(prefix=".manylinux-shim-", dir=directory)
    try:
        with os.fdopen(handle, "wb") as to, wheel.open("rb") as source:
            shutil.copyfileobj(source, to)
        beside = Path(name)
        beside.chmod(wheel.stat().st_mode & 0o777)
        beside.replace(final)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return final


def now() -> float:
    """Seconds, for differences."""
    return time.monotonic()


WAITING, COPYING, PREPARING, BUILDING, PROVEN, TESTING = (
    "waiting", "copying", "preparing", "building", "proven", "testing",
)  # fmt: skip

SHORT = (COPYING, PREPARING, PROVEN)
"""Stages that are over before one has read that they have begun."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

_LEFT_OUT = (
    re.compile(r"manylinux-shim: the optional extension (\S+) failed"),
    # distutils in a process that another backend has started, and setuptools-rust there
    re.compile(r'building extension "([^"]+)" failed: '),
    re.compile(r"Build optional Rust extension (\S+) failed"),
)


def left_out(lines: Sequence[str]) -> Tuple[str, ...]:
    """The optional extensions that failed, each once, by what a build has printed.

    >>> left_out(['WARNING: building extension "a._b" failed: gcc failed'])
    ('a._b',)
    """
    plain = [_COLOUR.sub("", line) for line in lines]
    found = (pattern.search(line) for line in plain for pattern in _LEFT_OUT)
    return tuple(dict.fromkeys(match[1] for match in found if match))


_RULES = (
    # uv and build
    (re.compile(r"\* Creating isolated environment"), PREPARING),
    (re.compile(r"\* Installing packages in isolated"), "installing build requirements"),
    (re.compile(r"\* Getting build dependencies"), "asking for build requirements"),
    (re.compile(r"(\* )?Building wheel\.\.\."), BUILDING),
    # the shim
    (re.compile(r"manylinux-shim: zig \S+ links for (?P<what>\S+)"), "compiling for {what}"),
    (re.compile(r"manylinux-shim: making (?P<what>.+)"), "making {what}"),
    (re.compile(r"manylinux-shim: .* (is proven|passes through as it is)$"), PROVEN),
    # build systems
    (re.compile(r"building '(?P<what>[^']+)' extension"), "compiling {what}"),
    (re.compile(r"Compiling (?P<what>\S+) v\d"), "compiling {what}"),
    (re.compile(r"\[\d+/\d+\] Cythonizing (?P<what>\S+)"), "translating {what}"),
    (re.compile(r"\[(?P<what>\d+/\d+)\] "), "compiling {what}"),
    (re.compile(r"(running|Running) (?P<what>bdist_wheel)$"), BUILDING),
)
"""Lines of frontends, of the shim and of build systems, and the stage that each begins."""


def stage_of(line: str) -> Optional[str]:
    """The stage that a line begins, None for all other lines.

    >>> stage_of("   Compiling libc v0.2.180")
    'compiling libc'
    """
    text = _COLOUR.sub("", line).strip()
    for pattern, stage in _RULES:
        match = pattern.match(text)
        if match is not None:
            return stage.format(**match.groupdict())
    return None


_ERROR = "manylinux-shim: error: "
_ABOVE = "stands above"
"""In a remedy of ours: the lines before it belong to what is wrong."""
WORTH = 12
"""Lines of a log to show where the shim itself has not said what is wrong."""


def failure(lines: Sequence[str]) -> str:
    """What went wrong, from the lines of a build that failed.

    That is the shim's error, with what the real backend said before it if it
    refers to that; where the shim has not said anything, the end.
    """
    plain = [_COLOUR.sub("", line).rstrip() for line in lines]
    starts = [at for at, line in enumerate(plain) if line.strip().startswith(_ERROR)]
    if not starts:
        return "\n".join([line for line in plain if line][-WORTH:])
    at = starts[-1]
    indent = len(plain[at]) - len(plain[at].lstrip())
    text = [plain[at].strip()[len(_ERROR) :]]
    for line in plain[at + 1 :]:
        if line and not line[indent:].startswith("  "):
            break
        text.append(line[indent + 2 :])
    before: Sequence[str] = ()
    if any(_ABOVE in line for line in text):
        before = [line for line in plain[:at] if line][-WORTH:]
    return "\n".join([*before, *text]).rstrip()
