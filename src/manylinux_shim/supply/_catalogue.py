"""What can be supplied where a glibc lacks it: which function stands in which source file.

The sources are in ``sources/``, each with what its functions are in glibc. Relinking makes a
library of the wheel's own of them, compiling links them in. A name that is not here and that
the target's glibc has in no version is refused.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Sequence

SOURCES: Dict[str, str] = {
    "c11_threads.c": """
        call_once cnd_broadcast cnd_destroy cnd_init cnd_signal cnd_timedwait cnd_wait
        mtx_destroy mtx_init mtx_lock mtx_timedlock mtx_trylock mtx_unlock thrd_create
        thrd_current thrd_detach thrd_equal thrd_exit thrd_join thrd_sleep thrd_yield
        tss_create tss_delete tss_get tss_set
        """,
    "files.c": """
        __fcntl_time64 close_range closefrom copy_file_range epoll_pwait2 execveat fcntl64
        fsconfig fsmount fsopen fspick getdents64 mount_setattr move_mount open_tree openat2
        preadv2 preadv64v2
        pwritev2 pwritev64v2 renameat2 statx
        """,
    "loader.c": "__libc_single_threaded _dl_find_object",
    "memory.c": """
        __explicit_bzero_chk __memcmpeq __memset_explicit_chk explicit_bzero
        free_aligned_sized free_sized memalignment memfd_create memset_explicit mlock2
        reallocarray
        """,
    "process.c": """
        getcpu gettid pidfd_getfd pidfd_open pidfd_send_signal process_madvise
        process_mrelease sched_getattr sched_setattr tgkill timespec_getres
        """,
    "random.c": "arc4random arc4random_buf arc4random_uniform getentropy getrandom",
    "resolver.c": """
        dn_comp dn_expand dn_skipname res_dnok res_hnok res_mailok res_mkquery res_nmkquery
        res_nquery res_nquerydomain res_nsearch res_nsend res_ownok res_query res_querydomain
        res_search res_send
        """,
    "scanf.c": """
        __isoc23_fscanf __isoc23_fwscanf __isoc23_scanf __isoc23_sscanf __isoc23_swscanf
        __isoc23_vfscanf __isoc23_vfwscanf __isoc23_vscanf __isoc23_vsscanf
        __isoc23_vswscanf __isoc23_vwscanf __isoc23_wscanf
        """,
    "signaling.c": "__issignaling __issignalingf __issignalingf128 __issignalingl",
    "start.c": "__libc_start_main",
    "stat.c": """
        fstat fstat64 fstatat fstatat64 lstat lstat64 mknod mknodat stat stat64
        """,
    "string.c": """
        __strlcat_chk __strlcpy_chk __wcslcat_chk __wcslcpy_chk strlcat strlcpy wcslcat wcslcpy
        """,
    "strtol.c": """
        __isoc23_strtoimax __isoc23_strtol __isoc23_strtol_l __isoc23_strtoll
        __isoc23_strtoll_l __isoc23_strtoul __isoc23_strtoul_l __isoc23_strtoull
        __isoc23_strtoull_l __isoc23_strtoumax __isoc23_wcstoimax __isoc23_wcstol
        __isoc23_wcstol_l __isoc23_wcstoll __isoc23_wcstoll_l __isoc23_wcstoul
        __isoc23_wcstoul_l __isoc23_wcstoull __isoc23_wcstoull_l __isoc23_wcstoumax
        """,
    "thread_exit.c": "__cxa_thread_atexit_impl",
    "threads.c": """
        pthread_clockjoin_np pthread_cond_clockwait pthread_mutex_clocklock
        pthread_rwlock_clockrdlock pthread_rwlock_clockwrlock sem_clockwait
        """,
}

CXX_SOURCES: Dict[str, str] = {
    "cxx_exceptions.c": "__cxa_call_terminate",
    "cxx_new_handler.c": "_ZSt15get_new_handlerv",
    "cxx_streams.c": "_ZSt21ios_base_library_initv",
}
"""The same for what an older libstdc++ lacks and a newer static one has in no form, or in one
that works on variables of its own."""

SOURCE_OF: Dict[str, str] = {
    name: source
    for sources in (SOURCES, CXX_SOURCES)
    for source, names in sources.items()
    for name in names.split()
}
"""Every function that can be supplied, and its source file."""

CXX_NAMES = tuple(name for names in CXX_SOURCES.values() for name in names.split())
"""Those of them that are libstdc++'s."""

UNDER_ANOTHER_NAME = (
    "__cxa_thread_atexit_impl", "__issignaling", "__issignalingf", "__issignalingf128",
    "__issignalingl", "__libc_start_main",
)  # fmt: skip
"""Supplied without the first underscore, and referred to so.

A function under its own name is taken from the system where that has it, which is
what we want of most. These must be ours: an older glibc has another function of
that name, or a policy bans the name.
"""

_NOT_ON = {
    # powerpc's start code hands over other arguments than all others'.
    "__libc_start_main": ("ppc64le",),
    "__issignalingl": ("armv7l",),
}
_ONLY_ON = {"__issignalingf128": ("x86_64",)}
_32_BIT = ("i686", "armv7l")
_64_BIT_ONLY = ("epoll_pwait2",)
_32_BIT_ONLY = ("__fcntl_time64",)


def can_supply(name: str, arch: str) -> bool:
    """Whether there is a function for ``name``, of glibc, that is right on ``arch``, which is
    named as in a wheel's tag.
    """
    if name in _64_BIT_ONLY and arch in _32_BIT:
        return False
    if name in _32_BIT_ONLY and arch not in _32_BIT:
        return False
    if name in _ONLY_ON and arch not in _ONLY_ON[name]:
        return False
    if name in CXX_NAMES:
        return False
    return name in SOURCE_OF and arch not in _NOT_ON.get(name, ())


def exported_name(name: str) -> str:
    """The name under which ``name`` is supplied."""
    return name[1:] if name in UNDER_ANOTHER_NAME else name


def sources_of(names: Sequence[str]) -> List[str]:
    """The source files that have ``names``, sorted."""
    return sorted({SOURCE_OF[name] for name in names})


IN_SOURCE = {"_dl_find_object": "find_object", "call_once": "once"}
"""Functions that their sources call by another name, because headers declare them otherwise."""

LINKED_ELSEWHERE = ("start.c", "stat.c", "thread_exit.c")
"""Sources of what each program has from libc_nonshared.a or its own start file, or from the
C++ library, when it is linked for an older glibc from the beginning."""


def can_link(name: str, arch: str) -> bool:
    """Whether ``name`` can be linked in statically where the target's glibc has none."""
    if name in UNDER_ANOTHER_NAME or not can_supply(name, arch):
        return False
    return SOURCE_OF[name] not in LINKED_ELSEWHERE


def linkable(arch: str) -> Dict[str, List[str]]:
    """Source file -> the functions of it that ``can_link`` on ``arch``."""
    found: Dict[str, List[str]] = {}
    for name, source in SOURCE_OF.items():
        if can_link(name, arch):
            found.setdefault(source, []).append(name)
    return found
