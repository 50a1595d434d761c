"""Speed and size of what comes out: wheels that the shim builds against those on PyPI.

    python tests/benchmarks/generated_code.py [RUNS]

Needs manylinux-shim, ziglang, setuptools, wheel, pip and uv in the environment that runs
it, and PyPI. Each package is built from the same release's sdist with the two-line change, at
the default policy; both wheels are used by the Python that runs this, in turn. Of all runs the
shortest counts: whatever else goes on makes one longer.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from side_by_side import run
from support.sdists import adopt, fetch
from support.workshop import UV_BUILD_WHEEL, Workshop

Work = Tuple[str, str, str]
"""A name, what is prepared, and the statement whose processor time is taken."""

_TEXT = "import random; random.seed(1)\nwords = [bytes(random.choices(b'abcdefgh ', k=9)) for _ in range(400)]\ndata = b''.join(random.choices(words, k=30000))\n"  # noqa: E501
_TREE = "import json\ntree = [{'id': n, 'name': 'name %d' % n, 'xs': [n * 0.5, n, None, True], 'more': {'a': 'é' * 9}} for n in range(800)]\ntext = json.dumps(tree)\n"  # noqa: E501

PACKAGES: Dict[str, List[Work]] = {
    "brotli==1.2.0": [
        ("brotli, compress 5", _TEXT + "import brotli", "brotli.compress(data, quality=5)"),
        ("brotli, compress 11", _TEXT + "import brotli; data = data[:20000]",
         "brotli.compress(data)"),
        ("brotli, decompress", _TEXT + "import brotli; small = brotli.compress(data, quality=5)",
         "brotli.decompress(small)"),
    ],
    "lz4==4.4.4": [
        ("lz4, compress", _TEXT + "import lz4.frame", "lz4.frame.compress(data)"),
        ("lz4, decompress", _TEXT + "import lz4.frame; small = lz4.frame.compress(data)",
         "lz4.frame.decompress(small)"),
    ],
    "zstandard==0.25.0": [
        ("zstd, compress", _TEXT + "import zstandard; c = zstandard.ZstdCompressor()",
         "c.compress(data)"),
        ("zstd, decompress", _TEXT + "import zstandard; d = zstandard.ZstdDecompressor();"
         " small = zstandard.ZstdCompressor().compress(data)", "d.decompress(small)"),
    ],
    "xxhash==3.6.0": [
        ("XXH32", _TEXT + "import xxhash", "xxhash.xxh32_intdigest(data)"),
        ("XXH64", _TEXT + "import xxhash", "xxhash.xxh64_intdigest(data)"),
        ("XXH3, 128 bits", _TEXT + "import xxhash", "xxhash.xxh3_128_intdigest(data)"),
    ],
    "mmh3==5.2.0": [
        ("MurmurHash3, 128 bits", _TEXT + "import mmh3", "mmh3.hash128(data)"),
        ("MurmurHash3, 32 bits", _TEXT + "import mmh3", "mmh3.hash(data)"),
    ],
    "ujson==5.11.0": [
        ("ujson, dumps", _TREE + "import ujson", "ujson.dumps(tree)"),
        ("ujson, loads", _TREE + "import ujson", "ujson.loads(text)"),
    ],
    "msgpack==1.1.2": [
        ("msgpack, pack", _TREE + "import msgpack", "msgpack.packb(tree)"),
        ("msgpack, unpack", _TREE + "import msgpack; small = msgpack.packb(tree)",
         "msgpack.unpackb(small)"),
    ],
    "regex==2025.9.18": [
        ("regex, search", _TEXT + "import regex; text = data.decode();"
         r" p = regex.compile(r'(\w+) \1')", "p.findall(text)"),
    ],
    "Levenshtein==0.27.1": [
        ("Levenshtein, distance", _TEXT + "import Levenshtein;"
         " a, b = data[:4000].decode(), data[4000:8000].decode()", "Levenshtein.distance(a, b)"),
    ],
}  # fmt: skip

TIMER = """
import json, sys, time, timeit
times = {}
for name, setup, statement in json.loads(sys.argv[1]):
    timer = timeit.Timer(statement, setup, time.process_time)
    number, _ = timer.autorange()
    times[name] = min(timer.repeat(3, number)) / number
print(json.dumps(times))
"""


def timed(place: Path, work: List[Work]) -> Dict[str, float]:
    """Seconds of each statement with what is installed in a directory."""
    done = subprocess.run(
        [sys.executable, "-c", TIMER, json.dumps(work)],
        env={**os.environ, "PYTHONPATH": str(place)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def size(place: Path) -> int:
    """Bytes of the shared objects."""
    return sum(path.stat().st_size for path in place.rglob("*.so"))


def installed(requirement: str, workshop: Workshop) -> Tuple[Path, Path]:
    """Two directories: what the shim builds, and what PyPI has."""
    place = workshop.root / requirement.partition("==")[0]
    tree = fetch(requirement, place, workshop)
    adopt(tree)
    links = place / "wheels"
    workshop.build(UV_BUILD_WHEEL, tree, links, python=sys.executable).passed()
    (wheel,) = links.glob("*.whl")
    ours, theirs = place / "ours", place / "theirs"
    install = ["uv", "pip", "install", "-q", "-p", sys.executable, "--target"]
    run([*install, str(ours), str(wheel)], place, dict(os.environ))
    run([*install, str(theirs), "--only-binary", ":all:", requirement], place, dict(os.environ))
    return ours, theirs


def main(runs: int) -> None:
    ratios: List[float] = []
    sizes = [0, 0]
    with tempfile.TemporaryDirectory(prefix="generated-code-") as name:
        workshop = Workshop(Path(name), Path(name) / "links", cache=Path(name) / "cache")
        checkout = str(Path(__file__).resolve().parents[2])
        run(
            ["uv", "build", "-q", "--wheel", "-o", str(workshop.links), checkout],
            workshop.root, dict(os.environ),
        )  # fmt: skip
        for requirement, work in PACKAGES.items():
            places = installed(requirement, workshop)
            both = [[timed(place, work) for place in places] for _ in range(runs)]
            for what, *_ in work:
                a = min(ours[what] for ours, _ in both)
                b = min(theirs[what] for _, theirs in both)
                ratios.append(a / b)
                print(
                    f"{what}: ours {a * 1e6:.1f} us, PyPI's {b * 1e6:.1f} us, ratio {a / b:.2f}",
                    flush=True,
                )
            sizes = [before + size(place) for before, place in zip(sizes, places)]
    mean = math.exp(statistics.mean(math.log(ratio) for ratio in ratios))
    print(f"time: mean {mean:.2f}, {min(ratios):.2f} to {max(ratios):.2f} of PyPI's")
    print(f"size: {sizes[0]:,} bytes, {sizes[0] / sizes[1]:.2f} of PyPI's {sizes[1]:,}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
