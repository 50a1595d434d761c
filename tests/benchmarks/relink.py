"""Relinking against auditing and recompressing: ``python tests/benchmarks/relink.py [WHEEL...]``.

The peer does the least that a relinked wheel can cost: it audits the wheel, then writes it
again with the members that relinking changes compressed anew, their bytes as they were. Both
are whole processes, start of Python included, in turn, everything else in the cache.

Without arguments the wheel is numpy 1.26.4, built here by the host's compiler (once, which
takes some minutes; it is kept in a directory under the user's cache).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

from audit import ENVIRONMENT, program
from measure import line, pairs

REQUIREMENT = "numpy==1.26.4"
STATIC = "-static-libstdc++ -static-libgcc"

RELINK = """
import sys
from pathlib import Path
from manylinux_shim._platforms import Policy
from manylinux_shim.relink import relink_wheel
wheel, scratch = Path(sys.argv[1]), Path(sys.argv[2])
relink_wheel(wheel, Policy.parse(sys.argv[3]), scratch, notice=lambda text: None)
"""
PEER = """
import sys
from pathlib import Path
from manylinux_shim.audit import audit_wheel
from manylinux_shim.wheel import Archive, WheelName, repack
wheel, scratch = Path(sys.argv[1]), Path(sys.argv[2])
audit_wheel(wheel)
names = Path(sys.argv[3]).read_text().split("\\n")
with Archive(wheel) as archive:
    changed = {name: archive.read(archive.find(name)) for name in names if name}
repack(wheel, scratch, platforms=WheelName.parse(wheel.name).platforms, changed=changed)
"""


def built() -> List[Path]:
    """The wheel of ``REQUIREMENT`` that this machine's compiler makes."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = cache / "manylinux-shim-benchmarks" / "built"
    if not list(directory.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-binary=numpy"]
        command += ["--config-settings=setup-args=-Dallow-noblas=true", f"--wheel-dir={directory}"]
        subprocess.run([*command, REQUIREMENT], check=True, env={**os.environ, "LDFLAGS": STATIC})
    return sorted(directory.glob("*.whl"))


def changed_members(wheel: Path, policy: str, scratch: Path) -> str:
    """The names of the members that relinking changes, a line each."""
    from manylinux_shim._platforms import Policy
    from manylinux_shim.relink import relink_wheel
    from manylinux_shim.wheel import Archive

    new = relink_wheel(wheel, Policy.parse(policy), scratch, notice=lambda text: None).wheel
    with Archive(wheel) as old, Archive(new) as relinked:
        crcs = {member.name: member.crc for member in relinked.members}
        names = [
            member.name
            for member in old.members
            if crcs.get(member.name, member.crc) != member.crc and ".dist-info/" not in member.name
        ]
    return "\n".join(names)


def measure(wheel: Path, policy: str, runs: int, scratch: Path) -> None:
    print(f"\n{wheel.name} for {policy}")
    (scratch / "first").mkdir()
    (scratch / "ours").mkdir()
    (scratch / "peer").mkdir()
    names = scratch / "names"
    names.write_text(changed_members(wheel, policy, scratch / "first"), encoding="utf-8")
    print(f"{len(names.read_text(encoding='utf-8').split())} members change")
    ours, peer = pairs(
        program(RELINK, str(wheel), str(scratch / "ours"), policy),
        program(PEER, str(wheel), str(scratch / "peer"), str(names)),
        runs,
    )
    line("relink", ours, peer, "audit and recompress", "ratio at most 3")


def main() -> None:
    parser = argparse.ArgumentParser(description="Relinking against what it cannot do without.")
    parser.add_argument("wheels", metavar="WHEEL", nargs="*", type=Path)
    parser.add_argument("--policy", default="manylinux_2_17")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as compiled:
        ENVIRONMENT["PYTHONPYCACHEPREFIX"] = compiled
        for wheel in options.wheels or built():
            with tempfile.TemporaryDirectory() as scratch:
                measure(wheel, options.policy, options.runs, Path(scratch))


if __name__ == "__main__":
    main()
