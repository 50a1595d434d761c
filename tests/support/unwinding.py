"""An extension whose threads end, and whose exceptions pass through C, in the midst of C++."""

from __future__ import annotations

from pathlib import Path

from support import projects

SETUP = """\
from setuptools import Extension, setup

setup(name="unwinding", version="1.0",
      ext_modules=[Extension("unwinding", ["unwinding.cpp"], language="c++")])
"""

FILES = {
    "pyproject.toml": projects.pyproject(["setuptools"]),
    "setup.py": SETUP,
    "unwinding.cpp": Path(__file__).with_suffix(".cpp").read_text(encoding="utf-8"),
}

USE = "import unwinding; print(unwinding.threads()); print(unwinding.through_c())"

PRINTED = "left destroyed, cancelled destroyed, \norder destroyed, caught, not in order\n"
"""What it prints when GCC has compiled it."""

RETHROWN = "inner destroyed, caught, outer destroyed, "
"""What ``rethrown()`` gives then."""
