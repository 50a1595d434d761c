"""What each tag promises, as data: from which policy on a thing may be relied upon.

Policies of one family lie on a line: what ``manylinux_2_17`` allows, all newer
ones allow. So each library and each symbol version has one *floor*, the oldest
policy that allows it, and a wheel has earned the policy that is the highest of
all its floors. glibc's own symbols need no list here: their floors are the
versions in glibc's own table.

Sources: PEP 513, 571, 599 and 600, PEP 656, and auditwheel's policy files, which
record what the distributions that define a policy have; a test holds the two
against each other and lists where they differ.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional, Tuple

from manylinux_shim._platforms import Architecture, Policy, Version

Floor = Tuple[int, int, int]
"""A libc version; ``(2, 17, 0)`` is promised by ``manylinux_2_17`` and all newer."""

NEVER: Floor = (9999, 0, 0)
"""No policy allows it."""
ALWAYS: Floor = (0, 0, 0)
"""Every policy allows it."""

MUSLLINUX = (Version(1, 1), Version(1, 2))
"""The musllinux policies there are; no musl 1.3 has been released."""

_ALL = "x86_64 i686 aarch64 armv7l ppc64le s390x riscv64 loongarch64"

GLIBC_LIBRARIES = {
    "libc.so.6": (2, 5),
    "libm.so.6": (2, 5),
    "libpthread.so.0": (2, 5),
    "libdl.so.2": (2, 5),
    "librt.so.1": (2, 5),
    "libutil.so.1": (2, 5),
    "libresolv.so.2": (2, 5),
    "libnsl.so.1": (2, 5),
    "libanl.so.1": (2, 5),
    "libmvec.so.1": (2, 24),
}
"""glibc's own libraries that may stay outside a wheel, and since which policy."""

OTHER_LIBRARIES = {
    "libatomic.so.1": (2, 5),
    "libgcc_s.so.1": (2, 5),
    "libstdc++.so.6": (2, 5),
    "libX11.so.6": (2, 5),
    "libXext.so.6": (2, 5),
    "libXrender.so.1": (2, 5),
    "libICE.so.6": (2, 5),
    "libSM.so.6": (2, 5),
    "libGL.so.1": (2, 5),
    "libgobject-2.0.so.0": (2, 5),
    "libgthread-2.0.so.0": (2, 5),
    "libglib-2.0.so.0": (2, 5),
    "libz.so.1": (2, 5),
    "libexpat.so.1": (2, 12),
}
"""Others that every desktop or server distribution of a policy's age has."""

_MUSL_LIBRARIES = ("libc.so", "libz.so.1")

