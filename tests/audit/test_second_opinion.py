"""Our verdict and auditwheel's over wheels of well-known projects, from PyPI.

Where the two differ, the wheel stands in ``DIFFERENCES`` with the reason why
ours is right. One difference is no difference of opinion: PEP 600 has a policy
for every glibc version, auditwheel for some, and then names the next newer one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import pytest

from manylinux_shim._platforms import LEGACY_MANYLINUX, parse_platform_tag
from manylinux_shim.audit import Verdict, audit_wheel

pytestmark = pytest.mark.pypi


class Batch(NamedTuple):
    """Wheels that one call of pip can download: released versions, which never change."""

    arch: str
    family: str
    python: str
    requirements: str
    slow: bool = False


BATCHES = (
    Batch(
        "x86_64", "manylinux", "3.11",
        """bcrypt==5.0.0 blake3==1.0.11 cryptography==50.0.2 debugpy==1.8.22 greenlet==3.5.6
        h5py==3.16.0 lxml==6.1.3 markupsafe==3.0.4 ninja==1.13.2 psutil==7.2.2
        psycopg2-binary==2.9.13 shapely==2.2.0 tokenizers==0.23.3 xxhash==4.1.0""",
    ),
    Batch(
        "x86_64", "manylinux", "3.11",
        """aiohttp==3.14.5 bitarray==3.12.3 brotli==1.2.1 cffi==2.1.1 charset-normalizer==3.5.2
        contourpy==1.3.3 coverage==7.17.3 frozenlist==1.8.0 httptools==0.9.0 kiwisolver==1.5.1
        lz4==4.4.5 msgpack==1.2.4 multidict==7.2.1 orjson==3.13.0 pycryptodome==4.4.0
        pydantic-core==2.50.4 pynacl==1.6.2 python-rapidjson==1.25 pyyaml==6.0.3 pyzmq==27.3.0
        rapidfuzz==3.14.6 regex==2026.11.15 rpds-py==2026.9.1 safetensors==0.8.0
        setproctitle==1.3.8 simplejson==4.3.0 sqlalchemy==2.1.9 tornado==6.6.1 ujson==6.1.0
        uvloop==0.23.0 watchfiles==1.3.0 wrapt==2.5.2 yarl==1.25.1 zstandard==0.25.0""",
        slow=True,
    ),
    Batch(
        "x86_64", "manylinux", "3.7",
        "cffi==1.14.0 cryptography==3.3 lxml==4.6.1 markupsafe==1.1.1",
    ),
    Batch(
        "aarch64", "manylinux", "3.11",
        """cryptography==50.0.2 kiwisolver==1.5.1 lxml==6.1.3 markupsafe==3.0.4
        orjson==3.13.0 rpds-py==2026.9.1 ujson==6.1.0 uv==0.13.8""",
    ),
    Batch(
        "i686", "manylinux", "3.9",
        "markupsafe==3.0.2 psutil==7.1.1 rpds-py==0.27.1 ujson==5.11.0",
    ),
    Batch(
        "armv7l", "manylinux", "3.11",
        """cryptography==50.0.2 markupsafe==3.0.4 orjson==3.13.0 rpds-py==2026.9.1
        watchfiles==1.3.0""",
    ),
    Batch(
        "ppc64le", "manylinux", "3.11",
        "cffi==2.1.1 markupsafe==3.0.4 orjson==3.11.9 rpds-py==2026.9.1 yarl==1.25.1",
    ),
    Batch("s390x", "manylinux", "3.11", "cffi==2.1.1 orjson==3.11.9 rpds-py==2026.9.1"),
    Batch("riscv64", "manylinux", "3.12", "markupsafe==3.0.4 ninja==1.13.2 rpds-py==2026.9.1"),
    Batch(
        "x86_64", "musllinux", "3.11",
        """bcrypt==5.0.0 cffi==2.1.1 cryptography==50.0.2 greenlet==3.5.6 lxml==6.1.3
        markupsafe==3.0.4 orjson==3.13.0 pillow==13.0.0 rpds-py==2026.9.1 tornado==6.6.1
        ujson==6.1.0""",
    ),
    Batch(
        "aarch64", "musllinux", "3.11", "markupsafe==3.0.4 rpds-py==2026.9.1 ujson==6.1.0"
    ),
    Batch("i686", "musllinux", "3.11", "orjson==3.11.9 rpds-py==2026.9.1"),
    Batch("armv7l", "musllinux", "3.11", "orjson==3.11.9"),
)  # fmt: skip

WEAK = "what is newer is needed weakly only (VER_FLG_WEAK): the loader goes on without it"
MUSL_OLDER = "auditwheel looks at no symbol of musl; all of these are in musl 1.1.0 already"
MUSL_RELR = "it has packed relocations, and the loader of musl before 1.2.4 knows no DT_RELR"
MUSL_NO_ANSWER = "auditwheel ends in an error (on a system of glibc); all is in musl 1.1.0 already"
MUSL_LIBC = "auditwheel takes libc.so, which is musl's own libc here, for a library from outside"

DIFFERENCES: Dict[str, Tuple[str, str]] = {
    "uv-0.13.8 aarch64 manylinux": ("manylinux_2_17_aarch64", WEAK),
    "bcrypt-5.0.0 x86_64 musllinux": ("linux_x86_64", MUSL_RELR),
    "cryptography-50.0.2 x86_64 musllinux": ("linux_x86_64", MUSL_RELR),
    "greenlet-3.5.6 x86_64 musllinux": ("linux_x86_64", MUSL_RELR),
    "lxml-6.1.3 x86_64 musllinux": ("musllinux_1_1_x86_64", MUSL_OLDER),
    "markupsafe-3.0.4 aarch64 musllinux": ("musllinux_1_1_aarch64", MUSL_OLDER),
    "markupsafe-3.0.4 x86_64 musllinux": ("musllinux_1_1_x86_64", MUSL_OLDER),
    "orjson-3.11.9 armv7l musllinux": ("musllinux_1_1_armv7l", MUSL_NO_ANSWER),
    "orjson-3.11.9 i686 musllinux": ("musllinux_1_1_i686", MUSL_LIBC),
    "orjson-3.13.0 x86_64 musllinux": ("musllinux_1_1_x86_64", MUSL_OLDER),
    "pillow-13.0.0 x86_64 musllinux": ("linux_x86_64", MUSL_RELR),
    "rpds_py-2026.9.1 aarch64 musllinux": ("musllinux_1_1_aarch64", MUSL_NO_ANSWER),
    "rpds_py-2026.9.1 i686 musllinux": ("musllinux_1_1_i686", MUSL_NO_ANSWER),
    "rpds_py-2026.9.1 x86_64 musllinux": ("musllinux_1_1_x86_64", MUSL_NO_ANSWER),
    "tornado-6.6.1 x86_64 musllinux": ("musllinux_1_1_x86_64", MUSL_OLDER),
    "ujson-6.1.0 aarch64 musllinux": ("linux_aarch64", MUSL_RELR),
    "ujson-6.1.0 x86_64 musllinux": ("linux_x86_64", MUSL_RELR),
}
"""The wheel -> the tag that it has earned, and why auditwheel's is not that."""

