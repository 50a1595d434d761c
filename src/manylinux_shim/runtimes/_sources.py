"""Which source of a runtime library defines a symbol, and which are compiled together. Pure.

The runtime libraries are LLVM's libc++, libc++abi and libunwind, whose sources
zig brings along. Nobody knows which of their objects defines what before they
are compiled, and compiling them all takes half a minute, so the name is the
clue: a mangled name (Itanium C++ ABI, section 5.1) spells out the class that it
belongs to, and a class lives in one source file. A guess is only ever a guess:
the symbol table of the object decides, and what no guess finds is looked for
in all of them.
"""

from __future__ import annotations

import re
from typing import Collection, Dict, Iterator, List, Set, Tuple

LIBRARIES = ("libcxxabi", "libcxx", "libunwind")
"""In the order in which zig links them: the first that defines a symbol gives it."""

# A source file's name without its suffix -> the names that only it can define,
# as they stand in a mangled name. Where two stand in one name, the first counts.
_CLASSES: Dict[str, str] = {
    "algorithm": "__sort __insertion_sort_incomplete __partial_sort_impl __introsort",
    "any": "bad_any_cast",
    "atomic": "__libcpp_atomic_monitor __libcpp_atomic_wait __cxx_atomic_notify_one"
    " __cxx_atomic_notify_all __atomic_wait_native __atomic_wait_global_table"
    " __atomic_notify_one_native __atomic_notify_all_native __atomic_monitor_global"
    " __atomic_notify_one_global_table __atomic_notify_all_global_table"
    " __atomic_wait_native_with_timeout __atomic_wait_global_table_with_timeout",
    "barrier": "__construct_barrier_algorithm_base __arrive_barrier_algorithm_base"
    " __destroy_barrier_algorithm_base",
    "bind": "placeholders",
    "call_once": "__call_once",
    "charconv": "to_chars __itoa __from_chars_floating_point",
    "chrono": "chrono",
    "condition_variable": "condition_variable notify_all_at_thread_exit",
    "error_category": "error_category",
    "exception": "nested_exception exception_ptr uncaught_exception uncaught_exceptions"
    " current_exception rethrow_exception",
    "expected": "bad_expected_access",
    "filesystem_clock": "_FilesystemClock",
    "directory_entry": "directory_entry",
    "directory_iterator": "directory_iterator recursive_directory_iterator __dir_stream",
    "filesystem_error": "filesystem_error",
    "path": "path __path_iterator",
    "operations": "filesystem",
    "functional": "bad_function_call __hash_memory",
    "future": "future shared_future promise packaged_task __assoc_sub_state future_category"
    " __future_error_category future_error __throw_future_error",
    "hash": "__next_prime",
    "ios": "ios_base iostream_category __iostream_category __throw_failure",
    "ios.instantiations": "basic_ostream basic_istream basic_iostream basic_ios basic_streambuf"
    " basic_stringbuf basic_filebuf basic_ifstream basic_ofstream basic_fstream"
    " basic_ostringstream basic_istringstream basic_stringstream",
    "iostream": "cout cin cerr clog wcout wcin wcerr wclog DoIOSInit __start_std_streams"
    " cout_data cin_data cerr_data clog_data wcout_data wcin_data wcerr_data wclog_data",
    "legacy_pointer_safety": "declare_reachable undeclare_reachable __undeclare_reachable"
    " declare_no_pointers undeclare_no_pointers get_pointer_safety",
    "locale": "locale ctype ctype_byname codecvt codecvt_byname collate collate_byname num_get"
    " num_put __num_get __num_get_base __num_put __num_put_base numpunct numpunct_byname"
    " moneypunct moneypunct_byname money_get money_put time_get time_get_byname time_put"
    " time_put_byname messages messages_byname time_base __time_get __time_put"
    " __time_get_storage __time_get_c_storage __codecvt_utf8 __codecvt_utf16"
    " __codecvt_utf8_utf16 ctype_base __widen_from_utf8 __narrow_to_utf8 __do_nothing __cloc",
    "memory": "bad_weak_ptr __shared_count __shared_weak_count __sp_mut __get_sp_mut align"
    " __enable_weak_this",
    "memory_resource": "pmr",
    "mutex": "mutex recursive_mutex timed_mutex recursive_timed_mutex",
    "new_helpers": "nothrow __throw_bad_alloc __throw_bad_array_new_length",
    "optional": "bad_optional_access",
    "ostream": "__get_ostream_file",
    "print": "__is_posix_terminal __write_to_windows_console",
    "random": "random_device",
    "random_shuffle": "__rs_default __rs_get",
    "regex": "regex_error __match_any_but_newline __get_classname __get_collation_name",
    "d2fixed": "__d2fixed_buffered_n __d2exp_buffered_n __append_n_digits __append_nine_digits",
    "d2s": "__d2s_buffered_n __d2d",
    "f2s": "__f2s_buffered_n __f2d _Large_integer_to_chars",
    "shared_mutex": "shared_timed_mutex __shared_mutex_base",
    "stdexcept": "__throw_runtime_error",
    "string": "basic_string to_string to_wstring stoi stol stoll stoul stoull stof stod stold"
    " __basic_string_common __str_find",
    "strstream": "strstreambuf istrstream ostrstream strstream",
    "system_error": "system_error __do_message __system_error_category __generic_error_category"
    " error_code error_condition generic_category system_category"
    " __throw_system_error",
    "thread": "thread this_thread __thread_struct __thread_local_data __thread_struct_imp",
    "tz": "tzdb time_zone",
    "valarray": "valarray gslice",
    "variant": "bad_variant_access",
    "vector": "__vector_base_common",
    "verbose_abort": "__libcpp_verbose_abort",
    "stdlib_exception": "exception bad_exception bad_alloc bad_array_new_length",
    "stdlib_stdexcept": "logic_error runtime_error domain_error invalid_argument length_error"
    " out_of_range range_error overflow_error underflow_error",
    "stdlib_typeinfo": "type_info bad_cast bad_typeid",
    "cxa_handlers": "terminate __terminate get_terminate unexpected __unexpected get_unexpected"
    " get_new_handler",
    "cxa_default_handlers": "set_terminate set_unexpected set_new_handler",
    "private_typeinfo": "__fundamental_type_info __base_class_type_info __class_type_info"
    " __si_class_type_info __vmi_class_type_info __pointer_type_info __pbase_type_info"
    " __array_type_info __function_type_info __enum_type_info"
    " __pointer_to_member_type_info __shim_type_info",
    "cxa_exception": "__isOurExceptionClass __getExceptionClass __setExceptionClass",
    "fallback_malloc": "__aligned_malloc_with_fallback __aligned_free_with_fallback"
    " __calloc_with_fallback __free_with_fallback",
}
# The same name, defined in another file on some versions or for another kind of symbol.
_SECOND: Dict[str, Tuple[str, ...]] = {
    "__throw_runtime_error": ("locale",),
    "mutex": ("mutex_destructor",),
    "condition_variable": ("condition_variable_destructor",),
    "basic_ostream": ("ostream",),
    "logic_error": ("stdexcept",),
    "runtime_error": ("stdexcept",),
    "set_new_handler": ("new_handler",),
    "get_new_handler": ("new_handler",),
    "basic_string": ("ios.instantiations", "locale"),
    "filesystem": ("path", "directory_iterator", "directory_entry"),
    "ios_base": ("iostream",),
    "chrono": ("tz", "tzdb_list"),
    "to_chars": ("d2s", "f2s"),
    "bad_array_new_length": ("cxa_aux_runtime",),
    "exception_ptr": ("cxa_exception",),
    "mutex_destructor": ("mutex",),
}
_STEMS: Dict[str, Tuple[str, ...]] = {}
for _stem, _names in _CLASSES.items():
    for _name in _names.split():
        _STEMS[_name] = (*_STEMS.get(_name, ()), _stem)
