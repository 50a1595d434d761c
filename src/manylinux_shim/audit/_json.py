"""A verdict for programs: ``manylinux-shim show --json``.

Version 1 of the schema. One JSON object a wheel, with these keys:

``version``      int, 1. New keys may come without a new version; none will go or change.
``wheel``        str, the wheel's file name.
``claimed``      list of str, the platform tags in the file name.
``earned``       str, the most compatible platform tag proven; ``linux_<arch>`` if no
                 policy is, ``any`` if there is nothing in it that depends on a platform.
``earned_tags``  list of str, all tags to write into the name: the legacy alias of
                 ``earned`` too, and the other libc's tag for programs that run on both.
``truthful``     bool, whether every claimed tag is proven.
``architecture`` str, the machine that the files are for, or null.
``libc``         object, the oldest libc that it runs on: ``{"manylinux": "2.17"}``; empty if
                 none is known.
``files``        list of objects, the facts of each ELF file: ``name``, ``machine``, ``type``
                 (``object``, ``library``, ``program``), ``interpreter``, ``needed``, ``soname``,
                 ``run_path``, ``version_needs`` (list of ``{library, version, weak}``),
                 ``version_definitions``, ``undefined`` (list of ``{name, version, library,
                 weak}``), ``executable_stack``, ``text_relocations``, ``packed_relocations``,
                 ``isa_needed``, ``isa_used`` (x86-64 levels, null on other machines).
``reasons``      list of objects, what stands between the wheel and any better tag, the
                 worst first: ``policy`` (the newest that it stands against; null: all),
                 ``file``, ``kind``, ``symbol``, ``version``, ``library``, ``allowed``, ``remedy``.
``notes``        list of str, what is worth knowing and speaks against no tag.

The kinds of reasons are those of ``_reasons.KINDS``.
"""

from __future__ import annotations

from typing import Any, Dict

from manylinux_shim.audit._verdict import Verdict
from manylinux_shim.audit.reasons import Reason
from manylinux_shim.elf import EM_386, EM_X86_64, ElfFacts

SCHEMA_VERSION = 1


def to_json(verdict: Verdict) -> Dict[str, Any]:
    """The verdict as plain lists and dictionaries, as the module's docstring has them."""
    return {
        "version": SCHEMA_VERSION,
        "wheel": verdict.wheel.name,
        "claimed": list(verdict.claimed),
        "earned": verdict.earned[0],
        "earned_tags": list(verdict.earned),
        "truthful": verdict.truthful,
        "architecture": verdict.machine or None,
        "libc": {
            family: ".".join(map(str, floor[:3] if floor[2] else floor[:2]))
            for family, floor in verdict.needed_libc.items()
        },
        "files": [_facts(facts) for facts in verdict.files],
        "reasons": [_reason(reason) for reason in verdict.reasons],
        "notes": list(verdict.notes),
    }


def _facts(facts: ElfFacts) -> Dict[str, Any]:
    x86 = facts.machine in (EM_386, EM_X86_64)
    return {
        "name": facts.name,
        "machine": facts.machine_name,
        "type": "program" if facts.executable else "library" if facts.loadable else "object",
        "interpreter": facts.interpreter,
        "needed": list(facts.needed),
        "soname": facts.soname,
        "run_path": list(facts.run_path),
        "version_needs": [need._asdict() for need in facts.version_needs],
        "version_definitions": list(facts.version_definitions),
        "undefined": [symbol._asdict() for symbol in facts.undefined],
        "executable_stack": facts.executable_stack,
        "text_relocations": facts.text_relocations,
        "packed_relocations": facts.relr,
        "isa_needed": facts.isa_needed if x86 else None,
        "isa_used": facts.isa_used if x86 else None,
    }


def _reason(reason: Reason) -> Dict[str, Any]:
    return {
        "policy": reason.policy.name if reason.policy is not None else None,
        "file": reason.file,
        "kind": reason.kind,
        "symbol": reason.symbol,
        "version": reason.version,
        "library": reason.library,
        "allowed": reason.allowed,
        "remedy": reason.remedy,
    }
