"""What becomes of arguments that gcc knows and clang or lld do not: the tables.

Build systems speak gcc's language, with the flags of whoever compiled Python.
Each rule says what becomes of one spelling and why; what no rule names goes
through as it is.

Sources: GCC's manual ("Option Summary", "Link Options"), clang's
ClangCommandLineReference, lld's manual page.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence, Tuple


class Rule:
    """What becomes of one spelling of an argument. A ``*`` at the end stands for any rest."""

    __slots__ = ("action", "pattern", "reason")

    def __init__(self, pattern: str, action: str, reason: str) -> None:
        self.pattern = pattern
        self.action = action
        self.reason = reason


DROP = "drop"
"""Leave it out without a word: it changes nothing here."""
NOTICE = "notice"
"""Leave it out and say so: its author wanted something that they do not get."""
COMPILER_RULES = (
    Rule("-march=native", NOTICE, "a wheel is for every machine, not for this one's processor"),
    Rule("-mcpu=native", NOTICE, "a wheel is for every machine, not for this one's processor"),
    Rule("-mtune=native", DROP, "a wheel is for every machine, not for this one's processor"),
    Rule("-specs=*", DROP, "GCC's spec files; Fedora puts them into Python's own flags"),
    Rule("--target=*", DROP, "the target is this build's own; cc-rs and others repeat it"),
    Rule("--sysroot=*", DROP, "the sysroot is this build's own"),
    Rule("--gcc-toolchain=*", DROP, "no GCC takes part"),
    Rule("--gcc-install-dir=*", DROP, "no GCC takes part"),
    Rule("-fno-reorder-blocks-and-partition", DROP, "GCC's optimiser only"),
    Rule("-freorder-blocks-and-partition", DROP, "GCC's optimiser only"),
    Rule("-fno-gnu-unique", DROP, "clang makes no symbol unique in a process"),
    Rule("-fgnu-unique", DROP, "clang makes no symbol unique in a process"),
    Rule("-fabi-version=*", DROP, "GCC's own revisions of the C++ ABI; clang has the newest"),
    Rule("-fabi-compat-version=*", DROP, "GCC's own revisions of the C++ ABI"),
    Rule("-fconcepts", DROP, "clang has concepts wherever the language has them: -std=c++20"),
    Rule("-fconcepts-ts", NOTICE, "clang has the concepts of C++20, not those of the TS"),
    Rule("-malign-data=*", DROP, "GCC's alignment of variables; clang's is the ABI's"),
    Rule("-flive-patching*", DROP, "GCC's optimiser only"),
    Rule("-fopt-info*", DROP, "GCC's reports"),
    Rule("-flifetime-dse*", DROP, "clang keeps what is stored into objects at their ends"),
    Rule("-fno-lifetime-dse", DROP, "clang keeps what is stored into objects at their ends"),
    Rule("-finline-atomics", DROP, "clang always does"),
    Rule("-fno-inline-atomics", NOTICE, "clang has no calls for what the processor does itself"),
    Rule("-ftoplevel-reorder", DROP, "clang always may"),
    Rule("-fno-toplevel-reorder", NOTICE, "clang has no order of functions to keep"),
    Rule("-fno-strict-volatile-bitfields", DROP, "clang never does more than the ABI says"),
    Rule("-fstrict-volatile-bitfields", NOTICE, "clang reads bit-fields as the ABI says"),
    Rule("-fharden-*", NOTICE, "GCC's hardening only"),
    Rule("-fuse-linker-plugin", DROP, "GCC's way of link-time optimisation"),
    Rule("-fno-use-linker-plugin", DROP, "GCC's way of link-time optimisation"),
    Rule("-ffat-lto-objects", DROP, "GCC's way of link-time optimisation"),
    Rule("-fno-fat-lto-objects", DROP, "GCC's way of link-time optimisation"),
    Rule("-flto-partition=*", DROP, "GCC's way of link-time optimisation"),
    Rule("-flto-compression-level=*", DROP, "GCC's way of link-time optimisation"),
    Rule("-fno-var-tracking*", DROP, "GCC's debug information only"),
    Rule("-fvar-tracking*", DROP, "GCC's debug information only"),
    Rule("-fmax-errors=*", DROP, "GCC's spelling of -ferror-limit"),
    Rule("-fanalyzer", DROP, "GCC's analyser"),
    Rule("-fhardened", DROP, "GCC's shorthand for flags that distributions also give in full"),
    Rule("-fprofile-partial-training", DROP, "GCC's profiles only"),
    Rule("-mindirect-branch*", DROP, "GCC's spelling of -mretpoline, for kernels"),
    Rule("-mfunction-return=*", DROP, "for kernels"),
    Rule("-aux-info=*", DROP, "GCC's listing of prototypes"),
    Rule("-fno-harden-*", DROP, "GCC's hardening only"),
    Rule("-fno-live-patching", DROP, "GCC's optimiser only"),
    Rule("-fno-opt-info", DROP, "GCC's reports"),
    Rule("-fdump-*", DROP, "GCC's reports"),
    Rule("-fcallgraph-info*", DROP, "GCC's reports"),
    Rule("-fmem-report*", DROP, "GCC's reports"),
    Rule("-fcompare-debug*", DROP, "GCC's check of itself"),
    Rule("-femit-struct-debug-*", DROP, "GCC's debug information only"),
    Rule("-fdebug-cpp", DROP, "GCC's preprocessor, for who works on it"),
    Rule("-fmax-include-depth=*", DROP, "GCC's preprocessor only"),
    Rule("-ftrack-macro-expansion*", DROP, "clang always does"),
    Rule("-fno-track-macro-expansion", DROP, "for GCC's memory only"),
    Rule("-fcanonical-system-headers", DROP, "names of headers in dependencies"),
    Rule("-fno-canonical-system-headers", DROP, "names of headers in dependencies"),
    Rule("-fworking-directory", DROP, "a line of preprocessed text, for debuggers"),
    Rule("-fno-working-directory", DROP, "a line of preprocessed text, for debuggers"),
    Rule("-ffp-int-builtin-inexact", DROP, "so it is in clang"),
    Rule("-fchkp-*", DROP, "of MPX, which GCC 9 took out"),
    Rule("-fconcepts-diagnostics-depth=*", DROP, "GCC's words for errors"),
    Rule("-fno-diagnostics-show-template-tree", DROP, "GCC's words for errors"),
    Rule("-foptional-diags", DROP, "GCC's words for errors"),
    Rule("-fno-optional-diags", DROP, "GCC's words for errors"),
    Rule("-fpretty-templates", DROP, "GCC's words for errors"),
    Rule("-fno-pretty-templates", DROP, "GCC's words for errors"),
    Rule("-fconstexpr-cache-depth=*", DROP, "how much GCC computes while it compiles"),
    Rule("-fconstexpr-loop-limit=*", DROP, "how much GCC computes while it compiles"),
    Rule("-fconstexpr-ops-limit=*", DROP, "how much GCC computes while it compiles"),
    Rule("-fdeclone-ctor-dtor", DROP, "GCC's optimiser only"),
    Rule("-fno-declone-ctor-dtor", DROP, "GCC's optimiser only"),
    Rule("-fext-numeric-literals", DROP, "clang always has them"),
    Rule("-fnew-inheriting-ctors", DROP, "clang always has them so"),
    Rule("-gstatement-frontiers", DROP, "GCC's debug information only"),
    Rule("-gno-statement-frontiers", DROP, "GCC's debug information only"),
    Rule("-gvariable-location-views*", DROP, "GCC's debug information only"),
    Rule("-gno-variable-location-views", DROP, "GCC's debug information only"),
    Rule("-ginternal-reset-location-views", DROP, "GCC's debug information only"),
    Rule("-gno-internal-reset-location-views", DROP, "GCC's debug information only"),
    Rule("-ginline-points", DROP, "GCC's debug information only"),
    Rule("-gno-inline-points", DROP, "GCC's debug information only"),
    Rule("-gas-loc*", DROP, "GCC's debug information only"),
    Rule("-gno-as-loc*", DROP, "GCC's debug information only"),
    Rule("-gdescribe-dies", DROP, "GCC's debug information only"),
    Rule("-gno-describe-dies", DROP, "GCC's debug information only"),
)
"""Applied to every argument that is the compiler's."""

