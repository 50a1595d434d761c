"""A wheel's file name, its WHEEL and RECORD files: text in, text out.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
and https://packaging.python.org/en/latest/specifications/recording-installed-packages/.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from dataclasses import dataclass, replace
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

from packaging.version import InvalidVersion, Version

from manylinux_shim._errors import WheelError
from manylinux_shim.wheel._directory import MOST_IN_DIRECTORY, MOST_MEMBERS

_TAG = "[A-Za-z0-9_]+"
_TAG_SET = rf"{_TAG}(?:\.{_TAG})*"
# As packaging.utils.parse_wheel_filename, whose import costs more than most audits.
_FILENAME = re.compile(
    rf"(?!\w*__)(?P<distribution>[\w.]+)-(?P<version>[^\s-]+)(?:-(?P<build>\d[^\s-]*))?"
    rf"-(?P<python>(?!\d){_TAG_SET})-(?P<abi>{_TAG_SET})-(?P<platform>{_TAG_SET})\.whl"
)
_TAG_LINE = re.compile(rb"(?im)^Tag[ \t]*:[^\n]*(?:\n|\Z)")
_HEADER = re.compile(rb"(?:[^\r\n]+(?:\r?\n|\Z))+")
_SECURE_HASHES = ("sha256=", "sha384=", "sha512=")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_NAME_REMEDY = "A wheel is named distribution-version[-build]-python-abi-platform.whl."


@dataclass(frozen=True)
class WheelName:
    """The parts of a wheel's file name, spelled as they are there."""

    distribution: str
    version: str
    build: str
    """The build tag; empty if there is none."""
    python: Tuple[str, ...]
    abi: Tuple[str, ...]
    platforms: Tuple[str, ...]

    @classmethod
    def parse(cls, filename: str) -> WheelName:
        """The parts of ``filename``, a name without directory.

        Raises WheelError for a name that no wheel can have.
        """
        parts = _FILENAME.fullmatch(filename)
        if parts is None:
            raise WheelError(f"{filename!r} is not the name of a wheel", _NAME_REMEDY)
        distribution, version, build, *tags = parts.groups()
        try:
            Version(version)
        except InvalidVersion as error:
            raise WheelError(
                f"{filename!r} is not the name of a wheel: {error}", _NAME_REMEDY
            ) from error
        python, abi, platforms = (tuple(part.split(".")) for part in tags)
        return cls(distribution, version, build or "", python, abi, platforms)

    @property
    def tags(self) -> Tuple[str, ...]:
        """Every tag that the compressed set stands for, as PEP 425 expands it."""
        return tuple(
            f"{python}-{abi}-{platform}"
            for python in self.python
            for abi in self.abi
            for platform in self.platforms
        )

    @property
    def filename(self) -> str:
        """The name as a file bears it."""
        tags = (".".join(part) for part in (self.python, self.abi, self.platforms))
        build = (self.build,) if self.build else ()
        return "-".join((self.distribution, self.version, *build, *tags)) + ".whl"

    def with_platforms(self, platforms: Sequence[str]) -> WheelName:
        """The same wheel for other platforms, all former ones gone.

        Raises WheelError if there are none, or if one is no platform tag.
        """
        for platform in platforms:
            if not re.fullmatch(_TAG, platform):
                raise WheelError(
                    f"{platform!r} is not a platform tag",
                    "A platform tag has letters, digits and underscores only.",
                )
        if not platforms:
            raise WheelError("a wheel needs a platform tag", "Name one, such as any.")
        return replace(self, platforms=tuple(dict.fromkeys(platforms)))


def find_dist_info(name: WheelName, members: Iterable[str]) -> str:
    """The one ``*.dist-info`` directory among ``members``, without a slash.

    Raises WheelError if there is none, more than one, or if it is not that of
    ``name``; both are compared as normalised, because the specification asks
    for that and old wheels spell them differently.
    """
    found = sorted(
        {
            directory
            for directory, slash, _ in (member.partition("/") for member in members)
            if slash and directory.endswith(".dist-info")
        }
    )
    if len(found) != 1:
        what = f"{len(found)} ({', '.join(found[:3])})" if found else "none"
        raise WheelError(
            f"{name.filename} must hold one .dist-info directory, and holds {what}",
            "Build the wheel again with a backend that follows the wheel specification.",
        )
    distribution, _, version = found[0][: -len(".dist-info")].rpartition("-")
    same = normalised(distribution) == normalised(name.distribution)
    if not same or not _same_version(version, name.version):
        raise WheelError(
            f"{name.filename} holds {found[0]}, which is that of another wheel",
            "Do not rename wheels: build it again.",
        )
    return found[0]


def normalised(name: str) -> str:
    """A project's name as PEP 503 compares it."""
    return re.sub("[-_.]+", "-", name).lower()


