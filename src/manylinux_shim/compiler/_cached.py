"""What was compiled before is taken, not compiled.

A source is looked up by its text, its arguments and the compiler, and nothing is preprocessed. Of
the directories that are searched for headers the key has none: they are others for each Python.
Instead, what is kept of each compile says

- which files went into it, as clang's rules name them (``-MD``), and hashes of what is in them;
- under which names these were asked for, and what ``__has_include`` asked for;
- which of these names were where in the directories that were searched, in their order.

Where all of that is the same again, each ``#include`` comes to the same file, and the object is
the same: a new header that hides another, or that somebody asks for, is a name that was not there.
A directory that has none of the names makes no difference.

zig's headers and those that come with it in the sysroot do not change, and are not read.
"""

from __future__ import annotations

import os
import time

from manylinux_shim.compiler import _objects, _sources
from manylinux_shim.compiler._places import Places, here, mapped, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple

IDENTITY_VARIABLE = "_MANYLINUX_SHIM_ZIG_IDENTITY"
"""What tells one zig from another."""

LOG_VARIABLE = "MANYLINUX_SHIM_CACHE_LOG"
"""A file that the user names: each compile adds a line of what came of it."""

_SEARCH = ("-isystem", "-iquote", "-idirafter", "-I")
_OF_SYSTEM = ("-isystem", "-idirafter")
_OURS = ("--no-default-config", "--sysroot=", "--start-no-unused", "--end-no-unused")
_USUAL = (*_OURS, "--std=", "--target=", "-Wp,-D", "-Wp,-U")
_NEVER_BEGINNING = tuple(
    "-M -H -v -o -i -F -B -E -P -Wp, -Wa,-I -Xclang -Xpreprocessor -Xassembler -Xarch -save-temps"
    " -gsplit-dwarf -gmodules -grecord -frecord -fprofile- -ftest-coverage -fcoverage- -ftime-"
    " -fstack-usage -fsave-optimization-record -foptimization-record -fplugin -fpass-plugin"
    " -fmodule -fcxx-modules -fimplicit-module -fprebuilt-module -fno-integrated-as -emit-"
    " -working-directory -specs -print- -dependency- -serialize-diag -fbuild-session -index-"
    " -c-isystem -cxx-isystem -stdlib++-isystem -### -fsyntax-only -mllvm -fcrash- --".split()
)
"""Beginnings of arguments by which there are other results, or sources that no rule names."""
_NO_FILE = ("-D", "-U", "-W", "-O", "-std=", "-m", "--")
_NAMES_THE_SOURCE = ("-flto", "-funique-internal")
"""What the compiler's own form of code has in it is the source's name as it was given: it becomes
part of symbols that one file has for itself."""
_DESCRIPTORS = 200
"""The first number of those by which such a source is given, which is no other in any build."""
_VARIABLES = (
    "CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH OBJC_INCLUDE_PATH OBJCPLUS_INCLUDE_PATH"
    " CCC_OVERRIDE_OPTIONS DEPENDENCIES_OUTPUT SUNPRO_DEPENDENCIES"
).split()
"""Variables by which clang looks elsewhere, too, or writes more."""

_PYTHONS_WARNINGS = ("-Wno-unused-result", "-Wsign-compare")
"""By which the flags of one Python differ from those of the next."""

_LOOKED_AT = 300
"""How many files are read at most to find out whether a source sees Python.h."""

_TICK = 0.01
"""Seconds by which a file may be newer than its time says."""


class _NotKeptError(Exception):
    """Why a compile is one as ever."""