for _name, _stems in _SECOND.items():
    _STEMS[_name] = (*_STEMS.get(_name, ()), *_stems)

_UNWINDER = ("UnwindLevel1", "UnwindLevel1-gcc-ext", "Unwind-EHABI", "libunwind")
# Names of C, and the fundamental types' type_info and operators new and delete.
_PATTERNS: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    (r"_Z(n[wa]|d[la])", ("stdlib_new_delete", "new")),
    (r"_ZT[IS]P?K?D?[a-z]$", ("private_typeinfo",)),
    (r"__cxa_(atexit|finalize|at_quick_exit|thread_atexit_impl)$", ()),
    (r"__cxa_thread_atexit$", ("cxa_thread_atexit",)),
    (r"__cxa_guard_", ("cxa_guard",)),
    (r"__cxa_vec_", ("cxa_vector",)),
    (r"__cxa_(pure|deleted)_virtual$", ("cxa_virtual",)),
    (r"__cxa_(bad_cast|bad_typeid|throw_bad_array_new_length)$", ("cxa_aux_runtime",)),
    (r"__cxa_get_globals", ("cxa_exception_storage",)),
    (r"__cxa_demangle$", ("cxa_demangle",)),
    (r"__cxa_call_unexpected$", ("cxa_personality",)),
    (r"__cxa_(new|terminate|unexpected)_handler$", ("cxa_default_handlers", "cxa_handlers")),
    (r"__cxa_", ("cxa_exception", "cxa_handlers", "cxa_aux_runtime", "cxa_personality")),
    (r"__gxx_personality", ("cxa_personality",)),
    (r"__dynamic_cast$", ("private_typeinfo",)),
    (r"_?_?abort_message$", ("abort_message",)),
    (r"__gcc_personality", ("gcc_personality_v0",)),
    (
        r"_ZN9libunwind\d+Registers_",
        ("UnwindRegistersRestore", "UnwindRegistersSave", "libunwind"),
    ),
    (r"__libunwind_", ("UnwindRegistersRestore", "UnwindRegistersSave")),
    (r"(__)?unw_getcontext$", ("UnwindRegistersSave",)),
    (r"(__)?unw_", ("libunwind", "Unwind-EHABI")),
    (r"_Unwind_(Backtrace|Find|Get(IPInfo|CFA|DataRel|TextRel)|Resume_or)", _UNWINDER[1:]),
    (r"_Unwind_", _UNWINDER),
    (r"__aeabi_unwind_|_ZN9libunwind|__gnu_unwind_|decode_eht", ("Unwind-EHABI", "libunwind")),
    (r"__(de)?register_frame", ("libunwind", "UnwindLevel1-gcc-ext")),
)
_COMPILED = tuple((re.compile(pattern), stems) for pattern, stems in _PATTERNS)

