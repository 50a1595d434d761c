"""A command line, taken apart, and what one has to know of the target to do so."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence, Tuple


class Target:
    """What taking a command line apart needs to know of this build."""

    __slots__ = (
        "compilers_libraries",
        "debug_files",
        "family",
        "from_host",
        "host_includes",
        "host_libraries",
        "includes",
        "libraries",
        "loader",
        "native",
        "strip",
        "strip_symbols",
        "x86",
    )

    def __init__(
        self,
        *,
        family: str,
        libraries: Optional[Dict[str, str]] = None,
        loader: str = "",
        includes: Optional[Dict[str, str]] = None,
        host_includes: Sequence[str] = (),
        host_libraries: Sequence[str] = (),
        from_host: Sequence[str] = (),
        compilers_libraries: str = "",
        native: bool = True,
        strip: bool = True,
        strip_symbols: bool = True,
        debug_files: bool = False,
        x86: bool = True,
    ) -> None:
        self.family = family
        """``"manylinux"`` or ``"musllinux"``."""
        self.libraries = libraries or {}
        """What ``-l`` finds in the sysroot: name and path of the stub library."""
        self.loader = loader
        """Path of the dynamic loader on the target."""
        self.includes = includes or {}
        """Include directories, and what stands in their place."""
        self.host_includes = host_includes
        """Where the host keeps its own libc's headers."""
        self.host_libraries = host_libraries
        """Where the host keeps its libraries."""
        self.from_host = from_host
        """Patterns on names of libraries that may be taken from there, in a native build:
        those that are on every system, or that the project says somebody else provides."""
        self.compilers_libraries = compilers_libraries
        """Where GCC for the target keeps the libraries of its own code; empty without one."""
        self.native = native
        """Whether the host's own libraries could be linked to at all."""
        self.strip = strip
        """Whether what is shipped has no debug information."""
        self.strip_symbols = strip_symbols
        """Whether it has, then, no symbols either but those that the loader needs."""
        self.debug_files = debug_files
        """Whether debug information goes into files beside it."""
        self.x86 = x86


class Command:
    """A command line, taken apart."""

    __slots__ = (
        "archives",
        "compiler",
        "cxx",
        "error",
        "files",
        "inputs",
        "linker",
        "links",
        "notices",
        "output",
        "pie",
        "recorded",
        "relocatable",
        "run_paths",
        "shared",
        "sources",
        "start",
        "startfiles",
        "static",
        "stdlib",
        "strict",
    )

    def __init__(self, *, cxx: bool, links: bool) -> None:
        self.compiler: List[str] = []
        """clang's arguments; without the sources when the command links."""
        self.linker: List[str] = []
        """lld's arguments in the caller's order; a source is an empty string."""
        self.sources: List[Tuple[int, str, str]] = []
        """Of a linking command: place in ``linker``, path, language (``""``: by suffix)."""
        self.links = links
        self.cxx = cxx
        """Whether any of it is C++."""
        self.files: List[str] = []
        """Of a command that does not link: the sources."""
        self.inputs = 0
        """How many files and libraries were named; none in a question."""
        self.run_paths: List[str] = []
        """Where the result is to look for libraries when it is loaded."""
        self.output = ""
        self.recorded = False
        """Whether the result is looked through when the wheel is finished."""
        self.shared = False
        self.relocatable = False
        self.static = False
        """Whether it is to be a program that needs no library of the system (musl)."""
        self.start: List[str] = []
        """Of a static program: the start file, known once musl has been made."""
        self.archives: List[str] = []
        """Of a static program: libc and what comes with it."""
        self.pie = True
        self.stdlib = True
        self.startfiles = True
        self.strict = False
        """Whether undefined symbols were to be errors in a shared object."""
        self.notices: List[str] = []
        self.error = ""
