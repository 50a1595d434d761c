"""Everything about truth: which platform tags a wheel has earned, and why not more."""

from __future__ import annotations

from manylinux_shim.audit._audit import audit_wheel
from manylinux_shim.audit._elf import ElfFacts
from manylinux_shim.audit._json import to_json
from manylinux_shim.audit._reasons import Reason
from manylinux_shim.audit._report import render, render_claims, render_refusal
from manylinux_shim.audit._symbols import GlibcTable, MuslTable
from manylinux_shim.audit._verdict import Verdict

__all__ = [
    "ElfFacts",
    "GlibcTable",
    "MuslTable",
    "Reason",
    "Verdict",
    "audit_wheel",
    "render",
    "render_claims",
    "render_refusal",
    "to_json",
]
