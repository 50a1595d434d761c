"""The one table of names."""

from __future__ import annotations

from typing import Tuple

import pytest
from packaging.tags import Tag, parse_tag

from manylinux_shim._errors import SettingsError
from manylinux_shim._platforms import (
    ARCHITECTURES,
    Policy,
    Version,
    architecture,
    host_architecture,
    lowest_policy,
    parse_platform_tag,
)


@pytest.mark.parametrize(
    ("policy", "arch", "tags"),
    [
        ("manylinux_2_17", "x86_64", ("manylinux_2_17_x86_64", "manylinux2014_x86_64")),
        ("manylinux2014", "aarch64", ("manylinux_2_17_aarch64", "manylinux2014_aarch64")),
        ("manylinux1", "i686", ("manylinux_2_5_i686", "manylinux1_i686")),
        ("manylinux_2_12", "x86_64", ("manylinux_2_12_x86_64", "manylinux2010_x86_64")),
        ("manylinux_2_28", "x86_64", ("manylinux_2_28_x86_64",)),
        ("manylinux_2_31", "riscv64", ("manylinux_2_31_riscv64",)),
        ("musllinux_1_2", "x86_64", ("musllinux_1_2_x86_64",)),
    ],
)
def test_legacy_tags_stand_beside_the_new_ones_where_pep_600_says(
    policy: str, arch: str, tags: Tuple[str, ...]
) -> None:
    assert Policy.parse(policy).tags(arch) == tags
    for tag in tags:
        assert parse_platform_tag(tag) == (Policy.parse(policy), arch)


@pytest.mark.parametrize("tag", ["any", "linux_x86_64", "win_amd64", "manylinux_x86_64"])
def test_other_platforms_are_no_policy(tag: str) -> None:
    assert parse_platform_tag(tag) is None


@pytest.mark.parametrize("name", ["manylinux", "manylinux_2", "manylinux_2_x", "glibc", ""])
def test_a_name_that_is_no_policy_is_an_error(name: str) -> None:
    with pytest.raises(SettingsError):
        Policy.parse(name)


def test_every_lowest_tag_is_one_that_a_file_name_can_carry() -> None:
    for arch in ARCHITECTURES.values():
        for family in ("manylinux", "musllinux"):
            for platform in lowest_policy(arch, family).tags(arch.name):
                assert parse_tag(f"py3-none-{platform}") == {Tag("py3", "none", platform)}


def test_names_are_unambiguous() -> None:
    names = [n for a in ARCHITECTURES.values() for n in (a.name, *a.aliases)]
    assert len(names) == len(set(names))
    assert architecture("ARM64") is ARCHITECTURES["aarch64"]


def test_versions_are_ordered_as_numbers() -> None:
    assert Version(2, 5) < Version(2, 17) < Version(2, 100)
    assert str(Version(2, 5)) == "2.5"


def test_this_host_is_known() -> None:
    assert host_architecture() in ARCHITECTURES.values()
