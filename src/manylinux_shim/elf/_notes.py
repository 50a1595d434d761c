"""What an ELF file says of the processor that it needs: x86 notes, ARM attributes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterator, NamedTuple, Optional, Tuple

from manylinux_shim.elf._image import Segment

_PT_NOTE, _PT_GNU_PROPERTY = 4, 0x6474E553
_NT_GNU_PROPERTY_TYPE_0 = 5
_X86_ISA_1_NEEDED, _X86_ISA_1_USED = 0xC0008002, 0xC0010002
_SHT_ARM_ATTRIBUTES = 0x70000003
_MOST_BYTES = 2**16


def x86_isa(data: bytes, order: str, bits: int, segments: Tuple[Segment, ...]) -> Tuple[int, int]:
    """The x86-64 levels (1 to 4) that a file's notes say it needs, and uses.

    The loader of glibc 2.33 and later refuses a file whose needed level the
    processor has not; used ones may stand behind a test at run time.
    """
    needed = used = 0
    for segment in segments:
        if segment.type in (_PT_NOTE, _PT_GNU_PROPERTY):
            note = data[segment.offset : segment.offset + min(segment.filesz, _MOST_BYTES)]
            more_needed, more_used = _isa_properties(note, order, bits)
            needed |= more_needed
            used |= more_used
    return max(needed.bit_length(), 1), max(used.bit_length(), 1)


class Note(NamedTuple):
    """One entry of a segment of notes, without what pads it."""

    kind: int
    name: bytes
    description: bytes


def read_notes(data: bytes, order: str, bits: int) -> Iterator[Note]:
    """The notes in a segment's bytes; what follows something damaged is left out.

    ``order`` is the byte order as ``struct`` has it.
    """
    at = 0
    while at + 12 <= len(data):
        name_size, size, kind = struct.unpack_from(order + "III", data, at)
        start = at + 12 + (name_size + 3 & ~3)
        end = start + size
        if name_size or size:
            yield Note(kind, data[at + 12 : at + 12 + name_size], data[start:end])
        # Property notes are aligned to the class's word, all others to four bytes.
        step = bits // 8 if kind == _NT_GNU_PROPERTY_TYPE_0 else 4
        at = end + step - 1 & ~(step - 1)


def _isa_properties(data: bytes, order: str, bits: int) -> Tuple[int, int]:
    """The two bit sets of all GNU property notes in a segment of notes."""
    needed = used = 0
    align = bits // 8
    for kind, name, text in read_notes(data, order, bits):
        if kind != _NT_GNU_PROPERTY_TYPE_0 or name != b"GNU\0":
            continue
        at = 0
        while at + 8 <= len(text):
            property_type, length = struct.unpack_from(order + "II", text, at)
            if length == 4 and at + 12 <= len(text):
                (value,) = struct.unpack_from(order + "I", text, at + 8)
                needed |= value & 15 if property_type == _X86_ISA_1_NEEDED else 0
                used |= value & 15 if property_type == _X86_ISA_1_USED else 0
            at += 8 + (length + align - 1 & ~(align - 1))
    return needed, used


@dataclass(frozen=True)
class ArmAttributes:
    """ARM's build attributes, as far as platform tags depend on them."""

    architecture: int
    """``Tag_CPU_arch`` as the number in ``armv<n>``; 0 if it is not said."""
    hard_float: Optional[bool]
    """``Tag_ABI_VFP_args``: whether floats are passed in registers; None if not said."""


# Tag_CPU_arch: pre-v4, v4, v4T, v5T, v5TE, v5TEJ, v6, v6KZ, v6T2, v6K, v7, v6-M,
# v6S-M, v7E-M, v8-A, v8-R, v8-M.baseline, v8-M.mainline, (reserved), v8.1-M, v9.
_CPU_ARCH = (3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7, 6, 6, 7, 8, 8, 8, 8, 8, 8, 8, 8, 9)
_TAG_FILE, _TAG_CPU_ARCH, _TAG_VFP_ARGS = 1, 6, 28
_TAGS_WITH_TEXT = (4, 5, 67)
_TAG_COMPATIBILITY = 32


def arm_attributes(
    data: bytes, order: str, shoff: int, shentsize: int, shnum: int
) -> Optional[ArmAttributes]:
    """The attributes of the file; None where it has none that can be read.

    They have no program header, so without section headers there are none.
    """
    if not shoff or shentsize != 40 or shoff + 40 * shnum > len(data):
        return None
    for section in struct.iter_unpack(order + "10I", data[shoff : shoff + 40 * shnum]):
        if section[1] == _SHT_ARM_ATTRIBUTES:
            contents = data[section[4] : section[4] + min(section[5], _MOST_BYTES)]
            try:
                return _parse(contents, order)
            except (IndexError, ValueError, struct.error):
                return None
    return None


def _parse(contents: bytes, order: str) -> Optional[ArmAttributes]:
    if contents[:1] != b"A":
        return None
    at = 1
    while at + 4 < len(contents):
        (length,) = struct.unpack_from(order + "I", contents, at)
        section = contents[at + 4 : at + length]
        vendor, _, rest = section.partition(b"\0")
        # Attributes of the whole file come first and are the only ones linkers write.
        if vendor == b"aeabi" and rest[:1] == bytes([_TAG_FILE]):
            (size,) = struct.unpack_from(order + "I", rest, 1)
            return _file_attributes(rest[5:size])
        if length < 4:
            return None
        at += length
    return None


def _file_attributes(attributes: bytes) -> ArmAttributes:
    architecture = 0
    hard_float: Optional[bool] = None
    at = 0
    while at < len(attributes):
        tag, at = _uleb128(attributes, at)
        if tag in _TAGS_WITH_TEXT or (tag > _TAG_COMPATIBILITY and tag % 2):
            at = attributes.index(b"\0", at) + 1
            continue
        value, at = _uleb128(attributes, at)
        if tag == _TAG_COMPATIBILITY:
            at = attributes.index(b"\0", at) + 1
        elif tag == _TAG_CPU_ARCH:
            architecture = _CPU_ARCH[value] if value < len(_CPU_ARCH) else 0
        elif tag == _TAG_VFP_ARGS:
            # 1: in VFP registers; 3: the code works either way.
            hard_float = value in (1, 3)
    # The base standard is the attribute's default, but assembly says nothing at all.
    return ArmAttributes(architecture, hard_float)


def _uleb128(data: bytes, at: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift > 63:
            return value, at
