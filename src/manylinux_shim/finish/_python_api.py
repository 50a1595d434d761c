"""Python's own symbols: whether the Python that builds has what an extension asks it for.

The auditor knows them by their prefix, for any Python. A build knows more: the
wheel is for the Python that runs it, or for another machine's of the same version.
"""

from __future__ import annotations

import sysconfig
from typing import List, Tuple

from manylinux_shim.audit import Verdict


def not_in_this_python(verdict: Verdict) -> List[Tuple[str, str]]:
    """File and symbol for each of Python's that extensions for this Python need in vain.

    Files that are for another Python, or for none in particular, are left alone.
    """
    try:
        from ctypes import pythonapi
    except ImportError:  # a Python built without libffi cannot be asked
        return []
    suffixes = _suffixes()
    return [
        (facts.name, symbol.name)
        for facts in verdict.files
        if any(suffix in facts.name for suffix in suffixes)
        for symbol in facts.undefined
        if symbol.name.startswith(("Py", "_Py"))
        and not symbol.weak
        and not hasattr(pythonapi, symbol.name)
    ]


def _suffixes() -> Tuple[str, ...]:
    """What marks an extension module as this Python's, whatever its machine."""
    soabi = sysconfig.get_config_var("SOABI") or ""
    implementation = "-".join(soabi.split("-")[:2])
    return (f".{implementation}-", ".abi3.so") if implementation else (".abi3.so",)
