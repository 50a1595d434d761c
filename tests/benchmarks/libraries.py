"""What libraries cost that were fetched before: a command with and without them, in turn.

Run it with the shim installed: ``python tests/benchmarks/libraries.py``. The first run fetches.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measure import line, pairs

LIBRARIES = ("deb:libpq-dev", "deb:libpng-dev", "wheel:cmeel-libomp==21.1.8")
SETTINGS = '[tool.manylinux-shim]\nbackend = "setuptools.build_meta"\n'


def main() -> None:
    """Compare ``run -- true`` of two projects, one of which names libraries."""
    with tempfile.TemporaryDirectory() as scratch:
        bare, full = Path(scratch) / "bare", Path(scratch) / "full"
        named = ", ".join(f'"{library}"' for library in LIBRARIES)
        for project, more in ((bare, ""), (full, f"libraries = [{named}]\n")):
            project.mkdir()
            (project / "pyproject.toml").write_text(SETTINGS + more, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "manylinux_shim",
            "run",
            "--target",
            "aarch64",
            "--",
            "true",
        ]

        def run(project: Path) -> None:
            subprocess.run(command, cwd=project, check=True, stderr=subprocess.DEVNULL)

        ours, peer = pairs(lambda: run(full), lambda: run(bare), runs=9)
    line(f"{len(LIBRARIES)} libraries again", ours, peer, "none", "0.2 s more")


if __name__ == "__main__":
    main()
