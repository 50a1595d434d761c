"""Debug information of what was shipped, put where debuggers look for it.

``<directory>/.build-id/xx/yyyy.debug`` for each file of the wheel: gdb finds it by
``set debug-file-directory``, and ``debuginfod -F`` serves the directory.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import List

from manylinux_shim._messages import say
from manylinux_shim.audit import Verdict
from manylinux_shim.compiler import DEBUG, build_id, file_name
from manylinux_shim.wheel import Archive


def keep_debug_files(wheel: Path, verdict: Verdict, record: Path, directory: Path) -> None:
    """Copy into ``directory`` what the links of this build left in ``record`` for ``wheel``.

    ``verdict`` names its files. Those that this build has not linked, and what has no build id,
    are said to have none. Raises OSError when the directory cannot be written.
    """
    lacking: List[str] = []
    count = 0
    with Archive(wheel) as archive:
        for facts in verdict.files:
            member = archive.find(facts.name)
            if member is None or not facts.loadable:
                continue
            identity = build_id(archive.read(member))
            source = record / DEBUG / file_name(identity)
            if not identity or not source.is_file():
                lacking.append(facts.name)
                continue
            place = directory / ".build-id" / file_name(identity)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
            count += 1
    if count:
        say(f"debug information of {count} file{'s' if count > 1 else ''} is in {directory}")
    if lacking:
        say(f"there is no debug information of {', '.join(lacking)}")
