"""distutils compiles one file after the other; here all its compiles run side by side.

``_jobs`` has the files of one ``compile()`` at work together, ``_extensions`` the extensions
of a project; both within one number of commands at once. Standard library only: this runs
wherever the real backend runs.
"""

from __future__ import annotations

from typing import Callable

from manylinux_shim.side_by_side._imports import once_imported


def install(jobs: int) -> Callable[[], None]:
    """Have distutils compile so in this process, whenever it is imported; ``jobs`` at once.

    Returns what keeps it from beginning anything more, at any moment.
    """
    from manylinux_shim.side_by_side._extensions import Extensions
    from manylinux_shim.side_by_side._jobs import Jobs

    commands = Jobs(jobs)
    extensions = Extensions(commands, jobs)
    once_imported(
        {
            "distutils.ccompiler": lambda module: commands.install(module.CCompiler),
            "distutils.command.build_ext": lambda module: extensions.install(module.build_ext),
        }
    )
    return commands.begin_no_more
