"""Our policies against those of the installed auditwheel, entry by entry."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any, Dict, List, Set, Tuple

import pytest

from manylinux_shim._platforms import ARCHITECTURES, Policy, Version
from manylinux_shim.audit import GlibcTable
from manylinux_shim.audit._policies import (
    BANNED,
    NEVER,
    VERSION_FLOORS,
    floor_of,
    glibc_version,
    is_musl_libc,
    library_floor,
    musl_library_floor,
    policies,
    version_floor,
)


def their_policies(name: str) -> List[Dict[str, Any]]:
    text = files("auditwheel").joinpath("policy", f"{name}-policy.json").read_text()
    return [policy for policy in json.loads(text) if policy["name"] != "linux"]


THEIRS = their_policies("manylinux")
ENTRIES = [
    pytest.param(policy, arch, id=f"{policy['name']}-{arch}")
    for policy in THEIRS
    for arch in policy["symbol_versions"]
    if arch in ARCHITECTURES
]

# Where auditwheel's entry is not ours, and why ours is right.
GLIBC_DIFFERENCES = {
    # A marker that glibc 2.36 brought (its NEWS); auditwheel allows it from 2_38 on.
    ("GLIBC_ABI_DT_RELR", "manylinux_2_36"),
    ("GLIBC_ABI_DT_RELR", "manylinux_2_37"),
    # Only __cxa_thread_atexit_impl has it on aarch64, which glibc 2.17 does not have.
    ("GLIBC_2.18", "manylinux_2_17"),
}


NO_LONGER_BANNED = set(
    """bi_windup crc_fold_512to32 crc_fold_copy crc_fold_init deflate_medium fill_window
    flush_pending longest_match slide_hash_sse static_ltree x86_check_features
    x86_cpu_has_pclmul x86_cpu_has_sse2 x86_cpu_has_sse42""".split()
)


@pytest.mark.parametrize(("policy", "arch"), ENTRIES)
def test_versions_of_libraries_other_than_glibc_are_the_same(
    policy: Dict[str, Any], arch: str
) -> None:
    theirs = {
        f"{prefix}_{version}"
        for prefix, versions in policy["symbol_versions"][arch].items()
        for version in versions
        if prefix != "GLIBC"
    }
    limit = floor_of(Policy.parse(policy["name"]))
    ours = {v for (name, v), floor in VERSION_FLOORS.items() if name == arch and floor <= limit}
    assert ours == theirs


@pytest.mark.parametrize(("policy", "arch"), ENTRIES)
def test_versions_of_glibc_are_those_that_the_table_has(policy: Dict[str, Any], arch: str) -> None:
    limit = floor_of(Policy.parse(policy["name"]))
    theirs = {f"GLIBC_{version}" for version in policy["symbol_versions"][arch]["GLIBC"]}
    ours: Set[str] = set()
    for definitions in GlibcTable.load().of(ARCHITECTURES[arch]).values():
        for _, version in definitions:
            if version <= limit:
                text = ".".join(map(str, version if version[2] else version[:2]))
                ours.add(f"GLIBC_{text}")
    allowed = {v for v in theirs if (glibc_version(v) or NEVER) <= limit}
    refused = {(v, policy["name"]) for v in theirs - allowed}
    assert refused <= GLIBC_DIFFERENCES
    # A version that the table has and auditwheel does not is one of a library that was no
    # library of its own then, or of a glibc that no wheel was built on: never a newer one.
    assert all((glibc_version(v) or NEVER) <= limit for v in ours - theirs)


def test_every_known_difference_is_still_one() -> None:
    found = set()
    for policy in THEIRS:
        limit = floor_of(Policy.parse(policy["name"]))
        for versions in policy["symbol_versions"].values():
            for version in versions["GLIBC"]:
                floor = glibc_version(f"GLIBC_{version}") or NEVER
                if floor > limit:
                    found.add((f"GLIBC_{version}", policy["name"]))
                elif version == "ABI_DT_RELR":
                    assert floor == (2, 36, 0)
    without_relr = {entry for entry in GLIBC_DIFFERENCES if "RELR" not in entry[0]}
    assert found == without_relr


@pytest.mark.parametrize("policy", THEIRS, ids=lambda policy: str(policy["name"]))
def test_libraries_allowed_outside_are_the_same(policy: Dict[str, Any]) -> None:
    limit = floor_of(Policy.parse(policy["name"]))
    arch = ARCHITECTURES["x86_64"]
    every = {soname for other in THEIRS for soname in other["lib_whitelist"]}
    ours = {soname for soname in every if library_floor(soname, arch) <= limit}
    assert ours == set(policy["lib_whitelist"])


def test_the_loader_of_each_architecture_is_allowed() -> None:
    for arch in ARCHITECTURES.values():
        assert library_floor(arch.glibc_loader, arch) < NEVER


@pytest.mark.parametrize("policy", THEIRS, ids=lambda policy: str(policy["name"]))
def test_symbols_banned_by_auditwheel_are_banned_or_newer_than_the_policy(
    policy: Dict[str, Any],
) -> None:
    limit = floor_of(Policy.parse(policy["name"]))
    table = GlibcTable.load()
    for library, symbols in policy["blacklist"].items():
        if library in BANNED:
            ours = {name for name, floor in BANNED[library].items() if limit < floor}
            # zlib's internals stay internal; auditwheel lets some pass from 2_36 on.
            assert set(symbols) <= ours
            assert ours - set(symbols) <= (NO_LONGER_BANNED if limit >= (2, 36, 0) else set())
            continue
        for arch in policy["symbol_versions"]:
            if arch in ARCHITECTURES:
                for symbol in symbols:
                    definitions = table.of(ARCHITECTURES[arch]).get(symbol, [])
                    assert all(version > limit for _, version in definitions), (arch, symbol)


def test_musllinux_allows_the_same_libraries() -> None:
    arch = ARCHITECTURES["x86_64"]
    names = {policy["name"] for policy in their_policies("musllinux")}
    ours = {p.name for p in policies(arch, Version(2, 17)) if p.family == "musllinux"}
    assert ours == names
    for policy in their_policies("musllinux"):
        for soname in policy["lib_whitelist"]:
            assert musl_library_floor(soname, arch) < NEVER
        # Banned in ours are theirs and some more, which only glibc's systems were seen with.
        assert set(policy["blacklist"]["libz.so.1"]) <= set(BANNED["libz.so.1"])
    assert is_musl_libc("libc.musl-x86_64.so.1", arch)
    assert musl_library_floor("libstdc++.so.6", arch) == NEVER


def test_their_policies_are_among_ours() -> None:
    newest = GlibcTable.load().newest
    for name, arch in ARCHITECTURES.items():
        ours = {p.name for p in policies(arch, newest)}
        theirs = {p["name"] for p in THEIRS if name in p["symbol_versions"]}
        assert theirs <= ours


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_glibc_version_between_is_a_policy(name: str) -> None:
    arch = ARCHITECTURES[name]
    found = [p.version.minor for p in policies(arch, Version(2, 44)) if p.family == "manylinux"]
    assert found == list(range(arch.lowest_manylinux.minor, 45))


@pytest.mark.parametrize(
    ("version", "floor"),
    [
        ("GLIBC_2.17", (2, 17, 0)),
        ("GLIBC_2.3.4", (2, 3, 4)),
        ("GLIBC_ABI_DT_RELR", (2, 36, 0)),
        ("GLIBC_PRIVATE", None),
        ("GLIBC_2.17.1.1", None),
        ("GLIBC_", None),
        ("GCC_3.0", None),
    ],
)
def test_the_name_of_a_glibc_version_is_read(version: str, floor: Tuple[int, int, int]) -> None:
    assert glibc_version(version) == floor


def test_a_version_of_another_architecture_is_none_of_this() -> None:
    assert version_floor("CXXABI_ARM_1.3.3", ARCHITECTURES["armv7l"]) == (2, 17, 0)
    assert version_floor("CXXABI_ARM_1.3.3", ARCHITECTURES["x86_64"]) == NEVER


def test_the_table_of_versions_has_no_version_twice() -> None:
    from manylinux_shim.audit._policies import _VERSIONS

    seen: Dict[Tuple[str, str], str] = {}
    for line in _VERSIONS.strip().splitlines():
        rule, _, architectures = line.partition("@")
        prefix, _, *versions = rule.split()
        for arch in (architectures or " ".join(ARCHITECTURES)).split():
            assert re.fullmatch(r"[a-z0-9_]+", arch)
            for version in versions:
                assert (arch, f"{prefix}_{version}") not in seen, line
                seen[arch, f"{prefix}_{version}"] = line