# One line a set of versions: prefix, the policy since which, the versions, and
# for which architectures if not for all.
_VERSIONS = """
GCC 2.5 3.0 3.3 3.3.1 3.4 3.4.2 4.0.0 4.2.0
GCC 2.5 3.4.4 @ x86_64 aarch64 ppc64le s390x riscv64 loongarch64
GCC 2.12 4.3.0
GCC 2.12 4.4.0 @ i686 riscv64 loongarch64
GCC 2.12 4.5.0 @ i686 aarch64 riscv64 loongarch64
GCC 2.17 4.7.0
GCC 2.17 4.8.0 @ i686 x86_64
GCC 2.17 3.3.4 3.5 @ armv7l
GCC 2.17 4.1.0 @ s390x
GCC 2.26 7.0.0 @ i686 aarch64 armv7l ppc64le s390x riscv64 loongarch64
GCC 2.27 7.0.0 @ x86_64
GCC 2.34 11.0 @ aarch64
GCC 2.35 12.0.0 @ x86_64 i686
GCC 2.39 13.0.0 @ x86_64 i686 aarch64
GCC 2.39 14.0 @ aarch64
GCC 2.39 14.0.0
CXXABI 2.5 1.3 1.3.1
CXXABI 2.12 1.3.2 1.3.3
CXXABI 2.17 1.3.4 1.3.5 1.3.6 1.3.7 TM_1
CXXABI 2.17 ARM_1.3.3 @ armv7l
CXXABI 2.17 LDBL_1.3 @ ppc64le s390x
CXXABI 2.24 1.3.8 1.3.9 1.3.10
CXXABI 2.24 FLOAT128 @ x86_64 i686
CXXABI 2.26 1.3.11 @ i686 aarch64 armv7l ppc64le s390x riscv64 loongarch64
CXXABI 2.27 1.3.11 @ x86_64
CXXABI 2.31 1.3.12
CXXABI 2.34 1.3.13
CXXABI 2.34 IEEE128_1.3.13 @ ppc64le
CXXABI 2.39 1.3.14 1.3.15
GLIBCXX 2.5 3.4 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.4.7 3.4.8
GLIBCXX 2.12 3.4.9 3.4.10 3.4.11 3.4.12 3.4.13
GLIBCXX 2.17 3.4.14 3.4.15 3.4.16 3.4.17 3.4.18 3.4.19
GLIBCXX 2.17 LDBL_3.4 LDBL_3.4.7 LDBL_3.4.10 @ ppc64le s390x
GLIBCXX 2.24 3.4.20 3.4.21 3.4.22
GLIBCXX 2.24 LDBL_3.4.21 @ ppc64le s390x
GLIBCXX 2.26 3.4.23 3.4.24 @ i686 aarch64 armv7l ppc64le s390x riscv64 loongarch64
GLIBCXX 2.27 3.4.23 3.4.24 @ x86_64
GLIBCXX 2.31 3.4.25 3.4.26 3.4.27 3.4.28
GLIBCXX 2.34 3.4.29
GLIBCXX 2.34 LDBL_3.4.29 @ ppc64le s390x
GLIBCXX 2.34 IEEE128_3.4.29 @ ppc64le
GLIBCXX 2.35 3.4.30
GLIBCXX 2.35 IEEE128_3.4.30 @ ppc64le
GLIBCXX 2.39 3.4.31 3.4.32
GLIBCXX 2.39 LDBL_3.4.31 @ ppc64le s390x
GLIBCXX 2.39 IEEE128_3.4.31 @ ppc64le
GLIBCXX 2.39 3.4.33 @ x86_64 i686 aarch64 armv7l ppc64le s390x riscv64
GLIBCXX 2.40 3.4.33 @ loongarch64
LIBATOMIC 2.17 1.0 @ i686 aarch64 armv7l ppc64le riscv64 loongarch64
LIBATOMIC 2.24 1.0 @ x86_64 s390x
LIBATOMIC 2.24 1.1 1.2
ZLIB 2.12 1.2.0 1.2.0.2 1.2.0.8 1.2.2 1.2.2.3 1.2.2.4
ZLIB 2.17 1.2.3.3 1.2.3.4 1.2.3.5 1.2.5.1 1.2.5.2
ZLIB 2.26 1.2.7.1 1.2.9 @ i686 armv7l ppc64le s390x riscv64 loongarch64
ZLIB 2.27 1.2.7.1 1.2.9 @ x86_64 aarch64
ZLIB 2.36 1.2.12 @ i686
ZLIB 2.37 1.2.12 @ x86_64 aarch64 armv7l ppc64le s390x riscv64 loongarch64
"""

# Versions of glibc that name no release: what they stand for, and since when.
# DT_RELR came with glibc 2.36 (its NEWS).
_GLIBC_MARKERS: Mapping[str, Floor] = {"GLIBC_ABI_DT_RELR": (2, 36, 0)}

_ZLIB_INTERNAL = """
_dist_code _length_code _tr_align _tr_flush_block _tr_init _tr_stored_block _tr_tally
adler32_default bi_windup crc32_acle crc32_le_vgfm_16 crc32_neon crc32_vpmsum crc32_z_default
crc_fold_512to32 crc_fold_copy crc_fold_init deflate_copyright deflate_medium fill_window
flush_pending gzflags inflate_copyright inflate_fast inflate_table longest_match slide_hash_sse
sse2_slide_hash static_ltree x86_check_features x86_cpu_has_pclmul x86_cpu_has_sse2
x86_cpu_has_sse42 z_errmsg z_vstring zcalloc zcfree
"""

BANNED: Mapping[str, Mapping[str, Floor]] = {
    "libz.so.1": {
        # Internals, which some builds of zlib export and others do not.
        **dict.fromkeys(_ZLIB_INTERNAL.split(), NEVER),
        # Functions that became public in zlib 1.2.9 and 1.2.12.
        "uncompress2": (2, 34, 0),
        "crc32_combine_gen": (2, 37, 0),
        "crc32_combine_gen64": (2, 37, 0),
        "crc32_combine_op": (2, 37, 0),
    }
}
"""Symbols of allowed libraries that not all builds of them have, and since when they do."""

