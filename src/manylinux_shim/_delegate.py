"""The real backend: which hooks it has, and calling them here or in a child process.

Everything but ``build_wheel`` is called in this process, as the frontend would
have done. ``build_wheel`` runs in one child process, because backends change
argv, directory and environment, cache sysconfig, and call ``sys.exit``; and
because the toolchain's environment is for it alone.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

from manylinux_shim._errors import BackendError, ShimError
from manylinux_shim._messages import say
from manylinux_shim._processes import jobs
from manylinux_shim._settings import TABLE, Settings, read_toml
from manylinux_shim.environment import compilers_at_once, shares
from manylinux_shim.environment import config_settings as adapted

_CHILD = Path(__file__).with_name("_in_child.py")

_BUILDING = "_MANYLINUX_SHIM_BUILDING"
"""Set for the child: a real backend that comes back to the shim for the same project loops."""

_TOOLS = ("AR", "CC", "CXX", "LDCXXSHARED", "LDSHARED", "RANLIB")
"""Variables of the environment that sysconfig has under the same names."""

_COMPARE = "What it said stands above. `-C mode=off` builds without manylinux-shim, to compare."

_DISTRIBUTIONS = {
    "mesonpy": "meson-python",
    "poetry": "poetry-core",
    "pdm": "pdm-backend",
    "scikit_build_core": "scikit-build-core",
    "py_build_cmake": "py-build-cmake",
    "sipbuild": "sip",
}
"""Distributions that are not called as the module they bring."""


def distribution(module: str) -> str:
    """The distribution that brings a top-level module, as far as names tell."""
    return _DISTRIBUTIONS.get(module, module)


def load_backend(settings: Settings, project: Path) -> Any:
    """The real backend's object, imported into this process as PEP 517 describes.

    Raises BackendError when it cannot be imported, with the line that is
    missing in ``requires``, and when it is the shim itself.
    """
    for directory in reversed(_backend_path(settings, project)):
        if directory not in sys.path:
            sys.path.insert(0, directory)
    module_name, _, attributes = settings.backend.partition(":")
    try:
        backend: Any = importlib.import_module(module_name)
        for attribute in filter(None, attributes.split(".")):
            backend = getattr(backend, attribute)
    except ImportError as error:
        raise _not_importable(settings, project, error.name or module_name, str(error)) from error
    except ShimError:
        raise
    except Exception as error:
        _show(error)
        raise BackendError(
            f"the real backend {settings.backend!r} cannot be loaded: {error}",
            f"Correct `backend` in [{TABLE}]; it is an object path as PEP 517 has it, such as"
            ' "setuptools.build_meta".',
        ) from error
    if getattr(getattr(backend, "build_wheel", None), "__module__", "") == __package__:
        raise _itself(settings)
    return backend


def _backend_path(settings: Settings, project: Path) -> List[str]:
    """``backend-path`` as absolute directories; BackendError for one outside the project."""
    root = project.resolve()
    if settings.backend.partition(":")[0].split(".")[0] == __package__:
        raise _itself(settings)
    if os.environ.get(_BUILDING) == str(root):
        raise _itself(settings)
    directories = [(root / entry).resolve() for entry in settings.backend_path]
    for entry, directory in zip(settings.backend_path, directories):
        if root not in (directory, *directory.parents):
            raise BackendError(
                f"backend-path in [{TABLE}] leads out of the project: {entry!r}",
                "Name a directory inside the project.",
            )
    return [str(directory) for directory in directories]


def _itself(settings: Settings) -> BackendError:
    return BackendError(
        f"the real backend {settings.backend!r} is manylinux-shim itself",
        f"`build-backend` in [build-system] names manylinux_shim; `backend` in [{TABLE}] names"
        ' the backend that does the building, such as "setuptools.build_meta".',
    )


def _not_importable(settings: Settings, project: Path, missing: str, message: str) -> BackendError:
    top = missing.split(".")[0]
    brings = distribution(top)
    subject = f"the real backend {settings.backend!r} cannot be imported: {message}"
    if (project / top).is_dir() or (project / f"{top}.py").is_file():
        return BackendError(
            subject,
            f"{top} is in the project's own tree: name its directory,"
            f' such as `backend-path = ["."]`, in [{TABLE}].',
        )
    return BackendError(
        subject,
        "Add its distribution to pyproject.toml (without build isolation, install it):\n\n"
        f'[build-system]\nrequires = ["manylinux-shim", "{brings}"]\n',
    )


def call(backend: Any, hook: str, *arguments: Any) -> Any:
    """The result of a hook, called in this process; None if the backend does not have it.

    What the backend raises is shown as its own, without our frames, and becomes
    a BackendError; its ``UnsupportedOperation`` is an answer and goes through.
    """
    function = getattr(backend, hook, None)
    if function is None:
        return None
    unsupported = getattr(backend, "UnsupportedOperation", ())
    try:
        return function(*arguments)
    except ShimError:
        raise
    except Exception as error:
        if unsupported and isinstance(error, unsupported):
            raise
        _show(error)
        raise BackendError(
            f"the real backend failed in {hook}: {type(error).__name__}", _COMPARE
        ) from None


def _show(error: BaseException) -> None:
    """Print ``error`` as the real backend's own: from its first frame on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, trace)


