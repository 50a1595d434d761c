"""Our reader against pyelftools on files of this machine, and on made ones without compiler."""

from __future__ import annotations

import io
import struct
import sys
import sysconfig
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection
from made_elf import ET_EXEC, ET_REL, Made, Need, glibc_need

from manylinux_shim._errors import ElfError
from manylinux_shim._platforms import ARCHITECTURES
from manylinux_shim.elf import read_notes
from manylinux_shim.elf._elf import ElfFacts, read_elf


def real_files() -> List[Path]:
    """ELF files that this machine has anyhow: Python's own, and those it is linked with."""
    modules = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
    found = [*sorted(modules.glob("*.so"))[:15], Path(sys.executable).resolve()]
    if Path("/proc/self/maps").exists():
        lines = Path("/proc/self/maps").read_text().splitlines()
        mapped = {line.split(maxsplit=5)[-1] for line in lines}
        found += [Path(p) for p in sorted(mapped) if ".so" in p and p.startswith("/")]
    return [path for path in dict.fromkeys(found) if path.is_file()]


def by_pyelftools(data: bytes) -> Dict[str, Any]:
    """The same facts, from section headers, as pyelftools reads them."""
    elf = ELFFile(io.BytesIO(data))
    facts: Dict[str, Any] = {
        "needed": (), "soname": None, "needs": set(), "definitions": set(),
        "undefined": set(), "exports": set(),
    }  # fmt: skip
    versions: Dict[int, Tuple[str, str]] = {}
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for need, entries in section.iter_versions():
                for entry in entries:
                    facts["needs"].add((need.name, entry.name, bool(entry["vna_flags"] & 2)))
                    versions[entry["vna_other"] & 0x7FFF] = (entry.name, need.name)
        if isinstance(section, GNUVerDefSection):
            for definition, entries in section.iter_versions():
                if not definition["vd_flags"] & 1:
                    facts["definitions"].add(next(entries).name)
        if isinstance(section, DynamicSection):
            facts["needed"] = tuple(tag.needed for tag in section.iter_tags("DT_NEEDED"))
            facts["soname"] = next((t.soname for t in section.iter_tags("DT_SONAME")), None)
    indices: Optional[GNUVerSymSection] = elf.get_section_by_name(".gnu.version")
    symbols = elf.get_section_by_name(".dynsym")
    assert isinstance(symbols, SymbolTableSection)
    for number, symbol in enumerate(symbols.iter_symbols()):
        if not symbol.name or symbol["st_info"]["bind"] == "STB_LOCAL":
            continue
        if symbol["st_shndx"] != "SHN_UNDEF":
            facts["exports"].add(symbol.name)
            continue
        version: Tuple[Optional[str], Optional[str]] = (None, None)
        if indices is not None:
            index = indices.get_symbol(number)["ndx"]
            if isinstance(index, int):
                version = versions.get(index & 0x7FFF, version)
        weak = symbol["st_info"]["bind"] == "STB_WEAK"
        facts["undefined"].add((symbol.name, *version, weak))
    return facts


def ours(facts: ElfFacts) -> Dict[str, Any]:
    needs: Set[Tuple[str, str, bool]] = {tuple(need) for need in facts.version_needs}  # type: ignore[misc]
    return {
        "needed": facts.needed,
        "soname": facts.soname,
        "needs": needs,
        "definitions": set(facts.version_definitions),
        "undefined": {tuple(symbol) for symbol in facts.undefined},
        "exports": set(facts.exports.names),
    }


@pytest.mark.parametrize("path", real_files(), ids=lambda path: str(path.name))
def test_facts_are_those_that_pyelftools_finds(path: Path) -> None:
    data = path.read_bytes()
    facts = read_elf(path.name, data)
    assert ours(facts) == by_pyelftools(data)
    assert facts.undefined or facts.exports.names