NAMESPACES: Mapping[str, str] = {
    "libatomic.so.1": r"__atomic_|atomic_",
    "libgcc_s.so.1": (
        r"_Unwind_|__gcc_|__emutls_|__(de)?register_frame|__[a-z]+[sdtx][ifc][1-4]?$"
    ),
    "libstdc++.so.6": (
        r"_ZN?[VK]*S[tabsiod]|_ZN?[VK]*(9__gnu_cxx|10__cxxabiv1)|_ZT[ISVT]N?S?[tabsiod]|_ZT[ISVT]N?(9__gnu_cxx|10__cxxabiv1)"
        r"|_ZT[IS][PK]*[a-z]$|_ZGVNS|_Z(nw|na|dl|da)|__cxa_|__gxx_|_ZSt"
    ),
    "libX11.so.6": r"_?X",
    "libXext.so.6": r"_?X",
    "libXrender.so.1": r"XRender",
    "libICE.so.6": r"_?Ice",
    "libSM.so.6": r"_?Sm",
    "libGL.so.1": r"gl[A-Z]",
    "libgobject-2.0.so.0": r"g_",
    "libgthread-2.0.so.0": r"g_",
    "libglib-2.0.so.0": r"_?g_|glib_",
    "libz.so.1": (
        r"deflate|inflate|gz|adler32|crc32|compress|uncompress|zlib|zError|get_crc_table"
    ),
    "libexpat.so.1": r"XML_",
}
"""Regular expressions: how symbols of allowed libraries begin of which there is no table here."""

LIBGCC_OF_GLIBC = {
    **dict.fromkeys(("i686", "aarch64", "armv7l", "ppc64le", "riscv64"), "GLIBC_2.0"),
    "s390x": "GLIBC_2.2",
}
"""By architecture, the version of glibc's at which libgcc_s has what a glibc before it once had,
such as ``__register_frame`` (GCC's ``libgcc/config/libgcc-glibc.ver``)."""

_GLIBC_VERSION = re.compile(r"GLIBC_([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,3}))?")


def _parse_versions(table: str) -> Dict[Tuple[str, str], Floor]:
    """``(architecture, "GCC_3.0") -> floor`` of the table above."""
    floors: Dict[Tuple[str, str], Floor] = {}
    for line in table.split("\n"):
        rule, _, architectures = line.partition("@")
        prefix, *rest = rule.split() or [""]
        if rest:
            major, minor = rest[0].split(".")
            for arch in (architectures or _ALL).split():
                for version in rest[1:]:
                    floors[arch, f"{prefix}_{version}"] = (int(major), int(minor), 0)
    return floors


VERSION_FLOORS = _parse_versions(_VERSIONS)
"""``(architecture, version)`` -> floor, for the versions of libraries other than glibc."""


def glibc_version(version: str) -> Optional[Floor]:
    """``GLIBC_2.3.4`` -> ``(2, 3, 4)``; None for a name that is no release of glibc."""
    match = _GLIBC_VERSION.fullmatch(version)
    if match is None:
        return _GLIBC_MARKERS.get(version)
    return int(match[1]), int(match[2]), int(match[3] or 0)


def version_floor(version: str, arch: Architecture) -> Floor:
    """From which manylinux policy on a version of another library than glibc exists."""
    return VERSION_FLOORS.get((arch.name, version), NEVER)


def library_floor(soname: str, arch: Architecture) -> Floor:
    """From which manylinux policy on a library may stay outside the wheel."""
    if soname == arch.glibc_loader:
        return ALWAYS
    since = GLIBC_LIBRARIES.get(soname) or OTHER_LIBRARIES.get(soname)
    return (*since, 0) if since is not None else NEVER


def is_musl_libc(soname: str, arch: Architecture) -> bool:
    """Whether this is one of the names that musl's libc goes by."""
    return soname in ("libc.so", arch.musl_libc, arch.musl_loader)


def musl_library_floor(soname: str, arch: Architecture) -> Floor:
    """The same for musllinux."""
    allowed = is_musl_libc(soname, arch) or soname in _MUSL_LIBRARIES
    return ALWAYS if allowed else NEVER


def policies(arch: Architecture, newest_glibc: Version) -> Tuple[Policy, ...]:
    """Every policy that an architecture has, the most compatible of each family first.

    PEP 600 defines a policy for every glibc version, so none is left out
    between the oldest that installers know and the newest that was released.
    """
    found: List[Policy] = [
        Policy("manylinux", Version(2, minor))
        for minor in range(arch.lowest_manylinux.minor, newest_glibc.minor + 1)
    ]
    found += [Policy("musllinux", version) for version in MUSLLINUX]
    return tuple(found)


def floor_of(policy: Policy) -> Floor:
    """The libc version that a policy promises, to compare with floors."""
    return (*policy.version, 0)
