"""Sorts names as people do: chapter 9 before chapter 10."""

from natural_order._order import compare, order

__all__ = ["compare", "in_order"]


def in_order(items, *, key=None):
    """A new list of ``items``, sorted by their names (``key`` of an item, else itself)."""
    items = list(items)
    names = items if key is None else [key(item) for item in items]
    return [items[place] for place in order(names)]
