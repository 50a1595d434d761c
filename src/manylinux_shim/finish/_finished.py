"""From the real backend's wheel to the one that leaves: repair, prove, note down, tag."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Optional, Sequence

from manylinux_shim import sbom
from manylinux_shim._errors import PolicyError
from manylinux_shim._messages import say
from manylinux_shim._plan import Plan
from manylinux_shim._platforms import parse_platform_tag
from manylinux_shim._settings import source_date
from manylinux_shim.audit import audit_wheel
from manylinux_shim.finish._contents import noted
from manylinux_shim.finish._debug import keep_debug_files
from manylinux_shim.finish._proof import proven_tags, refuse_other_machine
from manylinux_shim.finish._repair import repaired
from manylinux_shim.libraries import Prefix
from manylinux_shim.shared_cxx import Shared, with_one_runtime
from manylinux_shim.wheel import WheelName, repack

_FIRST_OF_1980 = 315532800
"""The first day that an archive can bear, so that the same tree gives the same bytes."""


def finished(
    built: Path,
    plan: Plan,
    directory: Path,
    record: Optional[Path] = None,
    prefixes: Sequence[Prefix] = (),
) -> Path:
    """Put ``built`` into ``directory`` under the tag that it has earned.

    ``record`` is where the links of this build left what went into them, ``prefixes`` have
    the libraries that go into the wheel where it needs them. Raises
    PolicyError, with what stands against it, when the wheel has not earned what
    ``plan`` asks for; ``directory`` then holds nothing new.
    """
    verdict = audit_wheel(built, exclude=plan.settings.exclude)
    if verdict.pure:
        return _without_elf(built, plan, directory)
    refuse_other_machine(verdict, plan)
    date = source_date(os.environ)
    epoch = _FIRST_OF_1980 if date is None else date
    links = sbom.read_links(record) if record is not None else None
    shared = with_one_runtime(Shared(verdict, links), plan, record, epoch)
    search = sbom.library_directories(links or ())
    done = repaired(shared.verdict, plan, search, prefixes, epoch)
    tags = proven_tags(done.verdict, plan, done.grafted)
    changed, added = noted(verdict, done, plan, tags, shared, date)
    wheel = repack(done.wheel, directory, platforms=tags, changed=changed, added=added, epoch=epoch)
    if plan.settings.debug_files is not None and record is not None:
        try:
            keep_debug_files(wheel, done.verdict, record, directory / plan.settings.debug_files)
        except OSError as error:
            raise PolicyError(
                f"debug-files = {plan.settings.debug_files!r} cannot be written: {error}",
                "Name a directory that can be written.",
            ) from error
    say(f"{wheel.name} is proven" if _claims(wheel) else f"{wheel.name} is for this machine only")
    return wheel


def _without_elf(built: Path, plan: Plan, directory: Path) -> Path:
    """A wheel with no compiled file in it: unchanged, if it says nothing that is not so."""
    name = WheelName.parse(built.name)
    if plan.settings.require_native:
        raise PolicyError(
            f"{built.name} has no compiled file in it, and require-native is set",
            "An optional extension may have failed: what the real backend said stands above.",
        )
    unproven = [platform for platform in name.platforms if parse_platform_tag(platform)]
    if unproven:
        raise PolicyError(
            f"{built.name} says {'.'.join(unproven)} and has no compiled file in it",
            "The extension was not built: what the real backend said stands above.",
        )
    say(f"{built.name} has no compiled file in it and passes through as it is")
    return _copied(built, directory)


def _claims(wheel: Path) -> bool:
    return any(parse_platform_tag(platform) for platform in WheelName.parse(wheel.name).platforms)


def _copied(built: Path, directory: Path) -> Path:
    """``built`` in ``directory``, whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".manylinux-shim-", dir=directory) as scratch:
        copy = Path(shutil.copyfile(built, Path(scratch) / built.name))
        copy.replace(directory / built.name)
    return directory / built.name
