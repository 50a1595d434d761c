"""What we derive of a target's Python and compiler, held against Debian's own packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Set, Tuple

import debian
import pytest
import roots
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection
from support import projects
from support.workshop import ERROR, UV_BUILD_HERE, Workshop, contents

from manylinux_shim._platforms import ARCHITECTURES, Architecture, architecture
from manylinux_shim.sysroot._sysroot import _LIBGCC_S, _LIBGCC_S_ARM, _LIBGCC_S_PAIRS
from manylinux_shim.target_python._variables import pyconfig, sysconfig_variables

pytestmark = pytest.mark.foreign

RELEASES = (
    ("bookworm", "3.11", ("amd64", "arm64", "armhf", "i386", "ppc64el", "s390x")),
    ("trixie", "3.13", ("amd64", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x")),
    ("forky", "3.13", ("amd64", "loong64")),
)
_OF_PACKAGES = ("*/pyconfig.h", "*/_sysconfigdata*.py", "*/libgcc_s.so.1")

SAME_SUPPORT = {
    "PY_SUPPORT_TIER": "how well CPython's developers look after the platform; no header asks",
}
HEADER_DIFFERENCES: Dict[Tuple[str, str], Dict[str, str]] = {
    ("trixie", "armhf"): {
        "SIZEOF_TIME_T": "Debian moved to a 64-bit time_t in release 13; manylinux2014 has none",
    },
}
"""Release and architecture -> names in ``pyconfig.h`` that are right to differ, and why."""

VARIABLE_DIFFERENCES = {
    **dict.fromkeys(
        """AR BLDSHARED CC CXX LDCXXSHARED LDSHARED LINKCC MAINCC RANLIB""".split(),
        "the tools are ours, and of this machine",
    ),
    **dict.fromkeys(
        """BASECFLAGS CFLAGS CONFIGURE_CFLAGS CONFIGURE_CFLAGS_NODIST CONFIGURE_LDFLAGS
        CONFIGURE_LDFLAGS_NODIST DECIMAL_CFLAGS EXTRA_CFLAGS LDFLAGS LIBEXPAT_CFLAGS
        LIBHACL_CFLAGS LIBMPDEC_CFLAGS MODULE__DECIMAL_CFLAGS MULTIARCH_CPPFLAGS OPT
        PY_BUILTIN_MODULE_CFLAGS PY_CFLAGS PY_CFLAGS_NODIST PY_CORE_CFLAGS PY_CORE_LDFLAGS
        PY_LDFLAGS PY_LDFLAGS_NODIST PY_LDFLAGS_NOLTO PY_STDMODULE_CFLAGS""".split(),
        "how Debian compiled Python itself",
    ),
    **dict.fromkeys(
        "BUILD_GNU_TYPE CONFIG_ARGS DESTDIRS SHAREDMODS".split(),
        "what was typed and made when Debian built Python",
    ),
    **dict.fromkeys(
        "BINLIBDEST CONFINCLUDEPY INCLUDEPY LIBDIR LIBPC LIBPL MACHDESTLIB".split(),
        "places: of this machine, or none",
    ),
    "HOST_GNU_TYPE": "with the vendor that Debian's config.guess finds",
    "Py_ENABLE_SHARED": "an extension must not be linked to libpython (PEP 513)",
    "SO": "as EXT_SUFFIX, for Pythons that still have it",
    **SAME_SUPPORT,
}
"""Names in sysconfig that are right to differ, and why."""


@dataclass(frozen=True)
class Package:
    """Debian's Python of one release on one architecture."""

    release: str
    name: str
    python: str
    directory: Path

    def __str__(self) -> str:
        return f"{self.release}-{self.name}"

    @property
    def arch(self) -> Architecture:
        return architecture(self.name)

    @property
    def multiarch(self) -> str:
        return self.arch.triplet_gnu

    @property
    def header(self) -> str:
        place = self.directory / "usr/include" / self.multiarch / f"python{self.python}"
        return (place / "pyconfig.h").read_text(encoding="utf-8")

    @property
    def variables(self) -> Dict[str, Any]:
        # One file; some releases have it under two names.
        path = next(self.directory.glob(f"usr/lib/python{self.python}/_sysconfigdata_*.py"))
        names: Dict[str, Any] = {}
        exec(path.read_text(encoding="utf-8"), names)
        return dict(names["build_time_vars"])

    @property
    def libgcc(self) -> Path:
        (path,) = self.directory.glob(f"usr/lib/{self.multiarch}/libgcc_s.so.1")
        return path


def packages(release: str, python: str, names: Iterable[str]) -> List[Package]:
    wanted = ["libgcc-s1", *(f"libpython{python}-{part}" for part in ("dev", "minimal", "stdlib"))]
    cache = roots.default_cache()
    return [
        Package(release, name, python, debian.tree(cache, release, name, wanted, keep=_OF_PACKAGES))
        for name in names
    ]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(row, id=row[0], marks=() if row[0] == "bookworm" else pytest.mark.slow)
        for row in RELEASES
    ],
)
def release(request: pytest.FixtureRequest) -> List[Package]:
    return packages(*request.param)


