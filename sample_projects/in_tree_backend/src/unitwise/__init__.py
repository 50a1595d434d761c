"""Converts lengths."""

from unitwise._convert import convert, units

__all__ = ["convert", "units"]
