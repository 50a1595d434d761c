"""Documents held against CycloneDX's own schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from support import wheels

OWN = "manylinux-shim.cdx.json"


def valid(data: bytes) -> Dict[str, Any]:
    """The document, once it has passed its schema."""
    document: Dict[str, Any] = json.loads(data)
    version = SchemaVersion.from_version(document["specVersion"])
    assert JsonStrictValidator(version).validate_str(data.decode()) is None
    return document


def check(data: bytes) -> Dict[str, Any]:
    """One of ours: valid, its references told apart, and each of them there."""
    document = valid(data)
    refs = [document["metadata"]["component"]["bom-ref"]]
    refs += [component["bom-ref"] for component in document["components"]]
    each = document["dependencies"]
    named = {ref for one in each for ref in (one["ref"], *one.get("dependsOn", []))}
    assert len(refs) == len(set(refs))
    assert named == set(refs)
    return document


def lists(wheel: Path) -> Dict[str, bytes]:
    """Every member in ``*.dist-info/sboms/``, by its last name."""
    members = wheels.read(wheel).items()
    return {n.rpartition("/")[2]: d for n, d in members if ".dist-info/sboms/" in n}


def own(wheel: Path) -> Dict[str, Any]:
    return check(lists(wheel)[OWN])


def components(document: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    return {c["name"]: c for c in document["components"]}


def properties(component: Dict[str, Any], key: str) -> List[str]:
    found = component.get("properties", [])
    return [p["value"] for p in found if p["name"] == f"manylinux-shim:{key}"]


def licence(component: Dict[str, Any]) -> str:
    return str(component["licenses"][0]["expression"])
