"""distutils in the real backend's process.

It compiles one file after the other; here all its compiles run side by side. ``_jobs`` has the
files of one ``compile()`` at work together, ``_extensions`` the extensions of a project; both
within one number of commands at once. ``_flags`` has them compiled with flags that do not depend
on the version of setuptools. Standard library only: this runs wherever the real backend runs.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping

from manylinux_shim.side_by_side._flags import keep_flags
from manylinux_shim.side_by_side._imports import Action, once_imported


def install(jobs: int, tools: Mapping[str, str]) -> Callable[[], None]:
    """Have distutils compile so in this process, whenever it is imported; ``jobs`` at once.

    ``tools`` are the commands that sysconfig names, where they are ours. Returns what keeps
    it from beginning anything more, at any moment.
    """
    from manylinux_shim.side_by_side._extensions import Extensions
    from manylinux_shim.side_by_side._jobs import Jobs

    commands = Jobs(jobs)

    def of_compilers(module: Any) -> None:
        keep_flags(module.CCompiler, tools)
        if jobs > 1:
            commands.install(module.CCompiler)

    actions: Dict[str, Action] = {"distutils.ccompiler": of_compilers}
    if jobs > 1:
        extensions = Extensions(commands, jobs)
        actions["distutils.command.build_ext"] = lambda module: extensions.install(module.build_ext)
    once_imported(actions)
    return commands.begin_no_more
