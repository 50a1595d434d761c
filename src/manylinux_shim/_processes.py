"""Running a program and hearing all that it says; how many at once, and the end of all."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Union

from manylinux_shim._errors import SettingsError

JOBS_VARIABLE = "MANYLINUX_SHIM_JOBS"


def run(
    command: Sequence[str],
    *,
    cwd: Union[str, Path, None] = None,
    environment: Optional[Mapping[str, str]] = None,
    stderr: int = subprocess.STDOUT,
    timeout: Optional[float] = None,
    keep: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run ``command`` to its end, with nothing to read; its code, and what it printed.

    Both streams are in ``stdout`` unless ``stderr`` says otherwise; bytes that are
    not UTF-8 are replaced. ``timeout`` is in seconds; ``keep`` are file
    descriptors that it inherits. Raises OSError if it cannot be started, and
    subprocess.TimeoutExpired.
    """
    return subprocess.run(
        list(command),
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        pass_fds=tuple(keep),
        check=False,
    )


def jobs(environ: Mapping[str, str]) -> int:
    """How many compilers may run at once: ``MANYLINUX_SHIM_JOBS``, else as many as processors.

    Raises SettingsError for what is not a number of at least one.
    """
    asked = environ.get(JOBS_VARIABLE, "").strip()
    if not asked:
        return processors()
    if not (asked.isascii() and asked.isdigit() and int(asked)):
        raise SettingsError(
            f"{JOBS_VARIABLE} is {asked!r}, which is no number of compilers",
            "Set it to 1 or more, or leave it out: then it is the processors that this process"
            " may use.",
        )
    return int(asked)


def processors() -> int:
    """How many processors are this process's: less than the machine's where some are taken away.

    Both affinity and the quotas of control groups count. All of them where that cannot be
    asked: PyPy, and systems that are not Linux.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return count
    return min([count, *quotas(groups, Path("/sys/fs/cgroup"))])


def quotas(groups: str, root: Path) -> Iterator[int]:
    """How many processors' time each control group of a process allows, rounded up.

    ``groups`` is the text of ``/proc/self/cgroup`` and ``root`` is where control groups are
    mounted: cgroups(7); ``cpu.max`` in version 2, ``cpu.cfs_quota_us`` in version 1. A
    container may see its own group as the root, whatever the text says.
    """
    for line in groups.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = [root / controllers, root / "cpu"] if controllers else [root, root / "unified"]
        parts = [part for part in path.split("/") if part and part != ".."]
        for mount in mounts:
            for depth in range(len(parts) + 1):
                yield from _quota(mount.joinpath(*parts[:depth]))


def _quota(group: Path) -> Iterator[int]:
    """The quota of one control group, if it has one."""
    with contextlib.suppress(OSError, ValueError):
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        if int(quota) > 0 and int(period) > 0:  # "max" and -1 are none
            yield max(1, -(-int(quota) // int(period)))


def descendants(ancestor: int) -> List[int]:
    """The processes that one has started, and those that they have; none without /proc."""
    children: Dict[int, List[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        # proc_pid_stat(5): the name stands in parentheses and may have any in it.
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = path.read_text(errors="replace").rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(path.parent.name))
    found = [ancestor]
    for process in found:  # which grows
        found += children.get(process, ())
    return found[1:]


def terminate(processes: Sequence[int]) -> None:
    """Ask processes to end; those that are no more have."""
    for process in processes:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGTERM)


def zig_environment(cache: Union[str, Path]) -> Dict[str, str]:
    """This process's variables, with zig's own caches in ``cache``: they go with it."""
    directory = str(cache)
    return {**os.environ, "ZIG_GLOBAL_CACHE_DIR": directory, "ZIG_LOCAL_CACHE_DIR": directory}


def answer(command: Sequence[str]) -> Optional[str]:
    """What ``command`` prints on stdout; None if it cannot be started, fails or takes a minute."""
    try:
        done = run(command, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
