"""What a wheelhouse knows of its wheels, so that a second run proves and builds nothing anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple

from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

_NAME = ".manylinux-shim.json"
_LAYOUT = 1


class Record:
    """A file beside the wheels, which may be missing: then all is looked at again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        data = _read(directory / _NAME)
        self._judged: Dict[str, str] = data.get("judged", {})
        self._built: Dict[str, Dict[str, Any]] = data.get("built", {})
        self._passed: Dict[str, Dict[str, Any]] = data.get("passed", {})

    def verdict(self, sha256: str, policy: str) -> Optional[str]:
        """Why a wheel of an index was not taken for ``policy``; empty if it was, None: unknown."""
        return self._judged.get(f"{policy} {sha256}")

    def is_refused(self, sha256: str) -> bool:
        """Whether it was not taken for any policy that it was looked at for."""
        known = [why for key, why in self._judged.items() if key.endswith(f" {sha256}")]
        return bool(known) and all(known)

    def judged(self, sha256: str, policy: str, why: str) -> None:
        """A wheel of an index was taken, or not, and why."""
        self._judged[f"{policy} {sha256}"] = why

    def built(
        self,
        wheel: Path,
        source: Optional[str],
        settings: Sequence[str],
        job: str,
        left_out: Sequence[str] = (),
    ) -> None:
        """A wheel was built from ``source`` for a job; one without identity is not kept.

        ``left_out`` are its optional extensions that failed.
        """
        if source is not None:
            self._built[wheel.name] = {
                "sha256": sha256_of(wheel),
                "source": source,
                "settings": list(settings),
                "job": job,
                "left_out": list(left_out),
            }

    def is_built(self, wheel: Path) -> bool:
        """Whether a wheel that is there was built, and is not one of the same name of an index."""
        facts = self._built.get(wheel.name)
        return facts is not None and wheel.is_file() and sha256_of(wheel) == facts.get("sha256")

    def left_out(self, wheel: Path) -> Tuple[str, ...]:
        """The optional extensions that a wheel which was built is without."""
        return tuple(map(str, self._built.get(wheel.name, {}).get("left_out", ())))

    def passed(self, sha256: str, test: Sequence[str]) -> str:
        """Where a wheel has passed this very test; empty if it has not."""
        facts = self._passed.get(sha256, {})
        return str(facts.get("on", "")) if facts.get("test") == list(test) else ""

    def passes(self, sha256: str, test: Sequence[str], where: str) -> None:
        """A wheel has passed a test."""
        self._passed[sha256] = {"test": list(test), "on": where}

    def find_built(
        self, source: Optional[str], settings: Sequence[str], tags: Sequence[Tag]
    ) -> Optional[Path]:
        """A wheel of that source that is still there and fits; the best by its tags."""
        ranks = {tag: rank for rank, tag in enumerate(tags)}
        found = []
        for name, facts in self._built.items():
            if source is None or facts.get("source") != source:
                continue
            fits = [ranks[tag] for tag in parse_wheel_filename(name)[3] if tag in ranks]
            path = self._directory / name
            same = facts.get("settings") == list(settings) and path.is_file()
            if fits and same and sha256_of(path) == facts.get("sha256"):
                found.append((min(fits), path))
        return min(found)[1] if found else None

    def write(self) -> None:
        """Keep what is known; where the disk has no room for it, a second run looks again."""
        data = {
            "layout": _LAYOUT,
            "judged": self._judged,
            "built": self._built,
            "passed": self._passed,
        }
        if not (self._judged or self._built or self._passed):
            return
        beside = self._directory / f"{_NAME}.part"
        try:
            beside.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            beside.replace(self._directory / _NAME)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()


def _read(path: Path) -> Dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(data, dict) and data.get("layout") == _LAYOUT
    return data if whole and all(isinstance(data.get(k, {}), dict) for k in _KEYS) else {}


_KEYS = ("judged", "built", "passed")


def sha256_of(path: Path) -> str:
    """The hash of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in _blocks(file):
            digest.update(block)
    return digest.hexdigest()


def _blocks(file: Any) -> Iterator[bytes]:
    return iter(lambda: file.read(1 << 20), b"")
