"""Debian's packages of any release and architecture: those that ``try`` makes its systems of."""

from __future__ import annotations

from manylinux_shim.commands.trying._debian import Source, host, source, tree

__all__ = ["Source", "host", "source", "tree"]
