"""Compiling by way of ccache: what was compiled before is taken, not compiled.

ccache has the compiler preprocess a source, looks the text up together with the arguments,
and has it compiled when it is new. Nothing else decides: a header that is not the same, or a
new one that hides another, is in the text. The compiler that it starts is a script beside
ours, ``clang``, which gives the files in that text names that stay: the project's directory,
the build's environment and zig's own are somewhere else in each build. What clang writes into
objects has the same names, by ``-ffile-prefix-map``.

Rules about files that depend on others are not ccache's: they would name an earlier build's
files. They are written while it preprocesses, which it does each time.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Mapping, Optional, Sequence, Tuple

CCACHE_VARIABLE = "_MANYLINUX_SHIM_CCACHE"
"""The program; not set where nothing is kept."""
OBJECTS_VARIABLE = "_MANYLINUX_SHIM_OBJECTS"
"""The directory that it keeps objects in."""
IDENTITY_VARIABLE = "_MANYLINUX_SHIM_ZIG_IDENTITY"
"""What tells one zig from another."""
PLACES_VARIABLE = "_MANYLINUX_SHIM_PLACES"
"""Directories that are elsewhere in each build, and their names: ``old<TAB>new`` lines."""

_MARKERS_VARIABLE = "_MANYLINUX_SHIM_MARKERS"
_RULES_VARIABLE = "_MANYLINUX_SHIM_RULES"

SCRIPT = f"""#!/bin/sh
# zig's clang, as ccache starts it. What it says while it preprocesses it says again later.
for word do
    if [ "$word" = -E ]; then
        IFS='
'
        set -f
        exec 4>&1
        status=$({{ {{ "$_MANYLINUX_SHIM_ZIG" clang "$@" ${_RULES_VARIABLE} 2>/dev/null 3>&- 4>&-
            echo $? >&3; }} | LC_ALL=C sed "${_MARKERS_VARIABLE}" >&4 3>&-; }} 3>&1)
        exit "$status"
    fi
done
exec "$_MANYLINUX_SHIM_ZIG" clang "$@"
"""
"""``clang`` in the directory of tools."""

_THE_USERS = (
    "CCACHE_COMPRESS",
    "CCACHE_COMPRESSLEVEL",
    "CCACHE_DEBUG",
    "CCACHE_DEBUGDIR",
    "CCACHE_DISABLE",
    "CCACHE_LOGFILE",
    "CCACHE_MAXSIZE",
    "CCACHE_READONLY",
    "CCACHE_RECACHE",
    "CCACHE_REMOTE_ONLY",
    "CCACHE_REMOTE_STORAGE",
    "CCACHE_RESHARE",
    "CCACHE_STATSLOG",
    "CCACHE_UMASK",
)
"""Variables of ccache's that cannot make an object a wrong one."""


_NEVER = ("-M", "-MM", "-MG", "-MV", "-fcxx-modules", "-fimplicit-modules")
_NEVER_BEGINNING = ("-MJ", "-Wp,-M", "-save-temps", "-fmodule", "-fprebuilt-module")
"""Arguments by which there are other results than an object, or other sources than the text."""

_PYTHONS_WARNINGS = ("-Wno-unused-result", "-Wsign-compare")
"""By which the flags of one Python differ from those of the next."""


def places(environ: Mapping[str, str]) -> List[Tuple[str, str]]:
    """Directories that are elsewhere in each build and their names, the outermost first."""
    lines = environ.get(PLACES_VARIABLE, "").splitlines()
    pairs = [tuple(line.split("\t")) for line in lines]
    return sorted(((old, new) for old, new in pairs), key=lambda pair: len(pair[0]))


