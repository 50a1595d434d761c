"""Files of one wheel that exchange C++ do so as if there were one C++ library: there is."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, NamedTuple

import pytest
from support import exchanging, projects, sboms, wheels
from support.workshop import UV_BUILD_WHEEL, Workshop

from manylinux_shim.audit import audit_wheel


class Built(NamedTuple):
    wheel: Path
    inside: Path
    """The Python of an environment that it is installed in."""
    output: str
    """What was said while it was built."""


@pytest.fixture(scope="module", params=["default", "hidden"])
def built(
    request: pytest.FixtureRequest, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> Built:
    directory = tmp_path_factory.mktemp(request.param)
    project = projects.write(directory / "project", exchanging.files(request.param))
    done = workshop.build(UV_BUILD_WHEEL, project, directory / "out").passed()
    wheel = wheels.only_wheel(directory / "out")
    return Built(wheel, workshop.venv(directory / "env", [wheel]), done.output)


@pytest.fixture(scope="module")
def rows(built: Built, workshop: Workshop) -> Dict[str, str]:
    printed = workshop.use(built.inside, exchanging.USE)
    return dict(line.split(": ", 1) for line in printed.splitlines())


@pytest.mark.parametrize("name", exchanging.ROWS)
def test_what_passes_between_files_is_what_gcc_passes(name: str, rows: Dict[str, str]) -> None:
    assert rows[name] == exchanging.ROWS[name]


def test_library_that_ctypes_opens_exchanges_with_a_module(
    built: Built, workshop: Workshop
) -> None:
    assert workshop.use(built.inside, exchanging.USE_CTYPES) == exchanging.PRINTED_CTYPES


def test_wheel_has_one_library_of_cxx_and_says_so(built: Built) -> None:
    wheels.check_manylinux(built.wheel)
    files = wheels.elf_members(built.wheel)
    (library,) = (name for name in files if name.startswith("exchange.libs/libc++-"))
    assert len(files) == 6
    document = sboms.own(built.wheel)
    for part in ("libc++", "libc++abi"):
        assert sboms.properties(sboms.components(document)[part], "file") == [library]
    for name, elf in files.items():
        assert (library.rpartition("/")[2] in wheels.dynamic(elf)["DT_NEEDED"]) == (name != library)


def test_same_sources_give_the_same_with_this_machines_gcc(
    workshop: Workshop, stocked: Path, tmp_path: Path, out: Path
) -> None:
    """What the table above expects is what GCC does."""
    project = projects.write(tmp_path / "project", exchanging.files("hidden"))
    settings = {"mode": "check"}
    workshop.build(UV_BUILD_WHEEL, project, out, settings=settings).passed()
    inside = workshop.venv(tmp_path / "env", [wheels.only_wheel(out)])
    assert workshop.use(inside, exchanging.USE) == exchanging.PRINTED
    assert workshop.use(inside, exchanging.USE_CTYPES) == exchanging.PRINTED_CTYPES


TRANSLATED = {
    "CMakeLists.txt": """\
        cmake_minimum_required(VERSION 3.15...3.30)
        project(pair LANGUAGES CXX)
        find_package(Python 3.8 REQUIRED COMPONENTS Interpreter Development.Module)
        set(PYBIND11_FINDPYTHON ON)
        find_package(pybind11 CONFIG REQUIRED)
        pybind11_add_module(one one.cpp)
        pybind11_add_module(two two.cpp)
        install(TARGETS one two DESTINATION pair)
        """,
    "refused.h": """\
        #pragma once
        #include <stdexcept>
        struct __attribute__((visibility("default"))) Refused : std::runtime_error {
            using std::runtime_error::runtime_error;
        };
        struct __attribute__((visibility("default"))) Shape {
            virtual ~Shape() = default;
            int sides = 3;
        };
        """,
    "one.cpp": """\
        #include <pybind11/pybind11.h>
        #include "refused.h"
        namespace py = pybind11;
        PYBIND11_MODULE(one, m) {
            py::register_exception<Refused>(m, "Refused", PyExc_KeyError);
            py::class_<Shape>(m, "Shape").def(py::init<>());
        }
        """,
    "two.cpp": """\
        #include <functional>
        #include <system_error>
        #include <pybind11/pybind11.h>
        #include <pybind11/functional.h>
        #include "refused.h"
        PYBIND11_MODULE(two, m) {
            m.def("refuse", [] { throw Refused("two"); });
            m.def("sides", [](const Shape &shape) { return shape.sides; });
            m.def("through", [](const std::function<void()> &f) { f(); });
        }
        """,
    "pyproject.toml": projects.pyproject(
        ["scikit-build-core>=0.10", "pybind11"], backend="scikit_build_core.build"
    )
    + '\n[project]\nname = "pair"\nversion = "1.0"\n',
}
"""Two modules that know each other through pybind11 alone."""

TRANSLATED_USE = """
from pair import one, two
print(two.sides(one.Shape()))
for f in (two.refuse, lambda: two.through(two.refuse)):
    try: f()
    except KeyError as error: print(type(error) is one.Refused, error)
"""


def test_modules_share_what_pybind11_translates(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "project", TRANSLATED)
    workshop.build(UV_BUILD_WHEEL, project, out).passed()
    wheel = wheels.only_wheel(out)
    wheels.check_manylinux(wheel)
    assert len(wheels.elf_members(wheel)) == 3
    inside = workshop.venv(tmp_path / "env", [wheel])
    assert workshop.use(inside, TRANSLATED_USE) == "3\nTrue 'two'\nTrue 'two'\n"


SETUP = """\
import os
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

