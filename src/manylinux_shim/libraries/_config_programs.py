"""Programs such as ``mariadb_config``, which tell where a library is, made scripts that run here.

What a package has for another machine cannot run, and for this one it names the places where
the package would be installed. Its pkg-config file says the same of the prefix.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from pathlib import Path
from typing import Iterable, List, Optional

from manylinux_shim.elf import MAGIC

_SCRIPT = """\
#!/bin/sh
# Stands for a program of {package}, and answers from its pkg-config file.
PKG_CONFIG_LIBDIR={places}
export PKG_CONFIG_LIBDIR
unset PKG_CONFIG_SYSROOT_DIR
ask() {{ "${{PKG_CONFIG:-pkg-config}}" "$@" {module}; }}
status=0
for word; do
    case $word in
    --cflags | --include | --cppflags | --cxxflags) ask --cflags ;;
    --libs | --libs_r | --libs_sys | --ldflags) ask --libs ;;
    --static) ask --libs --static ;;
    --version | --modversion) ask --modversion ;;
    --variable=*) ask "$word" ;;
    --*dir | --prefix | --exec-prefix) ask --variable="${{word#--}}" ;;
    *)
        echo "{name}: {package} has no answer to $word in its pkg-config file" >&2
        false
        ;;
    esac || status=1
done
exit $status
"""
_REFUSAL = """\
#!/bin/sh
echo "{name} is a program of {package}, which cannot run here, and has no pkg-config file" >&2
exit 1
"""


_NAME = re.compile(r"(?P<stem>.+)[-_]config(?P<version>-?[0-9.]+)?")


def tells_of_a_library(program: str) -> bool:
    """Whether a program of that name says where a library is, as ``pg_config`` does."""
    return _NAME.fullmatch(program) is not None


def replace_programs(package: str, staging: Path, tree: Path, files: Iterable[str]) -> None:
    """Make scripts of the ``*-config`` programs among a package's ``files``.

    ``files`` are paths in ``staging``, which becomes ``tree``.
    """
    files = list(files)
    modules = [file for file in files if file.endswith(".pc")]
    for file in files:
        path = staging / file
        if path.parent.name != "bin" or not tells_of_a_library(path.name):
            continue
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as opened:
            if opened.read(len(MAGIC)) != MAGIC:
                continue
        module = _module(path.name, modules)
        if module is None:
            text = _REFUSAL.format(name=path.name, package=package)
        else:
            places = ":".join(dict.fromkeys(str(tree / posixpath.dirname(m)) for m in modules))
            places += f":{tree / 'usr/share/pkgconfig'}"
            text = _SCRIPT.format(
                name=path.name,
                package=package,
                places=shlex.quote(places),
                module=shlex.quote(posixpath.basename(module)[: -len(".pc")]),
            )
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)


def _module(program: str, modules: List[str]) -> Optional[str]:
    """The pkg-config file of a program: called like it, or the only one of its package."""
    match = _NAME.fullmatch(program)
    stem = match["stem"] if match is not None else program
    by_name = {posixpath.basename(module)[: -len(".pc")]: module for module in modules}
    for name in (stem, f"lib{stem}"):
        if name in by_name:
            return by_name[name]
    return next(iter(by_name.values())) if len(by_name) == 1 else None
