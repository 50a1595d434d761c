"""``#pragma GCC target``, which clang does not know, as attributes that it does.

The pragma names features of the processor for the functions that follow it, often in a pair
of ``push_options`` and ``pop_options`` (GCC's manual, "Function Specific Option Pragmas").
clang has ``#pragma clang attribute`` for that. They are translated in preprocessed text, where
those of headers and of ``_Pragma`` stand, too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence, Tuple

NEEDED = "target feature"
"""What clang says where code needs a feature that it has not been told of."""

_GCC = "#pragma GCC "
_PUSH = '#pragma clang attribute push(__attribute__((target("{}"))), apply_to = function)'
_POP = "#pragma clang attribute pop"

_OTHER_NAMES = {"abm": ("lzcnt", "popcnt"), "no-abm": ("no-lzcnt", "no-popcnt")}
_OF_GCC_ALONE = frozenset(
    "3dnow 3dnowa align-stringops apxf avx10.1-256 avx10.1-512 avx512er avx512pf cld evex512"
    " fancy-math-387 gather hle ieee-fp inline-all-stringops inline-stringops-dynamically"
    " long-double-64 long-double-80 long-double-128 prefetchwt1 recip scatter sse2avx"
    " vzeroupper".split()
)
"""What is no feature, and features that clang has no more."""
_ARM_UNITS = {
    "neon": "neon",
    "crypto": "crypto",
    "vfpv4": "vfp4",
    "armv8": "fp-armv8",
    "fp16": "fp16",
}
"""Parts of the names of ARM's floating-point units, ``crypto-neon-fp-armv8``, as features."""
_VALUES_OF_GCC_ALONE = ("fpmath=", "prefer-vector-width=", "tune=")


def mentioned_in(path: str) -> bool:
    """Whether a source file has such a pragma, perhaps; one that cannot be read has none."""
    try:
        with open(path, "rb") as file:
            return b"GCC target" in file.read()
    except OSError:
        return False


def translated(text: str, architecture: str) -> str:
    """Preprocessed ``text`` with its pragmas translated, for one architecture by its tag's name.

    It is the same text where there are none.
    """
    if f"{_GCC}target" not in text:
        return text
    lines: List[str] = []
    features: Tuple[str, ...] = ()
    saved: List[Tuple[str, ...]] = []
    number, marker = 0, ""
    for line in text.splitlines():
        number += 1
        if line.startswith("# "):
            number, marker = _marked(line)
        before = features
        said = line[len(_GCC) :].lstrip() if line.startswith(_GCC) else ""
        if said.startswith("target"):
            features += tuple(features_of(said, architecture))
        elif said.startswith("push_options"):
            saved.append(features)
        elif said.startswith("pop_options"):
            features = saved.pop() if saved else ()
        elif said.startswith("reset_options"):
            features = ()
        else:
            lines.append(line)
            continue
        # Of two attributes on a function clang takes the first, so that one has to have all.
        changed = [_POP] if before else []
        changed += [_PUSH.format(",".join(features))] if features else []
        lines += changed if before != features else [""]
        if before != features and len(changed) > 1 and marker:
            lines.append(f"# {number + 1} {marker}")
    lines += [_POP] if features else []
    return "\n".join(lines) + "\n"


def _marked(line: str) -> Tuple[int, str]:
    """Of a linemarker the number before that of the next line, and what says in which file it is.

    ``# 12 "file.h" 1 3`` enters (1) a header of the system (3): GCC's "Preprocessor Output".
    """
    number, _, rest = line[2:].partition(" ")
    if not number.isdigit() or '"' not in rest:
        return 0, ""
    name, _, flags = rest.rpartition('"')
    kept = [flag for flag in flags.split() if flag in ("3", "4")]
    return int(number) - 1, " ".join([f'{name}"', *kept])


def features_of(said: str, architecture: str) -> List[str]:
    """What a ``target`` pragma asks for, in clang's words: ``target ("+crc", "+crypto")``."""
    given = ",".join(said.split('"')[1::2]).split(",")
    features: List[str] = []
    for feature in filter(None, (each.strip() for each in given)):
        if feature in _OF_GCC_ALONE or feature[3:] in _OF_GCC_ALONE:
            continue
        if feature.startswith(_VALUES_OF_GCC_ALONE) or feature.endswith("=native"):
            continue  # the last would be this machine's, and a wheel is for every one
        if architecture == "armv7l" and feature.startswith("arch="):
            # clang has no architecture there, and what is added to one under its own name.
            features += feature.split("+")[1:]
        elif architecture == "armv7l" and feature.startswith("fpu="):
            parts = feature[4:].split("-")
            features += [_ARM_UNITS[part] for part in parts if part in _ARM_UNITS]
        else:
            features += _OTHER_NAMES.get(feature, (feature,))
    return features


def preprocessing(words: Sequence[str], output: str, text: str) -> List[str]:
    """A compiler's arguments as those of its preprocessor, which writes to ``text``.

    What make is to know of ``output``, by ``-MD`` and its like, is written by it.
    """
    kept: List[str] = []
    rest = iter(words)
    for word in rest:
        if word == "-o":
            next(rest, None)
        elif word not in ("-c", "-S"):
            kept.append(word)
    if any(word in ("-MD", "-MMD") for word in words):
        stem = output.rpartition(".")[0] or output
        kept += [] if "-MF" in words else ["-MF", f"{stem}.d"]
        kept += [] if {"-MT", "-MQ"} & set(words) else ["-MT", output]
    return [*kept, "-E", "-o", text]


def preprocessed(words: Sequence[str], source: str, text: str, *, cxx: bool) -> List[str]:
    """The same arguments for ``text``, which has been made of ``source``."""
    language = "c++-cpp-output" if cxx else "cpp-output"
    kept: List[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-MF", "-MT", "-MQ", "-include", "-imacros", "-x"):
            next(rest, None)
        elif word == source:
            kept += ["-x", language, text, "-x", "none"]
        elif word not in ("-MD", "-MMD", "-MP", "-MV"):
            kept.append(word)
    # Of no interest to who wrote the other pragma.
    return [*kept, "-Wno-pragma-clang-attribute"]
