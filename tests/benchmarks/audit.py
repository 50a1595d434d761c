"""The auditor against auditwheel, in one run: ``python tests/benchmarks/audit.py [WHEEL...]``.

Every measurement is a whole process, start of Python included, the ways in
turn. ``show`` stands against ``auditwheel show`` and against inflating the same
ELF members with zipfile and doing nothing with them; audit and retag against
``auditwheel repair``, and against audit and a copy of the file.

Without arguments the wheels are numpy 1.26.4, opencv-python-headless and
pyarrow, downloaded with pip into a directory under the user's cache.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, List, Sequence

from measure import line, pairs

WHEELS = ("numpy==1.26.4", "opencv-python-headless==5.0.0.93", "pyarrow==26.0.1")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")

INFLATE = """
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for info in archive.infolist():
        with archive.open(info) as member:
            if member.read(4) == b"\\x7fELF":
                archive.read(info)
"""
SHOW = "import sys; from manylinux_shim.cli import main; sys.exit(main(['show', sys.argv[1]]))"
AUDIT = """
import sys
from pathlib import Path
from manylinux_shim.audit import audit_wheel
from manylinux_shim.wheel import retag
wheel, scratch = Path(sys.argv[1]), Path(sys.argv[2])
verdict = audit_wheel(wheel)
"""
RETAG = AUDIT + "retag(wheel, verdict.earned, scratch)\n"
COPY = AUDIT + "import shutil; shutil.copyfile(wheel, scratch / 'copy')\n"


ENVIRONMENT = dict(os.environ)


def download(requirements: Sequence[str]) -> List[Path]:
    """The wheels of ``requirements``, downloaded unless they are there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = cache / "manylinux-shim-benchmarks"
    found = []
    for requirement in requirements:
        prefix = requirement.replace("-", "_").replace("==", "-")
        if not list(directory.glob(f"{prefix}-*.whl")):
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--only-binary=:all:", "--python-version=3.11", f"--dest={directory}"]
            command += [f"--platform={platform}" for platform in PLATFORMS]
            subprocess.run([*command, requirement], check=True)
        found += sorted(directory.glob(f"{prefix}-*.whl"))
    return found


def process(*command: str) -> Callable[[], object]:
    """Running a command, its output thrown away; it must succeed."""
    return lambda: subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)


def program(text: str, *arguments: str) -> Callable[[], object]:
    """The same for a program of Python."""
    return process(sys.executable, "-c", text, *arguments)


def largest_member(wheel: Path) -> int:
    """The bytes of the largest member."""
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        return max(info.file_size for info in archive.infolist())


def measure(wheel: Path, runs: int, scratch: Path) -> None:
    print(f"\n{wheel.name}")
    show = program(SHOW, str(wheel))
    ours, peer = pairs(show, program(INFLATE, str(wheel)), runs)
    line("show", ours, peer, "inflating alone", "ratio at most 2")
    theirs = process(sys.executable, "-m", "auditwheel", "show", str(wheel))
    ours, peer = pairs(show, theirs, runs)
    line("show", ours, peer, "auditwheel show", "ratio at most 0.1")
    both = program(RETAG, str(wheel), str(scratch))
    ours, peer = pairs(both, program(COPY, str(wheel), str(scratch)), runs)
    line("audit and retag", ours, peer, "audit and copy", "ratio at most 1.5")
    repair = process(
        sys.executable, "-m", "auditwheel", "repair", "-w", str(scratch / "repaired"), str(wheel)
    )
    ours, peer = pairs(both, repair, max(runs // 3, 1), warm_up=0)
    line("audit and retag", ours, peer, "auditwheel repair", "ratio at most 0.05")
    peak = int(
        subprocess.run(
            [
                sys.executable,
                "-c",
                RETAG + "import re\n"
                "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])",
                str(wheel),
                str(scratch),
            ],
            check=True,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        ).stdout
    )
    largest = largest_member(wheel) / 2**20
    print(f"peak memory: {peak / 2**10:.0f} MB, largest member {largest:.0f} MB (aim: + 100 MB)")


def main() -> None:
    parser = argparse.ArgumentParser(description="The auditor against auditwheel.")
    parser.add_argument("wheels", metavar="WHEEL", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as compiled:
        ENVIRONMENT["PYTHONPYCACHEPREFIX"] = compiled
        for wheel in options.wheels or download(WHEELS):
            with tempfile.TemporaryDirectory() as scratch:
                measure(wheel, options.runs, Path(scratch))


if __name__ == "__main__":
    main()
