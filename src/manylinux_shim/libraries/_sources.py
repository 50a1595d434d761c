"""apt's sources of this machine, for another architecture.

Ubuntu has amd64 and i386 on one server, and all other architectures on another of the same
domain: ``archive.`` and ``security.`` with ``/ubuntu`` there, ``ports.`` with ``/ubuntu-ports``
here. A mirror of the whole has both directories on one server.

Sources: sources.list(5); Ubuntu's help on "Ports", and the sources that its images come with.
"""

from __future__ import annotations

import re
from typing import Dict, Mapping
from urllib.parse import urlsplit, urlunsplit

_ARCHIVE, _PORTS = "/ubuntu", "/ubuntu-ports"
_ON_ARCHIVE = ("amd64", "i386")
_SERVER = re.compile(r"(?:.*\.)?(?:archive|security|ports)\.(?=[^.]+\.[^.]+$)")
"""What the name of a server of Ubuntu's own begins with; a country's name may be before it."""
_URI = re.compile(r"https?://[^\s\]]+")
_ONE_LINE = re.compile(r"^(?P<type>deb(?:-src)?)\s+\[(?P<options>[^\]]*)\]", re.MULTILINE)
_FIELD = re.compile(r"^Architectures:.*\n(?:[ \t].*\n)*", re.MULTILINE | re.IGNORECASE)


def for_architecture(files: Mapping[str, str], architecture: str) -> Dict[str, str]:
    """Name -> text of apt's files of sources, changed where ``architecture`` is elsewhere.

    ``architecture`` is Debian's name for it. The same files where nothing changes: not
    Ubuntu's, or the machine's owner has named this architecture in them. A file that changes
    says no more that it is of some architectures alone: it is asked for one.
    """
    if any(_names(text, architecture) for text in files.values()):
        return dict(files)
    return {name: _changed(text, architecture) for name, text in files.items()}


def _names(text: str, architecture: str) -> bool:
    """Whether sources are said to be of this architecture."""
    told = [match["options"] for match in _ONE_LINE.finditer(text)]
    told += _FIELD.findall(text)
    return any(architecture in re.split(r"[\s=,:]+", each) for each in told)


def _changed(text: str, architecture: str) -> str:
    found = {match[0] for match in _URI.finditer(text)}
    others = {uri: other for uri in found for other in (_other(uri, architecture),) if other != uri}
    if not others:
        return text
    text = _URI.sub(lambda match: others.get(match[0], match[0]), text)
    text = _FIELD.sub("", text)
    return _ONE_LINE.sub(_without_architectures, text)


def _without_architectures(match: re.Match[str]) -> str:
    kept = [word for word in match["options"].split() if not word.startswith("arch=")]
    return f"{match['type']} [{' '.join(kept)}]" if kept else match["type"]


def _other(uri: str, architecture: str) -> str:
    """The address of a directory of Ubuntu's that has an architecture; itself if it does."""
    parts = urlsplit(uri)
    path = parts.path.rstrip("/")
    wanted = _ARCHIVE if architecture in _ON_ARCHIVE else _PORTS
    if path not in (_ARCHIVE, _PORTS) or path == wanted:
        return uri
    server = _SERVER.sub("archive." if wanted == _ARCHIVE else "ports.", parts.netloc)
    return urlunsplit(parts._replace(netloc=server, path=f"{wanted}/"))
