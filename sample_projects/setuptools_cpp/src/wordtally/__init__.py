"""Counts words in many texts at once."""

from wordtally._tally import tally

__all__ = ["tally"]
