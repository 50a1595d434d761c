"""What installs a wheelhouse and nothing else: requirements with hashes, and a lock (PEP 751)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from manylinux_shim._errors import ShimError
from manylinux_shim.commands.wheelhouse._deployment import Deployment
from manylinux_shim.commands.wheelhouse._record import sha256_of
from manylinux_shim.project import tomlkit


class Pin(NamedTuple):
    """One package, and the wheel of it for one deployment."""

    name: str
    version: str
    wheel: Path


def write_locks(out: Path, pins: Dict[Deployment, Sequence[Pin]]) -> List[Path]:
    """Write both forms for every deployment; the files.

    For one they are ``requirements.txt`` and ``pylock.toml``; where there are several, the
    deployment's name is in the file's. Raises ShimError when one cannot be written.
    """
    sums: Dict[Path, str] = {}
    written = []
    for deployment, packages in pins.items():
        for pin in packages:
            if pin.wheel not in sums:
                sums[pin.wheel] = sha256_of(pin.wheel)
        several = len(pins) > 1
        requirements = f"requirements-{deployment.name}.txt" if several else "requirements.txt"
        pylock = f"pylock.{deployment.name}.toml" if several else "pylock.toml"
        for name, text in (
            (requirements, _requirements(deployment, packages, sums)),
            (pylock, _pylock(deployment, packages, sums)),
        ):
            beside = out / f".{name}.part"
            try:
                beside.write_text(text, encoding="utf-8")
                written.append(beside.replace(out / name))
            except OSError as error:
                with contextlib.suppress(OSError):
                    beside.unlink()
                raise ShimError(
                    f"{out / name} cannot be written: {error.strerror}",
                    "The wheels are there: call it again when there is space.",
                ) from error
    return written


def _requirements(deployment: Deployment, packages: Sequence[Pin], sums: Dict[Path, str]) -> str:
    lines = [f"# The wheels beside this file, for {deployment.name}."]
    for pin in packages:
        lines.append(f"{pin.name}=={pin.version} \\")
        lines.append(f"    --hash=sha256:{sums[pin.wheel]}")
    return "\n".join(lines) + "\n"


def _pylock(deployment: Deployment, packages: Sequence[Pin], sums: Dict[Path, str]) -> str:
    document: Dict[str, Any] = {
        "lock-version": "1.0",
        "environments": [
            f"sys_platform == 'linux' and platform_machine == '{deployment.arch.name}'"
            f" and python_version == '{deployment.python_text}'"
        ],
        "requires-python": f"=={deployment.python_text}.*",
        "created-by": "manylinux-shim",
        "packages": [
            {
                "name": pin.name,
                "version": pin.version,
                "wheels": [
                    {
                        "name": pin.wheel.name,
                        "path": pin.wheel.name,
                        "size": pin.wheel.stat().st_size,
                        "hashes": {"sha256": sums[pin.wheel]},
                    }
                ],
            }
            for pin in packages
        ],
    }
    return str(tomlkit().dumps(document))