# After what a symbol is for an entity (a vtable, a thunk with its offsets...),
# the entity: std's, or the two libraries' own.
_SPECIAL = re.compile(r"_Z(T[VISTWC]|Thn?\d+_|Tvn?\d+_n?\d+_|GV|GR)?")
_OURS = re.compile(_SPECIAL.pattern + r"(N[KVrRO]*)?(St|10__cxxabiv1|9libunwind)")
_FOREIGN = re.compile(
    r"_Z(?!TS\w$)\w{0,6}(Ss|Sa|Si|So|Sd)"
    r"|.*(St7__cxx11|9__gnu_cxx|St15__exception_ptr|RKSs$|(C[12]|aS)EOS_$)"
    # Of exceptions only the two that all others are made of have such a constructor in ours.
    r"|_ZNSt(?!11logic_error|13runtime_error|3__1)[a-z_0-9]+C[12]EPKc$"
    r"|_ZTIN10__cxxabiv1(15__forced_unwind|19__foreign_exception)"
)
"""GNU's libstdc++: nothing of ours has such a name."""
_WITHOUT_VERSION = re.compile(_SPECIAL.pattern + r"(N[KVrRO]*)?St(?!3__1)")
_SHARED = frozenset(
    "__terminate __throw_bad_alloc __unexpected bad_alloc"
    " bad_any_cast bad_array_length bad_array_new_length bad_cast bad_exception"
    " bad_optional_access bad_typeid bad_variant_access current_exception domain_error exception"
    " exception_ptr experimental get_new_handler get_terminate get_unexpected invalid_argument"
    " length_error logic_error nested_exception nothrow out_of_range overflow_error range_error"
    " rethrow_exception runtime_error set_new_handler set_terminate set_unexpected terminate"
    " type_info uncaught_exception uncaught_exceptions underflow_error unexpected".split()
)
"""What stands in ``std`` itself, all else of ours in ``std::__1``: exceptions and what goes with
them. Any other name there is another library's, GNU's as a rule, and is looked for nowhere."""

