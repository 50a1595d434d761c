"""One ELF file -> frozen facts, in one pass and without trust.

What is read is what a dynamic loader reads: the program headers and what
``PT_DYNAMIC`` points to. Section headers may be absent or lie, and are looked
at for one thing only that has no other place (ARM's build attributes).

Sources: the generic ABI's chapters 4 and 5 (https://gabi.xinuos.com), "GNU
symbol versioning" of the Linux Standard Base 5 (VERSYM, VERNEED, VERDEF), the
x86-64 psABI for ``NT_GNU_PROPERTY_TYPE_0``, "Addenda to, and Errata in, the ABI
for the Arm Architecture" for the attributes.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Dict, NamedTuple, Optional, Tuple

from manylinux_shim._errors import ElfError
from manylinux_shim._platforms import ARCHITECTURES, Architecture
from manylinux_shim.elf._dynamic import Dynamic, read_dynamic
from manylinux_shim.elf._dynsym import Exports, Undefined
from manylinux_shim.elf._image import Image, Segment
from manylinux_shim.elf._notes import ArmAttributes, arm_attributes, x86_isa
from manylinux_shim.elf._versions import VersionNeed

MAGIC = b"\x7fELF"

CXX_RUNTIME = b"\0N10__cxxabiv117__class_type_infoE\0"
"""The name of a type of the C++ runtime, as a string of its own: in the file that has the
runtime inside, and in no other (Itanium C++ ABI, 2.9.5)."""

# e_type
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
# p_type
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PT_GNU_STACK, PT_GNU_PROPERTY = 0x6474E551, 0x6474E553
PF_X = 1
# e_machine
EM_386, EM_PPC64, EM_S390, EM_ARM, EM_X86_64 = 3, 21, 22, 40, 62
# e_flags
EF_ARM_ABI_FLOAT_SOFT, EF_ARM_ABI_FLOAT_HARD = 0x200, 0x400

# What glibc takes for the stack's permissions when no PT_GNU_STACK says them:
# executable, but for the ports whose ABI always had the header.
_STACK_EXECUTABLE_UNLESS_SAID = (EM_386, EM_X86_64, EM_ARM, EM_S390)

_MACHINE_NAMES = {
    0: "no machine",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    40: "arm",
    42: "sh",
    43: "sparc64",
    94: "xtensa",
    247: "bpf",
}


class Header(NamedTuple):
    """The fields of ``Ehdr`` from ``e_type`` on."""

    type: int
    machine: int
    version: int
    entry: int
    phoff: int
    shoff: int
    flags: int
    ehsize: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int


@dataclass(frozen=True)
class ElfFacts:
    """What one ELF file asks of the system that loads it, and what it offers."""

    name: str
    """The archive member's name."""
    bits: int
    """``EI_CLASS``: 32 or 64."""
    big_endian: bool
    """``EI_DATA``."""
    machine: int
    """``e_machine``."""
    flags: int
    """``e_flags``."""
    type: int
    """``e_type``: 1 an object file, 2 a program, 3 a library or a program that can move."""
    interpreter: Optional[str] = None
    """``PT_INTERP``: the dynamic loader that a program names."""
    dynamic: bool = False
    """Whether there is anything for a dynamic loader to do: ``PT_DYNAMIC``."""
    needed: Tuple[str, ...] = ()
    """``DT_NEEDED`` and ``DT_FILTER``, in their order."""
    soname: Optional[str] = None
    """``DT_SONAME``."""
    run_path: Tuple[str, ...] = ()
    """``DT_RUNPATH``, else ``DT_RPATH``, split at colons."""
    run_path_is_rpath: bool = False
    """Whether that is of ``DT_RPATH``, which serves what the file needs as well."""
    version_needs: Tuple[VersionNeed, ...] = ()
    """``DT_VERNEED``: what the loader checks before it looks at any symbol."""
    version_definitions: Tuple[str, ...] = ()
    """``DT_VERDEF``."""
    undefined: Tuple[Undefined, ...] = ()
    """Undefined dynamic symbols, in the order of the file."""
    executable_stack: bool = False
    """Whether loading it makes the stack executable."""
    text_relocations: bool = False
    """``DT_TEXTREL`` or ``DF_TEXTREL``."""
    relr: bool = False
    """``DT_RELR``: packed relative relocations."""
    position_independent_program: bool = False
    """``DF_1_PIE``."""
    no_open: bool = False
    """``DF_1_NOOPEN``: no running program may open it."""
    extension_module: bool = False
    """Whether its names include a ``PyInit_...`` function."""
    isa_needed: int = 1
    """The x86-64 level without which the loader refuses it: 1 to 4."""
    isa_used: int = 1
    """The highest x86-64 level of which it has code, needed or not: 1 to 4."""
    arm: Optional[ArmAttributes] = None
    """ARM's build attributes, where the file has them."""
    cxx_runtime: bool = False
    """Whether a C++ runtime, LLVM's or GCC's, is inside."""
    exports: Exports = field(default=Exports(), repr=False, compare=False)
    """The dynamic symbols that it defines."""

    @property
    def executable(self) -> bool:
        """Whether it is a program, not a library."""
        if self.type == ET_EXEC or self.position_independent_program:
            return True
        # Some libraries can be run too, and name a loader: those have a soname.
        return self.interpreter is not None and self.soname is None

    @property
    def loadable(self) -> bool:
        """Whether a system could run or load it: object files and core dumps are data."""
        return self.type in (ET_EXEC, ET_DYN)

    @property
    def static(self) -> bool:
        """Whether it is a program that needs no library and no loader."""
        return self.executable and self.interpreter is None and not self.needed

    @property
    def triplet(self) -> Optional[str]:
        """The multiarch triplet in an extension module's name; None if it has none."""
        match = _SUFFIX.search(self.name)
        return match[1] if match is not None else None

    @property
    def architecture(self) -> Optional[Architecture]:
        """The architecture that runs it under its wheel tag; None if tags know none."""
        arch = _BY_IDENTITY.get((self.machine, self.bits, self.big_endian))
        if self.machine == EM_ARM and (self._is_soft_float or self._is_before_armv7):
            return None
        # ELFv1, big-endian by its origin, is another ABI than ppc64le's ELFv2.
        if self.machine == EM_PPC64 and self.flags & 3 == 1:
            return None
        return arch

    @property
    def machine_name(self) -> str:
        """The machine, for people: as in tags where tags know it (``armv6l`` included)."""
        arch = self.architecture
        if arch is not None:
            return arch.name
        if self.machine == EM_ARM and not self.big_endian and self.bits == 32:
            if self._is_soft_float:
                return "arm (soft float)"
            version = self.arm.architecture if self.arm is not None else 0
            return f"armv{version}l" if version else "arm"
        if self.machine == EM_X86_64 and self.bits == 32:
            return "x32"
        return _MACHINE_NAMES.get(self.machine, f"machine {self.machine}")

    @property
    def _is_soft_float(self) -> bool:
        # A program of its own passes no float to anybody else's code.
        if self.static:
            return False
        if self.flags & EF_ARM_ABI_FLOAT_HARD:
            return False
        if self.flags & EF_ARM_ABI_FLOAT_SOFT:
            return True
        return self.arm is not None and self.arm.hard_float is False

    @property
    def _is_before_armv7(self) -> bool:
        return self.arm is not None and 0 < self.arm.architecture < 7

    def runs_on(self, machine: str) -> bool:
        """Whether a machine, by its name in tags, can load it.

        An ARM processor runs what was compiled for its forebears, so a library
        of armv5 in a wheel for armv7l does no harm.
        """
        if self.machine_name == machine:
            return True
        older_arm = self.machine == EM_ARM and self._is_before_armv7 and not self._is_soft_float
        return machine == "armv7l" and self.bits == 32 and not self.big_endian and older_arm


