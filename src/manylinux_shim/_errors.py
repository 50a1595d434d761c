"""The errors that a user can meet.

Every one says what went wrong, where, and what to do about it. The hooks and
the command line print them as a few lines and leave with a non-zero exit code;
a traceback on a user's screen is a bug of ours.
"""

from __future__ import annotations


class ShimError(Exception):
    """Base of every error that manylinux-shim raises on purpose.

    ``message`` says what is wrong and where, ``remedy`` what to do about it.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Both parts, the remedy on lines of its own."""
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class SettingsError(ShimError):
    """A setting is missing, unknown, contradictory or of the wrong type."""


class BackendError(ShimError):
    """The real backend cannot be imported, or did not do its job."""


class ToolchainError(ShimError):
    """zig, its sysroot or its caches cannot be used."""


class WheelError(ShimError):
    """A file is not a wheel that can be read, or cannot be written as one."""


class ElfError(ShimError):
    """A file starts like an ELF file and then breaks the format."""


class PolicyError(ShimError):
    """The wheel was read, and has not earned the platform tag asked for."""
