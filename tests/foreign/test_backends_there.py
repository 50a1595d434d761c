"""Wheels of every build backend, cross-built and used on Debian for 64-bit ARM.

The slow ones are what nobody here wrote: sdists from the index. Rust is Debian's, which has
a package with the standard library for that architecture.
"""

from __future__ import annotations

import os
from typing import Iterator

import pytest
import roots
from bench import Benches, Project, bench_of, sample, sdist
from support import wheels

pytestmark = pytest.mark.foreign

DEBIANS_RUST = {"PATH": f"/usr/bin:{os.environ.get('PATH', '')}"}

SAMPLES = (
    Project(
        "setuptools_rust",
        sample("setuptools_rust"),
        "import natural_order as n\n"
        "print(n.in_order(['chapter 10', 'Chapter 9', 'appendix', 'chapter 09']),"
        " n.compare('a2', 'A02'), n._order.__file__[-23:])",
        "['appendix', 'Chapter 9', 'chapter 09', 'chapter 10'] 0 39-aarch64-linux-gnu.so\n",
        environment=DEBIANS_RUST,
        slow=True,
    ),
    Project(
        "scikit_build_core",
        sample("scikit_build_core"),
        "import trackthin as t, math\n"
        "print(t.thin([(0, 0), (1, 0.1), (2, 0), (2, 5)], tolerance=0.5))\n"
        "circle = [(math.cos(i / 100), math.sin(i / 100)) for i in range(629)]\n"
        "print(len(t.thin(circle, tolerance=0.01)), round(t.length(circle), 3))\n"
        "try: t.thin([(0, 0), (0, math.nan)], tolerance=1)\n"
        "except ValueError as error: print(error)",
        "[(0.0, 0.0), (2.0, 0.0), (2.0, 5.0)]\n33 6.28\npoint 1 is not finite\n",
        slow=True,
    ),
    Project(
        "meson_python",
        sample("meson_python"),
        "import crc32c\n"
        "print(hex(crc32c.checksum(b'123456789')),"
        " hex(crc32c.checksum(b'6789', crc32c.checksum(b'12345'))),"
        " hex(crc32c.checksum(bytes(range(256)) * 9)))",
        "0xe3069283 0xe3069283 0x29def29c\n",
    ),
)

SDISTS = (
    Project(
        "bcrypt",  # setuptools-rust
        sdist("bcrypt==4.3.0"),
        "import bcrypt; from bcrypt import _bcrypt\n"
        "print(_bcrypt.__file__[-3:],"
        " bcrypt.hashpw(b'secret', b'$2b$04$abcdefghijklmnopqrstuu').decode()[-12:],"
        " bcrypt.kdf(b'secret', b'salt', 8, 60).hex())",
        ".so S4UpFFP8WIrW ed698f2f8a633534\n",
        environment=DEBIANS_RUST,
    ),
    Project(
        "levenshtein",  # scikit-build-core, Cython, C++
        sdist("levenshtein==0.27.1"),
        "import Levenshtein as l\n"
        "print(l.levenshtein_cpp.__file__[-3:], l.distance('lewenstein', 'levenshtein'),"
        " l.editops('spam', 'park'))",
        ".so 2 [('delete', 0, 0), ('insert', 3, 2), ('replace', 3, 3)]\n",
        needs=("rapidfuzz",),
    ),
    Project(
        "contourpy",  # meson-python, pybind11
        sdist("contourpy==1.3.0"),
        "import contourpy; g = contourpy.contour_generator(z=[[0.0, 1.0], [1.0, 2.0]])\n"
        "print(contourpy._contourpy.__file__[-3:], [line.tolist() for line in g.lines(0.5)])",
        ".so [[[0.0, 0.5], [0.5, 0.0]]]\n",
        needs=("numpy",),
    ),
    Project(
        "pywavelets",  # meson-python, Cython, a static library of its own
        sdist("pywavelets==1.6.0"),
        "import pywt; a, b = pywt.dwt([1, 2, 3, 4], 'db1')\n"
        "print(pywt._extensions._dwt.__file__[-3:], [round(float(v), 4) for v in a])",
        ".so [2.1213, 4.9497]\n",
        needs=("numpy",),
    ),
    Project(
        "argon2-cffi-bindings",  # cffi in API mode; setup.py asks for the processor
        sdist("argon2-cffi-bindings==21.2.0"),
        "from _argon2_cffi_bindings import ffi, lib; out = ffi.new('uint8_t[]', 16)\n"
        "print(lib.argon2_hash(1, 64, 1, b'password', 8, b'somesalt', 8, out, 16, ffi.NULL, 0,"
        " 2, 19), bytes(out).hex())",
        "0 a4c9703acfe09fecddbe807f00689134\n",
        needs=("cffi",),
    ),
    Project(
        "brotlicffi",
        sdist("brotlicffi==1.1.0.0"),
        "import brotlicffi as b; text = b'abc' * 1000\n"
        "print(b.decompress(b.compress(text)) == text, b._brotlicffi.__file__[-3:])",
        "True .so\n",
        needs=("cffi",),
    ),
    Project(
        "fnv-hash-fast",  # poetry-core with a build script, Cython
        sdist("fnv-hash-fast==1.2.2"),
        "from fnv_hash_fast import _fnv_impl as f; print(f._fnv1a_32(b'hello'), f.__file__[-3:])",
        "1335831723 .so\n",
        environment={"REQUIRE_EXTENSION": "1"},
    ),
    Project(
        "zstandard",
        sdist("zstandard==0.23.0"),
        "import zstandard as z; text = b'abc' * 1000; from zstandard import _cffi, backend_c\n"
        "packed = z.ZstdCompressor(level=19).compress(text)\n"
        "print(z.backend, z.ZstdDecompressor().decompress(packed) == text, len(packed))",
        "cext True 20\n",
        needs=("cffi",),
    ),
    Project(
        "lz4",
        sdist("lz4==4.4.3"),
        "import lz4.block, lz4.frame; text = b'abc' * 1000\n"
        "print(lz4.frame.decompress(lz4.frame.compress(text)) == text,"
        " len(lz4.block.compress(text)), lz4.library_version_string())",
        "True 28 1.9.4\n",
    ),
    Project(
        "frozenlist",  # setuptools in a wrapper in the tree, Cython
        sdist("frozenlist==1.7.0"),
        "from frozenlist import _frozenlist as f; x = f.FrozenList([1]); x.append(2); x.freeze()\n"
        "print(f.__file__[-3:], x)",
        ".so <FrozenList(frozen=True, [1, 2])>\n",
    ),
)

GROUPS = {"samples": SAMPLES, "sdists": SDISTS}
EACH = [
    pytest.param(
        name,
        project,
        id=project.name,
        marks=[pytest.mark.slow] * (name == "sdists" or project.slow),
    )
    for name, group in GROUPS.items()
    for project in group
]


@pytest.fixture(scope="module")
def benches(request: pytest.FixtureRequest) -> Iterator[Benches]:
    system = roots.SYSTEMS["arm64"]
    with Benches(lambda name: bench_of(request, system, GROUPS[name])) as benches:
        yield benches


@pytest.mark.parametrize(("group", "project"), EACH)
def test_cross_built_wheel_is_proven_and_works_there(
    group: str, project: Project, benches: Benches
) -> None:
    bench = benches[group]
    wheels.check_manylinux(bench.wheel(project), "manylinux_2_17_aarch64.manylinux2014_aarch64")
    assert bench.use(project) == project.prints
