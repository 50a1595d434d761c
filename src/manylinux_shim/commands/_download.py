"""Fetching one file: whole, with the hash that was said, or not at all."""

from __future__ import annotations

import hashlib
import os
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Callable, Iterator, Optional, Union

from manylinux_shim._errors import ShimError

_SECONDS = 120
"""How long a server may say nothing."""
_BLOCK = 1 << 20


def file_name(place: str) -> str:
    """The last part of an address or a path, without what stands in it for other letters."""
    return Path(urllib.parse.unquote(urllib.parse.urlsplit(place).path)).name


def download(
    address: str,
    to: Path,
    sha256: Optional[str],
    what: str,
    got: Callable[[int], None] = lambda _: None,
) -> None:
    """Fetch ``address`` (https, http or file) into the file ``to``; ``got`` hears of all bytes.

    Proxies, certificates and passwords are those that requests finds: the usual
    variables, and ``.netrc``. Raises ShimError, which says ``what`` cannot be fetched, when
    it is not there, comes only in part or has another hash.
    """
    digest = hashlib.sha256()
    beside = to.with_name(f".{to.name}.part")
    try:
        with beside.open("wb") as file:
            for block in _blocks(address, what):
                digest.update(block)
                file.write(block)
                got(len(block))
        if sha256 is not None and digest.hexdigest() != sha256.lower():
            raise ShimError(
                f"{what} does not have the hash that the index says",
                "Try again; if it stays so, do not trust it.",
            )
        beside.replace(to)
    finally:
        if beside.exists():
            beside.unlink()


def _certificates() -> Union[bool, str]:
    """The file or directory that ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` names, as for uv and Python.

    requests itself knows variables of its own alone; those go first.
    """
    if any(os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")):
        return True
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or True


def _blocks(address: str, what: str) -> Iterator[bytes]:
    parts = urllib.parse.urlsplit(address)
    if parts.scheme in ("", "file"):
        path = urllib.request.url2pathname(parts.path) if parts.scheme else address
        try:
            with Path(path).open("rb") as file:
                yield from iter(lambda: file.read(_BLOCK), b"")
        except OSError as error:
            raise ShimError(f"{what} cannot be read: {path}: {error.strerror}") from error
        return
    try:
        import requests
    except ImportError:
        raise ShimError(
            "fetching files needs requests, which is not installed",
            'Install the command line\'s extra: pip install "manylinux-shim[cli]"',
        ) from None
    try:
        # As it is: an archive that a server calls compressed text would come unpacked.
        headers = {"Accept-Encoding": "identity"}
        with requests.get(
            address, stream=True, timeout=_SECONDS, verify=_certificates(), headers=headers
        ) as response:
            response.raise_for_status()
            come = 0
            for block in response.iter_content(_BLOCK):
                come += len(block)
                yield block
            length = response.headers.get("Content-Length", "")
            if length.isdigit() and come < int(length):
                raise ShimError(
                    f"{what} cannot be fetched: {come} of {length} bytes have come",
                    "Try again: the index has hung up.",
                )
    except (requests.RequestException, OSError) as error:
        raise ShimError(
            f"{what} cannot be fetched: {error}",
            "Look at the network, and at the index that your tools are set up for.",
        ) from error
