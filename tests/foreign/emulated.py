"""A whole machine of another architecture: every program of its system runs, by qemu-user.

The kernel starts qemu for programs of that architecture, in a namespace of users and mounts
that ends with the command (binfmt_misc is a namespace's own since Linux 6.7): nothing changes
for this machine, and nobody has to be root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Mapping, Sequence

import roots
from support.machine import lacking

# The kernel's documentation, "Kernel Support for miscellaneous Binary Formats": ELF files of
# 64 bits, little-endian, programs and shared objects, whose e_machine is EM_AARCH64.
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"

_START = """\
set -e
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
echo "$RULE" >/proc/sys/fs/binfmt_misc/register
mount --rbind /dev "$ROOT/dev"
mount --rbind /proc "$ROOT/proc"
cd "$ROOT"
exec env -u RULE -u ROOT chroot "$ROOT" "$@"
"""

_PACKAGES = ("coreutils", "dash", "libstdc++6", "python3", "python3-dev")
ARM = roots.System("arm64", "aarch64", "bookworm", "3.11", "aarch64", _PACKAGES)
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Machine:
    """Debian on 64-bit ARM, with network."""

    def __init__(self, root: roots.Root) -> None:
        self.root = root
        self.directory = root.directory
        for path in (Path("/etc/resolv.conf"), _CERTIFICATES):
            if path.exists():
                copy = self.directory / path.relative_to("/")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        if self.run(["/bin/true"], {}).returncode != 0:
            lacking("kernel that runs programs of other architectures for one user")

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], timeout: float = 1800
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of that machine; its output streams come back as one."""
        qemu = self.directory / f"usr/bin/qemu-{self.root.system.qemu}"
        variables = {
            "HOME": "/tmp",
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/sbin:/usr/bin",
            "SSL_CERT_FILE": str(_CERTIFICATES),
            **{n: v for n, v in os.environ.items() if n.lower().endswith("_proxy")},
            **environment,
            "ROOT": str(self.directory),
            "RULE": f":qemu-aarch64:M::{_MAGIC}:{_MASK}:{qemu}:F",
        }
        return subprocess.run(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _START, "sh", *command],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )


def arm() -> Machine:
    """The machine, its system made if it is not in the cache yet."""
    return Machine(roots.root(ARM, roots.default_cache()))
