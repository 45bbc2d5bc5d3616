"""Reductions over axes, with sums that lose no more digits than they must."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.half import HALF, SINGLE
from minigrad.kernels.threads import alone

Dim = int | tuple[int, ...] | None
_FEW = 16
_MATRIX = 256


def axes(dim: Dim, ndim: int) -> tuple[int, ...]:
    """Return `dim` as a sorted tuple of axes counted from the front; None and () mean all of them."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = dim if isinstance(dim, tuple | list) else (dim,)
    if ndim == 0:
        return ()
    return tuple(sorted(d % ndim for d in dims))


def sum_(x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """Return the sum over `dim`; integers and bools are summed as int64.

    NumPy halves a run of neighbours in memory and sums the halves, but adds rows to rows one after the other, and
    there the rounding errors of floats would grow with the count: those dims are folded instead.
    """
    if x.dtype.kind != "f":
        return np.asarray(np.sum(x, axis=_axis(dim), keepdims=keepdim, dtype=np.int64))
    return _sum_over(x, axes(dim, x.ndim), keepdim)


def _sum_over(x: Array, over: tuple[int, ...], keepdim: bool = False) -> Array:
    """Return the sum of floats over these axes."""
    if x.dtype is HALF:  # NumPy rounds the parts of a sum to float16, in which 65520 is infinite
        return _sum_over(x.astype(SINGLE), over, keepdim).astype(HALF)
    if over == (0,) and x.ndim == 2 and len(x) <= _MATRIX and x.flags.c_contiguous:
        total = np.matmul(ones(len(x), x.dtype), x)  # a few rows: the matrix product is the quickest, and as exact
        return total[None] if keepdim else total
    if not over or x.size <= _FEW:
        return np.asarray(x.sum(axis=over, keepdims=keepdim))
    if x.flags.c_contiguous and over[0] == x.ndim - len(over):
        rows = row_sums(x.reshape(*x.shape[: over[0]], -1)) if x.size else np.sum(x, axis=over)
        return np.asarray(rows.reshape(*rows.shape, *(1,) * len(over)) if keepdim else rows)
    y, run = x, _neighbours(x, over)
    if run:
        y = np.add.reduce(y, axis=run, keepdims=True)
    for axis in over:
        if axis not in run:
            y = _folded(y, axis)
    return y if keepdim else np.asarray(y.squeeze(over))


def row_sums(x: Array) -> Array:
    """Return the sums along the last axis; of short rows by a product, since NumPy's sum costs as much again a row.

    BLAS has one thread for it: with more a product of a vector takes many times as long where a core is busy.
    """
    if x.shape[-1] <= _MATRIX:
        with alone(x.size):
            return np.asarray(np.matmul(x, ones(x.shape[-1], x.dtype)))
    return np.asarray(np.add.reduce(x, axis=-1))


def largest(x: Array, dim: int) -> Array:
    """Return the largest value along `dim`, which stays with size 1; of nothing it is -inf.

    Along short rows it is looked up where `argmax` finds it, which is quicker than NumPy's maximum over them.
    """
    count = x.shape[dim] if x.ndim else 0
    if not (x.size and 0 < count <= _MATRIX and x.flags.c_contiguous and dim % x.ndim == x.ndim - 1):
        return np.asarray(np.max(x, axis=dim, keepdims=True, initial=-np.inf))
    places = x.reshape(-1, count).argmax(axis=1)
    places += multiples(len(places), count)
    return x.take(places).reshape(*x.shape[:-1], 1)


@functools.lru_cache(16)
def multiples(count: int, step: int) -> Array:
    """Return 0, step, 2 step, ...: `count` of them; read only, since it is kept."""
    found = np.arange(count) * step
    found.flags.writeable = False
    return found


@functools.lru_cache(256)
def ones(count: int, kind: np.dtype[Any]) -> Array:
    """Return ones, kept for the next time."""
    return np.ones(count, kind)


def _neighbours(x: Array, over: tuple[int, ...]) -> tuple[int, ...]:
    """Return those of the axes `over` whose elements lie one after the other in memory, at even steps."""
    run: list[int] = []
    reach = None
    for a in sorted(range(x.ndim), key=lambda a: abs(x.strides[a]) if x.shape[a] != 1 else -1):
        step = abs(x.strides[a])
        if a not in over or (x.shape[a] != 1 and reach not in (None, step)):
            break
        run.append(a)
        reach = reach if x.shape[a] == 1 else step * x.shape[a]
    return tuple(run)


def _folded(x: Array, axis: int) -> Array:
    """Sum over `axis`, which stays with size 1: at most _FEW rows are added to each other before their sums are."""
    while (n := x.shape[axis]) > _FEW:
        rows = -(-n // _FEW)
        times = n // rows
        parts = narrowed(x, axis, 0, times * rows)
        y = np.add.reduce(parts.reshape(*x.shape[:axis], times, rows, *x.shape[axis + 1 :]), axis=axis)
        if rest := n - times * rows:
            narrowed(y, axis, 0, rest)[...] += narrowed(x, axis, n - rest, n)
        x = y
    return np.asarray(np.add.reduce(x, axis=axis, keepdims=True))


def narrowed(x: Array, axis: int, start: int, stop: int) -> Array:
    """Return a view of a part of one axis."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _axis(dim: Dim) -> Any:
    return None if dim == () else tuple(dim) if isinstance(dim, list) else dim


def mean(x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """Return the mean over `dim`; of nothing it is nan."""
    count = math.prod(x.shape[a] for a in axes(dim, x.ndim))
    total = sum_(x, dim=dim, keepdim=keepdim)
    return np.asarray(total / x.dtype.type(count))


def amax(x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """Return the largest value over `dim`."""
    return np.asarray(np.max(x, axis=_axis(dim), keepdims=keepdim))


def amin(x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """Return the smallest value over `dim`."""
    return np.asarray(np.min(x, axis=_axis(dim), keepdims=keepdim))


def argmax(x: Array, *, dim: int | None = None, keepdim: bool = False) -> Array:
    """Return the index of the first largest value along `dim`, or in the flattened array."""
    return np.asarray(np.argmax(x, axis=dim, keepdims=keepdim))


def argmin(x: Array, *, dim: int | None = None, keepdim: bool = False) -> Array:
    """Return the index of the first smallest value along `dim`, or in the flattened array."""
    return np.asarray(np.argmin(x, axis=dim, keepdims=keepdim))


def max_along(x: Array, *, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """Return the largest values along `dim` and their indices, of equals the first."""
    return _along(x, np.argmax(x, axis=dim, keepdims=True) if x.ndim else None, dim, keepdim)


def min_along(x: Array, *, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """Return the smallest values along `dim` and their indices, of equals the first."""
    return _along(x, np.argmin(x, axis=dim, keepdims=True) if x.ndim else None, dim, keepdim)


def _along(x: Array, index: Array | None, dim: int, keepdim: bool) -> tuple[Array, Array]:
    if index is None:
        return x.copy(), np.zeros((), np.int64)
    values = np.take_along_axis(x, index, axis=dim)
    return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))


def log_softmax(x: Array, *, dim: int) -> Array:
    """Return x - log(sum(exp(x))) along `dim`, shifted by the maximum so that nothing overflows."""
    shifted = x - largest(x, dim)
    return np.asarray(shifted - np.log(sum_(np.exp(shifted), dim=dim, keepdim=True)))


def softmax(x: Array, *, dim: int) -> Array:
    """Return exp(x) / sum(exp(x)) along `dim`, shifted by the maximum so that nothing overflows."""
    y = np.asarray(x - largest(x, dim))
    np.exp(y, out=y)
    return np.asarray(np.divide(y, sum_(y, dim=dim, keepdim=True), out=y))


def logsumexp(x: Array, *, dim: Dim, keepdim: bool = False) -> Array:
    """Return log(sum(exp(x))) over `dim`, shifted by the maximum so that nothing overflows."""
    over = axes(dim, x.ndim)
    top = np.max(x, axis=over, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    total = np.asarray(np.log(sum_(np.exp(x - top), dim=over, keepdim=True)) + top)
    return total if keepdim else np.asarray(total.squeeze(over))


def var(x: Array, *, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Array:
    """Return the variance over `dim`, divided by the count minus `correction` (1: unbiased); of too few it is nan."""
    away = x - mean(x, dim=dim, keepdim=True)
    count = max(math.prod(x.shape[a] for a in axes(dim, x.ndim)) - correction, 0)
    return np.asarray(sum_(np.square(away), dim=dim, keepdim=keepdim) / x.dtype.type(count))


def std(x: Array, *, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Array:
    """Return the standard deviation over `dim`: the square root of the variance."""
    return np.asarray(np.sqrt(var(x, dim=dim, correction=correction, keepdim=keepdim)))


def norm(x: Array, *, p: float = 2.0, dim: Dim = None, keepdim: bool = False) -> Array:
    """Return (sum |x|**p) ** (1/p) over `dim`."""
    if p == 2:
        return np.asarray(np.sqrt(sum_(np.square(x), dim=dim, keepdim=keepdim)))
    total = sum_(np.abs(x, dtype=np.float64) ** p, dim=dim, keepdim=keepdim)  # powers and roots lose digits of float32
    return np.asarray(total ** (1 / p)).astype(x.dtype)


def cumsum(x: Array, *, dim: int) -> Array:
    """Return running sums along `dim`; what is to be a float is summed in double precision."""
    if x.dtype.kind != "f":
        return np.cumsum(x, axis=dim, dtype=np.int64).reshape(x.shape)
    return np.cumsum(x, axis=dim, dtype=np.float64).astype(x.dtype).reshape(x.shape)


def sum_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """Sum `x` down to `shape`, from which broadcasting would bring it back: the adjoint of broadcasting."""
    lead = x.ndim - len(shape)
    over = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1 and x.shape[i + lead] != 1))
    if not over:
        return np.array(x.reshape(shape))
    return _sum_over(x, over).reshape(shape) if x.dtype.kind == "f" else sum_(x, dim=over).reshape(shape)