_OPTIMISER = frozenset(
    "aggressive-loop-optimizations align-jumps align-labels align-loops allocation-dce"
    " allow-store-data-races auto-inc-dec avoid-store-forwarding bit-tests branch-count-reg"
    " branch-probabilities btr-bb-exclusive caller-saves code-hoisting combine-stack-adjustments"
    " compare-elim conserve-stack cprop-registers crc-optimization crossjumping dce defer-pop"
    " delayed-branch delete-dead-exceptions devirtualize devirtualize-at-ltrans"
    " devirtualize-speculatively dse early-inlining expensive-optimizations ext-dce"
    " fold-mem-offsets fold-simple-inlines force-addr force-mem forward-propagate function-cse"
    " guess-branch-probability hoist-adjacent-loads if-conversion if-conversion2 indirect-inlining"
    " inline-functions-called-once inline-limit inline-small-functions inline-stringops"
    " isolate-erroneous-paths-attribute isolate-erroneous-paths-dereference ivopts"
    " keep-gc-roots-live late-combine-instructions limit-function-alignment live-range-shrinkage"
    " lra-remat malloc-dce merge-constants modulo-sched modulo-sched-allow-regmoves"
    " move-loop-invariants move-loop-stores nothrow-opt optimize-register-move optimize-strlen"
    " partial-inlining peel-loops peephole peephole2 predictive-commoning prefetch-loop-arrays"
    " printf-return-value profile-partial-training profile-reorder-functions profile-values ree"
    " regmove rename-registers reorder-blocks reorder-blocks-algorithm"
    " reorder-blocks-and-partition reorder-functions rerun-cse-after-loop rerun-loop-opt"
    " reschedule-modulo-scheduled-loops section-anchors selective-scheduling selective-scheduling2"
    " shrink-wrap shrink-wrap-separate simd-cost-model speculatively-call-stored-functions"
    " split-ivs-in-unroller split-loops split-paths split-wide-types split-wide-types-early"
    " ssa-backprop ssa-phiopt stack-reuse stdarg-opt store-merging strength-reduce thread-jumps"
    " tracer unconstrained-commons unit-at-a-time unroll-all-loops unroll-completely-grow-size"
    " unsafe-loop-optimizations unswitch-loops variable-expansion-in-unroller vect-cost-model"
    " version-loops-for-strides vpt web whole-program zee".split()
)
_OPTIMISER_FAMILIES = ("tree-", "ipa-", "graphite", "loop-", "cse-", "gcse", "sched-", "sched2-",
                       "schedule-", "sel-sched-", "ira-")  # fmt: skip
