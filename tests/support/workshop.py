"""Frontends, run as users run them, and environments that wheels are installed into."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Union

from manylinux_shim.zig import REQUIREMENT, find_zig
from support.interpreters import uv

PythonPath = Union[str, Path]

_DROPPED = (
    "AR", "CC", "CFLAGS", "CPPFLAGS", "CXX", "CXXFLAGS", "LD", "LDFLAGS", "LDSHARED",
    "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "RUSTFLAGS", "SOURCE_DATE_EPOCH",
    "UV_PYTHON", "VIRTUAL_ENV", "XDG_CACHE_HOME", "__PYVENV_LAUNCHER__",
)  # fmt: skip
_DROPPED_PREFIXES = ("CARGO_BUILD_", "CARGO_TARGET_", "MANYLINUX_SHIM_", "MATURIN_", "ZIG_")
"""What a developer may have set in the shell, and what would make another build of a test."""

ERROR = "manylinux-shim: error:"


@dataclass(frozen=True)
class Outcome:
    """A command that has ended."""

    command: Sequence[str]
    code: int
    output: str
    """Both streams, in the order in which they came."""

    @property
    def ok(self) -> bool:
        return self.code == 0

    def passed(self) -> Outcome:
        """Itself; fails the test with the output when the command failed."""
        assert self.ok, f"{' '.join(map(str, self.command))}: exit {self.code}\n{self.output}"
        return self

    def lines(self, start: str = "manylinux-shim: ") -> List[str]:
        """What the shim itself said; frontends may indent it."""
        return [line.strip() for line in self.output.splitlines() if line.strip().startswith(start)]


@dataclass(frozen=True)
class Frontend:
    """A command that builds a wheel from a project's directory."""

    name: str
    command: Sequence[str]
    """With ``{uv}``, ``{python}``, ``{out}`` and ``{project}`` to fill in."""
    setting: str = "-C{}"
    """How a config setting is given."""
    isolated: bool = True
    makes_sdist: bool = False

    def __str__(self) -> str:
        return self.name

    def arguments(
        self, python: PythonPath, project: Path, out: Path, settings: Mapping[str, str]
    ) -> List[str]:
        values = {"uv": uv(), "python": str(python), "out": str(out), "project": str(project)}
        given = [self.setting.format(f"{key}={value}") for key, value in settings.items()]
        return [part.format(**values) for part in self.command] + given


UV_BUILD = Frontend(
    "uv build", ("{uv}", "build", "-p", "{python}", "-o", "{out}", "{project}"), makes_sdist=True
)
UV_BUILD_WHEEL = Frontend("uv build --wheel", (*UV_BUILD.command, "--wheel"))
BUILD = Frontend(
    "python -m build", ("{python}", "-m", "build", "-o", "{out}", "{project}"), makes_sdist=True
)
BUILD_WHEEL = Frontend("python -m build --wheel", (*BUILD.command, "--wheel"))
BUILD_HERE = Frontend(
    "python -m build --no-isolation", (*BUILD_WHEEL.command, "--no-isolation"), isolated=False
)
PIP_WHEEL = Frontend(
    "pip wheel .",
    ("{python}", "-m", "pip", "wheel", "--no-deps", "-w", "{out}", "{project}"),
    setting="--config-settings={}",
)
PIP_WHEEL_HERE = Frontend(
    "pip wheel --no-build-isolation .",
    (*PIP_WHEEL.command, "--no-build-isolation"),
    setting=PIP_WHEEL.setting,
    isolated=False,
)
UV_BUILD_HERE = Frontend(
    "uv build --wheel --no-build-isolation",
    (*UV_BUILD_WHEEL.command, "--no-build-isolation"),
    isolated=False,
)
BUILDERS = (UV_BUILD, UV_BUILD_WHEEL, BUILD, PIP_WHEEL, PIP_WHEEL_HERE, BUILD_HERE, UV_BUILD_HERE)
QUICK_BUILDERS = (UV_BUILD, PIP_WHEEL_HERE, BUILD_HERE, UV_BUILD_HERE)
"""The same frontends where pip would spend most of the time on unpacking zig."""

PIP_INSTALL = Frontend(
    "pip install .", ("{python}", "-m", "pip", "install", "--no-deps", "{project}")
)
UV_INSTALL = Frontend(
    "uv pip install .", ("{uv}", "pip", "install", "--no-deps", "-p", "{python}", "{project}")
)
PIP_EDITABLE = Frontend(
    "pip install -e .", ("{python}", "-m", "pip", "install", "--no-deps", "-e", "{project}")
)
UV_EDITABLE = Frontend(
    "uv pip install -e .",
    ("{uv}", "pip", "install", "--no-deps", "-p", "{python}", "-e", "{project}"),
)


