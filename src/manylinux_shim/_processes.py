"""Running a program and hearing all that it says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict, Mapping, Optional, Sequence, Union


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


def processors() -> int:
    """How many processors are this process's: less than the machine's where some are taken away.

    All of them where that cannot be asked: PyPy, and systems that are not Linux.
    """
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


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