_STRINGS = "memory string stdexcept vector hash functional system_error call_once"
_LOCALE = "locale ios"
_TOGETHER: Dict[str, str] = {
    "exceptions": "cxa_exception cxa_exception_storage cxa_handlers cxa_default_handlers"
    " cxa_personality cxa_aux_runtime cxa_guard cxa_vector"
    " fallback_malloc private_typeinfo stdlib_exception stdlib_new_delete stdlib_stdexcept"
    " stdlib_typeinfo",
    "strings": _STRINGS,
    "locale": _LOCALE,
    "threads": "thread future mutex condition_variable",
    "paths": "path directory_entry filesystem_error",
    "files": "operations directory_iterator",
    "numbers": "charconv d2fixed d2s f2s",
}
UNITS: Dict[str, Tuple[str, ...]] = {
    **{unit: tuple(stems.split()) for unit, stems in _TOGETHER.items()},
    "streams": (*_STRINGS.split(), *_LOCALE.split()),
}
"""Sources that are compiled as one unit: who needs one of them mostly needs the others, and
parsing the headers that they have in common is most of the work. None has an
initialiser that runs at the program's start, so that the linker can leave out what
nobody needs of the rest; what programs define in the library's stead, such as
``__cxa_pure_virtual``, stays alone. ``streams`` stands for two others where both are needed."""

PARTLY_NEEDED = ("algorithm", "ios.instantiations", "iostream", "locale", "string")
"""Sources with a part for wide characters, which libc++ can be built without, and in ``locale``
with what ``_excerpt`` leaves out. That is more than half of their work and of what they
put into a program, and hardly a program uses it. One that does, if only a facet of the
locale, names a symbol that is nowhere else."""

_WHOLE = "-whole"
_RARE = re.compile(
    r"Iw|10to_wstring|4wcin|5w(cout|cerr|clog)|_byname|__codecvt_utf|_(to|from)_utf8|7codecvtID"
    r"|8time_get|10moneypunct|9money_[gp]|8messagesI|6localeC[12]E(PKc|RKNS_|RKS0_.)"
)

_UNIT_OF = {stem: unit for unit, stems in _TOGETHER.items() for stem in stems.split()}

# Units that every user of exceptions ends up with, then who needs whom: not
# a rule but a head start, so that all of them are compiled from the beginning.
_EXCEPTIONS = (
    "exceptions cxa_virtual abort_message libunwind new_helpers UnwindLevel1"
    " UnwindRegistersSave UnwindRegistersRestore"
)
_STREAMS = "locale ios.instantiations"
_HEAD_START: Dict[str, str] = {
    "strings": "error_category",
    "locale": "strings",
    "ios.instantiations": _STREAMS,
    "iostream": f"iostream {_STREAMS}",
    "ostream": _STREAMS,
    "strstream": _STREAMS,
    "paths": "strings",
    "files": f"paths {_STREAMS}",
    "threads": "strings",
    "shared_mutex": "threads",
    "memory_resource": "strings",
    "random": "strings",
    "regex": "strings",
}
_UNWINDING = "libunwind UnwindLevel1 UnwindRegistersSave UnwindRegistersRestore"
_NO_EXCEPTIONS = (*_UNWINDING.split(), "UnwindLevel1-gcc-ext", "gcc_personality_v0")
"""What can do without, in C or nearly so: the unwinder is used by C and Rust alone too."""