class Build(build_ext):
    def get_ext_filename(self, name):
        *_, last = name.split(".")
        return name.replace(".", "/") + ".so" if last.startswith("lib") else super(
            ).get_ext_filename(name)
    def get_export_symbols(self, extension):
        return extension.export_symbols
    def build_extension(self, extension):
        extension.library_dirs.append(os.path.join(self.build_lib, "plain"))
        super().build_extension(extension)

here = os.path.exists("made.cpp")
made = Extension("plain.libmade", ["made.cpp"], extra_link_args=["-Wl,-soname,libmade.so"])
setup(
    name="plain", version="1.0", packages=["plain"], package_data={"plain": ["*.so"]},
    cmdclass={"build_ext": Build},
    ext_modules=[made] * here + [
        Extension("plain.used", ["used.cpp"], libraries=["made"],
                  library_dirs=["plain"], runtime_library_dirs=["$ORIGIN"])
    ],
)
"""

PLAIN = {
    "setup.py": SETUP,
    "plain/__init__.py": "",
    "made.cpp": """\
        #include <stdexcept>
        #include <string>
        void make(const std::string &text) { throw std::out_of_range(text); }
        """,
    "used.cpp": """\
        #include <Python.h>
        #include <stdexcept>
        #include <string>
        void make(const std::string &text);
        static PyObject *use(PyObject *, PyObject *)
        {
            try {
                make("far");
            } catch (const std::out_of_range &error) {
                return PyUnicode_FromString(error.what());
            }
            Py_RETURN_NONE;
        }
        static PyMethodDef methods[] = {{"use", use, METH_NOARGS, ""}, {}};
        static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "used", "", -1, methods,
                                         nullptr, nullptr, nullptr, nullptr};
        PyMODINIT_FUNC PyInit_used(void) { return PyModule_Create(&definition); }
        """,
    "pyproject.toml": projects.pyproject(["setuptools>=77"]),
}
"""A library of the project's own and an extension that links it, as setuptools builds them."""

PLAIN_USE = "from plain import used; print(used.use())"


def sections(elf: bytes, directory: Path, workshop: Workshop) -> str:
    path = directory / "file.so"
    path.write_bytes(elf)
    return workshop.run(["readelf", "-SW", str(path)], directory).passed().output


@pytest.mark.parametrize("strip", ["true", "false"])
def test_symbols_stay_where_they_are_to_stay(
    strip: str, workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "project", PLAIN)
    environment = {"CFLAGS": "-g", "CXXFLAGS": "-g"}
    settings = {"strip": strip}
    workshop.build(
        UV_BUILD_WHEEL, project, out, settings=settings, environment=environment
    ).passed()
    wheel = wheels.only_wheel(out)
    inside = workshop.venv(tmp_path / "env", [wheel])
    assert workshop.use(inside, PLAIN_USE) == "far\n"
    for name, elf in wheels.elf_members(wheel).items():
        if name.startswith("plain/"):
            listed = sections(elf, tmp_path, workshop)
            assert (".debug_info" in listed) == (".symtab" in listed) == (strip == "false")


def test_static_is_what_the_project_asked_for_and_what_it_may_lose_is_said(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "project", PLAIN)
    settings = {"cxx-runtime": "static"}
    done = workshop.build(UV_BUILD_WHEEL, project, out, settings=settings).passed()
    wheel = wheels.only_wheel(out)
    assert len(wheels.elf_members(wheel)) == 2
    notes = audit_wheel(wheel).notes
    assert [note for note in notes if "exchange C++, and each has" in note]
    assert "exchange C++" in done.output


def test_one_file_has_a_shared_library_where_that_is_asked_for(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.copy_sample("setuptools_cpp", tmp_path / "project")
    workshop.build(UV_BUILD_WHEEL, project, out / "auto").passed()
    assert len(wheels.elf_members(wheels.only_wheel(out / "auto"))) == 1
    settings = {"cxx-runtime": "shared"}
    workshop.build(UV_BUILD_WHEEL, project, out / "shared", settings=settings).passed()
    wheel = wheels.only_wheel(out / "shared")
    wheels.check_manylinux(wheel)
    assert len(wheels.elf_members(wheel)) == 2
    inside = workshop.venv(tmp_path / "env", [wheel])
    assert workshop.use(inside, "import wordtally; print(wordtally.tally(['a a']))") == "{'a': 2}\n"


def test_what_exchanges_cxx_with_a_file_of_another_build_is_refused(
    workshop: Workshop, tmp_path: Path, out: Path
) -> None:
    project = projects.write(tmp_path / "project", PLAIN)
    settings = {"cxx-runtime": "static"}
    workshop.build(UV_BUILD_WHEEL, project, out / "first", settings=settings).passed()
    files = wheels.elf_members(wheels.only_wheel(out / "first"))
    again = projects.write(tmp_path / "again", PLAIN)
    (again / "made.cpp").unlink()
    (again / "plain" / "libmade.so").write_bytes(files["plain/libmade.so"])
    (out / "second").mkdir()
    done = workshop.build(UV_BUILD_WHEEL, again, out / "second")
    assert not done.ok
    assert "plain/libmade.so was not linked in this build" in done.output
    assert 'cxx-runtime = "static"' in done.output
    assert list((out / "second").glob("*.whl")) == []