def defined(header: str) -> Dict[str, str]:
    """What a ``pyconfig.h`` defines on Linux."""
    linux = re.sub(
        r"^#if defined AC_APPLE_UNIVERSAL_BUILD\n.*?^#else\n", "", header, flags=re.M | re.S
    )
    return dict(re.findall(r"^#[ \t]*define[ \t]+(\w+)[ \t]*(.*?)[ \t]*$", linux, re.MULTILINE))


def different(ours: Dict[str, Any], theirs: Dict[str, Any]) -> Set[str]:
    return {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)}


def test_pyconfig_is_debians_from_every_architecture_to_every_other(
    release: List[Package],
) -> None:
    for host in release:
        for target in release:
            allowed = {**SAME_SUPPORT, **HEADER_DIFFERENCES.get((target.release, target.name), {})}
            ours, theirs = defined(pyconfig(host.header, target.arch)), defined(target.header)
            assert theirs["SIZEOF_VOID_P"] == str(target.arch.bits // 8)
            assert different(ours, theirs) <= {*allowed}, f"{host} to {target}"


def test_sysconfig_is_debians_from_every_architecture_to_every_other(
    release: List[Package],
) -> None:
    tools, headers = Path("/tools"), "/headers"
    for host in release:
        for target in release:
            allowed = {
                **VARIABLE_DIFFERENCES,
                **HEADER_DIFFERENCES.get((target.release, target.name), {}),
            }
            ours = sysconfig_variables(
                host.variables, target.arch, target.multiarch, tools, headers
            )
            theirs = target.variables
            assert different(ours, theirs) <= {*allowed}, f"{host} to {target}"
            for name in ("EXT_SUFFIX", "SOABI", "MULTIARCH", "SIZEOF_LONG"):
                assert ours[name] == theirs[name], f"{host} to {target}"


def test_no_compiler_or_path_of_the_host_is_left_in_the_tools(release: List[Package]) -> None:
    host = next(package for package in release if package.name == "amd64")
    for target in release:
        ours = sysconfig_variables(
            host.variables, target.arch, target.multiarch, Path("/tools"), "/headers"
        )
        for name in ("AR", "BLDSHARED", "CC", "CXX", "LDCXXSHARED", "LDSHARED", "LINKCC", "MAINCC"):
            assert str(ours.get(name, "/tools/")).startswith("/tools/"), name


def exported(library: Path) -> Set[Tuple[str, str]]:
    """Symbols that a shared library defines, each with the version that new links take."""
    with library.open("rb") as file:
        elf = ELFFile(file)
        definitions: Dict[int, str] = {}
        for section in elf.iter_sections():
            if isinstance(section, GNUVerDefSection):
                for definition, names in section.iter_versions():
                    definitions[definition["vd_ndx"]] = next(names).name
        (versions,) = (s for s in elf.iter_sections() if isinstance(s, GNUVerSymSection))
        symbols = elf.get_section_by_name(".dynsym")
        assert isinstance(symbols, SymbolTableSection)
        return {
            (symbol.name, definitions[int(index)])
            for symbol, index in zip(
                symbols.iter_symbols(), (v["ndx"] for v in versions.iter_symbols())
            )
            if isinstance(index, int) and index in definitions and symbol["st_shndx"] != "SHN_UNDEF"
        }


def test_stub_of_libgcc_exports_what_gcc_exports_under_the_same_version(
    release: List[Package],
) -> None:
    for package in release:
        table = _LIBGCC_S_ARM if package.name == "armhf" else _LIBGCC_S
        pairs = _LIBGCC_S_PAIRS if package.name == "ppc64el" else {}
        stub = {
            (name, version) for version, names in (*table.items(), *pairs.items()) for name in names
        }
        real = exported(package.libgcc)
        assert stub <= real, package
        unwinder = {name for name, _ in real if name.startswith("_Unwind_")}
        assert unwinder == {name for name, _ in stub if name.startswith("_Unwind_")}, package


def test_every_architecture_is_held_against_a_package() -> None:
    held = {architecture(name).name for _, _, names in RELEASES for name in names}
    assert held == {*ARCHITECTURES}


def test_python_without_headers_is_an_error_that_names_the_package_that_has_them(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    system = next(each for each in roots.SYSTEMS.values() if each.name == debian.host())
    there = roots.root(system, roots.default_cache()).directory
    base = there / f"usr/bin/python{system.python}"
    packages = ["manylinux-shim", "setuptools", "wheel", "ziglang"]
    python = workshop.venv(tmp_path / "venv", packages, python=base)
    project = projects.tiny(tmp_path / "project")
    for settings in ({}, {"target": "s390x"}):
        outcome = workshop.build(UV_BUILD_HERE, project, out, python=python, settings=settings)
        assert not outcome.ok
        assert len(outcome.lines(ERROR)) == 1
        assert f"the headers of Python {system.python} are not in" in outcome.output
        assert f"python{system.python}-dev on Debian" in outcome.output
        assert "Traceback" not in outcome.output
        assert [name for name in contents(out) if name != ".gitignore"] == []
