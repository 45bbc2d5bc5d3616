"""Reading an index as PyTorch does: first what makes a view (ints, slices, None), then the index arrays on that view.

NumPy would count an int beside an index array as an array too, and move dims to the front that PyTorch leaves.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from minigrad.errors import DTypeError, OutOfRangeError
from minigrad.graph import Recordable
from minigrad.kernels.index import ARRAY

_ALL = slice(None)


class Index(NamedTuple):
    """An index in two steps: `view` holds only ints, slices, None and Ellipsis; then `gather` places `arrays`."""

    view: tuple[Any, ...] | None
    gather: tuple[Any, ...] | None
    arrays: tuple[Any, ...]


def parse_index(index: Any, ndim: int) -> Index:
    """Split an index for a tensor of `ndim` dims; None stands for a step that has nothing to do.

    >>> parse_index((0, slice(1, 3)), 3)
    Index(view=(0, slice(1, 3, None)), gather=None, arrays=())
    >>> parse_index((0, slice(None), [1, 1]), 3).view
    (0, slice(None, None, None), slice(None, None, None))
    """
    view: list[Any] = []
    gather: list[Any] = []
    arrays: list[Any] = []
    used = 0
    for item in index if isinstance(index, tuple) else (index,):
        part = _read(item)
        if part is None or part is Ellipsis:
            view.append(part)
            gather.append(_ALL if part is None else part)
        elif isinstance(part, slice):
            view.append(part)
            gather.append(_ALL)
            used += 1
        elif isinstance(part, int):
            view.append(part)
            used += 1
        else:
            covered = part.ndim if _is_mask(part) else 1
            view += [_ALL] * covered
            gather.append(ARRAY)
            arrays.append(part)
            used += covered
    if used > ndim == 0 and not arrays:
        raise OutOfRangeError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    if used > ndim:
        raise OutOfRangeError(f"too many indices for tensor of dimension {ndim}: {used} were given")
    plain = all(part is Ellipsis or part == _ALL for part in view)
    return Index(None if plain and arrays else tuple(view), tuple(gather) if arrays else None, tuple(arrays))


def _is_mask(part: Any) -> bool:
    return np.dtype(part.dtype).kind == "b"


def _read(item: Any) -> Any:
    """Return one element of an index as an int, slice, None, Ellipsis, or an array of integers or bools."""
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        return slice(*(None if v is None else operator.index(v) for v in (item.start, item.stop, item.step)))
    if isinstance(item, bool | np.bool_):
        return np.asarray(item)
    if isinstance(item, int | np.integer):
        return int(item)
    array: Any = item if isinstance(item, Recordable) else np.asarray(item)
    kind = np.dtype(array.dtype).kind
    if kind in "iu" and array.ndim == 0:
        return operator.index(array)
    if isinstance(array, np.ndarray) and array.size == 0 and kind == "f":
        return array.astype(np.int64)
    if kind not in "iub":
        raise DTypeError(f"tensors used as indices must be integer or bool tensors, got {array.dtype}")
    return array
