"""Names of glibc and libstdc++ whose older versions are no plain older ones."""

from __future__ import annotations

# What a version changed so that the one before is another interface, not an older one:
# glibc's NEWS for 2.42 (speeds are numbers of bauds) and for 2.19 and 2.20 (s390's
# jmp_buf), and lists whose size is part of their version.
OTHER_INTERFACES = (
    *("cfgetispeed", "cfgetospeed", "cfsetispeed", "cfsetospeed", "cfsetspeed"),
    *("__longjmp_chk", "__sigsetjmp", "_longjmp", "_setjmp", "getcontext", "longjmp"),
    *("setjmp", "siglongjmp"),
    *("_sys_errlist", "_sys_nerr", "_sys_siglist", "_sys_sigabbrev", "sys_errlist"),
    *("sys_nerr", "sys_sigabbrev", "sys_siglist"),
)
"""Names whose older versions are another interface, not an older one: never rebound."""


SIZED_DELETE = {"_ZdlPvm": "_ZdlPv", "_ZdaPvm": "_ZdaPv", "_ZdlPvj": "_ZdlPv", "_ZdaPvj": "_ZdaPv"}
"""C++14's ``operator delete`` with a size, and the one without, which libstdc++'s calls.

Every compiler calls it by default since GCC 5. The size is one argument more than the other
function looks at.
"""


OLDER_NAMES = {"__signgam": "signgam"}
"""Names that came later for what has an older one: the same variable, in every libm."""