@pytest.mark.parametrize("path", real_files()[:12], ids=lambda path: str(path.name))
def test_facts_do_not_depend_on_section_headers(path: Path) -> None:
    data = bytearray(path.read_bytes())
    with_sections = read_elf("x", bytes(data))
    wide = data[4] == 2
    data[40 if wide else 32 : 48 if wide else 36] = bytes(8 if wide else 4)  # e_shoff
    data[60 if wide else 48 : 62 if wide else 50] = bytes(2)  # e_shnum
    assert read_elf("x", bytes(data)) == with_sections


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("hashes", [("gnu",), ("sysv",), ("relocations",)])
def test_every_architecture_is_read_alike(arch: str, hashes: Tuple[str, ...]) -> None:
    made = Made(
        arch=arch,
        needed=("libown.so", "libc.so.6"),
        soname="libmade.so",
        run_path="$ORIGIN:$ORIGIN/../lib",
        undefined=[
            Need("plain"),
            glibc_need("memcpy", "2.14"),
            glibc_need("pow", "2.29", "libm.so.6", weak=True, weak_version=True),
        ],
        unused_needs=[("libc.so.6", "GLIBC_2.4")],
        definitions=("V1", "V2"),
        hashes=hashes,
        flags=2 if arch == "ppc64le" else 0,
    )
    facts = read_elf("made.so", bytes(made))
    assert facts.architecture is ARCHITECTURES[arch]
    assert facts.machine_name == arch
    assert facts.needed == ("libown.so", "libc.so.6")
    assert facts.run_path == ("$ORIGIN", "$ORIGIN/../lib")
    assert [tuple(u) for u in facts.undefined] == [
        ("plain", None, None, False),
        ("memcpy", "GLIBC_2.14", "libc.so.6", False),
        ("pow", "GLIBC_2.29", "libm.so.6", True),
    ]
    assert [(n.version, n.weak) for n in facts.version_needs] == [
        ("GLIBC_2.14", False),
        ("GLIBC_2.4", False),
        ("GLIBC_2.29", True),
    ]
    assert facts.version_definitions == ("V1", "V2")
    assert facts.exports.names == {"PyInit_made"}
    assert facts.extension_module


def test_run_paths_of_the_old_kind_count_where_there_is_none_of_the_new() -> None:
    both = Made(run_path="$ORIGIN/new", old_run_path="$ORIGIN/old")
    assert read_elf("x", bytes(both)).run_path == ("$ORIGIN/new",)
    assert read_elf("x", bytes(Made(old_run_path="$ORIGIN/old"))).run_path == ("$ORIGIN/old",)


@pytest.mark.parametrize(
    ("made", "fact", "value"),
    [
        (Made(), "executable", False),
        (Made(type=ET_EXEC), "executable", True),
        (Made(interpreter="/lib64/ld-linux-x86-64.so.2"), "executable", True),
        (Made(interpreter="/lib64/ld-linux-x86-64.so.2", soname="libc.so.6"), "executable", False),
        (Made(interpreter="/lib/ld-musl-x86_64.so.1"), "interpreter", "/lib/ld-musl-x86_64.so.1"),
        (Made(type=ET_EXEC, dynamic=False), "static", True),
        (Made(type=ET_REL), "loadable", False),
        (Made(stack=6), "executable_stack", False),
        (Made(stack=7), "executable_stack", True),
        (Made(stack=None), "executable_stack", True),
        (Made(stack=None, arch="riscv64"), "executable_stack", False),
        (Made(text_relocations=True), "text_relocations", True),
        (Made(relr=True), "relr", True),
        (Made(isa_needed=1), "isa_needed", 1),
        (Made(isa_needed=3), "isa_needed", 2),
        (Made(isa_needed=15, arch="i686"), "isa_needed", 4),
        (Made(isa_used=7), "isa_used", 3),
        (Made(isa_used=7), "isa_needed", 1),
        (Made(arch="armv7l", flags=0x400), "machine_name", "armv7l"),
        (Made(arch="armv7l", flags=0x200), "machine_name", "arm (soft float)"),
        # Attributes that say nothing of floats leave it to the header's flags.
        (Made(arch="armv7l", arm_attributes=(10, None)), "machine_name", "armv7l"),
        (Made(arch="armv7l", flags=0x400, arm_attributes=(6, 1)), "machine_name", "armv6l"),
        (Made(arch="armv7l", flags=0x400, arm_attributes=(10, 1)), "machine_name", "armv7l"),
        (Made(arch="armv7l", flags=0x400, arm_attributes=(14, 1)), "machine_name", "armv7l"),
        (Made(arch="ppc64le", flags=1), "architecture", None),
    ],
)
def test_a_fact_is_read(made: Made, fact: str, value: object) -> None:
    assert getattr(read_elf("x", bytes(made)), fact) == value


