"""Whether a wheel's RECORD is true of its members."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel._archive import Archive
from manylinux_shim.wheel._metadata import WheelName, find_dist_info, record_rows

_ALGORITHMS = ("sha256", "sha384", "sha512")


def refuse_wrong_hashes(path: Path) -> None:
    """WheelError for the first member whose hash is not the one that RECORD has for it.

    Inflates the whole wheel. A member that RECORD does not name, or names without a hash, is
    no contradiction. Source: the binary distribution format, "The .dist-info directory".
    """
    with Archive(path) as archive:
        names = [member.name for member in archive.members]
        record = f"{find_dist_info(WheelName.parse(path.name), names)}/RECORD"
        found = archive.find(record)
        if found is None:
            return
        for _, row in record_rows(archive.read(found), record):
            member = archive.find(row[0])
            algorithm, _, stated = row[1].partition("=") if len(row) > 1 else ("", "", "")
            if member is None or member.is_dir or algorithm not in _ALGORITHMS:
                continue
            digest = hashlib.new(algorithm, archive.read(member)).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != stated.rstrip("="):
                raise WheelError(
                    f"{path}: {row[0]} is not the file whose hash RECORD has",
                    "Somebody changed it afterwards, or the download is damaged: fetch or build"
                    " the wheel again.",
                )
