"""Trees of tensors: lists, tuples and dicts of them, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """Return what hangs on a tree that is itself no list, tuple or dict, in order; None is an empty tree.

    >>> leaves([1, {"a": 2, "b": (3, None)}])
    [1, 2, 3]
    """
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    if isinstance(tree, list | tuple):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def rebuilt(tree: Any, values: Iterator[Any]) -> Any:
    """Return a tree of the same form on which `values` hang.

    >>> rebuilt([1, {"a": 2, "b": (3, None)}], iter("xyz"))
    ['x', {'a': 'y', 'b': ('z', None)}]
    """
    if tree is None:
        return None
    if isinstance(tree, dict):
        return type(tree)((key, rebuilt(part, values)) for key, part in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(rebuilt(part, values) for part in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(rebuilt(part, values) for part in tree)
    return next(values)


def spread(short: Any, tree: Any) -> list[Any]:
    """Return, for each leaf of `tree`, what stands in its place or above it in `short`, a tree cut off earlier.

    >>> spread((0, None), ([1, 2], 3))
    [0, 0, None]
    """
    if isinstance(short, dict) and isinstance(tree, dict):
        return [x for key, part in tree.items() for x in spread(short[key], part)]
    if isinstance(short, list | tuple) and isinstance(tree, list | tuple) and len(short) == len(tree):
        return [x for above, part in zip(short, tree, strict=True) for x in spread(above, part)]
    return [short] * len(leaves(tree))