def patched(data: bytes, offset: int, layout: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<" + layout, changed, offset, value)
    return bytes(changed)


def dynamic_entry(data: bytes, tag: int) -> int:
    """Where in a made x86_64 file the value of a dynamic entry is."""
    phoff, phnum = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    for at in range(phoff, phoff + 56 * phnum, 56):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind == 2:
            for place in range(offset, offset + size, 16):
                if struct.unpack_from("<Q", data, place)[0] == tag:
                    return place + 8
    raise LookupError(tag)


FULL = bytes(
    Made(
        needed=["libc.so.6"], undefined=[glibc_need("memcpy", "2.14")], definitions=["V1"],
        hashes=("sysv", "gnu", "relocations"), isa_needed=1, interpreter="/lib/ld.so",
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "value", "complaint"),
    [
        (5, 2**60, "not in the file"),
        (6, 2**63, "claims"),
        (10, 2**62, "no end"),
        (1, 2**31, "no end"),
        (4, 2**40, "not in the file"),
        (8, 2**50, "not in the file"),
        (0x6FFFFEF5, 2**33, "not in the file"),
        (0x6FFFFFFE, 2**33, "not in the file"),
        (0x6FFFFFFC, 2**33, "not in the file"),
        (0x6FFFFFF0, 2**33, "not in the file"),
    ],
)
def test_a_table_that_lies_beyond_the_file_is_an_error(
    tag: int, value: int, complaint: str
) -> None:
    data = patched(FULL, dynamic_entry(FULL, tag), "Q", value)
    if tag == 10:
        # A table longer than the file ends with the file; what it has is still readable.
        assert read_elf("x", data) == read_elf("x", FULL)
        return
    with pytest.raises(ElfError, match=complaint):
        read_elf("made/x.so", data)


def test_two_to_the_thirty_second_symbols_are_not_believed() -> None:
    at = struct.unpack_from("<Q", FULL, dynamic_entry(FULL, 4))[0]
    with pytest.raises(ElfError, match="claims 4294967295 symbols"):
        read_elf("x", patched(FULL, at + 4, "I", 2**32 - 1))


def test_a_chain_of_versions_that_leads_back_ends() -> None:
    at = struct.unpack_from("<Q", FULL, dynamic_entry(FULL, 0x6FFFFFFE))[0]
    counts = dynamic_entry(FULL, 0x6FFFFFFF)
    # Steps are unsigned and only go forward, so a chain ends with the file.
    endless = patched(patched(FULL, at + 12, "I", 1), counts, "Q", 2**63)
    with pytest.raises(ElfError):
        read_elf("x", endless)


def test_a_dynamic_segment_without_end_is_an_error() -> None:
    data = bytearray(FULL)
    del data[-16:]
    with pytest.raises(ElfError):
        read_elf("x", bytes(data))


def test_two_dynamic_segments_are_an_error_because_loaders_disagree() -> None:
    data = bytearray(FULL)
    phoff = struct.unpack_from("<Q", data, 32)[0]
    kinds = [struct.unpack_from("<I", data, phoff + 56 * i)[0] for i in range(data[56])]
    struct.pack_into("<I", data, phoff + 56 * kinds.index(3), 2)
    with pytest.raises(ElfError, match="2 dynamic segments"):
        read_elf("x", bytes(data))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no ELF header"),
        (b"\x7fELF", "no ELF header"),
        (b"\x7fELF" + bytes(60), "class 0"),
        (FULL[:60], "cut short"),
        (FULL[:70], "beyond its end"),
        (patched(FULL, 54, "H", 1), "program headers are 1 bytes long"),
        (patched(FULL, 56, "H", 0), "no program headers"),
        (patched(FULL, 56, "H", 0xFFFF), "beyond its end"),
    ],
)
def test_a_broken_header_is_an_error_that_names_the_file(data: bytes, complaint: str) -> None:
    with pytest.raises(ElfError, match=complaint) as caught:
        read_elf("made/x.so", data)
    assert str(caught.value).startswith("made/x.so: ")
    assert caught.value.remedy


def test_strings_that_overlap_endlessly_are_an_error() -> None:
    name = "x" * 60_000
    made = Made(undefined=[Need(name)] * 3000)
    with pytest.raises(ElfError, match="overlap"):
        read_elf("x", bytes(made))


def test_debug_information_split_off_is_no_library() -> None:
    data = bytearray(FULL)
    phoff = struct.unpack_from("<Q", data, 32)[0]
    for i in range(data[56]):
        struct.pack_into("<Q", data, phoff + 56 * i + 32, 0)  # p_filesz
    facts = read_elf("x.debug", bytes(data))
    assert not facts.dynamic
    assert facts.needed == ()


@pytest.mark.parametrize(("order", "bits"), [("<", 64), (">", 64), ("<", 32)])
def test_notes_are_read_with_the_alignment_of_each(order: str, bits: int) -> None:
    def note(kind: int, text: bytes, align: int) -> bytes:
        data = struct.pack(order + "III", 4, len(text), kind) + b"GNU\0" + text
        return data + bytes(-len(data) % align)

    texts = [(5, b"p" * 12), (1, b"abc"), (3, b"i" * 20)]
    data = b"".join(note(kind, text, bits // 8 if kind == 5 else 4) for kind, text in texts)
    found = list(read_notes(data, order, bits))
    assert [(each.kind, each.description) for each in found] == texts
    assert {each.name for each in found} == {b"GNU\0"}
    assert len(list(read_notes(data[:-1], order, bits))) == 3
    assert list(read_notes(data[:10], order, bits)) == []
