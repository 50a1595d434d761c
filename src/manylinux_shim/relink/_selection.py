"""Which parts of a newer libstdc++.a come along where a policy promises an older libstdc++.so.6.

Decisions only. A function may come along if it and all that it reaches work on no
variable that the older library has as well: what the older one has stays the older
one's, so that there is one of each. The unit is the section: GCC compiles its
libraries with a section for each function, and linkers take no more than they need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import (
    Callable,
    Collection,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Set,
    Tuple,
)

from manylinux_shim.elf import RelocatableObject

CHANGED: Mapping[str, str] = {
    "_ZSt20__throw_system_errori": "std::error_category",
    "_ZSt20__throw_future_errori": "std::error_category",
    "_ZSt19__throw_ios_failurePKc": "std::ios_base::failure",
    "_ZSt15future_categoryv": "std::error_category",
    "_ZNKSt10error_code23default_error_conditionEv": "std::error_category",
    "_ZNSt6thread4joinEv": "std::error_category",
    "_ZNSt6thread6detachEv": "std::error_category",
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE": "std::error_category",
    "_ZNSt18condition_variable10notify_oneEv": "std::error_category",
    "_ZNSt18condition_variable10notify_allEv": "std::error_category",
}
"""Functions that a libstdc++ before GLIBCXX_3.4.21 has under the same name, and what became
another type with it: they throw or ask an ``error_category``, whose virtual functions are
others since it moved to the inline namespace ``_V2`` (GCC 5, ``<system_error>``; the functions
that throw one are those of src/c++11 in GCC's source that call ``__throw_system_error`` or
``__throw_future_error``), or throw an ``ios_base::failure``, which has one since."""

CHANGED_IN = "GLIBCXX_3.4.21"
"""A library with this version has all of ``CHANGED`` as compilers of today expect it."""

STREAM_FAILURE = "_ZTINSt8ios_base7failureB5cxx11E"
"""The type of what streams throw since then; an older library throws the older one."""

_FACET = ("_ZNSt", "2idE")
"""How the name of a locale facet's ``id`` begins and ends."""

# Sections that are written to once, by the loader, before any code runs.
_WRITTEN_BY_LOADER = (
    ".data.rel.ro", ".data.rel.local.DW.ref.", ".data.DW.ref.", ".data.rel.DW.ref.",
    ".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors", ".got", ".toc",
)  # fmt: skip
_RUN_AT_START = (".init_array", ".ctors", ".preinit_array")

MISSING = "this machine's libstdc++.a does not have it either"

Place = Tuple[str, int]
"""A member and a section of it."""


@dataclass(frozen=True)
class Older:
    """The names that the policy's library has, of which the static one has newer ones."""

    functions: Collection[str]
    data: Collection[str]
    changed: Collection[str] = ()
    """Those of ``functions`` that are to be taken from the newer one all the same."""
    own: Collection[str] = ()
    """Names that neither has to have, because there is a source of ours for them."""

    def has(self, name: str) -> bool:
        """Whether ``name`` can be left to it."""
        return name in self.data or (name in self.functions and name not in self.changed)


@dataclass(frozen=True)
class Selection:
    """What is to be linked into a library of the wheel's own."""

    exported: FrozenSet[str] = frozenset()
    """Names that files of the wheel get from it."""
    members: Mapping[str, FrozenSet[str]] = field(default_factory=dict)
    """Member -> what it defines and is to take from the older library instead."""
    outside: FrozenSet[str] = frozenset()
    """Names of other libraries that it needs."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Name -> why it cannot come along."""
    builtins: FrozenSet[str] = frozenset()
    """Functions of libgcc that come along: what code calls for what a processor lacks."""


class _Reached(NamedTuple):
    """All that a name leads to."""

    places: FrozenSet[Place]
    outside: FrozenSet[str]


class StaticLibrary:
    """The objects of a static library, by what they define."""

    def __init__(self, members: Mapping[str, bytes]) -> None:
        self.objects = {name: RelocatableObject(data) for name, data in members.items()}
        self._homes: Dict[str, Place] = {}
        weak: Dict[str, Place] = {}
        for member, found in self.objects.items():
            for symbol in found.symbols:
                if symbol.defined and symbol.is_global:
                    homes = weak if symbol.is_weak else self._homes
                    homes.setdefault(symbol.name, (member, symbol.section))
        self._homes = {**weak, **self._homes}

    def __contains__(self, name: str) -> bool:
        return name in self._homes

    def home(self, name: str) -> Place:
        """Where ``name`` is defined; KeyError if it is nowhere."""
        return self._homes[name]

    def select(self, newer: Collection[str], asked: Iterable[str], older: Older) -> Selection:
        """What comes along so that a wheel has ``newer``, names that ``older`` lacks.

        ``asked`` are all the names of the library that the wheel refers to. Of these come
        along too what the same members have: both halves of a class are of one release.
        """
        graph = _Graph(self, older)
        own = frozenset(name for name in newer if name in older.own)
        wanted, refused = self._allowed(graph, (name for name in newer if name not in own))
        asked = [name for name in asked if name in self and name in older.functions]
        while True:
            members = {place[0] for name in wanted for place in graph.reach(name).places}
            more = {
                name
                for name in asked
                if name not in wanted
                and name not in refused
                and self.home(name)[0] in members
                and not graph.is_left(self.home(name)[0], name)
            }
            more = set(self._allowed(graph, more)[0])
            if not more:
                break
            wanted |= more
        reached = [graph.reach(name) for name in wanted]
        places: Set[Place] = set().union(*(each.places for each in reached))
        return Selection(
            own | wanted,
            {member: self._taken_from(older, member, places) for member in sorted(members)},
            own.union(*(each.outside for each in reached)),
            refused,
        )

    def _taken_from(self, older: Older, member: str, places: Set[Place]) -> FrozenSet[str]:
        """What a member defines and the older library keeps: variables, and what nobody reached."""
        return frozenset(
            symbol.name
            for symbol in self.objects[member].symbols
            if symbol.defined
            and symbol.is_global
            and older.has(symbol.name)
            and (symbol.name in older.data or (member, symbol.section) not in places)
        )

    def _allowed(self, graph: _Graph, names: Iterable[str]) -> Tuple[Set[str], Dict[str, str]]:
        allowed, refused = set(), {}
        for name in names:
            why = graph.conflict(name) if name in self else MISSING
            if why:
                refused[name] = why
            else:
                allowed.add(name)
        return allowed, refused