def _same_version(one: str, other: str) -> bool:
    # The file name writes "_" for "-", which only local versions and old builds have.
    try:
        return Version(one.replace("_", "-")) == Version(other.replace("_", "-"))
    except InvalidVersion:
        return one.replace("_", "-") == other.replace("_", "-")


def wheel_tags(text: bytes) -> Tuple[str, ...]:
    """The tags in a WHEEL file, in order; an expanded set as ``WheelName.tags`` is."""
    lines = (match[0].decode("utf-8", "replace") for match in _TAG_LINE.finditer(text))
    return tuple(line.partition(":")[2].strip() for line in lines)


def with_tags(text: bytes, tags: Sequence[str]) -> bytes:
    """A WHEEL file with its ``Tag`` lines replaced; every other byte stays.

    The new lines stand where the first one stood, or at the end of the header
    if there was none. If the tags are these already, in whatever order,
    nothing changes.
    """
    if sorted(wheel_tags(text)) == sorted(tags):
        return text
    newline = b"\r\n" if b"\r\n" in text else b"\n"
    lines = b"".join(b"Tag: " + tag.encode() + newline for tag in tags)
    first = _TAG_LINE.search(text)
    if first is not None:
        return text[: first.start()] + lines + _TAG_LINE.sub(b"", text[first.start() :])
    header = _HEADER.match(text)
    end = header.end() if header is not None else 0
    between = newline if end and not text[:end].endswith(b"\n") else b""
    return text[:end] + between + lines + text[end:]


def record_line(name: str, data: bytes) -> str:
    """The RECORD line for a member: its name, sha256 and size, with a newline."""
    import hashlib  # loads OpenSSL, which a wheel that is only read does not need

    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return _csv_line([name, f"sha256={digest}", str(len(data))])


def _csv_line(row: Sequence[str]) -> str:
    output = io.StringIO()
    csv.writer(output, lineterminator="\n").writerow(row)
    return output.getvalue()


def updated_record(
    record: bytes,
    name: str,
    sizes: Mapping[str, int],
    changed: Mapping[str, bytes],
    read: Callable[[str], bytes],
) -> bytes:
    """RECORD, itself the member ``name``, for an archive of members with these sizes.

    Lines of members that did not change are kept as they are, in their order;
    those of ``changed`` members are made anew in their place. A member that
    RECORD lacks, or names without a secure hash or with another size, is read
    and hashed. A line that names no member, or one a second time, is dropped.

    A hash that is there is trusted: checking it means inflating the whole
    wheel, where everything else here takes as long as copying the file. It
    stays exactly as true as the backend made it, so the result names every
    member once and is true wherever RECORD was.

    Raises WheelError if RECORD cannot be read, or is far longer than it needs.
    """

    def fresh(path: str) -> str:
        return record_line(path, changed[path] if path in changed else read(path))

    own = _csv_line([name, "", ""])
    lines: Dict[str, str] = {}
    for line, row in record_rows(record, name):
        path = row[0]
        if path == name:
            lines.setdefault(name, line if row[1:] == ["", ""] else own)
        elif path in sizes and path not in lines:
            kept = path not in changed and _is_complete(row, sizes[path])
            lines[path] = line if kept else fresh(path)
    if lines and next(reversed(lines)) == name:
        own = lines.pop(name)  # it was the last line, and stays that
    for path in sizes:
        if path not in lines and path != name:
            lines[path] = fresh(path)
    lines.setdefault(name, own)
    return "".join(lines.values()).encode()


def _is_complete(row: Sequence[str], size: int) -> bool:
    """Whether a row of RECORD has the size and a hash of the kinds that are allowed."""
    return len(row) == 3 and row[1].startswith(_SECURE_HASHES) and row[2] == str(size)


def record_rows(record: bytes, name: str) -> Iterator[Tuple[str, List[str]]]:
    """Each row of RECORD with the text it was read from, newline included."""
    problem: object = "it has more lines than a wheel has members"
    try:
        text = record.decode("utf-8")
        # Far more than honest wheels have; bounds time and memory.
        if len(text) <= MOST_IN_DIRECTORY and text.count("\n") <= 2 * MOST_MEMBERS:
            yield from _rows(text)
            return
    except (UnicodeDecodeError, csv.Error) as error:
        problem = error
    raise WheelError(
        f"{name} cannot be read: {problem}",
        "Build the wheel again with a backend that follows the wheel specification.",
    )


def _rows(text: str) -> Iterator[Tuple[str, List[str]]]:
    taken: List[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline="\n"):
            taken.append(line)
            yield line

    for row in csv.reader(lines()):
        line = "".join(taken)
        taken.clear()
        if row:
            yield (line if line.endswith("\n") else line + "\n"), row


def is_signature(name: str, dist_info: str) -> bool:
    """Whether ``name`` is a signature of RECORD, which no longer holds once RECORD changes."""
    return name in {f"{dist_info}/{signature}" for signature in _SIGNATURES}
