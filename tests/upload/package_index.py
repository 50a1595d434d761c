"""A package index on this machine that takes uploads, and keeps PyPI's rules on wheels.

It speaks the upload API that twine and uv speak: one form a file, with the file's
metadata as fields beside it, answered by 200 or by 400 and the reason.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import re
import threading
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Tuple

from wheel_rules import Refused, check_wheel

USER, PASSWORD = "__token__", "a token of this index"


@dataclass
class Index:
    """What the index has taken and refused so far."""

    url: str
    taken: Dict[str, str] = field(default_factory=dict)
    """SHA-256 by file name."""
    refused: List[Tuple[str, str]] = field(default_factory=list)
    """File name and reason."""

    def upload(self, form: Dict[str, List[bytes]], name: str, content: bytes) -> None:
        """Take a file; Refused with the reason."""
        digest = hashlib.sha256(content).hexdigest()
        if _text(form, ":action") != "file_upload" or _text(form, "protocol_version") != "1":
            raise Refused("unknown action or protocol")
        if _text(form, "filetype") != "bdist_wheel":
            raise Refused("this index takes wheels only")
        if _text(form, "sha256_digest") not in ("", digest):
            raise Refused("the digest is another file's")
        metadata = check_wheel(name, content)
        for key in ("name", "version", "metadata_version"):
            if _text(form, key) != metadata[key]:
                raise Refused(f"the form says {key} {_text(form, key)!r}, the file does not")
        if self.taken.setdefault(name, digest) != digest:
            raise Refused(f"{name} is here already, with another content")


@contextlib.contextmanager
def package_index() -> Iterator[Index]:
    """An index that listens on the loopback interface as long as the context lasts."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.index = Index(f"http://127.0.0.1:{server.server_port}/legacy/")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.index  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        index: Index = self.server.index  # type: ignore[attr-defined]
        body = self._body()
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {token}":
            self._answer(403, "no such user")
            return
        name = "?"
        try:
            form, name, content = _form(self.headers.get("Content-Type", ""), body)
            index.upload(form, name, content)
        except Refused as refused:
            index.refused.append((name, str(refused)))
            self._answer(400, str(refused))
        else:
            self._answer(200, "OK")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body

    def _answer(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status, text if status != 200 else None)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Say nothing: tests look at what the index has."""


def _form(content_type: str, body: bytes) -> Tuple[Dict[str, List[bytes]], str, bytes]:
    """Fields by name, the file's name and its bytes (RFC 7578)."""
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.startswith("multipart/form-data") or match is None:
        raise Refused("this is no form")
    fields: Dict[str, List[bytes]] = {}
    name, content = "", b""
    for part in (b"\r\n" + body).split(b"\r\n--" + match[1].encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        disposition = head.decode()
        (key,) = re.findall(r'[; ]name="([^"]*)"', disposition)
        file = re.findall(r'filename="([^"]*)"', disposition)
        if file:
            name, content = file[0], value
        else:
            fields.setdefault(key, []).append(value)
    if not name:
        raise Refused("there is no file in the form")
    return fields, name, content


def _text(form: Dict[str, List[bytes]], key: str) -> str:
    return form.get(key, [b""])[0].decode()
