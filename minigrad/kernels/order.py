"""Sorting and counting: orders along a dim, the largest k, runs of equals, and running extremes and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import DTypeError, ShapeError


def argsort(x: Array, *, dim: int = -1, descending: bool = False) -> Array:
    """Return the stable order along `dim`; nan counts as the largest."""
    if x.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    turned = np.flip(x, dim)  # equals keep their order if what is sorted runs backwards
    order = np.flip(np.argsort(turned, axis=dim, kind="stable"), dim)
    return np.asarray(x.shape[dim] - 1 - order)


def sort(x: Array, *, dim: int = -1, descending: bool = False) -> tuple[Array, Array]:
    """Return the values in order along `dim`, and where they were."""
    order = argsort(x, dim=dim, descending=descending)
    return (np.take_along_axis(x, order, axis=dim) if x.ndim else x.copy()), order


def topk(x: Array, *, k: int, dim: int = -1, largest: bool = True) -> tuple[Array, Array]:
    """Return the k largest (or smallest) values along `dim` in order, and where they were."""
    if x.ndim == 0:
        return x.copy(), np.zeros((), np.int64)
    order = np.ascontiguousarray(argsort(x, dim=dim, descending=largest)[(slice(None),) * (dim % x.ndim) + (slice(k),)])
    return np.take_along_axis(x, order, axis=dim), order


def median(x: Array, *, dim: int, keepdim: bool = False, skip_nan: bool = False) -> tuple[Array, Array]:
    """Return the lower median along `dim` and where it was: nan if there is one, unless they are skipped."""
    count = x.shape[dim] if x.ndim else 1
    missing = np.isnan(x).sum(axis=dim, keepdims=True) if x.dtype.kind == "f" else np.zeros((1,) * x.ndim, np.int64)
    last = np.where(missing > 0, count - missing, count - 1)
    place = np.maximum(count - missing - 1, 0) // 2 if skip_nan else np.where(missing > 0, last, (count - 1) // 2)
    return _picked(x, place, dim, keepdim)


def kthvalue(x: Array, *, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    """Return the k-th smallest value along `dim`, counted from 1, and where it was."""
    return _picked(x, np.full((1,) * x.ndim, k - 1), dim, keepdim)


def _picked(x: Array, place: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    """Return the values that stand at `place` in the order along `dim`, and their indices."""
    if x.ndim == 0:
        return x.copy(), np.zeros((), np.int64)
    order = argsort(x, dim=dim)
    shape = tuple(1 if i == dim % x.ndim else n for i, n in enumerate(x.shape))
    index = np.take_along_axis(order, np.broadcast_to(place, shape), axis=dim)
    values = np.take_along_axis(x, index, axis=dim)
    return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))


def mode(x: Array, *, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    """Return the most frequent value along `dim`, of several the smallest, and where it was last."""
    if x.ndim == 0:
        return x.copy(), np.zeros((), np.int64)
    rows = np.moveaxis(x, dim, -1)
    index = np.empty(rows.shape[:-1], np.int64)
    for at in np.ndindex(index.shape):
        values, counts = np.unique(rows[at], return_counts=True)
        index[at] = np.flatnonzero(rows[at] == values[counts.argmax()])[-1]
    kept = np.expand_dims(index, dim)
    found = np.take_along_axis(x, kept, axis=dim)
    return (found, kept) if keepdim else (found.squeeze(dim), index)


def cummax(x: Array, *, dim: int) -> tuple[Array, Array]:
    """Return the largest so far along `dim`, and where it was: of equals the last."""
    return _running(x, dim, np.greater_equal)


def cummin(x: Array, *, dim: int) -> tuple[Array, Array]:
    """Return the smallest so far along `dim`, and where it was: of equals the last."""
    return _running(x, dim, np.less_equal)


def _running(x: Array, dim: int, wins: Any) -> tuple[Array, Array]:
    if x.ndim == 0:
        return x.copy(), np.zeros((), np.int64)
    rows, index = np.moveaxis(x, dim, 0), np.zeros(np.moveaxis(x, dim, 0).shape, np.int64)
    best, at = rows[0].copy() if len(rows) else None, np.zeros(rows.shape[1:], np.int64)
    for i, row in enumerate(rows):
        better = wins(row, best) | (row != row)
        best, at = np.where(better, row, best), np.where(better, i, at)
        index[i] = at
    index = np.ascontiguousarray(np.moveaxis(index, 0, dim))
    return np.take_along_axis(x, index, axis=dim), index


def logcumsumexp(x: Array, *, dim: int) -> Array:
    """Return log(exp(x_1) + ... + exp(x_i)) along `dim`."""
    return np.logaddexp.accumulate(x, axis=dim) if x.ndim else x.copy()


def searchsorted(edges: Array, x: Array, *, right: bool = False, out_int32: bool = False) -> Array:
    """Return where each value would be inserted in ordered edges: 1-D, or with the leading dims of `x`."""
    side: Any = "right" if right else "left"
    kind = np.int32 if out_int32 else np.int64
    if edges.ndim == 1:
        return np.asarray(np.searchsorted(edges, x, side)).astype(kind)
    if edges.shape[:-1] != x.shape[:-1]:
        raise ShapeError(f"searchsorted: the leading dims of {edges.shape} and {x.shape} must be the same")
    found = np.empty(x.shape, kind)
    for at in np.ndindex(edges.shape[:-1]):
        found[at] = np.searchsorted(edges[at], x[at], side)
    return found


def bincount(x: Array, weights: Array | None = None, *, minlength: int = 0) -> Array:
    """Return how often each integer from 0 on occurs, or the sum of its weights."""
    if x.ndim != 1 or x.dtype.kind not in "iub" or (x.size and x.min() < 0):
        raise DTypeError(f"bincount only supports 1-d non-negative integral inputs, got {x.dtype} of shape {x.shape}")
    kind = np.int64 if weights is None else np.float32 if weights.dtype == np.float32 else np.float64
    return np.bincount(x, weights, minlength).astype(kind, copy=False)


def unique(x: Array, *, dim: int | None = None) -> tuple[Array, Array, Array]:
    """Return the different values (or slices along `dim`) in order, which of them each is, and how often they occur."""
    values, inverse, counts = np.unique(x, axis=dim, return_inverse=True, return_counts=True, equal_nan=False)
    return values, inverse.reshape(x.shape if dim is None else -1), counts


def runs(x: Array, *, dim: int | None = None) -> tuple[Array, Array, Array]:
    """Return the values (or slices along `dim`) without repeats of the one before, which each is, and the counts."""
    rows = x.reshape(-1) if dim is None else np.moveaxis(x, dim, 0)
    changed = np.ones(len(rows), bool)
    changed[1:] = (rows[1:] != rows[:-1]).any(axis=tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(changed)
    values = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, dim)
    inverse = (np.cumsum(changed) - 1).reshape(x.shape if dim is None else -1)
    return values, inverse, np.diff(np.append(starts, len(rows)))


def histogram(x: Array, *, bins: int, low: float = 0.0, high: float = 0.0, margin: float = 0.5) -> tuple[Array, Array]:
    """Return how many values lie in each of `bins` equal intervals of [low, high], and the edges.

    The last interval includes both ends; if low = high the range is that of the values, and of one value `margin` wide
    on either side.
    """
    if low == high:
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
        low, high = (low - margin, high + margin) if low == high else (low, high)
    inside = x[(x >= low) & (x <= high)].astype(np.float64)
    place = np.minimum(((inside - low) * (bins / (high - low))).astype(np.int64), bins - 1)
    return np.bincount(place, minlength=bins).astype(x.dtype), np.linspace(low, high, bins + 1).astype(x.dtype)
