"""Which mode, target and policy a build gets."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Optional

import pytest

from manylinux_shim._errors import SettingsError
from manylinux_shim._plan import Host, make_plan, this_host
from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim._settings import Settings

GLIBC = Host(ARCHITECTURES["x86_64"], "manylinux", linux=True, has_zig=True)
ARM = dataclasses.replace(GLIBC, architecture=ARCHITECTURES["aarch64"])
MUSL = dataclasses.replace(GLIBC, family="musllinux")
NO_ZIG = dataclasses.replace(GLIBC, has_zig=False)
MAC = Host(None, "manylinux", linux=False, has_zig=True)


def settings(**values: Any) -> Settings:
    named = values.pop("named", "mode" in values)
    at_least = values.pop("at_least", False)
    return Settings(
        backend="b", mode_named_for_build=named, policy_named_for_build=not at_least, **values
    )


@pytest.mark.parametrize(
    ("host", "given", "environ", "mode"),
    [
        (GLIBC, {}, {}, "zig"),
        (GLIBC, {"mode": "check"}, {}, "check"),
        (GLIBC, {"mode": "off"}, {"CC": "gcc"}, "off"),
        (GLIBC, {}, {"CC": "gcc"}, "check"),
        (GLIBC, {}, {"CXX": "g++"}, "check"),
        (GLIBC, {}, {"LDSHARED": "gcc -shared"}, "check"),
        (GLIBC, {}, {"CC": " "}, "zig"),
        (GLIBC, {"mode": "zig"}, {"CC": "gcc"}, "zig"),
        (GLIBC, {"mode": "zig", "named": False}, {"CC": "gcc"}, "check"),
        (GLIBC, {"mode": "off", "named": False}, {"CC": "gcc"}, "off"),
        (NO_ZIG, {}, {}, "check"),
        (MAC, {}, {}, "off"),
        (MAC, {"mode": "zig", "named": False}, {}, "off"),
        (GLIBC, {"mode": "relink"}, {}, "relink"),
        (GLIBC, {"mode": "relink", "named": False}, {"CC": "gcc"}, "relink"),
        # An sdist has to install where its author's mode is of no use.
        (MUSL, {"mode": "relink", "named": False}, {}, "check"),
        (MAC, {"mode": "relink", "named": False}, {}, "off"),
    ],
)
def test_mode(host: Host, given: Dict[str, Any], environ: Dict[str, str], mode: str) -> None:
    assert make_plan(settings(**given), environ, host).mode == mode


def test_users_compiler_is_respected_and_said() -> None:
    notices = make_plan(settings(), {"CC": "gcc"}, GLIBC).notices
    assert len(notices) == 1
    assert "CC is set" in notices[0]


@pytest.mark.parametrize(
    ("host", "given", "policy"),
    [
        (GLIBC, {}, "manylinux_2_17"),
        (ARM, {}, "manylinux_2_17"),
        (MUSL, {}, "musllinux_1_2"),
        (GLIBC, {"policy": "manylinux1"}, "manylinux_2_5"),
        (GLIBC, {"policy": "manylinux_2_28"}, "manylinux_2_28"),
        (GLIBC, {"policy": "auto"}, None),
        (GLIBC, {"mode": "check"}, None),
        (GLIBC, {"mode": "relink"}, "manylinux_2_17"),
        (GLIBC, {"mode": "relink", "policy": "auto"}, None),
        (GLIBC, {"mode": "check", "policy": "manylinux2014"}, "manylinux_2_17"),
    ],
)
def test_policy(host: Host, given: Dict[str, Any], policy: Optional[str]) -> None:
    plan = make_plan(settings(**given), {}, host)
    assert (plan.policy and plan.policy.name) == policy


@pytest.mark.parametrize(
    ("host", "given", "told"),
    [
        (GLIBC, {"target": "sparc"}, "x86_64, i686, aarch64"),
        (GLIBC, {"policy": "manylinux_3"}, "manylinux_X_Y"),
        (GLIBC, {"policy": "musllinux_2_0"}, "musllinux_1_2"),
        (GLIBC, {"policy": "manylinux_2_4"}, "manylinux_2_5"),
        (ARM, {"policy": "manylinux1"}, "manylinux_2_17"),
        (GLIBC, {"mode": "check", "target": "aarch64", "policy": "manylinux1"}, "manylinux_2_17"),
        (MUSL, {"mode": "relink"}, "glibc"),
        (GLIBC, {"mode": "relink", "policy": "musllinux_1_2"}, "glibc"),
        (MAC, {"mode": "relink"}, "not for Linux"),
    ],
)
def test_what_cannot_be_had_is_an_error_with_the_remedy(
    host: Host, given: Dict[str, Any], told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        make_plan(settings(**given), {}, host)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("platform", "linux"),
    [
        ("", True),
        ("linux-aarch64", True),
        ("emscripten-4.0.9-wasm32", False),
        ("android-24-x86_64", False),
        ("ios-13.0-arm64-iphoneos", False),
        ("macosx-11.0-arm64", False),
    ],
)
def test_python_that_builds_for_another_system_is_known(
    platform: str, linux: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("_PYTHON_HOST_PLATFORM", raising=False)
    if platform:
        monkeypatch.setenv("_PYTHON_HOST_PLATFORM", platform)
    assert this_host().linux is linux


@pytest.mark.parametrize(
    ("target", "policy", "reached"),
    [
        ("riscv64", "manylinux_2_28", "manylinux_2_31"),
        ("loongarch64", "manylinux2014", "manylinux_2_36"),
        ("aarch64", "manylinux1", "manylinux_2_17"),
        ("aarch64", "manylinux_2_28", "manylinux_2_28"),
        ("riscv64", "musllinux_1_2", "musllinux_1_2"),
    ],
)
def test_policy_of_the_file_means_at_least_and_one_of_the_build_that_one(
    target: str, policy: str, reached: str
) -> None:
    asked = settings(target=target, policy=policy, at_least=True)
    plan = make_plan(asked, {}, GLIBC)
    assert plan.policy == Policy.parse(reached)
    assert any(reached in notice for notice in plan.notices) == (policy != reached)
    named = dataclasses.replace(asked, policy_named_for_build=True)
    if policy == reached:
        assert make_plan(named, {}, GLIBC).policy == Policy.parse(reached)
    else:
        with pytest.raises(SettingsError, match=f"does not exist on {target}"):
            make_plan(named, {}, GLIBC)
