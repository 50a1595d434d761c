"""Did you mean ...? The nearest of many names."""

from nearnames._distance import distance, distances

__all__ = ["distance", "nearest"]


def nearest(name, candidates, *, at_most=3):
    """The candidates no further away than ``at_most`` edits, nearest first."""
    candidates = list(candidates)
    ranked = sorted(zip(distances(name, candidates), candidates))
    return [candidate for edits, candidate in ranked if edits <= at_most]
