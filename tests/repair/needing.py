"""A project that needs a library of this machine alone."""

from __future__ import annotations

from pathlib import Path

from support import projects
from support.workshop import Workshop


def needing_a_library(
    workshop: Workshop, directory: Path, settings: str, body: str = "return 3;"
) -> Path:
    """A project that links with a library, made by the host's gcc, that only ``lib`` has."""
    lib = directory / "lib"
    lib.mkdir(parents=True)
    (lib / "dep.c").write_text(f"#include <dlfcn.h>\nint tinydep(void) {{ {body} }}\n")
    shared = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libtinydep.so.1"]
    workshop.run([*shared, "-o", "libtinydep.so.1", "dep.c"], lib).passed()
    (lib / "libtinydep.so").symlink_to("libtinydep.so.1")
    project = projects.tiny(directory / "project", settings=settings)
    extension = f'["tiny/_tiny.c"], libraries=["tinydep"], library_dirs=[{str(lib)!r}]'
    files = {
        "setup.py": projects.SETUP.replace('["tiny/_tiny.c"]', extension),
        "tiny/_tiny.c": projects.TINY_C.replace(
            "static PyObject *", "int tinydep(void);\nstatic PyObject *", 1
        ).replace("strlen(utf8), 2", "strlen(utf8), tinydep()"),
    }
    return projects.write(project, files)
