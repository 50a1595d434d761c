"""The flags of every extension, before those of the user.

setuptools 75.7 and later takes ``CFLAGS`` of the environment for sysconfig's, where it was
added to them before: then an extension that is compiled with ``CFLAGS=-g`` is one without
optimisation. A wheel's flags do not depend on the version of setuptools.
"""

from __future__ import annotations

import functools
import os
import sysconfig
from typing import Any, Mapping


def keep_flags(compiler: Any, tools: Mapping[str, str]) -> None:
    """Have the class ``CCompiler`` put sysconfig's flags before the environment's.

    ``tools`` are the commands that sysconfig has for ``CC`` and ``CXX``: those of no other
    compiler are changed.
    """
    original = compiler.set_executables

    @functools.wraps(original)
    def set_executables(self: Any, **commands: Any) -> None:
        own = str(sysconfig.get_config_var("CFLAGS") or "")
        original(self, **{name: _kept(name, text, own, tools) for name, text in commands.items()})

    compiler.set_executables = set_executables


def _kept(name: str, command: Any, own: str, tools: Mapping[str, str]) -> Any:
    """The command that compiles, with ``own`` flags before the environment's."""
    tool, variable = ("CXX", "CXXFLAGS") if name.endswith("cxx") else ("CC", "CFLAGS")
    if not name.startswith("compiler") or variable not in os.environ or tool not in tools:
        return command
    replaced = f"{tools[tool]} {os.environ[variable]}"
    if not isinstance(command, str) or not command.startswith(replaced) or own in command:
        return command
    return f"{tools[tool]} {own} {command[len(tools[tool]) :].lstrip()}"