@dataclass
class Workshop:
    """One session's shim wheel, caches and tools."""

    root: Path
    """A directory of this session."""
    links: Path
    """Where the shim's own wheel is."""
    tools: Dict[str, Path] = field(default_factory=dict)
    cache: Optional[Path] = None
    """What the shim keeps: of this session alone, and of all that test at once in it."""

    def environment(self, extra: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
        """A user's environment: nothing about compilers, the shim found beside the index.

        zig's caches are this session's own, so that no test profits from or spoils what the
        user has; downloads stay in the user's.
        """
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
        }
        downloads = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        links = str(self.links)
        zig = str(self.root / "zig")
        clean.setdefault("PIP_CACHE_DIR", str(downloads / "pip"))
        clean.setdefault("UV_CACHE_DIR", str(downloads / "uv"))
        clean["PIP_FIND_LINKS"] = " ".join(filter(None, [links, zig, clean.get("PIP_FIND_LINKS")]))
        clean["UV_FIND_LINKS"] = ",".join(filter(None, [links, clean.get("UV_FIND_LINKS")]))
        clean["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        clean["UV_PYTHON_DOWNLOADS"] = "never"
        clean["UV_NO_PROGRESS"] = "1"
        clean["MANYLINUX_SHIM_EMULATOR"] = "off"  # or what is tested depends on this machine
        clean["XDG_CACHE_HOME"] = str(self.cache or self.root / "cache")
        clean.update(extra or {})
        return clean

    def run(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Optional[Mapping[str, str]] = None,
        *,
        timeout: float = 900,
    ) -> Outcome:
        """Run a command in ``cwd``; variables in ``environment`` come on top."""
        done = subprocess.run(
            command,
            cwd=cwd,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
        return Outcome(command, done.returncode, done.stdout)

    def build(
        self,
        frontend: Frontend,
        project: Path,
        out: Path,
        *,
        python: Optional[PythonPath] = None,
        settings: Optional[Mapping[str, str]] = None,
        environment: Optional[Mapping[str, str]] = None,
        zig_on_path: bool = True,
    ) -> Outcome:
        """Run a frontend on a project; ``python`` has to have what the frontend needs.

        Isolated builds find a zig on the path, unless it is to be the frontend that gets it.
        """
        python = python or self.frontends()
        command = frontend.arguments(python, project, out, settings or {})
        if frontend.isolated and zig_on_path:
            environment = self.with_zig(environment)
        elif frontend.isolated:
            self._fetch_zig(self.frontends())
        return self.run(command, project, environment)

    def with_zig(self, environment: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
        """``environment`` with the tests' own zig on the path.

        Its 17,000 files are then not put into each isolated build's environment and removed
        again, which takes longer than a small build.
        """
        given = dict(environment or {})
        directory = self.root / "zig-on-path"
        if not directory.exists():
            directory.mkdir()
            (directory / "zig").symlink_to(find_zig().executable)
        path = given.get("PATH", os.environ.get("PATH", os.defpath))
        return {**given, "PATH": os.pathsep.join([str(directory), path])}

    def frontends(self, python: Optional[PythonPath] = None) -> Path:
        """The Python of an environment with pip and build, one per interpreter and session."""
        base = str(python or base_python())
        if base not in self.tools:
            directory = self.root / "tools" / str(len(self.tools))
            self.tools[base] = self.venv(directory, ["pip", "build"], python=base)
        return self.tools[base]

    def _fetch_zig(self, python: PythonPath) -> None:
        """Fetch zig's 100 MB into a directory that pip looks into first.

        Each isolated build by pip would fetch them anew where its cache does not hold them.
        """
        zig = self.root / "zig"
        if not zig.exists():
            zig.mkdir()
            fetch = [str(python), "-m", "pip", "download", "-q", "--no-deps", "-d", str(zig)]
            self.run([*fetch, REQUIREMENT], self.root).passed()

    def venv(
        self,
        directory: Path,
        packages: Sequence[Union[str, Path]] = (),
        *,
        python: Optional[PythonPath] = None,
    ) -> Path:
        """The Python of a new environment with ``packages`` in it."""
        base = str(python or base_python())
        self.run([uv(), "venv", "-q", "-p", base, str(directory)], self.root).passed()
        inside = directory / "bin" / "python"
        if packages:
            install = [uv(), "pip", "install", "-q", "-p", str(inside), *map(str, packages)]
            self.run(install, self.root).passed()
        return inside

    def use(self, python: Path, code: str, cwd: Optional[Path] = None) -> str:
        """What a program prints that runs in an environment, away from any source tree."""
        command = [str(python), "-c", code]
        return self.run(command, cwd or python.parent).passed().output

    def try_wheel(
        self, wheel: Path, directory: Path, code: str, *, python: Optional[PythonPath] = None
    ) -> str:
        """Install a wheel in a fresh environment; what ``code`` prints there."""
        return self.use(self.venv(directory, [wheel], python=python), code)


def base_python() -> str:
    """The interpreter that pytest's own environment was made from."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}")


def contents(directory: Path) -> List[str]:
    """Names of all that is in a directory, however deep; nothing if there is none."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