class Cached:
    """One compile by way of ccache."""

    def __init__(self, words: List[str], tools: str, target: str) -> None:
        """``words`` are clang's arguments for one source; ``tools`` has our ``clang``."""
        self._rules, rest = _rules(words)
        self.command = [os.environ[CCACHE_VARIABLE], f"{tools}/clang", *rest]
        self._words = words
        known = places(os.environ)
        ours = {f"-ffile-prefix-map={old}={new}" for old, new in known}
        # The user's own change what an object says, and ccache is told to look at none.
        others = [w for w in words if "-prefix-map=" in w and w not in ours]
        strict = any(word.startswith(("-Werror", "-pedantic-errors")) for word in words)
        warnings = () if strict else _PYTHONS_WARNINGS
        self.variables: Dict[str, str] = {
            "CCACHE_DIR": os.environ[OBJECTS_VARIABLE],
            "CCACHE_CONFIGPATH": os.devnull,
            "CCACHE_CONFIGPATH2": os.devnull,
            "CCACHE_COMPILERTYPE": "clang",
            "CCACHE_COMPILERCHECK": "string:"
            + " ".join([os.environ[IDENTITY_VARIABLE], target, *others]),
            "CCACHE_NODIRECT": "1",
            "CCACHE_NODEPEND": "1",
            # A project may have a file of settings for its own compiler.
            "CCACHE_BASEDIR": "",
            "CCACHE_SLOPPINESS": "",
            "CCACHE_PREFIX": "",
            "CCACHE_PREFIX_CPP": "",
            "CCACHE_EXTRAFILES": "",
            "CCACHE_NAMESPACE": "",
            "CCACHE_IGNOREOPTIONS": " ".join(["-ffile-prefix-map=*", *warnings]),
            _MARKERS_VARIABLE: "\n".join(_marker(old, new) for old, new in reversed(known)),
            _RULES_VARIABLE: "\n".join(self._rules),
        }
        here = os.getcwd()
        if any(f"{here}/".startswith(f"{old}/") for old, _ in known):
            self.variables["CCACHE_NOHASHDIR"] = "1"

    def enter(self) -> None:
        """Set the variables in this process, which compiles this and ends."""
        for name in list(os.environ):
            if name.startswith("CCACHE_") and name not in _THE_USERS:
                del os.environ[name]
        os.environ.update(self.variables)
        _remove(self._rules_file())

    def remaining(self, zig: str) -> Optional[List[str]]:
        """What writes the rules, where ccache had no need to preprocess."""
        path = self._rules_file()
        if not path or os.path.exists(path):
            return None
        words = [word for word in _rules(self._words)[1] if word != "-c"]
        words = _without(words, "-o")
        return [zig, "clang", *words, "-E", "-o", os.devnull, *self._rules]

    def _rules_file(self) -> str:
        return self._rules[self._rules.index("-MF") + 1] if self._rules else ""


def can_be(words: Sequence[str], source: str) -> bool:
    """Whether a compile with these arguments of the one ``source`` may go by way of ccache."""
    if not os.environ.get(CCACHE_VARIABLE) or not source or source == "-" or "-c" not in words:
        return False
    return not any(word in _NEVER or word.startswith(_NEVER_BEGINNING) for word in words)


def _rules(words: Sequence[str]) -> Tuple[List[str], List[str]]:
    """The arguments about rules, whole in themselves; all the others."""
    rules: List[str] = []
    rest: List[str] = []
    waiting = iter(words)
    output = ""
    for word in waiting:
        if word in ("-MD", "-MMD", "-MP"):
            rules.append(word)
        elif word[:3] in ("-MF", "-MT", "-MQ"):
            rules += [word[:3], word[3:] or next(waiting, "")]
        else:
            rest.append(word)
            if word == "-o":
                output = next(waiting, "")
                rest.append(output)
    if "-MD" not in rules and "-MMD" not in rules:
        return [], list(words)
    if "-MT" not in rules and "-MQ" not in rules:
        rules += ["-MQ", output]
    if "-MF" not in rules:
        rules += ["-MF", os.path.splitext(output)[0] + ".d"]
    return rules, rest


def _without(words: Sequence[str], option: str) -> List[str]:
    """``words`` without an option and its value."""
    waiting = iter(words)
    rest: List[str] = []
    for word in waiting:
        if word == option:
            next(waiting, "")
        else:
            rest.append(word)
    return rest


def _marker(old: str, new: str) -> str:
    """What sed is to do with a line that tells of a file below ``old``."""
    pattern = "".join(f"\\{c}" if c in "\\.[]*^$|" else c for c in old)
    return f's|^\\(# [0-9]* "\\){pattern}/|\\1{new}/|'


def _remove(path: str) -> None:
    if path and os.path.isfile(path):
        os.unlink(path)