def compiled(
    zig: str,
    words: Sequence[str],
    source: str,
    ours: Sequence[str],
    run: Callable[[List[str]], Tuple[int, str]],
    *,
    stripped: bool,
) -> Optional[Tuple[int, str]]:
    """The exit code and what was said, of this compile or of the same one before.

    ``words`` are clang's arguments, with the one ``source`` among them, and ``ours`` those with
    directories that do not change; ``stripped`` is whether nobody sees the names of symbols that
    a file has for itself. None where the caller has to compile.
    """
    reserved = -1
    try:
        call = _Call(words, source, ours, stripped)
        said = call.take()
        if said is None:
            reserved, made = call.reserve()
            if made:
                os.close(reserved)  # so that no third one waits if it is of no use to this one
                reserved = -1
                call = _Call(words, source, ours, stripped)
                said = call.take()
        if said is not None:
            _log(f"hit {source}")
            return 0, said
        status, said, why = call.compile(zig, run)
    except (_NotKeptError, OSError) as error:
        _log(f"not kept {source}: {error}")
        return None
    finally:
        if reserved >= 0:
            os.close(reserved)
    _log(f"miss {source}" if not why else f"not kept {source}: {why}")
    return status, said


class _Call:
    """One compile: what it is looked up by, and where it looks."""

    def __init__(
        self, words: Sequence[str], source: str, ours: Sequence[str], stripped: bool
    ) -> None:
        if not source or source == "-" or "-c" not in words:
            raise _NotKeptError("it is no compile of one file")
        named = [name for name in _VARIABLES if os.environ.get(name)]
        if named:
            raise _NotKeptError(f"{named[0]} is set")
        self._start = time.time()
        self._places = Places()
        self._source = source
        self._output = f"{os.path.splitext(os.path.basename(source))[0]}.o"
        self._rules: Dict[str, List[str]] = {}
        self._rest: List[str] = []
        self._searched: List[Tuple[str, str]] = []
        self._ahead: List[str] = []
        key = self._take_apart(words)
        self._fixed = {directory for option, directory in zip(ours, ours[1:]) if option in _SEARCH}
        stem = os.path.splitext(self._output)[0]
        self._rules_file = self._rules.get("-MF", [f"{stem}.d"])[-1]
        for path in (self._output, *([self._rules_file] if self._rules else [])):
            if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
                raise _NotKeptError(f"{path} is no file")
        naming = [word for word in words if word.startswith(_NAMES_THE_SOURCE)]
        if naming and len(mapped()) < len(places()):
            raise _NotKeptError(f"{naming[0]}, and a directory keeps its name")
        seen = not stripped or any(not word.startswith("-flto") for word in naming)
        self._place = self._places.numbered(source) if naming and not seen else None
        if not naming or not seen:
            source = self._places.hide(source)
        key += [self._places.hide(here()), source]
        why = _sources.depends_on_more(_encoded("\n".join(key)))
        if why or any("__has_include" in word for word in key):
            raise _NotKeptError(f"an argument {why or 'asks __has_include'}")
        self._hashes: Dict[str, str] = {}
        self._listed: Dict[str, Optional[Set[str]]] = {}
        with open(self._source, "rb") as file:
            data = file.read()
        self._hashes[self._source] = _objects.digest(data)
        key += [_objects.LAYOUT, os.environ[IDENTITY_VARIABLE], self._hashes[self._source]]
        self._key = _objects.digest(_encoded("\0".join(key)))

    def _take_apart(self, words: Sequence[str]) -> List[str]:
        """Sort the arguments; those that are to be the same."""
        # Where none is an error, a warning more or less is none of the object's.
        strict = any(word.startswith(("-Werror", "-pedantic-errors")) for word in words)
        left_out = {*mapped(), *(() if strict else _PYTHONS_WARNINGS)}
        key: List[str] = []
        waiting = iter(words)
        for word in waiting:
            option = next((each for each in _SEARCH if word.startswith(each)), "")
            if word in ("-MD", "-MMD", "-MP"):
                self._rules[word] = []
                continue
            if word[:3] in ("-MF", "-MT", "-MQ"):
                value = word[3:] or next(waiting, "")
                value = _sources.quoted(value) if word[:3] == "-MQ" else value
                self._rules.setdefault(word[:3].replace("Q", "T"), []).append(value)
                continue
            self._rest.append(word)
            if option or word in ("-o", "-include", "-imacros", "-D", "-U", "-x"):
                value = word[len(option) :] if option else ""
                if not value:
                    value = next(waiting, "")
                    self._rest.append(value)
                self._with_value(key, option or word, value)
            elif word == self._source:
                key.append("")
            elif word not in left_out:
                _look_at(word)
                key.append(word)
        return key

    def _with_value(self, key: List[str], option: str, value: str) -> None:
        if option == "-o":
            self._output = value
        elif option in _SEARCH:
            if value[:1] in ("", "=", "-"):
                raise _NotKeptError(f"{option} {value}")
            self._searched.append((option, value))
        elif option in ("-include", "-imacros"):
            if any(os.path.exists(f"{value}.{suffix}") for suffix in ("pch", "gch")):
                raise _NotKeptError(f"{value} has been compiled ahead")
            self._ahead.append(value)
            key += [option, self._places.hide(value)]
        else:
            key += [option, value]

    def take(self) -> Optional[str]:
        """Put in place what was compiled before; what was said then, or None if there is none."""
        for path, header in _objects.kept(self._key):
            try:
                hashes, near, names, context, said = header.decode(*_CODEC).split("\0", 4)
                lines = [line.partition(" ") for line in hashes.split("\n")]
                files = [self._places.show(file) or "" for _, _, file in lines]
                pairs = zip(files, (hashed for hashed, _, _ in lines))
                if not all(hashed == "-" or self._hash(file) == hashed for file, hashed in pairs):
                    continue
                found = self._context(files, near.split("\n"), names.split("\n"))
                if "\n".join(found) != context:
                    continue
                data = _objects.content(path)
            except (OSError, ValueError):
                continue
            _objects.write(self._output, data)
            self._write_rules(files)
            return self._places.shown_in(said)
        return None

    def reserve(self) -> Tuple[int, bool]:
        """Keep other builds from making the same meanwhile; as ``_objects.reserve``.

        None waits for what sees Python.h: as a rule that one is for another Python.
        """
        directories = [directory for _, directory in self._searched if directory not in self._fixed]
        return _objects.reserve(
            self._key,
            lambda: not _sources.asks_for("Python.h", self._source, directories, _LOOKED_AT),
        )

    def compile(
        self, zig: str, run: Callable[[List[str]], Tuple[int, str]]
    ) -> Tuple[int, str, str]:
        """Compile, and keep what comes of it: exit code, what was said, and why it is not kept."""
        if not hasattr(os, "memfd_create"):
            raise _NotKeptError("this Python has no files in memory")
        memory = os.memfd_create("rules", 0)
        try:
            place = f"/proc/self/fd/{memory}"
            if not os.path.exists(place):
                raise _NotKeptError("there is no /proc")
            rules = ["-MD", "-MT", "o", "-MF", place]
            with _ByNumber(self._place) as by_number:
                words = by_number.words(self._rest, self._source)
                status, said = run([zig, "clang", *words, *rules])
            with open(os.dup(memory), "rb") as file:
                file.seek(0)
                named = _sources.files_of(os.fsdecode(file.read()))
            files = list(dict.fromkeys(map(by_number.shown_in, named)))
            said = by_number.shown_in(said)
        finally:
            os.close(memory)
        if status != 0:
            return status, said, "it failed"
        if not files and not self._rules:
            return status, said, "it has no rules"
        self._write_rules(files)
        try:
            self._keep(files, said)
        except (_NotKeptError, OSError) as error:
            return status, said, str(error)
        return status, said, ""

    def _keep(self, files: List[str], said: str) -> None:
        newest = self._start - _TICK
        hashes, near, searched = self._look_through(files, newest)
        context = self._context(files, near, searched, newest)
        if min("".join([*files, *near, *searched])) < " ":
            raise _NotKeptError("a name has a character that is none")
        with open(self._output, "rb") as made:
            data = made.read()
        if self._places.named_in(data):
            raise _NotKeptError("the object says where it was built")
        lines = [f"{hashed} {self._places.hide(file)}" for hashed, file in zip(hashes, files)]
        parts = ["\n".join(each) for each in (lines, near, searched, context)]
        header = "\0".join([*parts, self._places.hidden_in(said)])
        _objects.keep(self._key, _encoded(header), data)

    def _look_through(
        self, files: List[str], newest: float
    ) -> Tuple[List[str], List[str], List[str]]:
        """Hashes of files that went into an object, and names that they were asked for by.

        First those that are looked for beside a file, then those that are searched. What clang
        came to is a directory and the name as it was asked for: no other name was.
        """
        asked = _sources.Asked()
        quoted: Set[str] = set()
        found: Set[str] = set()
        hashes: List[str] = []
        ours = [f"{directory}/" for directory in self._fixed]
        for file in files:
            with open(file, "rb", buffering=0) as opened:
                data = opened.read()
            fixed = [directory for directory in ours if file.startswith(directory)]
            text = data if fixed else _sources.spliced(data)
            why = asked.look_at(text) or ("" if fixed else _sources.depends_on_more(text))
            if why:
                raise _NotKeptError(f"{file} {why}")
            beside = os.path.dirname(file)
            # Where there is none beside the file, it is searched.
            lacking = [n for n in asked.beside if not os.path.isfile(os.path.join(beside, n))]
            asked.searched.update(lacking)
            if fixed:
                found.update(file[len(directory) :] for directory in fixed)
                hashes.append("-")
                continue
            quoted.update(asked.beside)
            parts = file.split("/")
            found.update("/".join(parts[n:]) for n in range(not parts[0], len(parts)))
            if file not in self._hashes:
                self._hashes[file] = _objects.digest(data)
            hashes.append(self._hashes[file])
            _number(file, {}, newest)
        ahead = {name[2:] if name.startswith("./") else name for name in self._ahead}
        near, searched = (quoted | ahead, asked.searched | ahead)
        if asked.computed:
            near = searched = found
        return (
            hashes,
            sorted(found & near | asked.perhaps),
            sorted(found & searched | asked.perhaps),
        )

    def _hash(self, file: str) -> str:
        """Of what is in a file; empty without one."""
        if file not in self._hashes:
            try:
                with open(file, "rb", buffering=0) as opened:
                    self._hashes[file] = _objects.digest(opened.read())
            except OSError:
                self._hashes[file] = ""
        return self._hashes[file]

    def _context(
        self, files: List[str], near: List[str], names: List[str], newest: float = 0.0
    ) -> List[str]:
        """A line for each directory that is searched and has any of these names, in their order.

        Those in ``near`` are looked for beside the files. It says which of them are one file.
        Raises _NotKeptError if one is not older than ``newest``, where that is given.
        """
        same: Dict[Tuple[int, int], int] = {}
        lines: List[str] = []
        searching, looking = _by_first_part(names), _by_first_part(near)
        beside = dict.fromkeys(["", *map(os.path.dirname, files)])
        for option, directory in (*self._searched, *(("", each) for each in beside)):
            label = f"{option} {self._places.hide(directory)}"
            if any(f"{directory}/".startswith(f"{fixed}/") for fixed in self._fixed):
                lines += [label] if option else []
                continue
            parts = searching if option else looking
            listed = self._list(directory or ".")
            known = [part for part in parts if listed is None or part in listed or part in _ODD]
            there: List[str] = []
            for name in sorted(name for part in known for name in parts[part]):
                number = _number(os.path.join(directory, name), same, newest)
                there += [f"{name}:{number}"] if number >= 0 else []
            lines += ["\t".join([label, *there])] if there else []
        return lines

    def _list(self, directory: str) -> Optional[Set[str]]:
        """The names in a directory; None where it does not tell them."""
        if directory not in self._listed:
            try:
                self._listed[directory] = set(os.listdir(directory))
            except PermissionError:
                self._listed[directory] = None
            except OSError:
                self._listed[directory] = set()
        return self._listed[directory]

    def _write_rules(self, files: List[str]) -> None:
        """Write the rules that the caller asked for, as clang does."""
        if "-MD" not in self._rules and "-MMD" not in self._rules:
            return
        targets = self._rules.get("-MT", [_sources.quoted(self._output)])
        named = files if "-MD" in self._rules else [f for f in files if not self._of_system(f)]
        text = _sources.rules_for(targets, named, phony="-MP" in self._rules)
        _objects.write(self._rules_file, os.fsencode(text))

    def _of_system(self, file: str) -> bool:
        found = [(len(d), option) for option, d in self._searched if file.startswith(f"{d}/")]
        return bool(found) and max(found)[1] in _OF_SYSTEM


