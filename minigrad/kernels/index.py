"""Indexing and its adjoint: adding values at places that may repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array


class Placeholder:
    """Marks, in an index kept as plain data, the place of an index array that travels as an input."""

    def __repr__(self) -> str:
        return "ARRAY"

    def __reduce__(self) -> str:
        return "ARRAY"


ARRAY = Placeholder()


def fill_in(index: tuple[Any, ...], arrays: tuple[Array, ...]) -> tuple[Any, ...]:
    """Return `index` with its placeholders replaced by `arrays`, in order.

    >>> fill_in((slice(None), ARRAY), (np.array([0, 0]),))
    (slice(None, None, None), array([0, 0]))
    """
    rest = iter(arrays)
    return tuple(next(rest) if i is ARRAY else i for i in index)


def getitem(x: Array, *indices: Array, index: tuple[Any, ...]) -> Array:
    """Return x[index]; a view if there are no index arrays."""
    if indices:
        return np.asarray(x[fill_in(index, indices)])
    return np.asarray(
        x[index if Ellipsis in index else (*index, Ellipsis)]
    )  # the Ellipsis keeps a single element a view


def put_among_zeros(g: Array, *indices: Array, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """Return zeros of `shape` with `g` added at `index`: the adjoint of getitem."""
    y = np.zeros(shape, g.dtype)
    place = fill_in(index, indices)
    if all(i.dtype == bool for i in indices):
        y[place] = g
    elif len(index) == 1 and g.ndim > indices[0].ndim:
        add_rows(y, indices[0], g)
    elif _is_windows(index, indices):
        _add_windows(y, len(index) - len(indices), indices, g)
    else:
        np.add.at(y, place, g)
    return y


def _is_windows(index: tuple[Any, ...], indices: tuple[Array, ...]) -> bool:
    """Return whether the index is whole dims followed by arrays of integers."""
    whole = (slice(None),) * (len(index) - len(indices))
    return index == whole + (ARRAY,) * len(indices) and all(i.dtype != bool for i in indices)


def _add_windows(y: Array, lead: int, indices: tuple[Array, ...], g: Array) -> None:
    """Add `g` into y[:, ..., :, *indices], after `lead` whole dims, in place: the places are brought together first."""
    sizes = y.shape[lead : lead + len(indices)]
    wrapped = [np.where(i < 0, i + n, i) for i, n in zip(indices, sizes, strict=True)]
    flat = np.asarray(np.ravel_multi_index(np.broadcast_arrays(*wrapped), sizes)).reshape(-1)
    if not y.size or not flat.size:
        return
    before, after = int(np.prod(y.shape[:lead])), int(np.prod(y.shape[lead + len(indices) :]))
    values = g.reshape(before, flat.size, after)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    summed = np.add.reduceat(values[:, order], starts, axis=1)
    y.reshape(before, -1, after)[:, ordered[starts]] = summed


def add_rows(y: Array, rows: Array, g: Array) -> None:
    """Add each g[k] into y[rows[k]], in place: equal rows are brought together by a stable sort and summed as runs."""
    flat = rows.reshape(-1) % len(y) if len(y) else rows.reshape(-1)
    if flat.size == 0:
        return
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    y[ordered[starts]] += np.add.reduceat(g.reshape(flat.size, *y.shape[1:])[order], starts, axis=0)


def set_items(x: Array, value: Any, *indices: Array, index: tuple[Any, ...]) -> Array:
    """Return a copy of `x` with x[index] = value."""
    y = x.copy()
    y[fill_in(index, indices)] = value
    return y


def gather(x: Array, index: Array, *, dim: int) -> Array:
    """Return the values of `x` at the places that `index` gives along `dim`; other dims of index may be smaller."""
    if x.ndim == 0 or index.size == 0:
        return np.broadcast_to(x, index.shape).copy() if x.ndim == 0 else np.zeros(index.shape, x.dtype)
    return np.asarray(x[places(index, dim)])


def scatter_along(g: Array, index: Array, *, shape: tuple[int, ...], dim: int) -> Array:
    """Return zeros of `shape` with `g` added at the places `index` gives along `dim`: the adjoint of gather."""
    return scatter_add(np.zeros(shape, g.dtype), index, g, dim=dim)


def scatter_add(x: Array, index: Array, src: Array, *, dim: int) -> Array:
    """Return a copy of `x` with the leading part of `src` that has the shape of `index` added along `dim`."""
    y = np.array(x)
    if index.size == 0:
        return y
    if y.ndim == 0:
        return np.asarray(y + src.sum())
    np.add.at(y, places(index, dim), src[tuple(slice(n) for n in index.shape)])
    return y


def places(index: Array, dim: int) -> tuple[Array, ...]:
    """Return the index arrays that select along `dim` by `index` and elsewhere keep the position."""
    if index.ndim == 0:
        return (index,)
    each = (np.arange(n).reshape((-1, *(1,) * (index.ndim - 1 - i))) for i, n in enumerate(index.shape))
    return tuple(index if i == dim % index.ndim else grid for i, grid in enumerate(each))
