"""What nobody here wrote: sdists from the index, with nothing but the two-line change.

One row is one project; to try another, add a row. ``use`` runs with the wheel installed
in a fresh environment and has to reach the compiled part, because many projects do
without it silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict

import pytest
from support import sdists, wheels
from support.workshop import BUILD_WHEEL, PIP_WHEEL, UV_BUILD, UV_BUILD_WHEEL, Frontend, Workshop

pytestmark = pytest.mark.pypi


@dataclass(frozen=True)
class Project:
    """An sdist to build, and the proof that the wheel works."""

    requirement: str
    use: str
    prints: str
    frontend: Frontend = UV_BUILD_WHEEL
    environment: Callable[[Workshop, Path], Dict[str, str]] = lambda workshop, directory: {}
    settings: Dict[str, object] = field(default_factory=dict)
    slow: bool = False


def static_libyaml(workshop: Workshop, directory: Path) -> Dict[str, str]:
    """libyaml as an archive, from the sources that another project's sdist brings along.

    This is how PyYAML's own wheels are made: with a libyaml of their own.
    """
    sources = sdists.fetch("ruamel.yaml.clib==0.2.12", directory / "libyaml", workshop)
    parts = ["api", "dumper", "emitter", "loader", "parser", "reader", "scanner", "writer"]
    zig = [str(workshop.venv(directory / "zig", ["ziglang"])), "-m", "ziglang"]
    for part in parts:
        compile_ = [*zig, "cc", "-c", "-O2", "-fPIC", "-fno-sanitize=all"]
        workshop.run([*compile_, f"{part}.c", "-o", f"{part}.o"], sources).passed()
    objects = [f"{part}.o" for part in parts]
    workshop.run([*zig, "ar", "rcs", "libyaml.a", *objects], sources).passed()
    return {
        "CFLAGS": f"-O2 -I{sources}",
        "LDFLAGS": f"-L{sources}",
        "PYYAML_FORCE_CYTHON": "1",
        "PYYAML_FORCE_LIBYAML": "1",
    }


PROJECTS = [
    Project(
        "markupsafe==3.0.3",
        "from markupsafe import _speedups, escape; print(_speedups.__file__[-3:], escape('<é>'))",
        ".so &lt;é&gt;\n",
    ),
    Project(
        "wrapt==1.17.3",
        "from wrapt import _wrappers; proxy = _wrappers.ObjectProxy([3, 4]); proxy.append(5);"
        "print(_wrappers.__file__[-3:], proxy, isinstance(proxy, list))",
        ".so [3, 4, 5] True\n",
        frontend=BUILD_WHEEL,
    ),
    Project(
        "ujson==5.11.0",
        "import ujson; print(ujson.__file__[-3:], ujson.dumps({'a': [1, 2.5, 'é']}),"
        " ujson.loads('[1e300, null]'))\n"
        "try: ujson.loads('[1')\n"
        "except ValueError as error: print('refused')",
        '.so {"a":[1,2.5,"\\u00e9"]} [1e+300, None]\nrefused\n',
        frontend=PIP_WHEEL,
        slow=True,
    ),
    Project(
        "kiwisolver==1.4.9",
        "import kiwisolver as k; from kiwisolver import _cext; s = k.Solver();"
        "x = k.Variable('x'); y = k.Variable('y');"
        "[s.addConstraint(c) for c in (x + y == 10, x - y == 4)]; s.updateVariables();"
        "print(_cext.__file__[-3:], x.value(), y.value())\n"
        "try: s.addConstraint(x == 8)\n"
        "except k.UnsatisfiableConstraint: print('unsatisfiable')",
        ".so 7.0 3.0\nunsatisfiable\n",
    ),
    Project(
        "pyyaml==6.0.3",
        "import yaml; from yaml import _yaml; print(_yaml.__file__[-3:],"
        " yaml.load('a: [1, 2]', yaml.CSafeLoader), _yaml.get_version() > (0,))",
        ".so {'a': [1, 2]} True\n",
        environment=static_libyaml,
    ),
    Project(
        "frozenlist==1.8.0",
        "from frozenlist import _frozenlist; x = _frozenlist.FrozenList([1]); x.append(2);"
        "x.freeze(); print(_frozenlist.__file__[-3:], x, x.frozen)",
        ".so <FrozenList(frozen=True, [1, 2])> True\n",
    ),
    Project(
        "rpds-py==0.27.1",
        "import rpds; from rpds import rpds as native; m = rpds.HashTrieMap({'a': 1});"
        "print(native.__file__[-3:], m.insert('b', 2)['b'], len(m))",
        ".so 2 1\n",
        slow=True,
    ),
    Project(
        "pendulum==3.1.0",
        "import pendulum; from pendulum import _pendulum; print(_pendulum.__file__[-3:],"
        " pendulum.parse('2024-02-29T12:00:00+01:00').add(years=1).isoformat(),"
        " _pendulum.is_long_year(2020))",
        ".so 2025-02-28T12:00:00+01:00 True\n",
        frontend=UV_BUILD,
        slow=True,
    ),
    Project(
        "bcrypt==4.3.0",  # setuptools-rust
        "import bcrypt; from bcrypt import _bcrypt;"
        "print(_bcrypt.__file__[-3:],"
        " bcrypt.hashpw(b'secret', b'$2b$04$abcdefghijklmnopqrstuu').decode()[-12:],"
        " bcrypt.kdf(b'secret', b'salt', 8, 60).hex())",
        ".so S4UpFFP8WIrW ed698f2f8a633534\n",
        slow=True,
    ),
    Project(
        "levenshtein==0.27.1",  # scikit-build-core, Cython, C++
        "import Levenshtein as l; print(l.levenshtein_cpp.__file__[-3:],"
        " l.distance('lewenstein', 'levenshtein'), l.editops('spam', 'park'))",
        ".so 2 [('delete', 0, 0), ('insert', 3, 2), ('replace', 3, 3)]\n",
        slow=True,
    ),
    Project(
        "argon2-cffi-bindings==21.2.0",  # cffi in API mode
        "from _argon2_cffi_bindings import ffi, lib; out = ffi.new('uint8_t[]', 16);"
        "print(lib.argon2_hash(1, 64, 1, b'password', 8, b'somesalt', 8, out, 16, ffi.NULL, 0,"
        " 2, 19), bytes(out).hex())",
        "0 a4c9703acfe09fecddbe807f00689134\n",
        frontend=UV_BUILD,
        slow=True,
    ),
    Project(
        "fnv-hash-fast==1.2.2",  # poetry-core with a build script, Cython
        "from fnv_hash_fast import _fnv_impl as f; print(f._fnv1a_32(b'hello'), f.__file__[-3:])",
        "1335831723 .so\n",
    ),
    Project(
        "contourpy==1.3.1",  # meson-python, pybind11
        "import contourpy; g = contourpy.contour_generator(z=[[0.0, 1.0], [1.0, 2.0]]);"
        "print(contourpy._contourpy.__file__[-3:], [line.tolist() for line in g.lines(0.5)])",
        ".so [[[0.0, 0.5], [0.5, 0.0]]]\n",
        slow=True,
    ),
    Project(
        "pyhy==0.0.9",  # libhydrogen, which calls explicit_bzero (glibc 2.25) whatever is there
        "import pyhy; print(len(pyhy.hydro_random_buf(16)), pyhy.hydro_random_uniform(1))",
        "16 0\n",
    ),
    Project(
        "pynacl==1.6.0",  # libsodium's configure, which looks for getrandom and explicit_bzero
        "import nacl.secret, nacl.utils; box = nacl.secret.SecretBox(nacl.utils.random(32));"
        "print(box.decrypt(box.encrypt(b'kept')))",
        "b'kept'\n",
        slow=True,
    ),
    Project(
        "zstandard==0.23.0",
        "import zstandard as z; text = b'abc' * 1000;"
        "packed = z.ZstdCompressor(level=19).compress(text);"
        "print(z.backend, z.ZstdDecompressor().decompress(packed) == text, len(packed))",
        "cext True 20\n",
        slow=True,
    ),
    Project(
        "lz4==4.4.3",
        "import lz4.block, lz4.frame; text = b'abc' * 1000;"
        "print(lz4.frame.decompress(lz4.frame.compress(text)) == text,"
        " len(lz4.block.compress(text)), lz4.library_version_string())",
        "True 28 1.9.4\n",
        slow=True,
    ),
    Project(
        "brotlicffi==1.1.0.0",
        "import brotlicffi as b; text = b'abc' * 1000;"
        "print(b.decompress(b.compress(text)) == text, b._brotlicffi.__file__[-3:])",
        "True .so\n",
        slow=True,
    ),
    Project(
        "pywavelets==1.6.0",  # meson-python, Cython, a static library of its own
        "import pywt; a, b = pywt.dwt([1, 2, 3, 4], 'db1');"
        "print(pywt._extensions._dwt.__file__[-3:], [round(float(v), 4) for v in a])",
        ".so [2.1213, 4.9497]\n",
        slow=True,
    ),
]


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(p, id=p.requirement, marks=[pytest.mark.slow] if p.slow else [])
        for p in PROJECTS
    ],
)
def test_sdist_becomes_a_proven_wheel_that_works(
    project: Project, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    tree = sdists.fetch(project.requirement, tmp_path / "sdist", workshop)
    sdists.adopt(tree, **{"require_native": True, **project.settings})
    environment = project.environment(workshop, tmp_path)
    workshop.build(project.frontend, tree, out, environment=environment).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    for elf in wheels.elf_members(wheel).values():
        dynamic = wheels.dynamic(elf)
        assert not dynamic["DT_RPATH"] + dynamic["DT_RUNPATH"]
    assert workshop.try_wheel(wheel, tmp_path / "fresh", project.use) == project.prints
