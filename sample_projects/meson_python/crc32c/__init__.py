"""CRC-32C checksums of bytes and files."""

from pathlib import Path

from crc32c._crc32c import checksum

__all__ = ["checksum", "checksum_of_file"]


def checksum_of_file(path):
    """The CRC-32C of a file, read a piece at a time."""
    total = 0
    with Path(path).open("rb") as file:
        while piece := file.read(1 << 20):
            total = checksum(piece, total)
    return total
