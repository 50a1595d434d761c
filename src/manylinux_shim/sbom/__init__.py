"""What is inside a wheel through us, written down in it: PEP 770, CycloneDX."""

from __future__ import annotations

from manylinux_shim.sbom._contents import contents
from manylinux_shim.sbom._document import Component, Contents, document, member_name
from manylinux_shim.sbom._links import Link, library_directories, read_links, recorded_link

__all__ = [
    "Component",
    "Contents",
    "Link",
    "contents",
    "document",
    "library_directories",
    "member_name",
    "read_links",
    "recorded_link",
]