_CLANG_HAS = ("tree-vectorize", "tree-slp-vectorize")


_TUNING = frozenset(
    "8bit-idiv accumulate-outgoing-args align-stringops avx256-split-unaligned-load"
    " avx256-split-unaligned-store branch-cost dispatch-scheduler dump-tune-features fancy-math-387"
    " force-drap fp-ret-in-387 fused-madd ieee-fp inline-all-stringops"
    " inline-stringops-dynamically memcpy-strategy memset-strategy move-max needed push-args"
    " relax-cmpxchg-loop store-max stringop-strategy stv tune-ctrl vect-cost-model".split()
)
"""Of x86 ("x86 Options"), without the ``-m``: which of several ways does the same."""


def is_for_gccs_optimiser(argument: str) -> bool:
    """Whether it steers a pass of GCC's that clang has not: the code is right without it.

    As GCC's manual has them in "Options That Control Optimization", with ``no-`` and
    values, and those of its older versions; what changes what a program means is not
    among them.
    """
    if argument.startswith("--param"):
        return True
    if argument.startswith("-m"):
        name = argument[2:].partition("=")[0]
        return (name[3:] if name.startswith("no-") else name) in _TUNING
    name = argument[2:].partition("=")[0] if argument.startswith("-f") else ""
    name = name[3:] if name.startswith("no-") else name
    if name in _CLANG_HAS:
        return False
    return name in _OPTIMISER or name.startswith(_OPTIMISER_FAMILIES)


SPELLED = {
    "-mabm": ("-mlzcnt", "-mpopcnt"),
    "-mno-abm": ("-mno-lzcnt", "-mno-popcnt"),
    "-mprefer-avx128": ("-mprefer-vector-width=128",),
    "-fhandle-exceptions": ("-fexceptions",),
    "-fno-handle-exceptions": ("-fno-exceptions",),
    "-fno-stack-protector-all": ("-fno-stack-protector",),
    "-fno-stack-protector-strong": ("-fno-stack-protector",),
    "-fno-stack-protector-explicit": ("-fno-stack-protector",),
    "-fstack-protector-explicit": ("-fno-stack-protector",),
}
"""Options of GCC's -> the same in clang's words."""

PROFILING = ("--coverage", "-coverage", "-fprofile-arcs", "-ftest-coverage", "-p", "-pg")
"""Options that need a library of the compiler's which zig does not have; ``-fprofile-generate`` and
``-fprofile-instr-generate`` in all their forms as well."""

_INFINITIES = "-fhonor-infinities"
COMPLETED = {
    "-ffast-math": _INFINITIES,
    "-Ofast": _INFINITIES,
    "-ffinite-math-only": _INFINITIES,
}
"""Options of the compiler -> one that is given after it, so that it means what it does to GCC.

GCC's code for these still has the infinities that a program writes down, as the distance
of what was not seen yet; to clang they and what is stored beside them may be anything.
"""

