"""C++ libraries for another machine: what an older libstdc++ lacks comes with them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import machine, wheels

from manylinux_shim._platforms import ARCHITECTURES, Policy
from manylinux_shim.audit import audit_wheel
from manylinux_shim.graft import package_of
from manylinux_shim.libraries import fetched, parse
from manylinux_shim.relink import relink_wheel
from manylinux_shim.relink._libstdcxx import find_libstdcxx

sys.path.append(str(Path(__file__).resolve().parent.parent / "relink"))
import linked

ARMV7L = ARCHITECTURES["armv7l"]
POLICY = Policy.parse("manylinux_2_17")


@pytest.mark.long
def test_cxx_library_is_linked_again_without_a_compiler_for_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.need_program("apt-get")
    (prefix,) = fetched(parse(["deb:liblerc-dev"]), ARMV7L, POLICY, tmp_path / "cache", print)
    data = (prefix.root / "lib/arm-linux-gnueabihf/libLerc.so.4").read_bytes()
    assert not [path for lib in prefix.lib for path in lib.glob("libstdc++*")]
    wheel = linked.wheel_of(
        tmp_path,
        {"small.libs/libLerc.so.4": data},
        linked.NAME.replace("linux_x86_64", POLICY.tags("armv7l")[0]),
    )
    assert not audit_wheel(wheel).proves(POLICY)
    monkeypatch.setenv("MANYLINUX_SHIM_CACHE_DIR", str(tmp_path / "cache"))
    new = relink_wheel(wheel, POLICY, tmp_path / "out", prefixes=[prefix.root], notice=print)
    assert audit_wheel(new.wheel).proves(POLICY)
    (library,) = (n for n in wheels.elf_members(new.wheel) if "manylinux_shim_cxx" in n)
    source = new.supplied[library]
    gcc = find_libstdcxx(ARMV7L, [prefix.root])
    assert gcc is not None
    assert source == gcc.archive
    if prefix.root in gcc.archive.parents:  # else there is a compiler for it here, as new
        package = package_of(gcc.archive)
        assert package is not None
        assert package.purl.startswith("pkg:deb/debian/libstdc%2B%2B-")
