"""Leaves out the points of a track that nobody would miss."""

from trackthin._thin import length, thin

__all__ = ["length", "thin"]
