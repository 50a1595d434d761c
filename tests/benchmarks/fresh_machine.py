"""Real projects from empty caches, each against the toolchain that a user would have had.

    python tests/benchmarks/fresh_machine.py [RUNS] [NAME...]

Needs manylinux-shim, ziglang, uv and tomlkit in the environment that runs it, gcc, cargo,
and the package index. kiwisolver and ujson stand against the host's gcc; a PyO3 crate and
a Rust program against maturin with plain cargo; a C++ extension for all glibc targets, two
at a time, against ``zig c++`` for one of them. Downloads are made before the clock starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, List, Mapping

import tomlkit
from measure import line, pairs, timed

from manylinux_shim._platforms import ARCHITECTURES, host_architecture, lowest_policy
from manylinux_shim.zig._zig import find_zig

SDISTS = {
    "kiwisolver": ("kiwisolver==1.4.7", ("setuptools", "setuptools_scm", "cppy")),
    "ujson": ("ujson==5.10.0", ("setuptools", "setuptools_scm")),
}
SAMPLES = {"maturin_mixed": ("maturin",), "maturin_bin": ("maturin",)}
REPOSITORY = Path(__file__).resolve().parents[2]
CXX_SAMPLE = "setuptools_cpp"


def run(command: List[str], cwd: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}")


def sdist(requirement: str, directory: Path) -> Path:
    """The unpacked source tree, fetched by pip without running its backend more than pip does."""
    directory.mkdir()
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:"]
    run([*command, "--no-build-isolation", "-d", ".", requirement], directory, os.environ)
    (archive,) = directory.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(directory)
    (tree,) = (path for path in directory.iterdir() if path.is_dir())
    return tree


def with_shim(tree: Path, *, mode: str) -> Path:
    """A copy that names the shim; in mode ``off`` it is the real backend that builds."""
    copy = tree.with_name(f"{tree.name}-{mode}")
    shutil.copytree(tree, copy)
    path = copy / "pyproject.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    system = document["build-system"]
    if system.get("build-backend") != "manylinux_shim":
        ours = tomlkit.table()
        ours["backend"] = system.get("build-backend", "setuptools.build_meta:__legacy__")
        system["build-backend"] = "manylinux_shim"
        document.setdefault("tool", tomlkit.table(is_super_table=True))["manylinux-shim"] = ours
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    return copy


def builder(tree: Path, environment: Mapping[str, str], *options: str) -> Callable[[], None]:
    """Builds a wheel of a fresh copy of ``tree``, so that nothing is there from before."""

    def build() -> None:
        with tempfile.TemporaryDirectory(dir=tree.parent) as name:
            copy = Path(name) / tree.name
            shutil.copytree(tree, copy)
            command = ["uv", "build", "-q", "--wheel", "--no-build-isolation"]
            run([*command, "-p", sys.executable, *options], copy, environment)

    return build


def compare(what: str, tree: Path, cache: Path, peer: str, goal: str, runs: int) -> None:
    environment: Dict[str, str] = {**os.environ, "MANYLINUX_SHIM_CACHE_DIR": str(cache)}
    build = builder(with_shim(tree, mode="zig"), environment)

    def cold() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        build()

    plain = builder(with_shim(tree, mode="off"), {**environment, "MANYLINUX_SHIM_MODE": "off"})
    plain()  # what cargo downloads, it downloads now
    line(f"{what}, empty cache", *pairs(cold, plain, runs, warm_up=0), peer, goal)


def all_targets(scratch: Path, runs: int) -> None:
    """One C++ extension for every glibc target, two at a time, from an empty cache."""
    tree = scratch / CXX_SAMPLE
    shutil.copytree(REPOSITORY / "sample_projects" / CXX_SAMPLE, tree)
    cache = scratch / "targets-cache"
    environment = {**os.environ, "MANYLINUX_SHIM_CACHE_DIR": str(cache)}
    builds = [builder(tree, environment, f"-Ctarget={arch}") for arch in ARCHITECTURES]
    host = host_architecture()
    if host is None:
        raise SystemExit("not a Linux that has platform tags")
    source = scratch / "empty.cpp"
    source.write_text("#include <string>\nstd::string text(int x) { return std::to_string(x); }\n")
    target = host.zig_target(lowest_policy(host))
    zig_cache = scratch / "zig"
    caches = {f"ZIG_{kind}_CACHE_DIR": str(zig_cache) for kind in ("GLOBAL", "LOCAL")}
    command = [str(find_zig().executable), "c++", "-target", target, "-fno-sanitize=all", "-O2"]

    def ours() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda build: build(), builds))

    def peer() -> None:
        shutil.rmtree(zig_cache, ignore_errors=True)
        link = [*command, "-shared", "-fPIC", str(source), "-o", str(scratch / "text.so")]
        run(link, scratch, {**os.environ, **caches})

    mine = [timed(ours) for _ in range(runs)]
    theirs = [timed(peer)]
    what = f"C++ extension for {len(builds)} targets, empty cache"
    line(what, mine, theirs, "one target with zig c++", "60 s")


def main(runs: int, names: List[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="fresh-machine-") as name:
        scratch = Path(name)
        for project, (requirement, needs) in SDISTS.items():
            if not names or project in names:
                run(
                    ["uv", "pip", "install", "-q", "-p", sys.executable, *needs],
                    scratch,
                    os.environ,
                )
                tree = sdist(requirement, scratch / project)
                compare(project, tree, scratch / "cache", "gcc", "ratio at most 1.3", runs)
        for sample, needs in SAMPLES.items():
            if not names or sample in names:
                run(
                    ["uv", "pip", "install", "-q", "-p", sys.executable, *needs],
                    scratch,
                    os.environ,
                )
                tree = scratch / sample
                shutil.copytree(REPOSITORY / "sample_projects" / sample, tree)
                compare(sample, tree, scratch / "cache", "cargo", "at most 2 s more", runs)
        if not names or "targets" in names:
            all_targets(scratch, runs)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    runs = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 3
    main(runs, arguments)