FOREIGN_COMPILER_RULES = {
    "x86": (
        Rule("-mbranch-protection=*", DROP, "ARM only; distributions put it into Python's flags"),
        Rule("-mfpu=*", DROP, "ARM only; distributions put it into Python's flags"),
        Rule("-mfloat-abi=*", DROP, "ARM only; distributions put it into Python's flags"),
    ),
    "other": (
        Rule("-fcf-protection*", DROP, "x86 only; distributions put it into Python's flags"),
        Rule("-m64", DROP, "x86 only; distributions put it into Python's flags"),
        Rule("-mno-omit-leaf-frame-pointer", DROP, "x86 only; Fedora and Ubuntu set it"),
        Rule("-mtls-dialect=gnu*", DROP, "x86 only; distributions put it into Python's flags"),
        Rule("-mfpmath=*", DROP, "x86 only"),
    ),
}
"""As COMPILER_RULES: what the host's Python was compiled with and the target does not know."""

DEBUG_RULES = (
    Rule("-g", DROP, "strip = true: the link would take it out again"),
    Rule("-g0", DROP, "strip = true: the link would take it out again"),
    Rule("-g1", DROP, "strip = true: the link would take it out again"),
    Rule("-g2", DROP, "strip = true: the link would take it out again"),
    Rule("-g3", DROP, "strip = true: the link would take it out again"),
    Rule("-ggdb*", DROP, "strip = true: the link would take it out again"),
    Rule("-gdwarf*", DROP, "strip = true: the link would take it out again"),
    Rule("-gz*", DROP, "strip = true: the link would take it out again"),
    Rule("-gsplit-dwarf*", DROP, "strip = true: the link would take it out again"),
    Rule("-gno-*", DROP, "strip = true: the link would take it out again"),
    Rule("-grecord-gcc-switches", DROP, "strip = true: the link would take it out again"),
)
"""As COMPILER_RULES, where debug information is not wanted."""

LINKER_RULES = (
    Rule("-plugin*", DROP, "GCC's way of link-time optimisation"),
    Rule("--plugin*", DROP, "GCC's way of link-time optimisation"),
    Rule(
        "--fix-cortex-a53-843419", DROP, "lld knows it for aarch64 only, and Rust always gives it"
    ),
    Rule("--no-copy-dt-needed-entries", DROP, "GNU ld only; lld never copies them"),
    Rule("--copy-dt-needed-entries", DROP, "GNU ld only"),
    Rule("--no-add-needed", DROP, "GNU ld only"),
    Rule("--add-needed", DROP, "GNU ld only"),
    Rule("--no-keep-memory", DROP, "GNU ld's own memory"),
    Rule("--reduce-memory-overheads", DROP, "GNU ld's own memory"),
    Rule("--hash-size=*", DROP, "GNU ld's own memory"),
    Rule("--no-ld-generated-unwind-info", DROP, "GNU ld only"),
    Rule("--no-relax", DROP, "GNU ld's relaxations"),
    Rule("--default-symver", NOTICE, "GNU ld only"),
    Rule("--fatal-warnings", DROP, "undefined symbols are warnings first, and judged afterwards"),
    Rule("--sysroot=*", DROP, "the sysroot is this build's own"),
    Rule("--dynamic-linker=*", DROP, "the target's own is always used"),
)
"""Applied to every argument that is the linker's."""

LIBC_LIBRARIES = ("c", "m", "pthread", "dl", "rt", "util", "resolv")
"""``-l`` names that mean the target's own libc, whatever a ``-L`` directory has."""

UNWINDER = "gcc_s"
"""The ``-l`` name of what unwinds the stack with glibc, which every policy allows: glibc itself
ends threads by it, through the frames of whoever is on their stack."""

RUNTIME_LIBRARIES = (
    "gcc", "gcc_eh", "stdc++", "supc++", "stdc++fs", "c++", "c++abi", "c++experimental", "unwind",
    "atomic", "compiler_rt", "clang_rt.builtins", "ssp", "ssp_nonshared",
)  # fmt: skip
"""``-l`` names whose contents are added when, and only when, the link needs them."""


def match(rules: Sequence[Rule], argument: str) -> Optional[Rule]:
    """The first rule for ``argument``, or None."""
    for rule in rules:
        pattern = rule.pattern
        if pattern.endswith("*"):
            if argument.startswith(pattern[:-1]):
                return rule
        elif argument == pattern:
            return rule
    return None


def compiler_rules(*, x86: bool, strip: bool) -> Tuple[Rule, ...]:
    """The rules for the compiler's arguments in one build."""
    foreign = FOREIGN_COMPILER_RULES["x86" if x86 else "other"]
    return COMPILER_RULES + foreign + (DEBUG_RULES if strip else ())
