"""Small projects that tests build."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import Dict, Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent.parent

_LEFT_BEHIND = shutil.ignore_patterns(
    "__pycache__", "*.py[cod]", "*.egg-info", "*.so", "build", "dist", "target", "*.lock",
    ".venv", "units.h",
)  # fmt: skip
"""What builds in the repository itself leave behind."""

PYPROJECT = """\
[build-system]
requires = ["manylinux-shim", {requires}]
build-backend = "manylinux_shim"

[tool.manylinux-shim]
backend = "{backend}"
{settings}
"""

SETUP = """\
from setuptools import Extension, setup

setup(
    name="tiny",
    version="1.0",
    packages=["tiny"],
    ext_modules=[Extension("tiny._tiny", ["tiny/_tiny.c"])],
)
"""

TINY_C = """\
#include <Python.h>
#include <assert.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static PyObject *
answer(PyObject *module, PyObject *text)
{
    const char *utf8 = PyUnicode_AsUTF8(text);
    (void)module;
    if (utf8 == NULL) {
        return NULL;
    }
    assert(getpid() > 0);
    return PyLong_FromDouble(pow((double)strlen(utf8), 2));
}

static PyMethodDef methods[] = {
    {"answer", answer, METH_O, "The square of a text's length in bytes."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "tiny._tiny", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__tiny(void)
{
    return PyModule_Create(&definition);
}
"""

TINY_FILES: Dict[str, str] = {
    "setup.py": SETUP,
    "tiny/__init__.py": "from tiny._tiny import answer\n",
    "tiny/_tiny.c": TINY_C,
}
"""A C extension that uses the C library, declared in a classic setup.py."""

TINY_USE = "import tiny; print(tiny.answer('abcde'))"
TINY_PRINTS = "25\n"

PURE_FILES: Dict[str, str] = {
    "plain/__init__.py": '"""Nothing compiled."""\n\n__version__ = "1.0"\n',
    "README.md": "plain\n",
}

PURE_PROJECT = """
[project]
name = "plain"
version = "1.0"
description = "Nothing compiled"
requires-python = ">=3.8"
"""


def write(directory: Path, files: Mapping[str, str]) -> Path:
    """Write files below a directory, which is made; the directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return directory


def pyproject(
    requires: Sequence[str] = ("setuptools",),
    backend: str = "setuptools.build_meta",
    settings: str = "",
) -> str:
    """A pyproject.toml with the two-line change; ``settings`` come at its end, in our table."""
    quoted = ", ".join(f'"{requirement}"' for requirement in requires)
    return PYPROJECT.format(requires=quoted, backend=backend, settings=settings)


def tiny(
    directory: Path,
    requires: Sequence[str] = ("setuptools",),
    backend: str = "setuptools.build_meta",
    settings: str = "",
) -> Path:
    """The tiny C project, in a new directory."""
    files = {**TINY_FILES, "pyproject.toml": pyproject(requires, backend, settings)}
    return write(directory, files)


def pure(directory: Path, requires: str, backend: str, settings: str = "") -> Path:
    """A project without anything to compile."""
    text = pyproject([requires], backend, settings) + PURE_PROJECT
    return write(directory, {**PURE_FILES, "pyproject.toml": text})


def copy(project: Path, directory: Path) -> Path:
    """A copy of a project, without what builds leave behind."""
    return Path(shutil.copytree(str(project), str(directory), ignore=_LEFT_BEHIND, symlinks=True))


def copy_repository(directory: Path) -> Path:
    """What a checkout of this repository has that builds need."""
    directory.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy2(str(REPOSITORY / name), str(directory / name))
    for name in ("src", "sample_projects"):
        copy(REPOSITORY / name, directory / name)
    return directory


def copy_sample(name: str, directory: Path) -> Path:
    """A sample project on its own, outside this repository: the shim comes from an index."""
    project = copy(REPOSITORY / "sample_projects" / name, directory)
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8").partition("# Only until manylinux-shim")[0]
    path.write_text(text, encoding="utf-8")
    return project
