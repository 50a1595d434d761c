"""ELF files made to measure: any architecture, any claim, no compiler."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from manylinux_shim._platforms import ARCHITECTURES, Architecture

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PT_GNU_STACK, PT_GNU_PROPERTY = 0x6474E551, 0x6474E553
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3


class Need(NamedTuple):
    """An undefined symbol, and where its version is needed from."""

    name: str
    version: Optional[str] = None
    library: Optional[str] = None
    weak: bool = False
    weak_version: bool = False


@dataclass(frozen=True)
class Made:
    """What the file shall be; ``bytes(Made(...))`` is the file."""

    arch: str = "x86_64"
    type: int = ET_DYN
    needed: Sequence[str] = ()
    soname: Optional[str] = None
    run_path: Optional[str] = None
    old_run_path: Optional[str] = None
    undefined: Sequence[Need] = ()
    unused_needs: Sequence[Tuple[str, str]] = ()
    """(library, version) that no symbol uses."""
    defined: Sequence[str] = ("PyInit_made",)
    definitions: Sequence[str] = ()
    """Version definitions; all defined symbols have the first."""
    interpreter: Optional[str] = None
    stack: Optional[int] = 6
    isa_needed: int = 0
    isa_used: int = 0
    relr: bool = False
    text_relocations: bool = False
    dynamic: bool = True
    hashes: Tuple[str, ...] = ("gnu",)
    """Of ``sysv``, ``gnu``, ``relocations``: what tells the number of symbols."""
    flags: int = 0
    flags_1: int = 0
    """``DT_FLAGS_1``."""
    arm_attributes: Optional[Tuple[int, Optional[int]]] = None
    """(Tag_CPU_arch, Tag_ABI_VFP_args)."""

    def __bytes__(self) -> bytes:
        return _Maker(self, ARCHITECTURES[self.arch]).file()


def glibc_need(name: str, version: str, library: str = "libc.so.6", **more: bool) -> Need:
    """``memcpy``, ``2.14`` -> an undefined symbol of glibc."""
    return Need(name, f"GLIBC_{version}", library, **more)


class _Maker:
    def __init__(self, made: Made, arch: Architecture) -> None:
        self.made = made
        self.arch = arch
        self.order = ">" if arch.big_endian else "<"
        self.wide = arch.bits == 64
        self.strings = bytearray(b"\0")
        self.offsets: Dict[str, int] = {"": 0}

    def pack(self, layout: str, *values: int) -> bytes:
        return struct.pack(self.order + layout, *values)

    def string(self, text: str) -> int:
        if text not in self.offsets:
            self.offsets[text] = len(self.strings)
            self.strings += text.encode() + b"\0"
        return self.offsets[text]

    def file(self) -> bytes:
        if self.made.type == ET_REL:
            return self.header(0, 0, 0, 0)
        segments = self.segments()
        header_size = 64 if self.wide else 52
        entry_size = 56 if self.wide else 32
        count = 1 + sum(1 for _ in segments) + (self.made.stack is not None)
        base = header_size + entry_size * count
        base += -base % 16
        body = bytearray()
        headers: List[Tuple[int, int, int, int, int]] = []
        for kind, flags, make in segments:
            body += b"\0" * (-len(body) % 16)
            start = base + len(body)
            if kind == PT_DYNAMIC:
                contents, dynamic_at = self.dynamic(start)
                body += contents
                size = start + len(contents) - dynamic_at
                headers.append((kind, flags, dynamic_at, size, size))
            else:
                body += make
                headers.append((kind, flags, start, len(make), len(make)))
        total = base + len(body)
        headers.insert(0, (PT_LOAD, 7, 0, total, total))
        if self.made.stack is not None:
            headers.append((PT_GNU_STACK, self.made.stack, 0, 0, 0))
        table = b"".join(self.program_header(*header) for header in headers)
        sections, shoff, shnum = self.sections(total)
        head = self.header(len(headers), header_size, shoff, shnum)
        return (head + table).ljust(base, b"\0") + bytes(body) + sections

    def header(self, phnum: int, phoff: int, shoff: int, shnum: int) -> bytes:
        ident = bytes([0x7F, *b"ELF", 2 if self.wide else 1, 2 if self.arch.big_endian else 1, 1])
        layout = "HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH"
        sizes = (64, 56, phnum, 64, shnum, 0) if self.wide else (52, 32, phnum, 40, shnum, 0)
        return ident.ljust(16, b"\0") + self.pack(
            layout, self.made.type, self.arch.machine, 1, 0, phoff, shoff, self.made.flags, *sizes
        )

    def program_header(self, kind: int, flags: int, at: int, filesz: int, memsz: int) -> bytes:
        align = 0x10000 if kind == PT_LOAD else 8 if self.wide else 4
        if self.wide:
            return self.pack("IIQQQQQQ", kind, flags, at, at, at, filesz, memsz, align)
        return self.pack("8I", kind, at, at, at, filesz, memsz, flags, align)

    def segments(self) -> List[Tuple[int, int, bytes]]:
        made = self.made
        found: List[Tuple[int, int, bytes]] = []
        if made.interpreter is not None:
            found.append((PT_INTERP, 4, made.interpreter.encode() + b"\0"))
        if made.isa_needed or made.isa_used:
            found.append((PT_GNU_PROPERTY, 4, self.property_note()))
        if made.dynamic:
            found.append((PT_DYNAMIC, 6, b""))
        return found

    def property_note(self) -> bytes:
        properties = b""
        for kind, value in ((0xC0008002, self.made.isa_needed), (0xC0010002, self.made.isa_used)):
            if value:
                properties += self.pack("III", kind, 4, value)
                properties += b"\0" * (-len(properties) % (8 if self.wide else 4))
        return self.pack("III", 4, len(properties), 5) + b"GNU\0" + properties

    def dynamic(self, start: int) -> Tuple[bytes, int]:
        """All tables, the dynamic segment last, and where that is."""
        made = self.made
        word = "Q" if self.wide else "I"
        indices = self.version_indices()
        symbols = self.symbols()
        entries: List[Tuple[int, int]] = []
        entries += [(1, self.string(name)) for name in made.needed]
        for tag, text in ((14, made.soname), (29, made.run_path), (15, made.old_run_path)):
            if text is not None:
                entries.append((tag, self.string(text)))
        body = bytearray()

        def place(contents: bytes) -> int:
            body.extend(b"\0" * (-(start + len(body)) % 16))
            at = start + len(body)
            body.extend(contents)
            return at

        count = len(symbols) // (24 if self.wide else 16)
        entries.append((6, place(symbols)))
        entries.append((11, 24 if self.wide else 16))
        if indices:
            versions = [indices.get((n.library, n.version), 1) for n in made.undefined]
            own = 2 if made.definitions else 1
            versions += [own] * len(made.defined)
            entries.append((0x6FFFFFF0, place(self.pack(f"{count}H", 0, *versions))))
            needs, libraries = self.version_needs(indices)
            if libraries:
                entries += [(0x6FFFFFFE, place(needs)), (0x6FFFFFFF, libraries)]
            if made.definitions:
                definitions = self.version_definitions()
                entries += [
                    (0x6FFFFFFC, place(definitions)),
                    (0x6FFFFFFD, len(made.definitions) + 1),
                ]
        if "sysv" in made.hashes:
            layout = "Q" if made.arch == "s390x" else "I"
            table = self.pack(f"{3 + count}{layout}", 1, count, 0, *([0] * count))
            entries.append((4, place(table)))
        if "gnu" in made.hashes:
            first = 1 + len(made.undefined)
            chain = [0] * len(made.defined)
            if chain:
                chain[-1] = 1
            table = self.pack("4I", 1, first, 1, 0) + self.pack(word, 0)
            table += self.pack("I", first if chain else 0) + self.pack(f"{len(chain)}I", *chain)
            entries.append((0x6FFFFEF5, place(table)))
        if "relocations" in made.hashes:
            shift = 32 if self.wide else 8
            info = (count - 1) << shift | 1
            table = self.pack(word * 3, 0, info, 0)
            entries += [(7, place(table)), (8, len(table)), (9, len(table))]
        if made.relr:
            entries += [(36, place(self.pack(word, start))), (35, 8 if self.wide else 4), (37, 8)]
        if made.text_relocations:
            entries.append((22, 0))
        entries.append((5, place(bytes(self.strings))))
        entries.append((10, len(self.strings)))
        if self.made.flags_1:
            entries.append((0x6FFFFFFB, self.made.flags_1))
        entries.append((0, 0))
        at = place(b"".join(self.pack(word * 2, *entry) for entry in entries))
        return bytes(body), at

    def symbols(self) -> bytes:
        made = self.made
        table = [self.symbol("", 0, 0)]
        table += [self.symbol(n.name, 2 if n.weak else 1, 0) for n in made.undefined]
        table += [self.symbol(name, 1, 7) for name in made.defined]
        return b"".join(table)

    def symbol(self, name: str, binding: int, section: int) -> bytes:
        offset, info = self.string(name), binding << 4 | 2
        if self.wide:
            return self.pack("IBBHQQ", offset, info, 0, section, 0, 0)
        return self.pack("IIIBBH", offset, 0, 0, info, 0, section)

    def version_indices(self) -> Dict[Tuple[Optional[str], Optional[str]], int]:
        made = self.made
        wanted = [(n.library, n.version) for n in made.undefined if n.version is not None]
        wanted += list(made.unused_needs)
        first = 2 + len(made.definitions)
        found: Dict[Tuple[Optional[str], Optional[str]], int] = {
            key: first + at for at, key in enumerate(dict.fromkeys(wanted))
        }
        if made.definitions and not found:
            found[None, None] = 1
        return found

    def version_needs(
        self, indices: Dict[Tuple[Optional[str], Optional[str]], int]
    ) -> Tuple[bytes, int]:
        weak = {(n.library, n.version) for n in self.made.undefined if n.weak_version}
        libraries: Dict[str, List[Tuple[str, int, int]]] = {}
        for (library, version), index in indices.items():
            if library is not None and version is not None:
                flag = 2 if (library, version) in weak else 0
                libraries.setdefault(library, []).append((version, index, flag))
        table = b""
        for at, (library, versions) in enumerate(libraries.items()):
            last = at == len(libraries) - 1
            size = 16 + 16 * len(versions)
            file = self.string(library)
            table += self.pack("HHIII", 1, len(versions), file, 16, 0 if last else size)
            for i, (version, index, flag) in enumerate(versions):
                step = 0 if i == len(versions) - 1 else 16
                table += self.pack("IHHII", 0, flag, index, self.string(version), step)
        return table, len(libraries)

    def version_definitions(self) -> bytes:
        names = [self.made.soname or "base", *self.made.definitions]
        table = b""
        for at, name in enumerate(names):
            step = 0 if at == len(names) - 1 else 28
            table += self.pack("HHHHIII", 1, 1 if at == 0 else 0, at + 1, 1, 0, 20, step)
            table += self.pack("II", self.string(name), 0)
        return table

    def sections(self, start: int) -> Tuple[bytes, int, int]:
        """Section headers only where they are the one place for a fact: ARM's attributes."""
        if self.made.arm_attributes is None:
            return b"", 0, 0
        cpu, vfp = self.made.arm_attributes
        attributes = bytes([6, cpu]) + (bytes([28, vfp]) if vfp is not None else b"")
        file = b"\1" + self.pack("I", 5 + len(attributes)) + attributes
        section = b"aeabi\0" + file
        contents = b"A" + self.pack("I", 4 + len(section)) + section
        contents += b"\0" * (-len(contents) % 4)
        empty = self.pack("10I", *[0] * 10)
        header = self.pack("10I", 0, 0x70000003, 0, 0, start, len(contents), 0, 0, 1, 0)
        return contents + empty + header, start + len(contents), 2