class _Graph:
    """Who reaches what, with the names that are left to the older library cut off."""

    def __init__(self, library: StaticLibrary, older: Older) -> None:
        self._library = library
        self._older = older
        self.reach = lru_cache(maxsize=None)(self._reach)
        self.left = lru_cache(maxsize=None)(self._left)
        self._state: Callable[[str], Mapping[int, str]] = lru_cache(maxsize=None)(self._shared)

    def is_left(self, member: str, name: str) -> bool:
        """Whether a member's own definition gives way to the older library's."""
        return name in self.left(member)

    def conflict(self, name: str) -> str:
        """Why ``name`` cannot come along; empty if it can."""
        for member, section in sorted(self.reach(name).places):
            variable = self._state(member).get(section)
            if variable is not None:
                return f"it works on {variable}, of which there would be two"
            facet = self._new_facet(member, section)
            if facet:
                return f"the older library's locales do not know the facet of {facet}"
        return ""

    def _reach(self, name: str) -> _Reached:
        return self._walk([self._library.home(name)])

    def _walk(self, start: List[Place]) -> _Reached:
        todo, places, outside = list(start), set(start), set()
        started: Set[str] = set()
        while todo:
            member, section = todo.pop()
            found = self._library.objects[member]
            following = [*_beside(found, section)]
            if member not in started:
                started.add(member)
                following += [
                    number
                    for number, each in enumerate(found.sections)
                    if each.is_allocated and each.name.startswith(_RUN_AT_START)
                ]
            next_places = [(member, number) for number in following]
            for index in found.references.get(section, ()):
                symbol = found.symbols[index]
                if not symbol.is_global:
                    next_places.append((member, symbol.section))
                elif self.is_left(member, symbol.name):
                    continue
                elif symbol.name in self._older.own:
                    outside.add(symbol.name)
                elif symbol.defined:
                    next_places.append((member, symbol.section))
                elif self._older.has(symbol.name):
                    continue
                elif symbol.name in self._library:
                    next_places.append(self._library.home(symbol.name))
                elif not symbol.is_weak:
                    outside.add(symbol.name)
            for place in next_places:
                if place[1] and place not in places:
                    places.add(place)
                    todo.append(place)
        return _Reached(frozenset(places), frozenset(outside))

    def _left(self, member: str) -> FrozenSet[str]:
        """What of a member's definitions the older library has and keeps: its variables and
        types, and the functions that work on variables of the member's own.
        """
        found = self._library.objects[member]
        state = {number for number, section in enumerate(found.sections) if _is_state(section)}
        names = set()
        for symbol in found.symbols:
            if not (symbol.defined and symbol.is_global and self._older.has(symbol.name)):
                continue
            is_data = symbol.name in self._older.data
            if is_data or (state and state & self._inside(member, symbol.section)):
                names.add(symbol.name)
        return frozenset(names)

    def _shared(self, member: str) -> Mapping[int, str]:
        """The member's own variables, by section, that functions left to the older one work on."""
        found = self._library.objects[member]
        state = {n: s.name for n, s in enumerate(found.sections) if _is_state(s)}
        shared: Dict[int, str] = {}
        for symbol in found.symbols if state else ():
            left = symbol.defined and symbol.is_global and self.is_left(member, symbol.name)
            if left and symbol.name in self._older.functions:
                for number in self._inside(member, symbol.section):
                    if number in state:
                        shared[number] = f"a variable that {symbol.name} works on, too"
        return shared

    def _inside(self, member: str, section: int) -> Set[int]:
        """The sections of a member that one of them reaches without leaving it."""
        found = self._library.objects[member]
        todo, seen = [section], {section}
        while todo:
            number = todo.pop()
            indexes = found.references.get(number, ())
            following = [s.section for s in map(found.symbols.__getitem__, indexes) if s.defined]
            for each in (*following, *_beside(found, number)):
                if each and each not in seen:
                    seen.add(each)
                    todo.append(each)
        return seen

    def _new_facet(self, member: str, section: int) -> str:
        for symbol in self._library.objects[member].symbols:
            name = symbol.name
            if symbol.section == section and symbol.defined and symbol.is_global:
                begin, end = _FACET
                if name.startswith(begin) and name.endswith(end) and name not in self._older.data:
                    return name
        return ""


def _is_state(section: object) -> bool:
    """Whether a section has variables that change while the program runs."""
    return (
        section.is_allocated  # type: ignore[attr-defined]
        and section.is_writable  # type: ignore[attr-defined]
        and section.size > 0  # type: ignore[attr-defined]
        and not section.name.startswith(_WRITTEN_BY_LOADER)  # type: ignore[attr-defined]
    )


def _beside(found: RelocatableObject, section: int) -> Iterator[int]:
    """The tables of a function's exceptions, to which its unwind entry alone leads."""
    name = found.sections[section].name
    if name.startswith(".text"):
        for number, each in enumerate(found.sections):
            if each.name in (f".gcc_except_table{name[5:]}", ".gcc_except_table"):
                yield number
