"""The first link of a C++ extension on a fresh machine, against ``zig c++``; and the next ones.

    python tests/benchmarks/first_link.py [RUNS]

Needs manylinux-shim and ziglang in the environment that runs it, and g++ for the
comparison of sizes. Every cold run starts from an empty cache, zig's own included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from measure import line, pairs, timed

from manylinux_shim._platforms import ARCHITECTURES, Policy, host_architecture, lowest_policy
from manylinux_shim.environment._prepare import prepare
from manylinux_shim.zig._zig import find_zig

EXTENSION = """
#include <map>
#include <stdexcept>
#include <string>
#include <vector>
extern "C" int lengths(int n) {
    try {
        std::map<std::string, std::vector<int>> seen;
        for (int i = 0; i < n; ++i) seen["key " + std::to_string(i)].push_back(i);
        if (n > 3) throw std::runtime_error("too many: " + std::to_string(n));
        return static_cast<int>(seen.size());
    } catch (const std::exception &error) {
        return -static_cast<int>(std::string(error.what()).size());
    }
}
"""
STREAMS = """
#include <iostream>
#include <sstream>
extern "C" int digits(double x) {
    std::ostringstream text;
    text << x << std::endl;
    std::cout << text.str();
    return static_cast<int>(text.str().size());
}
"""
ZIG = find_zig()


def toolchain(cache: Path, arch: str, policy: str) -> Dict[str, str]:
    """The tools of one target, as a build gets them, from ``cache``."""
    os.environ["MANYLINUX_SHIM_CACHE_DIR"] = str(cache)
    target = ARCHITECTURES[arch]
    cross = target is not host_architecture()
    added = prepare(ZIG, target, Policy.parse(policy), Path("/nowhere"), cross=cross, notice=print)
    return {**os.environ, **added}


def ours(source: Path, cache: Path, arch: str, policy: str) -> Path:
    """Compile and link with the shim's driver."""
    tools = toolchain(cache, arch, policy)
    output = source.with_suffix(".so")
    _run([tools["CXX"], *_FLAGS, "-Wl,-z,defs", str(source), "-o", str(output)], tools)
    return output


def zigs(source: Path, cache: Path, target: str) -> Path:
    """Compile and link with ``zig c++``."""
    directories = {f"ZIG_{kind}_CACHE_DIR": str(cache / "zig") for kind in ("GLOBAL", "LOCAL")}
    output = source.with_suffix(".zig.so")
    command = [str(ZIG.executable), "c++", "-target", target, "-fno-sanitize=all", "-s", *_FLAGS]
    _run([*command, str(source), "-o", str(output)], {**os.environ, **directories})
    return output


_FLAGS = ("-O2", "-std=c++17", "-shared", "-fPIC")


def _run(command: List[str], environment: Dict[str, str]) -> None:
    subprocess.run(command, env=environment, check=True)


def first_links(scratch: Path, name: str, source: Path, runs: int, aim: str) -> None:
    """Cold against cold, then warm against warm."""
    host = host_architecture()
    assert host is not None
    policy = lowest_policy(host)
    target = host.zig_target(policy)
    cache, peer_cache = scratch / "ours", scratch / "peer"

    def cold_ours() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        ours(source, cache, host.name, policy.name)

    def cold_peer() -> None:
        shutil.rmtree(peer_cache, ignore_errors=True)
        zigs(source, peer_cache, target)

    mine, theirs = pairs(cold_ours, cold_peer, runs, warm_up=0)
    line(f"first link, {name}", mine, theirs, "zig c++", aim)
    tools = toolchain(cache, host.name, policy.name)
    item = source.with_suffix(".o")
    _run([tools["CXX"], "-O2", "-fPIC", "-c", str(source), "-o", str(item)], tools)
    link = [tools["CXX"], "-shared", str(item), "-o", str(source.with_suffix(".so"))]
    mine, theirs = pairs(lambda: _run(link, tools), lambda: zigs(source, peer_cache, target), 5)
    line(f"next link, {name} (zig's with its compile)", mine, theirs, "zig c++", "0.1 s")
    warm = timed(lambda: ours(source, cache, host.name, policy.name))
    second = timed(lambda: ours(source, cache, host.name, "manylinux_2_28"))
    print(f"second glibc version, {name}: {second - warm:+.2f} s more than warm  (aim: 1 s)")
    other = "aarch64" if host.name != "aarch64" else "x86_64"
    seconds = timed(lambda: ours(source, cache, other, "manylinux_2_17"))
    print(f"second architecture ({other}), {name}: {seconds:.2f} s  (aim: as the first)")


def sizes(scratch: Path, name: str, source: Path) -> None:
    """Ours against g++ with libstdc++ linked in."""
    output = source.with_suffix(".gcc.so")
    static = ["-static-libstdc++", "-static-libgcc", "-s", "-Wl,--gc-sections,--exclude-libs,ALL"]
    _run(["g++", *_FLAGS, *static, str(source), "-o", str(output)], dict(os.environ))
    host = host_architecture()
    assert host is not None
    mine = ours(source, scratch / "ours", host.name, lowest_policy(host).name).stat().st_size
    theirs = output.stat().st_size
    print(f"size, {name}: ours {mine} bytes, g++ {theirs} bytes, ratio {mine / theirs:.2f}")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory(prefix="first-link-") as name:
        scratch = Path(name)
        for what, text, aim in (
            ("exceptions, strings, containers", EXTENSION, "6 s"),
            ("with iostream", STREAMS, "14 s"),
        ):
            source = scratch / f"{aim[:-2]}.cpp"
            source.write_text(text)
            first_links(scratch, what, source, runs, aim)
            sizes(scratch, what, source)


if __name__ == "__main__":
    main()
