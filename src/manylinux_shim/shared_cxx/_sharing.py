"""A wheel's files replaced by their twins, and the C++ library that these share."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from manylinux_shim._errors import ElfError, PolicyError, ToolchainError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim.audit import Scope, audit_wheel, exchanging, library_place, run_path_directory
from manylinux_shim.compiler import Configuration, system_libraries
from manylinux_shim.elf import ElfFacts, read_elf
from manylinux_shim.runtimes import VERSION, shared_path, shared_runtime
from manylinux_shim.shared_cxx import Shared
from manylinux_shim.shared_cxx._fitting import with_run_path, with_sections_of
from manylinux_shim.shared_cxx._twins import Twin, read_twins, twins_of
from manylinux_shim.wheel import Archive, WheelName, repack


def shared(state: Shared, plan: Plan, record: Path, epoch: int) -> Shared:
    """``state`` with one C++ library where it needs one: see ``with_one_runtime``."""
    verdict = state.verdict
    native = [f for f in verdict.files if f.loadable and f.runs_on(verdict.machine)]
    own = twins_of(_contents(verdict.wheel, native), read_twins(record))
    found = _sharing(native, {name: twin for name, twin in own.items() if twin.path.exists()})
    _name_or_refuse(exchanging(native), own, found)
    least = 1 if plan.settings.cxx_runtime == "shared" else 2
    if len({twin.code for twin in found.values()}) < least:
        return state
    library = _library(next(iter(found.values())), len(found))
    changed, added = _replaced(verdict.wheel, native, found, library)
    _check_symbols(changed, library)
    directory = verdict.wheel.parent / "one-runtime"
    directory.mkdir()
    platforms = WheelName.parse(verdict.wheel.name).platforms
    wheel = repack(
        verdict.wheel, directory, platforms=platforms, changed=changed, added=added, epoch=epoch
    )
    say(f"{len(found)} files of the wheel have C++, and share {library.name}")
    now = {twin.output: twin.link for twin in found.values()}
    return Shared(
        audit_wheel(wheel, exclude=plan.settings.exclude),
        tuple(now.get(link.output, link) for link in state.links or ()),
        tuple(added),
    )


def _contents(wheel: Path, files: List[ElfFacts]) -> Iterator[Tuple[ElfFacts, bytes]]:
    """The bytes of each file, one at a time."""
    with Archive(wheel) as archive:
        for facts in files:
            member = archive.find(facts.name)
            if member is not None:
                yield facts, archive.read(member)


def _replaced(
    wheel: Path, native: List[ElfFacts], twins: Dict[str, Twin], library: Path
) -> Tuple[Dict[str, bytes], Dict[str, bytes]]:
    """The members that change, and those to add."""
    distribution = WheelName.parse(wheel.name).distribution
    changed: Dict[str, bytes] = {}
    added: Dict[str, bytes] = {}
    for facts, data in _contents(wheel, [f for f in native if f.name in twins]):
        member, way = library_place(distribution, facts.name, library.name)
        added[member] = library.read_bytes()
        changed[facts.name] = _fitted(facts, data, twins[facts.name], way)
    return changed, added


def _sharing(native: List[ElfFacts], twins: Dict[str, Twin]) -> Dict[str, Twin]:
    """Without programs that no other file of the wheel shares a process with."""
    scope = Scope(native)
    return {
        f.name: twins[f.name]
        for f in native
        if f.name in twins and (not f.executable or (scope.neighbours(f) - {f.name}) & set(twins))
    }


def _name_or_refuse(
    pairs: List[Tuple[str, str]], own: Dict[str, Twin], found: Dict[str, Twin]
) -> None:
    """PolicyError for a file of this build that exchanges C++ with one that cannot share.

    Where nothing is to share, or nothing is of this build, it is named.
    """
    for user, library in pairs:
        stranger = next((name for name in (user, library) if name not in found), None)
        if stranger is None:
            continue
        what = f"{user} and {library} exchange C++, and each has a C++ library of its own"
        if user not in own and library not in own:
            say(what)
            continue
        raise PolicyError(
            f"{what}: {stranger} was not linked in this build, or was changed afterwards",
            "Link both in this build and leave them as they are, or use mode relink. If"
            ' nothing but C passes between them: `cxx-runtime = "static"`.',
        )


def _library(twin: Twin, count: int) -> Path:
    configuration = Configuration(twin.configuration)
    place = (twin.zig, configuration.zig_target, configuration.runtimes)
    if not shared_path(*place).exists():
        say(
            f"{count} files have C++: compiling the library that they share, once for this zig"
            f" and {configuration.zig_target}"
        )
    libraries = system_libraries(configuration.target)
    return shared_runtime(*place, configuration.link_flags, libraries)


def _fitted(facts: ElfFacts, data: bytes, twin: Twin, way: str) -> bytes:
    """The twin of ``data`` as it stands in the wheel, to find its C++ library by ``way``."""
    inside = [e for e in facts.run_path if run_path_directory(facts.name, e) is not None]
    # What leads nowhere else is of this machine, and would be taken out of the file.
    entries = facts.run_path if inside else ()
    try:
        fitted = with_run_path(twin.path.read_bytes(), ":".join(dict.fromkeys((*entries, way))))
        return with_sections_of(fitted, data)
    except ElfError as error:
        raise ElfError(f"{facts.name}: {error.message}", error.remedy) from error


def _check_symbols(files: Dict[str, bytes], library: Path) -> None:
    exports = read_elf(library.name, library.read_bytes()).exports
    for name, data in files.items():
        for symbol in read_elf(name, data).undefined:
            if symbol.version == VERSION and symbol.name not in exports:
                raise ToolchainError(
                    f"{name} needs {symbol.name}, which LLVM's C++ library keeps to itself",
                    'Set `cxx-runtime = "static"` if the files of the wheel exchange no C++.',
                )
