"""Everything about truth: which platform tags a wheel has earned, and why not more."""

from __future__ import annotations

from manylinux_shim.audit._abilists import VersionTriple
from manylinux_shim.audit._audit import audit_wheel, machine_of
from manylinux_shim.audit._json import error_to_json, schema, to_json
from manylinux_shim.audit._musl import newer_than_musl
from manylinux_shim.audit._policies import (
    GLIBC_LIBRARIES,
    NEVER,
    OTHER_LIBRARIES,
    floor_of,
    glibc_version,
    version_floor,
)
from manylinux_shim.audit._report import render, render_claims, render_refusal
from manylinux_shim.audit._requirements import libc_of
from manylinux_shim.audit._scope import (
    Scope,
    exchanging,
    library_place,
    run_path_between,
    run_path_directory,
)
from manylinux_shim.audit._symbols import (
    LIBRARY_OF_SONAME,
    GlibcTable,
    MuslTable,
    SymbolVersion,
    version_text,
)
from manylinux_shim.audit._systems import SYSTEMS
from manylinux_shim.audit._verdict import Verdict
from manylinux_shim.audit.reasons import Reason

__all__ = [
    "GLIBC_LIBRARIES",
    "LIBRARY_OF_SONAME",
    "NEVER",
    "OTHER_LIBRARIES",
    "SYSTEMS",
    "GlibcTable",
    "MuslTable",
    "Reason",
    "Scope",
    "SymbolVersion",
    "Verdict",
    "VersionTriple",
    "audit_wheel",
    "error_to_json",
    "exchanging",
    "floor_of",
    "glibc_version",
    "libc_of",
    "library_place",
    "machine_of",
    "newer_than_musl",
    "render",
    "render_claims",
    "render_refusal",
    "run_path_between",
    "run_path_directory",
    "schema",
    "to_json",
    "version_floor",
    "version_text",
]