AUDITWHEEL_KNOWS = (5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 36, 37, 38, 39, 40, 41)
"""The glibc versions (2.X) for which auditwheel has a policy."""


def wheel_ids(batch: Batch) -> List[str]:
    found = []
    for requirement in batch.requirements.split():
        name, _, version = requirement.partition("==")
        found.append(f"{name.replace('-', '_')}-{version} {batch.arch} {batch.family}")
    return found


EACH = [
    pytest.param(batch, wheel, id=wheel, marks=pytest.mark.slow if batch.slow else ())
    for batch in BATCHES
    for wheel in wheel_ids(batch)
]


def platforms(batch: Batch) -> List[str]:
    if batch.family == "musllinux":
        return [f"musllinux_1_{minor}_{batch.arch}" for minor in (2, 1)]
    tags = [f"manylinux_2_{minor}_{batch.arch}" for minor in range(39, 4, -1)]
    tags += [
        f"{name}_{batch.arch}" for name, (_, on) in LEGACY_MANYLINUX.items() if batch.arch in on
    ]
    return tags


def download(batch: Batch, directory: Path) -> None:
    done = directory / ".complete"
    if done.exists() and done.read_text() == batch.requirements:
        return
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:"]
    command += [f"--python-version={batch.python}", f"--dest={directory}"]
    command += [f"--platform={tag}" for tag in platforms(batch)]
    subprocess.run([*command, *batch.requirements.split()], check=True, capture_output=True)
    done.write_text(batch.requirements)