_SUFFIX = re.compile(
    r"\.(?:cpython-\d+[a-z]*|pypy\d+-pp\d+|graalpy\w+(?:-\w+)?)-([a-z0-9_]+-linux-[a-z0-9]+)\.so$"
)
"""What ``importlib.machinery.EXTENSION_SUFFIXES`` look like on Linux."""

_BY_IDENTITY: Dict[Tuple[int, int, bool], Architecture] = {
    (arch.machine, arch.bits, arch.big_endian): arch for arch in ARCHITECTURES.values()
}


def read_elf(name: str, data: bytes) -> ElfFacts:
    """The facts of the ELF file ``data``; ``name`` is for messages.

    Raises ElfError where the file breaks the format in a place that a loader
    would read.
    """
    try:
        return _read(name, data)
    except ElfError as error:
        raise ElfError(f"{name}: {error.message}", error.remedy or _REMEDY) from error
    except (struct.error, IndexError, OverflowError) as error:
        raise ElfError(f"{name}: it is cut short or points beyond its end", _REMEDY) from error


_REMEDY = "The file is damaged: build it again."


def _read(name: str, data: bytes) -> ElfFacts:
    if data[:4] != MAGIC or len(data) < 20:
        raise ElfError("it has no ELF header")
    bits = {1: 32, 2: 64}.get(data[4])
    order = {1: "<", 2: ">"}.get(data[5])
    if bits is None or order is None:
        raise ElfError(f"it is of class {data[4]} and byte order {data[5]}, which ELF has not")
    layout = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")
    header = Header(*struct.unpack_from(layout, data, 16))
    facts = {
        "name": name,
        "bits": bits,
        "big_endian": order == ">",
        "machine": header.machine,
        "flags": header.flags,
        "type": header.type,
    }
    arm = None
    if header.machine == EM_ARM:
        arm = arm_attributes(data, order, header.shoff, header.shentsize, header.shnum)
    if header.type not in (ET_EXEC, ET_DYN):
        return ElfFacts(**facts, arm=arm)  # type: ignore[arg-type]
    segments = read_segments(data, order, bits, header)
    image = Image(data, order, bits, tuple(s for s in segments if s.type == PT_LOAD))
    dynamic = _dynamic(image, segments)
    needed, used = 1, 1
    if header.machine in (EM_386, EM_X86_64):
        needed, used = x86_isa(data, order, bits, segments)
    return ElfFacts(
        **facts,  # type: ignore[arg-type]
        interpreter=_interpreter(data, segments),
        dynamic=dynamic is not None,
        executable_stack=_executable_stack(header.machine, segments),
        isa_needed=needed,
        isa_used=used,
        arm=arm,
        cxx_runtime=CXX_RUNTIME in data,
        **(dynamic._asdict() if dynamic is not None else {}),
    )


