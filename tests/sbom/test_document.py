"""Facts -> CycloneDX: valid, and the same bytes for the same facts."""

from __future__ import annotations

import dataclasses
from typing import Any

from support import sboms

from manylinux_shim.sbom import Component, Contents, document, member_name

WHEEL = Component("pkg", "1.0+local", purl="pkg:pypi/pkg@1.0%2Blocal")
TOOL = Component("zig", "0.17.1", "MIT", "pkg:pypi/ziglang@0.17.1")
FULL = Contents(
    WHEEL,
    (TOOL,),
    (
        Component("libc++", "22.1.8", "Apache-2.0 WITH LLVM-exception", files=("a.so", "b.so")),
        Component("liblz4-1", "1.9.4-1", purl="pkg:deb/debian/liblz4-1@1.9.4-1?arch=amd64"),
        Component("nobody knows", properties=(("manylinux-shim:x", "y"),)),
        Component("nobody knows"),
    ),
    ("auditwheel.cdx.json",),
    1600000000,
)


def test_everything_that_can_be_said_is_valid() -> None:
    found = sboms.check(document(FULL))
    assert sboms.properties(found["components"][0], "file") == ["a.so", "b.so"]
    assert found["metadata"]["timestamp"] == "2020-09-13T12:26:40Z"
    assert found["externalReferences"] == [{"type": "bom", "url": "auditwheel.cdx.json"}]


def test_a_wheel_with_nothing_of_ours_inside_is_valid_and_has_no_date_of_its_own() -> None:
    found = sboms.check(document(Contents(WHEEL, (TOOL,), ())))
    assert found["components"] == []
    assert "timestamp" not in found["metadata"]


def test_same_facts_give_the_same_bytes_and_others_another_serial_number() -> None:
    assert document(FULL) == document(dataclasses.replace(FULL))
    other = dataclasses.replace(FULL, components=FULL.components[1:])
    serial: Any = [sboms.check(document(c))["serialNumber"] for c in (FULL, other)]
    assert serial[0] != serial[1]


def test_a_list_that_is_there_is_never_overwritten() -> None:
    info = "pkg-1.0.dist-info"
    own = f"{info}/sboms/manylinux-shim.cdx.json"
    assert member_name(info, [f"{info}/WHEEL", f"{info}/sboms/"]) == (own, ())
    second, there = member_name(info, [own, f"{info}/sboms/maturin.json"])
    assert second == f"{info}/sboms/manylinux-shim-2.cdx.json"
    assert there == (own, f"{info}/sboms/maturin.json")
    assert member_name(info, [own, second])[0] == f"{info}/sboms/manylinux-shim-3.cdx.json"