def build_wheel(
    settings: Settings,
    project: Path,
    private: Path,
    config_settings: Optional[Mapping[str, Any]],
    metadata_directory: Optional[str],
    additions: Mapping[str, str],
    hint: str = "",
    lines_to_add: Callable[[], List[str]] = list,
) -> Path:
    """Run the real backend's ``build_wheel`` in a child process; the wheel it made.

    ``private`` is an empty directory of this build; the wheel comes out in a
    directory below it. ``additions`` go into the child's environment; ``hint`` is
    what a user should know of this build when it fails, ``lines_to_add`` says then what may be
    missing in the settings.
    Raises BackendError when the child fails, exits, or makes no wheel.
    """
    output = private / "wheel"
    output.mkdir()
    request = private / "request.json"
    answer = private / "answer.json"
    share = jobs(os.environ)
    count = compilers_at_once(share, additions, os.environ)
    shared = share != os.cpu_count()
    config_settings = adapted(
        config_settings,
        additions,
        backend=settings.backend,
        in_tree=bool(settings.backend_path),
        pyproject=read_toml(project / "pyproject.toml"),
        jobs=count if shared else None,
    )
    request.write_text(
        json.dumps(
            {
                "backend": settings.backend,
                "backend_path": _backend_path(settings, project),
                "sys_path": sys.path,
                "arguments": [str(output), config_settings, metadata_directory],
                "machine": additions.get("_PYTHON_HOST_PLATFORM", "").partition("-")[2],
                "tools": {name: additions[name] for name in _TOOLS if name in additions},
                "jobs": count,
                "answer": str(answer),
            }
        ),
        encoding="utf-8",
    )
    # The frontend's own channel to its hooks is not the child's.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("_PYPROJECT_HOOKS_")}
    environment = {**(shares(count, share) if shared else {}), **inherited, **additions}
    environment[_BUILDING] = str(project.resolve())
    status = _run([_interpreter(), str(_CHILD), str(request)], environment)
    result = _read_answer(answer)
    if result.get("itself"):
        raise _itself(settings)
    if "missing" in result:
        raise _not_importable(settings, project, result["missing"], result["message"])
    if status != 0 or "result" not in result:
        ended = f"exit code {status}" if status >= 0 else f"signal {-status}"
        raise BackendError(
            f"the real backend {settings.backend!r} did not build a wheel ({ended})",
            "\n".join([hint or _COMPARE, *lines_to_add()]),
        )
    name = result["result"]
    if not isinstance(name, str) or not (output / Path(name).name).is_file():
        raise BackendError(
            f"the real backend {settings.backend!r} returned {name!r} and left no such wheel",
            "Its build_wheel has to write a wheel into the directory it is given"
            " and return the file's name (PEP 517).",
        )
    for extension in result.get("left_out", ()):
        say(f"the optional extension {extension} failed, and the wheel is without it")
    for line in lines_to_add() if result.get("left_out") else ():
        say(line)
    return output / Path(name).name


def _interpreter() -> str:
    """This interpreter, by the name that tells its version where it has one.

    maturin hands the name on, and when cross compiling takes the version from it.
    """
    version = "python{}.{}".format(*sys.version_info)
    # Of a build without the GIL the name ends with a t, which is in the flags of its ABI.
    for name in dict.fromkeys((version + getattr(sys, "abiflags", ""), version)):
        versioned = Path(sys.executable).with_name(name)
        with contextlib.suppress(OSError):
            if versioned.samefile(sys.executable):
                return str(versioned)
    return sys.executable


def _run(command: List[str], environment: Mapping[str, str]) -> int:
    # What is buffered here must not come out after what the child prints.
    sys.stdout.flush()
    sys.stderr.flush()
    process = subprocess.Popen(command, env=dict(environment))
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _read_answer(path: Path) -> Dict[str, Any]:
    try:
        answer: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return answer
