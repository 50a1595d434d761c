"""The macros that ``#pragma GCC target`` defines: behind ``avx2`` there is ``__AVX2__``.

clang defines such macros for a whole unit only. Here the files that have the pragma are read by
the preprocessor as if the macros were defined beside each of them, with what GCC's
``push_options`` and ``pop_options`` do to them ("Function Specific Option Pragmas" in GCC's
manual). clang reads the changed files in the place of the others by an overlay ("VFS overlay" in
LLVM's ``VirtualFileSystem.h``), so that names, lines and dependencies stay those of the files.
"""

from __future__ import annotations

import os

from manylinux_shim.compiler._pragmas import features_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

    Changes = Mapping[str, Optional[str]]
    """Names of macros, and what they stand for; None for one that is no more."""

_CRYPTO = ("crypto", "aes", "sha2")
"""What the first of these stands for."""
_OF_TARGETS = ("-march=", "-mcpu=", "-mfpu=", "-mfloat-abi=", "--target=")


_OPTIONS = ("target", "push_options", "pop_options", "reset_options")


def macros_defined(
    run: Callable[[List[str]], Tuple[int, str]],
    command: Sequence[str],
    architecture: str,
    directory: str,
    files: Sequence[str],
) -> List[str]:
    """Arguments by which clang's preprocessor defines the macros of the pragmas in ``files``.

    ``run`` runs a command; ``command`` is that of the compile, its program's two words first.
    What is written goes into ``directory``.
    """

    def macros(features: Sequence[str]) -> Dict[str, str]:
        asked = f"{directory}/macros"
        status, _ = run([*command[:2], *_asks_for_macros(command[2:], features), "-o", asked])
        return _parsed(read(asked)) if status == 0 else {}

    texts = {path: read(path) for path in files}
    base = macros(())
    changes: Dict[str, Dict[str, Optional[str]]] = {}
    for said in (said for text in texts.values() for _, said in pragmas(text)):
        features = features_of(said, architecture) if said.startswith("target") else []
        if said not in changes and features:
            then = macros(features) or base
            changes[said] = {name: value for name, value in then.items() if base.get(name) != value}
            changes[said].update({name: None for name in base if name not in then})
    before = {name: base.get(name) for change in changes.values() for name in change}
    if not before:
        return []
    changed = {path: with_macros(text, changes, before) for path, text in texts.items()}
    return ["-ivfsoverlay", _overlay(directory, changed), "-Wno-builtin-macro-redefined"]


def read(path: str) -> str:
    """A file's text, whatever its bytes are."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return file.read()


def _asks_for_macros(words: Sequence[str], features: Sequence[str]) -> List[str]:
    """clang's arguments that print the macros of a target with ``features``, in clang's words.

    ``words`` are those of a compile for that target.
    """
    kept: List[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-target", "-Xclang"):
            kept += [word, next(rest, "")]
        elif word.startswith(_OF_TARGETS) or (word.startswith("-m") and "=" not in word):
            kept.append(word)
    for feature in features:
        if "=" in feature:
            kept.append(f"-m{feature}")
            continue
        # ARM's are "+crc+crypto", "+nosimd" (AArch64 Options); x86's "avx2", "no-avx".
        off = "no" if feature.startswith("+") else "no-"
        for name in filter(None, feature.split("+")):
            plain = name[len(off) :] if name.startswith(off) else name
            for each in _CRYPTO if plain == "crypto" else (plain,):
                switched = f"{'-' if plain != name else '+'}{each}"
                kept += ["-Xclang", "-target-feature", "-Xclang", switched]
    return [*kept, "-w", "-dM", "-E", "-x", "c", os.devnull]


def _parsed(said: str) -> Dict[str, str]:
    """The macros that clang has printed."""
    lines = (line.split(" ", 2) for line in said.splitlines() if line.startswith("#define "))
    return {words[1]: words[2] if len(words) > 2 else "" for words in lines}


def pragmas(text: str) -> Iterator[Tuple[int, str]]:
    """The lines of a source that have a pragma of GCC's options: number from 0, and what it says.

    That of a pragma with continued lines is its last.
    """
    said, joined = "", False
    for number, line in enumerate(text.split("\n")):
        said = said[:-1] + line if joined else line
        joined = said.endswith("\\")
        words = [] if joined else said.replace("#", "# ", 1).split(None, 3)
        if words[:3] == ["#", "pragma", "GCC"] and "".join(words[3:]).startswith(_OPTIONS):
            yield number, words[3]


def files_with_pragmas(preprocessed: str) -> List[str]:
    """The files of whose text such a pragma comes, by the linemarkers of preprocessed text."""
    found: Dict[str, None] = {}
    file = ""
    for line in preprocessed.splitlines():
        if line.startswith("# ") and '"' in line:
            file = line.split('"')[1]
        elif line.startswith("#pragma GCC target"):
            found[file] = None
    return [file for file in found if not file.startswith("<")]


def files_named(said: str) -> List[str]:
    """The files that clang's errors are about: one may be for want of a macro."""
    heads = (line.partition(": error: ")[0] for line in said.splitlines() if ": error: " in line)
    return list(dict.fromkeys(head.rsplit(":", 2)[0] for head in heads))


def with_macros(text: str, changes: Mapping[str, Changes], before: Changes) -> str:
    """A source whose pragmas define macros, too.

    ``changes`` has by what a ``target`` pragma says the macros that it changes, ``before`` what
    all of them are without any.
    """
    lines = text.split("\n")
    for number, said in reversed(list(pragmas(text))):
        if said.startswith("push_options"):
            more = [f'#pragma push_macro("{name}")' for name in before]
        elif said.startswith("pop_options"):
            more = [f'#pragma pop_macro("{name}")' for name in before]
        elif said.startswith("reset_options"):
            more = _defined(before)
        else:
            more = _defined(changes.get(said, {}))
        if more:
            lines[number] += "\n" + "\n".join([*more, f"#line {number + 2}"])
    return "\n".join(lines)


def _defined(macros: Changes) -> List[str]:
    lines: List[str] = []
    for name, value in macros.items():
        lines.append(f"#undef {name}")
        if value is not None:
            lines.append(f"#define {name} {value}")
    return lines


def _overlay(directory: str, texts: Mapping[str, str]) -> str:
    """The file that has clang read ``texts`` in the place of the files of these paths."""
    import json

    roots = []
    for number, (path, text) in enumerate(texts.items()):
        place = f"{directory}/{number}"
        with open(place, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.write(text)
        name = os.path.abspath(path)
        roots.append({"name": name, "type": "file", "external-contents": place})
    listed = {"version": 0, "use-external-names": False, "roots": roots}
    with open(f"{directory}/overlay.yaml", "w", encoding="utf-8") as file:
        json.dump(listed, file)
    return f"{directory}/overlay.yaml"
