"""The macros of ``<stdc-predef.h>``, which GCC includes before every file and clang does not.

zig has the header of one glibc for all. ``__STDC_NO_THREADS__`` is not in it, so code that
asks for it would include a ``<threads.h>`` that the target's glibc does not have.
"""

from __future__ import annotations

from typing import Tuple

# From which version on glibc's include/stdc-predef.h says which edition of ISO 10646, the
# newest first; before 2.16, features.h has what that says.
_ISO_10646 = (((2, 26), "201706L"), ((2, 23), "201505L"), ((2, 22), "201304L"))
_ISO_10646_BEFORE = "201103L"
NO_THREADS = "-D__STDC_NO_THREADS__=1"
"""What says that there is no ``<threads.h>``, which came with glibc 2.28."""
_IEC_559 = ("__STDC_IEC_559__=1", "__STDC_IEC_559_COMPLEX__=1")
# Of Annex F in C23's numbering, from 2.35 on.
_IEC_60559 = ("__STDC_IEC_60559_BFP__=201404L", "__STDC_IEC_60559_COMPLEX__=201404L")
# musl's own stdc-predef.h, the same in all versions that policies know.
_MUSL = ("__STDC_ISO_10646__=201206L", "__STDC_IEC_559__=1")


def predefined(zig_target: str) -> Tuple[str, ...]:
    """Arguments for clang that define what the target's own header does.

    ``zig_target`` ends with the libc: ``gnu.2.17``, or a kind of ``musl``. glibc's own
    header is then of no effect where another one includes it.
    """
    libc = zig_target.rpartition("-")[2]
    if libc.startswith("musl"):
        macros: Tuple[str, ...] = _MUSL
    else:
        version = tuple(int(part) for part in libc.split(".")[1:3])
        edition = next((iso for since, iso in _ISO_10646 if version >= since), _ISO_10646_BEFORE)
        macros = (f"__STDC_ISO_10646__={edition}", *_IEC_559)
        if version < (2, 28):
            macros += (NO_THREADS[2:],)
        if version >= (2, 35):
            macros += _IEC_60559
    return tuple(f"-D{macro}" for macro in ("_STDC_PREDEF_H=1", *macros))
