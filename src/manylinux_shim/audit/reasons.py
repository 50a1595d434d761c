"""Why a wheel has not earned a policy: values, and their one sentence each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from manylinux_shim._platforms import Policy
from manylinux_shim.audit._policies import Floor, floor_of

LIBRARY = "library"
SYMBOL = "symbol"
SYMBOL_VERSION = "symbol-version"
LIBC = "libc"
MACHINE = "machine"
RUN_PATH = "run-path"
EXECUTABLE_STACK = "executable-stack"
ISA = "isa"
SUFFIX = "suffix"
RELR = "packed-relocations"
STABLE_ABI = "stable-abi"
PYTHON_TAG = "python-tag"
TAG = "tag"
KINDS = (
    TAG, MACHINE, LIBC, PYTHON_TAG, SUFFIX, LIBRARY, RUN_PATH, EXECUTABLE_STACK, ISA,
    STABLE_ABI, SYMBOL, RELR, SYMBOL_VERSION,
)  # fmt: skip
"""All kinds of reasons, the worst first."""


@dataclass(frozen=True)
class Reason:
    """One thing that stands between a wheel and a tag."""

    policy: Optional[Policy]
    """The policy that it stands against (the newest such, where none was asked for);
    None if it stands against all."""
    file: str
    """The archive member; empty if it concerns the wheel as a whole."""
    kind: str
    """One of ``KINDS``."""
    symbol: Optional[str] = None
    version: Optional[str] = None
    library: Optional[str] = None
    allowed: str = ""
    """What the policy allows, or what is wrong, as a clause."""
    remedy: str = ""
    """What to do about it, as a sentence."""

    def __str__(self) -> str:
        """*File, symbol@version, library, what the policy allows, what to do*: two lines."""
        return f"{self.statement}\n  {self.remedy}" if self.remedy else self.statement

    @property
    def statement(self) -> str:
        """The same without what to do: one line."""
        both = self.symbol is not None and self.version is not None
        symbol = f"{self.symbol}@{self.version}" if both else self.symbol or self.version
        return ", ".join(part for part in (self.file, symbol, self.library, self.allowed) if part)


@dataclass(frozen=True)
class Requirement:
    """What one file asks for, and from which version of a libc on it gets it."""

    family: str
    """``"manylinux"`` or ``"musllinux"``."""
    floor: Floor
    """The oldest libc version that has it; ``NEVER`` if no policy allows it."""
    reason: Reason
    """The reason against every policy below ``floor``; its ``allowed`` may have a
    ``{policy}`` to fill in."""

    def against(self, policy: Policy) -> Optional[Reason]:
        """The reason against ``policy``, or None if that allows it."""
        if policy.family != self.family or self.floor <= floor_of(policy):
            return None
        return self.stated(policy)

    def stated(self, policy: Optional[Policy]) -> Reason:
        """The reason with a policy filled in."""
        name = policy.name if policy is not None else self.family
        libc = "glibc" if self.family == "manylinux" else "musl"
        version = policy.version if policy is not None else ""
        allowed = self.reason.allowed
        for mark, text in (("{policy}", name), ("{libc}", f"{libc} {version}".strip())):
            allowed = allowed.replace(mark, text)
        return replace(self.reason, policy=policy, allowed=allowed)
