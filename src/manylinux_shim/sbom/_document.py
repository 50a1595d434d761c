"""Facts -> one CycloneDX document, the same bytes for the same facts. Pure.

Source: https://cyclonedx.org/docs/1.6/json/ (the fields), PEP 770 (the place).
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, Collection, Dict, List, Optional, Tuple

_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_NAMESPACE = "manylinux-shim:"


@dataclass(frozen=True)
class Component:
    """Something that a wheel contains, or that made it."""

    name: str
    version: str = ""
    """Empty where nobody knows it."""
    licence: str = ""
    """SPDX expression; empty where nobody knows it."""
    purl: str = ""
    description: str = ""
    files: Tuple[str, ...] = ()
    """The wheel's members that it is in."""
    properties: Tuple[Tuple[str, str], ...] = ()
    sha256: str = ""
    """Of the file that it was, in hexadecimal; empty where a package tells which one that is."""


@dataclass(frozen=True)
class Contents:
    """All that one document says."""

    subject: Component
    """The wheel."""
    tools: Tuple[Component, ...]
    components: Tuple[Component, ...]
    others: Tuple[str, ...] = ()
    """File names of the other lists that stand beside this one."""
    timestamp: Optional[int] = None
    """Seconds since 1970 (UTC); None where the build was given no date."""


def document(contents: Contents) -> bytes:
    """The document as JSON."""
    refs = _refs((contents.subject, *contents.components))
    subject = {**_component(contents.subject), "bom-ref": refs[0]}
    metadata: Dict[str, Any] = {}
    if contents.timestamp is not None:
        moment = time.gmtime(contents.timestamp)
        metadata["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)
    metadata["tools"] = {
        "components": [_component(tool, kind="application") for tool in contents.tools]
    }
    metadata["component"] = subject
    body: Dict[str, Any] = {
        "metadata": metadata,
        "components": [
            {**_component(c), "bom-ref": ref} for c, ref in zip(contents.components, refs[1:])
        ],
        "dependencies": [
            {"ref": refs[0], "dependsOn": refs[1:]},
            *({"ref": ref} for ref in refs[1:]),
        ],
        # What the project itself has inside is for its own tools to tell.
        "compositions": [{"aggregate": "incomplete", "assemblies": [refs[0]]}],
    }
    if contents.others:
        body["externalReferences"] = [{"type": "bom", "url": name} for name in contents.others]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, _NAMESPACE + json.dumps(body, sort_keys=True))
    head = {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial.urn,
        "version": 1,
    }
    return (json.dumps({**head, **body}, indent=2) + "\n").encode()


def _refs(components: Tuple[Component, ...]) -> List[str]:
    """A name for each, unlike all others."""
    refs: List[str] = []
    for component in components:
        plain = component.purl or "@".join(filter(None, (component.name, component.version)))
        ref, number = plain, 1
        while ref in refs:
            number += 1
            ref = f"{plain}#{number}"
        refs.append(ref)
    return refs


def _component(component: Component, kind: str = "library") -> Dict[str, Any]:
    properties = [
        *component.properties,
        *((f"{_NAMESPACE}file", name) for name in component.files),
    ]
    fields: Dict[str, Any] = {
        "type": kind,
        "name": component.name,
        "version": component.version,
        "description": component.description,
        "hashes": [{"alg": "SHA-256", "content": component.sha256}] if component.sha256 else [],
        "licenses": [{"expression": component.licence}] if component.licence else [],
        "purl": component.purl,
        "properties": [{"name": name, "value": value} for name, value in properties],
    }
    return {name: value for name, value in fields.items() if value}


_STEM = "manylinux-shim"
_SUFFIX = ".cdx.json"
"""What CycloneDX recommends for its JSON files."""


def member_name(dist_info: str, members: Collection[str]) -> Tuple[str, Tuple[str, ...]]:
    """The name of our own list, and the names of those that are there already.

    Never one that is taken: a backend that wraps the shim, or that the shim wraps,
    may have written its own.
    """
    directory = f"{dist_info}/sboms/"
    inside = (name for name in members if name.startswith(directory) and not name.endswith("/"))
    there = tuple(sorted(inside))
    number, name = 1, f"{directory}{_STEM}{_SUFFIX}"
    while name in there:
        number += 1
        name = f"{directory}{_STEM}-{number}{_SUFFIX}"
    return name, there