class Wheels:
    """The wheels, of which a batch is downloaded when the first of it is asked for."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._found: Dict[Batch, Dict[str, Path]] = {}

    def batch(self, batch: Batch) -> Dict[str, Path]:
        """Wheels by id."""
        if batch not in self._found:
            directory = self._cache / f"{batch.family}-{batch.arch}-{batch.python}"
            if batch.slow:
                directory = directory.with_name(f"{directory.name}-more")
            download(batch, directory)
            self._found[batch] = {
                f"{name.lower()}-{version} {batch.arch} {batch.family}": path
                for path in directory.glob("*.whl")
                for name, version in [path.name.split("-")[:2]]
            }
        return self._found[batch]


@pytest.fixture(scope="session")
def wheels(wheel_cache: Path) -> Wheels:
    """All wheels; downloaded once, and kept."""
    return Wheels(wheel_cache)


def second_opinion(path: Path) -> Optional[str]:
    """What auditwheel says of a wheel; None where it ends in an error."""
    command = [sys.executable, "-m", "auditwheel", "show", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    text = " ".join(run.stdout.split())
    found = re.search(r'following platform tag: "([^"]+)"', text)
    return found[1] if found is not None else None


def in_auditwheels_words(verdict: Verdict) -> List[str]:
    """The earned tags, each as the next newer policy that auditwheel has."""
    tags = []
    for tag in verdict.earned:
        parsed = parse_platform_tag(tag)
        if parsed is not None and parsed[0].family == "manylinux":
            minor = next(m for m in AUDITWHEEL_KNOWS if m >= parsed[0].version.minor)
            tags.append(f"manylinux_2_{minor}_{parsed[1]}")
        else:
            tags.append(tag)
    return tags


@pytest.mark.slow
def test_there_are_enough_wheels_of_enough_kinds(wheels: Wheels) -> None:
    found = {name: path for batch in BATCHES for name, path in wheels.batch(batch).items()}
    assert sorted(found) == sorted(name for batch in BATCHES for name in wheel_ids(batch))
    assert len(found) >= 60
    claimed = {
        policy.name
        for path in found.values()
        for tag in audit_wheel(path).claimed
        for policy, _ in filter(None, [parse_platform_tag(tag)])
    }
    assert claimed >= {"manylinux_2_5", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34"}
    assert claimed >= {"manylinux_2_31", "manylinux_2_39", "musllinux_1_2"}


@pytest.mark.parametrize(("batch", "wheel"), EACH)
def test_verdict_is_auditwheels_or_the_difference_is_explained(
    batch: Batch, wheel: str, wheels: Wheels
) -> None:
    """What is earned; and a tag is held untrue only where that is the difference."""
    path = wheels.batch(batch)[wheel]
    verdict = audit_wheel(path)
    theirs = second_opinion(path)
    ours, reason = DIFFERENCES.get(wheel, (None, ""))
    if ours:
        assert verdict.earned[0] == ours, reason
        assert theirs not in in_auditwheels_words(verdict), "no difference any more"
    else:
        assert theirs in in_auditwheels_words(verdict)
    assert verdict.truthful == (not (ours or "").startswith("linux_"))
