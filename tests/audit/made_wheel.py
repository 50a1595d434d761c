"""Wheels made to measure, of files made to measure."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Mapping, Union

from made_elf import Made

Content = Union[bytes, str, Made]


def make_wheel(
    directory: Path,
    files: Mapping[str, Content],
    tag: str = "cp311-cp311-linux_x86_64",
    in_record: bool = True,
) -> Path:
    """A wheel ``made-1.0-<tag>.whl`` of ``files``; without ``in_record`` RECORD names none."""
    path = directory / f"made-1.0-{tag}.whl"
    metadata = {
        "made-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n",
        "made-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
    }
    names = [*(files if in_record else ()), *metadata]
    record = "".join(f"{name},,\n" for name in [*names, "made-1.0.dist-info/RECORD"])
    everything = {**files, **metadata, "made-1.0.dist-info/RECORD": record}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in everything.items():
            archive.writestr(name, content if isinstance(content, str) else bytes(content))
    return path