class _ByNumber:
    """A source whose name for clang is the same in each build, wherever it is.

    The directory around it is open under a number, and a process finds its own below /proc.
    """

    def __init__(self, place: Optional[Tuple[int, str]]) -> None:
        self._old = place[1] if place else ""
        self._descriptor = _DESCRIPTORS + place[0] if place else -1
        self._name = f"/proc/self/fd/{self._descriptor}"
        self._new = dict(places()).get(self._old, "")

    def __enter__(self) -> _ByNumber:
        if self._old:
            opened = os.open(self._old, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            os.dup2(opened, self._descriptor)
            os.close(opened)
        return self

    def __exit__(self, *_: object) -> None:
        if self._old:
            os.close(self._descriptor)

    def words(self, words: Sequence[str], source: str) -> List[str]:
        """clang's arguments with the source by that name."""
        if not self._old:
            return list(words)
        named = self._name + source[len(self._old) :]
        mapping = f"-ffile-prefix-map={self._name}={self._new}"
        return [mapping, *(named if word == source else word for word in words)]

    def shown_in(self, text: str) -> str:
        """What clang said, with the source's own name."""
        return text.replace(f"{self._name}/", f"{self._old}/") if self._old else text


_ODD = ("", ".", "..")
"""Parts of names that a directory does not list."""
_CODEC = ("utf-8", "surrogateescape")


def _encoded(text: str) -> bytes:
    return text.encode(*_CODEC)


def _by_first_part(names: List[str]) -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    for name in names:
        if name:
            found.setdefault(name.partition("/")[0], []).append(name)
    return found


def _look_at(word: str) -> None:
    """Raise _NotKeptError for an argument by which there is more to look at."""
    usual = word.startswith(_USUAL) and "," not in word[4:]
    if word.startswith(_NEVER_BEGINNING) and not usual:
        raise _NotKeptError(word)
    values = (word, word.partition("=")[2], word.rpartition("=")[2])
    if not word.startswith(_NO_FILE) and any(map(os.path.isfile, values)):
        raise _NotKeptError(f"{word} names a file")


def _number(path: str, same: Dict[Tuple[int, int], int], newest: float) -> int:
    """Of a file the first one's that is the same; -1 for what is none."""
    try:
        states = [os.stat(path), os.lstat(path)] if newest else [os.stat(path)]
    except OSError:
        return -1
    if newest and max(max(state.st_mtime, state.st_ctime) for state in states) > newest:
        raise _NotKeptError(f"{path} is new")
    if states[0].st_mode & 0o170000 == 0o040000:
        return -1
    return same.setdefault((states[0].st_dev, states[0].st_ino), len(same))


def _log(line: str) -> None:
    path = os.environ.get(LOG_VARIABLE)
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{line}\n")
    except OSError:
        pass  # that is the user's to see
