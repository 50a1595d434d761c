"""What each reference is bound to: the table of all kinds."""

from __future__ import annotations

from typing import Optional

import pytest

from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim.audit import GlibcTable
from manylinux_shim.relink._linkage import Reference
from manylinux_shim.relink._references import Binding, Refusal, _Judge

REFUSED = "refused"
STAYS = None
SUPPLIED = Binding()

C, PTHREAD, M, DL, RT = "libc.so.6", "libpthread.so.0", "libm.so.6", "libdl.so.2", "librt.so.1"
CASES = [
    # architecture, policy, symbol@version, library, what becomes of it
    ("x86_64", "2_17", "pow@GLIBC_2.29", M, Binding("GLIBC_2.2.5", M)),
    ("x86_64", "2_17", "pthread_create@GLIBC_2.34", C, Binding("GLIBC_2.2.5", PTHREAD)),
    ("x86_64", "2_28", "pthread_create@GLIBC_2.34", C, Binding("GLIBC_2.2.5", PTHREAD)),
    ("x86_64", "2_34", "pthread_create@GLIBC_2.34", C, STAYS),
    ("x86_64", "2_17", "dlopen@GLIBC_2.34", C, Binding("GLIBC_2.2.5", DL)),
    ("x86_64", "2_5", "memcpy@GLIBC_2.14", C, Binding("GLIBC_2.2.5", C)),
    ("x86_64", "2_17", "memcpy@GLIBC_2.14", C, STAYS),
    ("x86_64", "2_5", "clock_gettime@GLIBC_2.17", C, Binding("GLIBC_2.2.5", RT)),
    ("x86_64", "2_17", "fmod@GLIBC_2.38", M, Binding("GLIBC_2.2.5", M)),
    # In both libraries under the same old version: libc's is there whoever is loaded.
    ("x86_64", "2_5", "pthread_cond_init@GLIBC_2.99", PTHREAD, Binding("GLIBC_2.3.2", C)),
    ("aarch64", "2_17", "pthread_create@GLIBC_2.34", C, Binding("GLIBC_2.17", PTHREAD)),
    ("i686", "2_17", "pthread_create@GLIBC_2.34", C, Binding("GLIBC_2.1", PTHREAD)),
    ("x86_64", "2_17", "stat@GLIBC_2.33", C, SUPPLIED),
    ("x86_64", "2_17", "getrandom@GLIBC_2.25", C, SUPPLIED),
    ("x86_64", "2_28", "getrandom@GLIBC_2.25", C, STAYS),
    ("x86_64", "2_17", "__isoc23_strtol@GLIBC_2.38", C, SUPPLIED),
    ("x86_64", "2_17", "__cxa_thread_atexit_impl@GLIBC_2.18", C,
     Binding(name="_cxa_thread_atexit_impl")),
    ("x86_64", "2_17", "__libc_start_main@GLIBC_2.34", C, Binding(name="_libc_start_main")),
    ("x86_64", "2_17", "__signgam@GLIBC_2.23", M, Binding("GLIBC_2.2.5", M, "signgam")),
    ("x86_64", "2_17", "__issignaling@GLIBC_2.18", M, Binding(name="_issignaling")),
    ("x86_64", "2_17", "_ZGVbN2v_log@GLIBC_2.22", "libmvec.so.1", REFUSED),
    ("ppc64le", "2_17", "__libc_start_main@GLIBC_2.34", C, REFUSED),
    ("x86_64", "2_17", "cfsetispeed@GLIBC_2.42", C, REFUSED),
    ("s390x", "2_17", "setjmp@GLIBC_2.19", C, REFUSED),
    ("x86_64", "2_17", "fmaximum@GLIBC_2.35", M, REFUSED),
    ("x86_64", "2_17", "malloc@GLIBC_PRIVATE", C, Binding("GLIBC_2.2.5", C)),
    ("x86_64", "2_17", "no_such_function@GLIBC_PRIVATE", C, REFUSED),
    ("i686", "2_17", "epoll_pwait2@GLIBC_2.35", C, REFUSED),
    ("x86_64", "2_17", "_ZdlPvm@CXXABI_1.3.9", "libstdc++.so.6",
     Binding("GLIBCXX_3.4", "libstdc++.so.6", "_ZdlPv")),
    ("x86_64", "2_17", "_ZNSt6thread4joinEv@GLIBCXX_3.4.30", "libstdc++.so.6", REFUSED),
    ("x86_64", "2_17", "_Unwind_Resume@GCC_3.0", "libgcc_s.so.1", STAYS),
    ("x86_64", "2_17", "anything@OWN_9", "libown.so.1", STAYS),
    # Without a version any library may have it; supplied where glibc alone has it, later.
    ("x86_64", "2_17", "getrandom", None, SUPPLIED),
    ("x86_64", "2_28", "getrandom", None, STAYS),
    ("x86_64", "2_17", "PyLong_FromLong", None, STAYS),
]  # fmt: skip


@pytest.mark.parametrize(("arch", "policy", "symbol", "library", "expected"), CASES)
def test_reference_is_bound_to_what_the_older_glibc_has(
    arch: str, policy: str, symbol: str, library: Optional[str], expected: object
) -> None:
    name, _, version = symbol.partition("@")
    judge = _Judge(
        ARCHITECTURES[arch],
        Policy.parse(f"manylinux_{policy}"),
        GlibcTable.load(),
        lambda name: False,
    )
    decided = judge.decide(Reference(1, name, version or None, library, False))
    assert (REFUSED if isinstance(decided, Refusal) else decided) == expected


@pytest.mark.parametrize("symbol", ["getrandom@GLIBC_2.25", "fmaximum@GLIBC_2.35"])
def test_weak_reference_is_left_to_what_the_system_has(symbol: str) -> None:
    name, _, version = symbol.partition("@")
    policy = Policy.parse("manylinux_2_17")
    judge = _Judge(ARCHITECTURES["x86_64"], policy, GlibcTable.load(), lambda name: False)
    assert judge.decide(Reference(1, name, version, C, True)) == Binding()


def test_name_that_the_wheel_provides_is_not_supplied() -> None:
    policy = Policy.parse("manylinux_2_17")
    judge = _Judge(ARCHITECTURES["x86_64"], policy, GlibcTable.load(), lambda name: True)
    assert judge.decide(Reference(1, "getrandom", None, None, False)) is None
