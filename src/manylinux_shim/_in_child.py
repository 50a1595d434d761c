"""Calls the real backend's ``build_wheel`` in a process of its own.

Run as a script, with the interpreter that the frontend chose::

    python _in_child.py REQUEST

``REQUEST`` is a JSON file:

- ``backend``: object path of the real backend, ``module[:attribute[.attribute...]]``
- ``backend_path``: directories that go first on ``sys.path``
- ``sys_path``: ``sys.path`` of the parent, which replaces this process's own,
  behind ``PYTHONPATH``, which may have more for this process than for the parent
- ``arguments``: the hook's positional arguments
- ``machine``: name of the architecture that the build is for, empty if it is this
  machine's: what ``os.uname`` and ``platform`` then say in this process
- ``tools``: names of compilers and linkers that sysconfig knows -> what it is to say
- ``jobs``: how many compilers may run at once
- ``answer``: path of the JSON file to write

The working directory and the environment are inherited. The answer is one of

- ``{"result": <what the hook returned>, "left_out": [<optional extension that failed>, ...]}``
- ``{"missing": <module>, "message": <text>}`` when the backend cannot be imported
- ``{"itself": true}`` when the backend is manylinux-shim

and there is none when the hook raised or left the process. Nothing goes over
stdout and stderr but what the backend prints. When the parent ends before it, or
SIGTERM ends this process, all that it has started ends too. Standard library only:
it runs wherever the real backend runs.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def main(request_path: str) -> int:
    """Carry out one request; the exit code."""
    with open(request_path, encoding="utf-8") as file:
        request = json.load(file)
    first = request["backend_path"] + _python_path()
    sys.path[:] = first + [entry for entry in request["sys_path"] if entry not in first]
    ending: list[Callable[[], None]] = []
    _end_together(ending)
    # Backends hand sys.argv on (setuptools), and this script's own is none of theirs.
    sys.argv[:] = ["build_wheel"]
    if request["machine"]:
        _pretend(request["machine"])
    if request["tools"]:
        _agree(request["tools"])
    module_name, _, attributes = request["backend"].partition(":")
    try:
        try:
            backend = importlib.import_module(module_name)
        except ImportError as error:
            _answer(request, {"missing": error.name or module_name, "message": str(error)})
            return 1
        for attribute in filter(None, attributes.split(".")):
            backend = getattr(backend, attribute)
        if getattr(backend.build_wheel, "__module__", "") == "manylinux_shim":
            _answer(request, {"itself": True})
            return 1
        if request["jobs"] > 1 or request["tools"]:
            # setuptools has put its own distutils in the place of Python's by now.
            from manylinux_shim.side_by_side import install

            ending.append(install(request["jobs"], request["tools"]))
        result = backend.build_wheel(*request["arguments"])
    except Exception as error:  # whatever it is, it is the backend's, and shown as such
        sys.stdout.flush()
        trace = error.__traceback__
        traceback.print_exception(type(error), error, trace.tb_next if trace else None)
        return 1
    _answer(request, {"result": result, "left_out": _left_out()})
    return 0


def _left_out() -> list[str]:
    """The extensions that setuptools was told may fail, and that did.

    Of a failure it says one line among all that a compiler says, and goes on.
    """
    core = sys.modules.get("distutils.core")
    distribution = getattr(core, "_setup_distribution", None)
    if distribution is None:
        return []
    try:
        command = distribution.get_command_obj("build_ext", create=False)
        if command is None:
            return []
        # setuptools-rust's lie in the same places, some of them as .abi3.so.
        extensions = [*(command.extensions or ()), *(_rust_extensions(distribution))]
        return [
            extension.name
            for extension in extensions
            if getattr(extension, "optional", None)
            and not _is_there(command.get_ext_fullpath(extension.name))
        ]
    except Exception:  # projects have commands of their own, and may have anything there
        return []


def _rust_extensions(distribution: object) -> list[Any]:
    """What setuptools-rust was told to build; it leaves the list where it read it."""
    return list(getattr(distribution, "rust_extensions", None) or ())


def _is_there(module: str) -> bool:
    """Whether there is a module of this path, with whatever suffix."""
    directory, name = os.path.split(module)
    stem = name.partition(".")[0]
    return os.path.isdir(directory) and any(
        other.partition(".")[0] == stem and other.endswith(".so") for other in os.listdir(directory)
    )


def _end_together(ending: list[Callable[[], None]]) -> None:
    """End whatever this process has started when it is ended, or its parent was.

    What is in ``ending`` then is called before.
    """
    from manylinux_shim._processes import descendants, terminate

    def end(number: int, _frame: object) -> None:
        for call in ending:
            call()
        terminate(descendants(os.getpid()))
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        import ctypes

        # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass  # not Linux, or a Python without it


def _python_path() -> list[str]:
    return [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


def _pretend(machine: str) -> None:
    """Have a setup.py that asks what machine this is told the one that it builds for.

    sysconfig is told by variables, which reach other processes too; this one must
    not, because a process that loads a library or starts a program needs the truth.
    """
    import platform

    true = os.uname()
    uname = os.uname_result((*true[:4], machine))
    system = platform.uname()
    os.uname = lambda: uname
    platform.machine = lambda: machine
    platform.uname = lambda: system._replace(machine=machine)


def _agree(tools: dict[str, str]) -> None:
    """Have sysconfig name the same compiler as the environment, for who asks it instead."""
    import sysconfig

    sysconfig.get_config_vars().update(tools)


def _answer(request: dict[str, str], answer: dict[str, object]) -> None:
    partial = request["answer"] + ".partial"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os.replace(partial, request["answer"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
