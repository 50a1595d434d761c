"""All ELF files of a wheel are read, side by side where that is worth it, in bounded memory."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from made_elf import Made, Need
from made_wheel import make_wheel

from manylinux_shim._errors import ElfError, WheelError
from manylinux_shim.audit._reading import read_files
from manylinux_shim.elf._elf import read_elf

NUMBER = 12
CHANCE = random.Random(5)
# Of one megabyte, and as compressible as code is: an archive of zeros would be a bomb.
PADDING = b"".join(CHANCE.getrandbits(256).to_bytes(32, "big") + bytes(96) for _ in range(2**13))


def big(number: int) -> bytes:
    """An ELF file of a megabyte, with a symbol of its own."""
    return bytes(Made(needed=["libc.so.6"], undefined=[Need(f"symbol_{number}")])) + PADDING


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {f"made/_{number:02}.abi3.so": big(number) for number in range(NUMBER)}
    return make_wheel(tmp_path_factory.mktemp("wheel"), {**files, "made/x.py": "x = 1\n"})


def test_many_files_come_in_the_order_of_the_archive(wheel: Path) -> None:
    expected = [read_elf(f"made/_{n:02}.abi3.so", big(n)) for n in range(NUMBER)]
    for _ in range(5):
        assert list(read_files(wheel)) == expected


def test_of_several_broken_files_the_first_is_named(wheel: Path, tmp_path: Path) -> None:
    files = {f"made/_{number:02}.abi3.so": big(number) for number in range(NUMBER)}
    for number in (3, 4, 9):
        files[f"made/_{number:02}.abi3.so"] = b"\x7fELF" + PADDING
    broken = make_wheel(tmp_path, dict(files))
    for _ in range(5):
        with pytest.raises(ElfError, match=r"made/_03\.abi3\.so"):
            read_files(broken)


def test_a_member_whose_bytes_are_not_those_declared_is_an_error(
    wheel: Path, tmp_path: Path
) -> None:
    data = bytearray(wheel.read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        info = archive.getinfo("made/_05.abi3.so")
    data[info.header_offset + info.compress_size // 2] ^= 0xFF
    broken = tmp_path / wheel.name
    broken.write_bytes(data)
    with pytest.raises(WheelError, match="_05"):
        read_files(broken)


@pytest.mark.long
def test_memory_holds_the_largest_member_not_all(tmp_path: Path) -> None:
    elf = bytes(Made(needed=["libc.so.6"]))
    files = {f"made/_{n}.abi3.so": elf + PADDING * 60 for n in range(4)}
    wheel = make_wheel(tmp_path, files)
    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from manylinux_shim.audit import audit_wheel\n"
        "audit_wheel(Path(sys.argv[1]))\n"
        # getrusage would count what the parent had before exec.
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)\n"
    )
    command = [sys.executable, "-c", program, str(wheel)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 60 + 100
