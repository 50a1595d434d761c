"""What wheels earn, and what is found wrong with them: one promise a test."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Sequence, Tuple

import pytest
from made_elf import ET_EXEC, ET_REL, Made, Need, glibc_need
from made_wheel import Content, make_wheel

from manylinux_shim._platforms import Policy
from manylinux_shim.audit import Verdict, audit_wheel

LIBC = ("libc.so.6",)
MODULE = "made.cpython-311-x86_64-linux-gnu.so"


def audit(directory: Path, files: Dict[str, Content], tag: str = "", **more: object) -> Verdict:
    tag = tag or "cp311-cp311-linux_x86_64"
    in_record = bool(more.pop("in_record", True))
    return audit_wheel(make_wheel(directory, files, tag, in_record), **more)  # type: ignore[arg-type]


def module(*undefined: Need, needed: Sequence[str] = LIBC, **more: object) -> Made:
    return Made(needed=needed, undefined=undefined, **more)  # type: ignore[arg-type]


def kinds(verdict: Verdict) -> Tuple[str, ...]:
    return tuple(dict.fromkeys(reason.kind for reason in verdict.reasons))


@pytest.mark.parametrize(
    ("undefined", "earned"),
    [
        ((), ("manylinux_2_5_x86_64", "manylinux1_x86_64")),
        ((glibc_need("malloc", "2.2.5"),), ("manylinux_2_5_x86_64", "manylinux1_x86_64")),
        ((glibc_need("eventfd", "2.7"),), ("manylinux_2_7_x86_64",)),
        ((glibc_need("accept4", "2.10"),), ("manylinux_2_10_x86_64",)),
        ((glibc_need("clock_gettime", "2.17"),), ("manylinux_2_17_x86_64", "manylinux2014_x86_64")),
        ((glibc_need("getrandom", "2.25"),), ("manylinux_2_25_x86_64",)),
        ((glibc_need("pow", "2.29", "libm.so.6"),), ("manylinux_2_29_x86_64",)),
        ((glibc_need("__isoc23_strtol", "2.38"),), ("manylinux_2_38_x86_64",)),
        ((glibc_need("_dl_x86_cpu_features", "PRIVATE"),), ("linux_x86_64",)),
        ((Need("f", "GLIBC_9.9", "libc.so.6"),), ("linux_x86_64",)),
    ],
)
def test_the_highest_needed_symbol_version_decides(
    tmp_path: Path, undefined: Sequence[Need], earned: Tuple[str, ...]
) -> None:
    assert audit(tmp_path, {MODULE: module(*undefined)}).earned == earned


@pytest.mark.parametrize(
    ("version", "library", "earned"),
    [
        ("GLIBCXX_3.4.8", "libstdc++.so.6", "manylinux_2_5_x86_64"),
        ("GLIBCXX_3.4.9", "libstdc++.so.6", "manylinux_2_12_x86_64"),
        ("GLIBCXX_3.4.24", "libstdc++.so.6", "manylinux_2_27_x86_64"),
        ("CXXABI_1.3.13", "libstdc++.so.6", "manylinux_2_34_x86_64"),
        ("GCC_4.3.0", "libgcc_s.so.1", "manylinux_2_12_x86_64"),
        ("GCC_14.0.0", "libgcc_s.so.1", "manylinux_2_39_x86_64"),
        ("ZLIB_1.2.9", "libz.so.1", "manylinux_2_27_x86_64"),
        ("GLIBCXX_9.9", "libstdc++.so.6", "linux_x86_64"),
    ],
)
def test_versions_of_other_libraries_decide_too(
    tmp_path: Path, version: str, library: str, earned: str
) -> None:
    made = module(Need("f", version, library), needed=(library, *LIBC))
    assert audit(tmp_path, {MODULE: made}).earned[0] == earned


def test_a_version_need_that_no_symbol_uses_counts_because_the_loader_checks_it(
    tmp_path: Path,
) -> None:
    made = module(unused_needs=[("libc.so.6", "GLIBC_2.30")])
    assert audit(tmp_path, {MODULE: made}).earned == ("manylinux_2_30_x86_64",)


def test_a_marker_for_packed_relocations_means_glibc_2_36(tmp_path: Path) -> None:
    made = module(unused_needs=[("libc.so.6", "GLIBC_ABI_DT_RELR")], relr=True)
    assert audit(tmp_path, {MODULE: made}).earned == ("manylinux_2_36_x86_64",)


def test_packed_relocations_without_the_marker_count_as_well(tmp_path: Path) -> None:
    assert audit(tmp_path, {MODULE: module(relr=True)}).earned == ("manylinux_2_36_x86_64",)


def test_a_symbol_that_this_architecture_has_at_another_version_only_is_refused(
    tmp_path: Path,
) -> None:
    made = Made(arch="aarch64", needed=LIBC, undefined=[glibc_need("memcpy", "2.14")])
    name = "made.cpython-311-aarch64-linux-gnu.so"
    verdict = audit(tmp_path, {name: made}, "cp311-cp311-linux_aarch64")
    assert verdict.earned == ("linux_aarch64",)
    assert "no glibc for aarch64 has this symbol at this version" in str(verdict.reasons[0])


def test_an_aarch64_symbol_of_2_18_is_judged_by_the_table_of_aarch64(tmp_path: Path) -> None:
    need = glibc_need("__cxa_thread_atexit_impl", "2.18")
    made = Made(arch="aarch64", needed=LIBC, undefined=[need])
    verdict = audit(
        tmp_path, {"made.cpython-311-aarch64-linux-gnu.so": made}, "cp311-cp311-linux_aarch64"
    )
    assert verdict.earned == ("manylinux_2_18_aarch64",)


def test_ppc64le_linked_at_2_19_earns_2_17_when_it_needs_nothing_newer(tmp_path: Path) -> None:
    made = Made(arch="ppc64le", flags=2, needed=LIBC, undefined=[glibc_need("malloc", "2.17")])
    verdict = audit(
        tmp_path, {"made.cpython-311-powerpc64le-linux-gnu.so": made}, "cp311-cp311-linux_ppc64le"
    )
    assert verdict.earned == ("manylinux_2_17_ppc64le", "manylinux2014_ppc64le")


@pytest.mark.parametrize(
    ("arch", "earned"),
    [
        ("riscv64", "manylinux_2_31_riscv64"),
        ("loongarch64", "manylinux_2_36_loongarch64"),
        ("s390x", "manylinux_2_17_s390x"),
        ("i686", "manylinux_2_5_i686"),
        ("armv7l", "manylinux_2_17_armv7l"),
    ],
)
def test_the_lowest_tag_is_the_lowest_that_the_architecture_has(
    tmp_path: Path, arch: str, earned: str
) -> None:
    verdict = audit(tmp_path, {"made.so": Made(arch=arch, needed=LIBC)}, f"py3-none-linux_{arch}")
    assert verdict.earned[0] == earned


def test_a_file_without_section_headers_is_judged_by_what_the_loader_reads(tmp_path: Path) -> None:
    made = bytes(module(glibc_need("getrandom", "2.25")))
    assert made[40:48] == bytes(8)  # e_shoff
    verdict = audit(tmp_path, {MODULE: made}, "cp311-cp311-manylinux2014_x86_64")
    assert not verdict.truthful
    assert verdict.earned == ("manylinux_2_25_x86_64",)


def test_an_elf_file_that_record_does_not_name_is_judged(tmp_path: Path) -> None:
    hidden = {"made/notes.txt": module(glibc_need("getrandom", "2.25"))}
    verdict = audit(tmp_path, dict(hidden), "cp311-cp311-manylinux2014_x86_64", in_record=False)
    assert not verdict
    assert verdict.reasons[0].file == "made/notes.txt"


def test_a_false_older_tag_beside_a_true_one_is_found(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux1_x86_64.manylinux_2_28_x86_64"
    verdict = audit(tmp_path, {MODULE: module(glibc_need("getrandom", "2.25"))}, tag)
    assert [tag for tag, _ in verdict.unproven()] == ["manylinux1_x86_64"]


def test_an_executable_stack_earns_nothing(tmp_path: Path) -> None:
    verdict = audit(tmp_path, {MODULE: module(stack=7)})
    assert kinds(verdict) == ("executable-stack",)
    assert verdict.earned == ("linux_x86_64",)


def test_a_missing_stack_header_means_an_executable_stack_on_x86(tmp_path: Path) -> None:
    assert kinds(audit(tmp_path, {MODULE: module(stack=None)})) == ("executable-stack",)


def test_a_missing_stack_header_is_nothing_on_aarch64(tmp_path: Path) -> None:
    made = Made(arch="aarch64", needed=LIBC, stack=None)
    verdict = audit(tmp_path, {"made.so": made}, "py3-none-manylinux_2_17_aarch64")
    assert verdict.truthful


def test_code_that_asks_for_x86_64_v3_earns_nothing(tmp_path: Path) -> None:
    verdict = audit(tmp_path, {MODULE: module(isa_needed=7)}, "cp311-cp311-manylinux1_x86_64")
    assert kinds(verdict) == ("isa",)
    assert not verdict
    assert verdict.reasons[0].version == "x86-64-v3"


def test_newer_instructions_behind_a_test_at_run_time_do_no_harm(tmp_path: Path) -> None:
    made = module(isa_needed=1, isa_used=15)
    assert audit(tmp_path, {MODULE: made}, "cp311-cp311-manylinux1_x86_64").truthful


def bundle(*, versions: Sequence[str], run_path: str = "$ORIGIN/../made.libs") -> Dict[str, Made]:
    user = Need("own", "OWN_1", "libown-1234.so.1")
    return {
        "made/_made.abi3.so": module(user, needed=("libown-1234.so.1", *LIBC), run_path=run_path),
        "made.libs/libown-1234.so.1": Made(
            soname="libown-1234.so.1", needed=LIBC, defined=["own"], definitions=versions
        ),
    }


def test_a_bundled_library_that_defines_the_versions_its_neighbour_needs_is_fine(
    tmp_path: Path,
) -> None:
    verdict = audit(tmp_path, dict(bundle(versions=["OWN_1"])), "cp311-abi3-manylinux1_x86_64")
    assert verdict.truthful


def test_a_bundled_library_without_the_version_its_neighbour_needs_is_found(
    tmp_path: Path,
) -> None:
    verdict = audit(tmp_path, dict(bundle(versions=["OWN_0"])))
    assert verdict.earned == ("linux_x86_64",)
    assert (verdict.reasons[0].version, verdict.reasons[0].library) == ("OWN_1", "libown-1234.so.1")


def test_a_bundled_library_without_the_symbol_its_neighbour_needs_is_found(tmp_path: Path) -> None:
    files = bundle(versions=["OWN_1"])
    files["made.libs/libown-1234.so.1"] = Made(
        soname="libown-1234.so.1", needed=LIBC, defined=["other"], definitions=["OWN_1"]
    )
    assert audit(tmp_path, dict(files)).reasons[0].symbol == "own"


def test_a_bundled_library_that_no_run_path_leads_to_is_found(tmp_path: Path) -> None:
    verdict = audit(tmp_path, dict(bundle(versions=["OWN_1"], run_path="$ORIGIN/elsewhere")))
    assert verdict.reasons[0].kind == "library"
    assert "made.libs/libown-1234.so.1" in verdict.reasons[0].remedy


def test_a_library_in_the_data_scheme_reaches_one_in_site_packages_by_origin(
    tmp_path: Path,
) -> None:
    made = module(needed=("libown.so", *LIBC), run_path="$ORIGIN/../made.libs")
    files = {
        "made-1.0.data/platlib/made/_made.abi3.so": made,
        "made.libs/libown.so": Made(soname="libown.so", needed=LIBC, defined=["own"]),
    }
    assert audit(tmp_path, dict(files), "cp311-abi3-manylinux1_x86_64").truthful


@pytest.mark.parametrize(
    "run_path",
    ["/root/.pyenv/lib", "lib", "$ORIGIN/../../outside", "$ORIGINAL/lib"],
)
def test_a_run_path_that_leads_out_of_the_wheel_is_an_error(tmp_path: Path, run_path: str) -> None:
    verdict = audit(tmp_path, {"made/_made.abi3.so": module(run_path=run_path)})
    assert kinds(verdict) == ("run-path",)
    assert verdict.reasons[0].library == run_path
    assert verdict.earned == ("linux_x86_64",)


def test_a_run_path_into_the_system_is_noted_where_nothing_is_looked_for(tmp_path: Path) -> None:
    verdict = audit(
        tmp_path,
        {"made/_made.abi3.so": module(run_path="/usr/local/lib64")},
        "cp311-abi3-manylinux1_x86_64",
    )
    assert verdict.truthful
    assert [note for note in verdict.notes if "/usr/local/lib64" in note]


@pytest.mark.parametrize(
    ("run_path", "true"),
    [
        ("$ORIGIN/../made.libs:/usr/local/lib64", True),
        ("/usr/local/lib64:$ORIGIN/../made.libs", False),
        ("$ORIGIN/elsewhere:/usr/local/lib64", False),
    ],
)
def test_a_run_path_that_leads_out_after_the_wheels_own_is_noted(
    tmp_path: Path, run_path: str, true: bool
) -> None:
    files = bundle(versions=["OWN_1"], run_path=run_path)
    verdict = audit(tmp_path, dict(files), "cp311-abi3-manylinux1_x86_64")
    assert verdict.truthful is true
    assert bool([note for note in verdict.notes if "/usr/local/lib64" in note]) is true


@pytest.mark.parametrize("run_path", ["$ORIGIN", "${ORIGIN}/../made.libs", "$ORIGIN/"])
def test_a_run_path_within_the_wheel_is_none(tmp_path: Path, run_path: str) -> None:
    made = module(old_run_path=run_path)
    assert audit(tmp_path, {"made/_made.abi3.so": made}).earned[0] == "manylinux_2_5_x86_64"


@pytest.mark.parametrize(("arch", "true"), [("aarch64", True), ("x86_64", False)])
def test_libgcc_has_what_glibc_once_had_at_the_version_of_its_architecture(
    tmp_path: Path, arch: str, true: bool
) -> None:
    used = Need("__register_frame", "GLIBC_2.0", "libgcc_s.so.1")
    made = module(used, needed=("libgcc_s.so.1", *LIBC), arch=arch)
    name = f"made.cpython-311-{arch}-linux-gnu.so"
    assert audit(tmp_path, {name: made}, f"cp311-cp311-manylinux_2_17_{arch}").truthful is true


def test_weak_references_only_do_no_harm(tmp_path: Path) -> None:
    need = glibc_need("__cxa_thread_atexit_impl", "2.18", weak=True, weak_version=True)
    made = module(need, Need("statx", weak=True), Need("nobody_has_this", weak=True))
    assert audit(tmp_path, {MODULE: made}, "cp311-cp311-manylinux1_x86_64").truthful


def test_a_weak_reference_with_a_version_that_the_loader_insists_on_counts(tmp_path: Path) -> None:
    need = glibc_need("__cxa_thread_atexit_impl", "2.18", weak=True)
    assert audit(tmp_path, {MODULE: module(need)}).earned == ("manylinux_2_18_x86_64",)


def test_a_linker_script_named_like_a_library_is_no_library(tmp_path: Path) -> None:
    files: Dict[str, Content] = {
        "made/_made.abi3.so": module(needed=("libscript.so", *LIBC), run_path="$ORIGIN"),
        "made/libscript.so": "INPUT(libscript.so.1)\n",
    }
    verdict = audit(tmp_path, files)
    assert (verdict.reasons[0].kind, verdict.reasons[0].library) == ("library", "libscript.so")


def test_a_linker_script_among_the_data_does_no_harm(tmp_path: Path) -> None:
    files: Dict[str, Content] = {MODULE: module(), "made/libscript.so": "GROUP(libc.so.6)\n"}
    assert audit(tmp_path, files, "cp311-cp311-manylinux1_x86_64").truthful


def test_an_object_file_among_the_data_does_no_harm(tmp_path: Path) -> None:
    files: Dict[str, Content] = {MODULE: module(), "made/x.o": Made(arch="s390x", type=ET_REL)}
    assert audit(tmp_path, files, "cp311-cp311-manylinux1_x86_64").truthful


def test_an_object_file_does_not_make_a_pure_wheel_a_platform_wheel(tmp_path: Path) -> None:
    verdict = audit(tmp_path, {"made/x.o": Made(type=ET_REL)}, "py3-none-any")
    assert verdict.pure
    assert verdict.truthful
    assert verdict.earned == ("any",)


def test_a_file_for_another_machine_among_the_data_is_noted_and_does_no_harm(
    tmp_path: Path,
) -> None:
    firmware = Made(arch="armv7l", type=ET_EXEC, dynamic=False)
    files: Dict[str, Content] = {MODULE: module(), "made/data/firmware.elf": firmware}
    verdict = audit(tmp_path, files, "cp311-cp311-manylinux1_x86_64")
    assert verdict.truthful
    assert verdict.notes == ("made/data/firmware.elf is for armv7l and taken for data",)


@pytest.mark.parametrize(
    "name",
    ["other.cpython-311-x86_64-linux-gnu.so", "made/other.so", "made.libs/libother.so.1"],
)
def test_a_file_for_another_machine_where_this_one_would_load_it_is_found(
    tmp_path: Path, name: str
) -> None:
    files = {MODULE: module(), name: Made(arch="aarch64", needed=LIBC)}
    verdict = audit(tmp_path, dict(files), "cp311-cp311-manylinux1_x86_64")
    assert (verdict.reasons[0].kind, verdict.reasons[0].file) == ("machine", name)
    assert verdict.reasons[0].library == "aarch64"
    assert not verdict


def test_libraries_for_several_machines_under_one_name_do_no_harm(tmp_path: Path) -> None:
    files = {
        "made/lib/amd64/libown.so": Made(needed=LIBC),
        "made/lib/arm64/libown.so": Made(arch="aarch64", needed=LIBC),
    }
    assert audit(tmp_path, dict(files), "py3-none-manylinux1_x86_64").truthful


def test_a_wheel_for_another_architecture_than_its_tag_is_found(tmp_path: Path) -> None:
    tag = "cp311-abi3-manylinux2014_aarch64"
    verdict = audit(tmp_path, {"made/_made.abi3.so": module()}, tag)
    assert not verdict
    assert verdict.reasons[0].kind == "tag"
    assert "x86_64" in verdict.reasons[0].allowed


def test_a_suffix_that_names_another_architecture_is_found(tmp_path: Path) -> None:
    made = Made(arch="aarch64", needed=LIBC)
    verdict = audit(tmp_path, {MODULE: made}, "cp311-cp311-manylinux2014_aarch64")
    assert kinds(verdict) == ("suffix",)
    assert verdict.reasons[0].library == "x86_64-linux-gnu"


def test_a_suffix_of_musl_is_no_name_for_glibc(tmp_path: Path) -> None:
    verdict = audit(tmp_path, {"made.cpython-311-x86_64-linux-musl.so": module()})
    assert kinds(verdict) == ("suffix",)


def test_an_elf_file_in_a_wheel_that_says_any_is_found(tmp_path: Path) -> None:
    verdict = audit(tmp_path, {"made/_made.abi3.so": module()}, "py3-none-any")
    assert not verdict
    assert verdict.reasons[0].kind == "tag"
    assert verdict.earned[0] == "manylinux_2_5_x86_64"


@pytest.mark.parametrize("tag", ["manylinux_2_36_x86_64", "linux_x86_64"])
def test_a_platform_tag_without_any_elf_file_is_found(tmp_path: Path, tag: str) -> None:
    verdict = audit(tmp_path, {"made.py": "x = 1\n"}, f"py3-none-{tag}")
    assert not verdict
    assert verdict.pure
    assert verdict.earned == ("any",)


def test_a_pure_wheel_is_true_to_its_name(tmp_path: Path) -> None:
    assert audit(tmp_path, {"made.py": "x = 1\n"}, "py3-none-any").truthful


def test_a_platform_other_than_linux_cannot_be_proven(tmp_path: Path) -> None:
    assert not audit(tmp_path, {"made.pyd": "MZ"}, "cp311-cp311-win_amd64")


def test_linux_with_an_architecture_claims_nothing_and_is_true(tmp_path: Path) -> None:
    assert audit(tmp_path, {MODULE: module(needed=("libsomething.so.7",))}).truthful


def test_a_wheel_with_two_libcs_earns_nothing(tmp_path: Path) -> None:
    files = {"made/_a.abi3.so": module(), "made/_b.abi3.so": module(needed=("libc.so",))}
    verdict = audit(tmp_path, dict(files))
    assert verdict.earned == ("linux_x86_64",)
    assert kinds(verdict) == ("libc",)


def test_an_armv6_file_tagged_armv7l_is_found(tmp_path: Path) -> None:
    made = Made(arch="armv7l", needed=LIBC, flags=0x5000400, arm_attributes=(6, 1))
    verdict = audit(tmp_path, {"made.so": made}, "py3-none-manylinux2014_armv7l")
    assert not verdict
    assert verdict.earned == ("linux_armv6l",)
    assert "armv6l" in verdict.reasons[0].allowed


def test_an_armv6_wheel_under_its_own_name_is_true(tmp_path: Path) -> None:
    made = Made(arch="armv7l", needed=LIBC, flags=0x5000400, arm_attributes=(6, 1))
    assert audit(tmp_path, {"made.so": made}, "py3-none-linux_armv6l").truthful


def test_a_library_of_older_arm_code_beside_armv7_code_does_no_harm(tmp_path: Path) -> None:
    files = {
        "made.so": Made(arch="armv7l", needed=LIBC, flags=0x5000400, arm_attributes=(10, 1)),
        "made.libs/libgcc.so": Made(
            arch="armv7l", needed=LIBC, flags=0x5000400, arm_attributes=(3, 1), soname="libgcc.so"
        ),
    }
    assert audit(tmp_path, dict(files), "py3-none-manylinux2014_armv7l").truthful


def test_soft_float_arm_earns_no_armv7l_tag(tmp_path: Path) -> None:
    made = Made(arch="armv7l", needed=LIBC, flags=0x5000200, arm_attributes=(10, None))
    verdict = audit(tmp_path, {"made.so": made}, "py3-none-manylinux2014_armv7l")
    assert not verdict
    assert verdict.architecture is None


def test_big_endian_ppc64_is_not_ppc64le(tmp_path: Path) -> None:
    elf = bytearray(bytes(Made(arch="s390x", needed=LIBC)))
    elf[18:20] = (21).to_bytes(2, "big")
    verdict = audit(tmp_path, {"made.so": bytes(elf)}, "py3-none-manylinux2014_ppc64le")
    assert not verdict
    assert verdict.machine == "ppc64"


def test_a_library_that_policies_do_not_allow_is_named(tmp_path: Path) -> None:
    verdict = audit(tmp_path, {MODULE: module(needed=("libcrypt.so.1", *LIBC))})
    assert verdict.earned == ("linux_x86_64",)
    assert (verdict.reasons[0].kind, verdict.reasons[0].library) == ("library", "libcrypt.so.1")


def test_a_library_that_another_package_provides_is_allowed_by_pattern(tmp_path: Path) -> None:
    made = module(Need("cuInit"), needed=("libcuda.so.1", *LIBC))
    verdict = audit(tmp_path, {MODULE: made}, exclude=["libcuda.so.*"])
    assert verdict.earned[0] == "manylinux_2_5_x86_64"


def test_a_link_with_libpython_is_told_apart(tmp_path: Path) -> None:
    verdict = audit(tmp_path, {MODULE: module(needed=("libpython3.11.so.1.0", *LIBC))})
    assert "interpreter" in verdict.reasons[0].remedy


def test_libexpat_and_libmvec_are_allowed_from_their_policies_on(tmp_path: Path) -> None:
    expat = audit(tmp_path, {MODULE: module(needed=("libexpat.so.1", *LIBC))})
    mvec = audit(tmp_path, {MODULE: module(needed=("libmvec.so.1", *LIBC))})
    assert (expat.earned[0], mvec.earned[0]) == ("manylinux_2_12_x86_64", "manylinux_2_24_x86_64")


def test_an_extension_that_needs_no_library_is_proven_for_both_families(tmp_path: Path) -> None:
    made = module(Need("PyLong_FromLong"), needed=())
    verdict = audit(tmp_path, {"made/speedups.abi3.so": made}, "cp39-abi3-linux_x86_64")
    assert verdict.earned == ("manylinux_2_5_x86_64", "manylinux1_x86_64")
    assert verdict.proves(Policy.parse("musllinux_1_1"))
    verdict = audit(tmp_path, {"made/speedups.abi3.so": made}, "cp39-abi3-musllinux_1_2_x86_64")
    assert verdict.earned == ("musllinux_1_1_x86_64",)
    assert verdict.truthful


def test_a_static_program_earns_the_tags_of_both_families(tmp_path: Path) -> None:
    made = Made(type=ET_EXEC, dynamic=False, defined=())
    verdict = audit(tmp_path, {"made-1.0.data/scripts/made": made}, "py3-none-linux_x86_64")
    assert verdict.earned == ("manylinux_2_5_x86_64", "manylinux1_x86_64", "musllinux_1_1_x86_64")


@pytest.mark.parametrize(
    ("arch", "loader", "true"),
    [
        ("x86_64", "/lib64/ld-linux-x86-64.so.2", True),
        ("aarch64", "/lib/ld-linux-aarch64.so.1", True),
        ("x86_64", "/lib/ld-linux-x86-64.so.2", False),
        ("x86_64", "/nix/store/abc-glibc-2.39/lib/ld-linux-x86-64.so.2", False),
    ],
)
def test_a_program_has_to_name_the_loader_that_systems_have(
    tmp_path: Path, arch: str, loader: str, true: bool
) -> None:
    program = Made(arch=arch, needed=LIBC, interpreter=loader, defined=())
    verdict = audit(
        tmp_path, {"made-1.0.data/scripts/made": program}, f"py3-none-manylinux_2_17_{arch}"
    )
    assert verdict.truthful is true
    assert true or verdict.reasons[0].library == loader


def test_a_program_among_the_scripts_is_judged(tmp_path: Path) -> None:
    made = Made(
        needed=LIBC, undefined=[glibc_need("getrandom", "2.25")],
        interpreter="/lib64/ld-linux-x86-64.so.2", defined=(),
    )  # fmt: skip
    verdict = audit(tmp_path, {"made-1.0.data/scripts/made": made}, "py3-none-linux_x86_64")
    assert verdict.earned == ("manylinux_2_25_x86_64",)


def test_a_policy_below_the_lowest_of_the_architecture_is_not_proven(tmp_path: Path) -> None:
    made = Made(arch="riscv64", needed=LIBC)
    verdict = audit(tmp_path, {"made.so": made}, "py3-none-manylinux_2_17_riscv64")
    assert not verdict
    assert "manylinux_2_31" in verdict.reasons[0].allowed


def test_what_proves_a_policy_proves_all_newer_ones(tmp_path: Path) -> None:
    made = module(glibc_need("getrandom", "2.25"), Need("f", "GLIBCXX_3.4.29", "libstdc++.so.6"))
    verdict = audit(tmp_path, {MODULE: made})
    proofs = [verdict.proves(p) for p in verdict.policies if p.family == "manylinux"]
    assert proofs == sorted(proofs)
    assert True in proofs
    assert False in proofs
    for policy in verdict.policies:
        assert verdict.proves(policy) == (not verdict.against(policy))