# What takes long, a quarter of a second and more, is started first, the slowest before all.
_SLOW = (
    "streams locale cxa_demangle files ios.instantiations strings iostream exceptions libunwind"
    " error_category algorithm paths chrono filesystem_clock numbers ostream print threads"
).split()


def candidates(symbol: str) -> Tuple[str, ...]:
    """Stems of the source files that may define ``symbol``, likeliest first; often none."""
    for pattern, stems in _COMPILED:
        if pattern.match(symbol):
            return stems
    if not is_standard(symbol):
        return ()
    found: Dict[str, None] = {}
    names = list(_identifiers(symbol))
    if "filesystem" in names[:2]:
        # Its functions all take a path, so only what comes first can say where they are.
        names = [*names[names.index("filesystem") + 1 :][:1], "filesystem"]
    for name in names:
        found.update(dict.fromkeys(_STEMS.get(name, ())))
    return tuple(found)[:4]


def is_standard(symbol: str) -> bool:
    """Whether ``symbol`` belongs to the C++ library by its name."""
    if not _OURS.match(symbol) or _FOREIGN.match(symbol):
        return False
    return not _WITHOUT_VERSION.match(symbol) or next(_identifiers(symbol), "") in _SHARED


_NUMBER = re.compile(r"[1-9][0-9]*")


def _identifiers(symbol: str) -> Iterator[str]:
    """The names that a mangled name is made of: ``_ZNSt3__15mutex4lockEv`` -> mutex, lock."""
    special = _SPECIAL.match(symbol)
    position = special.end() if special else 0
    while position < len(symbol):
        number = _NUMBER.match(symbol, position)
        if number is None:
            position += 1
            continue
        position = number.end() + int(number[0])
        name = symbol[number.end() : position]
        if name != "__1":
            yield name


def unit_of(stem: str) -> str:
    """The unit that the source called ``stem`` is compiled in; its own name if alone."""
    return _UNIT_OF.get(stem, stem)


def variant(unit: str, *, streams: bool, whole: bool) -> str:
    """The unit that stands for ``unit`` where streams, or all of its sources, are needed."""
    if streams and unit in ("strings", "locale"):
        unit = "streams"
    if whole and is_partly_needed(unit) and not is_whole(unit):
        unit += _WHOLE
    return unit


def stems_of(unit: str) -> Tuple[str, ...]:
    """The sources that ``unit`` is made of."""
    name = unit[: -len(_WHOLE)] if is_whole(unit) else unit
    return UNITS.get(name, (name,))


def is_partly_needed(unit: str) -> bool:
    """Whether there are two of ``unit``: what most programs need, and the whole."""
    return any(stem in PARTLY_NEEDED for stem in stems_of(unit))


def is_whole(unit: str) -> bool:
    """Whether ``unit`` is the whole of two."""
    return unit.endswith(_WHOLE)


def is_rare(symbol: str) -> bool:
    """Whether ``symbol`` is only in the whole of a unit, as far as its name shows that."""
    return _RARE.search(symbol) is not None


def head_start(units: Collection[str]) -> List[str]:
    """The units that will be needed where ``units`` are, those included, slowest first.

    Streams are needed where ``locale`` is among them.
    """
    wanted: Set[str] = set()
    todo = list(units)
    while todo:
        unit = todo.pop()
        if unit not in wanted:
            wanted.add(unit)
            more = _UNWINDING if unit in _NO_EXCEPTIONS else _EXCEPTIONS
            todo += (_HEAD_START.get(unit, "") + " " + more).split()
    return slowest_first(wanted)


def slowest_first(units: Collection[str]) -> List[str]:
    """``units`` in the order to compile them in, so that no core waits for the last."""
    return sorted(units, key=lambda unit: (_rank(unit), unit))


def _rank(unit: str) -> int:
    name = unit[: -len(_WHOLE)] if is_whole(unit) else unit
    return _SLOW.index(name) if name in _SLOW else len(_SLOW)


def is_mentioned(symbol: str, text: str) -> bool:
    """Whether sources with this ``text`` can define ``symbol``: they have to name it."""
    name = next(_identifiers(symbol), "")
    return bool(name) and re.search(rf"\b{name}\b", text) is not None
