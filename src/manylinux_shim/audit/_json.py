"""A verdict for programs: ``manylinux-shim show --json`` and ``check --json``.

Version 1 of the schema, which is ``verdict.schema.json`` in the package. One JSON object a
wheel, on a line of its own. A wheel that cannot be read has no more than ``version``,
``wheel`` and ``error``; every other has these keys:

``version``      int, 1. New keys may come without a new version; none will go or change.
``wheel``        str, the wheel's file name.
``claimed``      list of str, the platform tags in the file name.
``earned``       str, the most compatible platform tag proven; ``linux_<arch>`` if no
                 policy is, ``any`` if there is nothing in it that depends on a platform.
``earned_tags``  list of str, all tags to write into the name: the legacy alias of
                 ``earned`` too, and the other libc's tag for programs that run on both.
``truthful``     bool, whether every claimed tag is proven.
``policy``       str, the policy that was asked about; null: what the wheel bears.
``proven``       bool, whether that policy is proven; without one, the same as ``truthful``.
``unproven``     list of objects, the tags that it bears and has not earned, be it a platform's
                 (``manylinux_2_17_x86_64``), Python's (``cp312-cp312``) or ``abi3``: ``tag``,
                 ``reasons`` (as below).
``architecture`` str, the machine that the files are for, or null.
``libc``         object, the oldest libc that it runs on: ``{"manylinux": "2.17"}``; empty if
                 none is known.
``files``        list of objects, the facts of each ELF file: ``name``, ``machine``, ``type``
                 (``object``, ``library``, ``program``), ``interpreter``, ``needed``, ``soname``,
                 ``run_path``, ``run_path_tag`` (``DT_RUNPATH``, ``DT_RPATH`` or null),
                 ``version_needs`` (list of ``{library, version, weak}``),
                 ``version_definitions``, ``undefined`` (list of ``{name, version, library,
                 weak}``), ``executable_stack``, ``text_relocations``, ``packed_relocations``,
                 ``isa_needed``, ``isa_used`` (x86-64 levels, null on other machines).
``reasons``      list of objects, what stands between the wheel and any better tag, the
                 worst first: ``policy`` (the newest that it stands against; null: all),
                 ``file``, ``kind``, ``symbol``, ``version``, ``library``, ``allowed``, ``remedy``.
                 Where a policy was asked about: what stands against that.
``notes``        list of str, what is worth knowing and speaks against no tag.

The kinds of reasons are those of ``audit.reasons.KINDS``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional

from manylinux_shim._errors import ShimError
from manylinux_shim._platforms import Policy
from manylinux_shim.audit._verdict import Verdict
from manylinux_shim.audit.reasons import Reason
from manylinux_shim.elf import EM_386, EM_X86_64, ElfFacts

SCHEMA_VERSION = 1


def schema() -> Dict[str, Any]:
    """The JSON schema of ``to_json`` and ``error_to_json``."""
    import json

    text = Path(__file__).parent.with_name("verdict.schema.json").read_text(encoding="utf-8")
    found: Dict[str, Any] = json.loads(text)
    return found


def error_to_json(wheel: Path, error: ShimError) -> Dict[str, Any]:
    """The same for a wheel that cannot be read."""
    return {"version": SCHEMA_VERSION, "wheel": wheel.name, "error": str(error)}


def to_json(verdict: Verdict, policy: Optional[Policy] = None) -> Dict[str, Any]:
    """The verdict as plain lists and dictionaries, as the module's docstring has them.

    With ``policy``, whether that one is proven, and what stands against it.
    """
    reasons = verdict.reasons if policy is None else verdict.against(policy)
    return {
        "version": SCHEMA_VERSION,
        "wheel": verdict.wheel.name,
        "claimed": list(verdict.claimed),
        "earned": verdict.earned[0],
        "earned_tags": list(verdict.earned),
        "truthful": verdict.truthful,
        "policy": policy.name if policy is not None else None,
        "proven": verdict.truthful if policy is None else verdict.proves(policy),
        "unproven": [
            {"tag": tag, "reasons": [_reason(reason) for reason in against]}
            for tag, against in verdict.unproven()
        ],
        "architecture": verdict.machine or None,
        "libc": {
            family: ".".join(map(str, floor[:3] if floor[2] else floor[:2]))
            for family, floor in verdict.needed_libc.items()
        },
        "files": [_facts(facts) for facts in verdict.files],
        "reasons": [_reason(reason) for reason in reasons],
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
        "run_path_tag": _run_path_tag(facts),
        "version_needs": [need._asdict() for need in facts.version_needs],
        "version_definitions": list(facts.version_definitions),
        "undefined": [symbol._asdict() for symbol in facts.undefined],
        "executable_stack": facts.executable_stack,
        "text_relocations": facts.text_relocations,
        "packed_relocations": facts.relr,
        "isa_needed": facts.isa_needed if x86 else None,
        "isa_used": facts.isa_used if x86 else None,
    }


def _run_path_tag(facts: ElfFacts) -> Optional[str]:
    if not facts.run_path:
        return None
    return "DT_RPATH" if facts.run_path_is_rpath else "DT_RUNPATH"


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