def read_segments(data: bytes, order: str, bits: int, header: Header) -> Tuple[Segment, ...]:
    """The program headers, in the order of the file."""
    size = 56 if bits == 64 else 32
    if header.phnum == 0:
        raise ElfError("it has no program headers, so nothing can load it")
    if header.phentsize != size:
        raise ElfError(f"its program headers are {header.phentsize} bytes long, not {size}")
    end = header.phoff + size * header.phnum
    if end > len(data):
        raise ElfError("its program headers lie beyond its end")
    table = struct.iter_unpack(
        order + ("IIQQQQQQ" if bits == 64 else "8I"), data[header.phoff : end]
    )
    if bits == 64:
        return tuple(Segment(t, f, o, v, s, m) for t, f, o, v, _, s, m, _ in table)
    return tuple(Segment(t, f, o, v, s, m) for t, o, v, _, s, m, f, _ in table)


def _dynamic(image: Image, segments: Tuple[Segment, ...]) -> Optional[Dynamic]:
    found = [segment for segment in segments if segment.type == PT_DYNAMIC]
    if not found:
        return None
    if len(found) > 1:
        # Loaders disagree on which one counts, so no answer would be true of all.
        raise ElfError(f"it has {len(found)} dynamic segments")
    if not any(segment.filesz for segment in image.loads):
        # What `objcopy --only-keep-debug` leaves: headers without contents.
        return None
    return read_dynamic(image, found[0])


def _interpreter(data: bytes, segments: Tuple[Segment, ...]) -> Optional[str]:
    for segment in segments:
        if segment.type == PT_INTERP:
            text = data[segment.offset : segment.offset + min(segment.filesz, 4096)]
            if segment.filesz and b"\0" not in text:
                raise ElfError("the name of its dynamic loader has no end")
            name = text.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
            if name:
                return name
    return None


def _executable_stack(machine: int, segments: Tuple[Segment, ...]) -> bool:
    stated = [segment.flags for segment in segments if segment.type == PT_GNU_STACK]
    if stated:
        return any(flags & PF_X for flags in stated)
    return machine in _STACK_EXECUTABLE_UNLESS_SAID
