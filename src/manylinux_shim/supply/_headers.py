"""Headers that declare what has come to glibc since the target's, as its own newer ones do.

zig has the headers of one glibc for all, and hides what the target's lacks behind
``__GLIBC_MINOR__``. Each header here stands before one of those and lets it say, for as long as
it is read, what a later one says: the declarations and the macros that they depend on are
glibc's own. Whoever asks for the version sees the target's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Dict, List, Tuple

HEADERS: Dict[str, Tuple[int, str]] = {
    "malloc.h": (26, "reallocarray"),
    "stdlib.h": (36, "arc4random arc4random_buf arc4random_uniform reallocarray"),
    "string.h": (38, "strlcat strlcpy"),
    "sys/mman.h": (27, "memfd_create mlock2"),
    "sys/mount.h": (36, "fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree"),
    "sys/pidfd.h": (36, "pidfd_getfd pidfd_open pidfd_send_signal"),
    "sys/random.h": (25, "getentropy getrandom"),
    "sys/single_threaded.h": (32, "__libc_single_threaded"),
    "sys/stat.h": (28, "statx"),
    "threads.h": (
        28,
        "call_once cnd_broadcast cnd_destroy cnd_init cnd_signal cnd_timedwait cnd_wait"
        " mtx_destroy mtx_init mtx_lock mtx_timedlock mtx_trylock mtx_unlock thrd_create"
        " thrd_current thrd_detach thrd_equal thrd_exit thrd_join thrd_sleep thrd_yield"
        " tss_create tss_delete tss_get tss_set",
    ),
    "unistd.h": (34, "close_range copy_file_range"),
}
"""Header -> the glibc 2.x that it is to be like, and what it declares then."""

_FIRST = ("features.h", "fcntl.h")
"""What these include and what depends on the version itself: read as of the target's."""
_FIRST_OF = {"sys/pidfd.h": _FIRST}

_TEXT = """\
/* <{name}> as of glibc 2.{minor}: what the target's lacks of it is linked in. */
{first}
#if defined {off} || __GLIBC_MINOR__ >= {minor}
# include_next <{name}>
#else
# pragma push_macro("__GLIBC_MINOR__")
# undef __GLIBC_MINOR__
# define __GLIBC_MINOR__ {minor}
# include_next <{name}>
# pragma pop_macro("__GLIBC_MINOR__")
#endif
"""


def newer_headers(cache: Path) -> Path:
    """The directory of these headers, made if it is not in the cache yet."""
    import hashlib

    from manylinux_shim.zig import make_once

    texts = {name: _text(name) for name in HEADERS}
    digest = hashlib.sha256("\0".join(texts.values()).encode("utf-8")).hexdigest()[:16]

    def make(staging: Path) -> None:
        for name, text in texts.items():
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).write_text(text, encoding="utf-8")

    return make_once(cache / "headers" / f"newer-{digest}", make)


def without_declarations(said: str) -> List[str]:
    """clang's arguments that leave away what it complains of: projects have these names, too.

    ``said`` is what it printed; empty where no such name is in it.
    """
    return [
        f"-D{_off(header)}"
        for header, (_, names) in HEADERS.items()
        if any(f"'{name}'" in said for name in names.split())
    ]


def _text(name: str) -> str:
    minor, _ = HEADERS[name]
    first = "\n".join(f"#include <{each}>" for each in _FIRST_OF.get(name, _FIRST[:1]))
    return _TEXT.format(name=name, minor=minor, first=first, off=_off(name))


def _off(header: str) -> str:
    return "_MANYLINUX_SHIM_OLD_" + header[:-2].replace("/", "_").upper()
