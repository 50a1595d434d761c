"""musl's symbols: zig's list of them, and the release that brought each.

musl has no symbol versions, so a name is all that can be asked for, and the
release in which it appeared decides on which systems it is.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, Tuple

from manylinux_shim._platforms import Architecture, Policy

# The macros of zig's libc.S that hold for each architecture, beside ARCH_<name>.
_FAMILIES = {
    "x86_64": ("ARCH_x86_64", "FAMILY_x86", "PTR64"),
    "i686": ("ARCH_i386", "FAMILY_x86", "TIME32"),
    "aarch64": ("ARCH_aarch64", "PTR64"),
    "armv7l": ("ARCH_arm", "TIME32"),
    "ppc64le": ("ARCH_powerpc64", "PTR64"),
    "s390x": ("ARCH_s390x", "PTR64"),
    "riscv64": ("ARCH_riscv64", "FAMILY_riscv", "PTR64"),
    "loongarch64": ("ARCH_loongarch64", "PTR64"),
}
_LABEL = re.compile(r"([A-Za-z_]\w*):")
_DEFINED = re.compile(r"(!?)defined\((\w+)\)")


def musl_symbols(text: str, arch: Architecture) -> FrozenSet[str]:
    """The symbols that zig's ``libc.S`` (``text``) defines on one architecture."""
    macros = _FAMILIES.get(arch.name, ())
    names: List[str] = []
    conditions: List[bool] = []
    for line in text.splitlines():
        if line.startswith("#"):
            _follow(line, macros, conditions)
        elif all(conditions):
            match = _LABEL.match(line)
            if match is not None:
                names.append(match[1])
    return frozenset(names)


def _follow(line: str, macros: Tuple[str, ...], conditions: List[bool]) -> None:
    """Take one preprocessor line into account."""
    if line.startswith("#ifdef"):
        conditions.append(line.split()[1] in macros)
    elif line.startswith("#ifndef"):
        conditions.append(line.split()[1] not in macros)
    elif line.startswith("#if "):
        # All conditions of the file are conjunctions.
        conditions.append(
            all((name in macros) != bool(negated) for negated, name in _DEFINED.findall(line))
        )
    elif line.startswith("#else") and conditions:
        conditions[-1] = not conditions[-1]
    elif line.startswith("#endif") and conditions:
        conditions.pop()


OLDEST = (1, 1, 0)
"""The oldest release that a tag can mean: musllinux_1_1."""

# What each release brought, by its tag in musl's repository: the first whose sources
# define the name. Names that are older than 1.1.0 are left out, and those of 64-bit
# time on 32-bit machines, all of which 1.2.0 brought, are known by their form.
_RELEASES = """
1.1.1 execvpe
1.1.3 __sysv_signal __xmknod __xmknodat fmtmsg recvmmsg sendmmsg
1.1.4 __isalnum_l __isalpha_l __isblank_l __iscntrl_l __isdigit_l __isgraph_l __islower_l
  __isprint_l __ispunct_l __isspace_l __isupper_l __iswalnum_l __iswalpha_l __iswblank_l
  __iswcntrl_l __iswdigit_l __iswgraph_l __iswlower_l __iswprint_l __iswpunct_l __iswspace_l
  __iswupper_l __iswxdigit_l __isxdigit_l __strcasecmp_l __strerror_l __strncasecmp_l
  __tolower_l __toupper_l __towctrans_l __wctrans_l ffsl ffsll issetugid
1.1.5 c16rtomb c32rtomb call_once cnd_broadcast cnd_destroy cnd_init cnd_signal
  cnd_timedwait cnd_wait malloc_usable_size mbrtoc16 mbrtoc32 mtx_destroy mtx_init mtx_lock
  mtx_timedlock mtx_trylock mtx_unlock thrd_create thrd_current thrd_detach thrd_equal
  thrd_exit thrd_join thrd_sleep thrd_yield timespec_get tss_create tss_delete tss_get
  tss_set
1.1.6 _ns_flagdata login_tty ns_get16 ns_get32 ns_initparse ns_name_uncompress ns_parserr
  ns_put16 ns_put32 ns_skiprr
1.1.7 __flt_rounds
1.1.12 __aeabi_memclr __aeabi_memclr4 __aeabi_memclr8 __aeabi_memcpy __aeabi_memcpy4
  __aeabi_memcpy8 __aeabi_memmove __aeabi_memmove4 __aeabi_memmove8 __aeabi_memset
  __aeabi_memset4 __aeabi_memset8
1.1.13 utmpxname
1.1.15 pthread_timedjoin_np pthread_tryjoin_np sched_getcpu
1.1.16 __tls_get_offset pthread_getattr_default_np pthread_setattr_default_np
  pthread_setname_np
1.1.19 fopencookie
1.1.20 explicit_bzero getentropy getrandom memfd_create mlock2
1.1.21 name_to_handle_at open_by_handle_at
1.1.22 membarrier
1.1.23 __longjmp __riscv_flush_icache riscv_flush_icache
1.1.24 copy_file_range posix_spawn_file_actions_addchdir_np
  posix_spawn_file_actions_addfchdir_np secure_getenv
1.2.2 _Fork gettid reallocarray tcgetwinsize tcsetwinsize
1.2.3 pthread_getname_np qsort_r
1.2.5 preadv2 pwritev2 statx
"""
_TIME64 = re.compile(
    r"__\w*time64(?:_r)?|__(?:timer|timerfd)_[gs]ettime64|__clock_(?:get|adj)time64"
)


def _parse_releases(table: str) -> Dict[str, Tuple[int, int, int]]:
    """``symbol -> release`` of the table above."""
    since = {}
    release = OLDEST
    for word in table.split():
        if word[0].isdigit():
            major, minor, patch = word.split(".")
            release = int(major), int(minor), int(patch)
        else:
            since[word] = release
    return since


_SINCE = _parse_releases(_RELEASES)


def musl_since(symbol: str) -> Tuple[int, int, int]:
    """The musl release that brought a symbol; ``OLDEST`` for all that came before it.

    Source: the tags of musl's repository, git.musl-libc.org.
    """
    if _TIME64.fullmatch(symbol):
        return 1, 2, 0
    return _SINCE.get(symbol, OLDEST)


def newer_than_musl(policy: Policy) -> Dict[str, str]:
    """Symbol -> the later musl than the policy's that brought it, for what code can do without.

    Code for a 32-bit machine cannot do without 64 bits of time: headers since 1.2.0 have all its
    functions call those.
    """
    release = (policy.version.major, policy.version.minor, 0)
    return {name: ".".join(map(str, since)) for name, since in _SINCE.items() if since > release}
