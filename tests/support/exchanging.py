"""A project whose files exchange all that C++ has, and what comes of it with GCC."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

from support import projects

_SOURCES = Path(__file__).with_name("exchange")

PYPROJECT = """
[project]
name = "exchange"
version = "1.0"

[tool.scikit-build]
wheel.packages = []
wheel.py-api = ""
"""


def files(visibility: str = "default", settings: str = "") -> Dict[str, str]:
    """The project, compiled with ``-fvisibility=<visibility>``."""
    found = {path.name: path.read_text(encoding="utf-8") for path in _SOURCES.iterdir()}
    found["CMakeLists.txt"] += f"\n# {visibility}\n"
    found["CMakeLists.txt"] = found["CMakeLists.txt"].replace(
        "add_library(base", f"set(CMAKE_CXX_VISIBILITY_PRESET {visibility})\nadd_library(base"
    )
    found["exchange/__init__.py"] = ""
    pyproject = projects.pyproject(
        ["scikit-build-core>=0.10"], backend="scikit_build_core.build", settings=settings
    )
    found["pyproject.toml"] = pyproject + PYPROJECT
    return found


ROWS = {
    "any": "any box vector",
    "bad_alloc": "bad_alloc",
    "by_the_standard_library": "out_of_range",
    "cout": "one cout",
    "derived_type": "RefusedTwice no, no",
    "dynamic_cast": "8 crossed",
    "dynamic_cast_back": "same",
    "exception_ptr": "RefusedTwice no, no",
    "exception_ptr_back": "Refused 7",
    "function": "42 7 known",
    "future": "Refused no",
    "int": "int 5",
    "iword": "apart",
    "locale": "1'234'567 own",
    "nested": "outer of inner",
    "new_and_delete": "100 3",
    "new_handler": "the same",
    "out_of_range": "out_of_range",
    "own_type": "Refused no",
    "rethrown_there": "Refused here 0",
    "shared_ptr": "named 1 1 0 gone",
    "stream": "...1.5 true",
    "string": "string string",
    "system_error": "system_error",
    "template": "box",
    "text": "text text",
    "thread": "working, both ended",
    "through_a_library": "RefusedTwice middle: no",
    "thrown_here_caught_there": "Refused 7, int 3",
    "typeid": "same 1",
    "uncaught_exceptions": "1",
}
"""What each row says when GCC has compiled it."""

PRINTED = "".join(f"{name}: {said}\n" for name, said in ROWS.items())

USE = "from exchange import _exchange; print(_exchange.rows(), end='')"

USE_CTYPES = """
import ctypes, os
from exchange import _exchange
opened = ctypes.CDLL(os.path.join(os.path.dirname(_exchange.__file__), "libopened.so"))
thrower = ctypes.c_void_p(_exchange.thrower())
for function in (opened.catch_here, opened.call_and_catch):
    function.restype = ctypes.c_char_p
    print([function(thrower, kind).decode() for kind in (1, 0, 5)])
"""
PRINTED_CTYPES = "['Refused', 'out_of_range', 'unknown']\n['Refused 7', 'out_of_range', 'int 5']\n"
