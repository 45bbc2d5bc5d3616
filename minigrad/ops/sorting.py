"""Ops that order and count: sort, topk, medians, quantiles, running extremes and products, and where values lie."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import numpy_dtype
from minigrad.errors import ArgumentError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import order as kernel
from minigrad.kernels.reduce import Dim
from minigrad.ops.elementwise import eq, exp, gt, isnan, log, ne, to, where
from minigrad.ops.index import gather, scatter_along
from minigrad.ops.reduce import amax, amin, mean, sum, var
from minigrad.ops.shape import checked_dim, concatenate, flatten, flip, narrow, reshape

_INT64 = np.dtype(np.int64)


def _kept(x: Any, shape: tuple[int, ...], dim: int, keepdim: bool) -> Any:
    """Return what was picked along `dim` with the dim of size 1 that keepdim would have left."""
    if keepdim or not shape:
        return x
    return reshape(x, shape=tuple(1 if i == dim % len(shape) else n for i, n in enumerate(shape)))


def _back(g: Any, indices: Any, shape: tuple[int, ...], dim: int, keepdim: bool = True) -> Any:
    """Return the gradient of values picked along `dim`: it goes to where they were."""
    return scatter_along(_kept(g, shape, dim, keepdim), _kept(indices, shape, dim, keepdim), shape=shape, dim=dim)


_TWO = ("values", "indices")
sorted_along = primitive(
    "sort", kernel.sort, outputs=_TWO, x=lambda g, indices, x_shape, dim: _back(g, indices, x_shape, dim)
)
top = primitive("topk", kernel.topk, outputs=_TWO, x=lambda g, indices, x_shape, dim: _back(g, indices, x_shape, dim))
median_along = primitive(
    "median", kernel.median, outputs=_TWO,
    x=lambda g, indices, x_shape, dim, keepdim: _back(g, indices, x_shape, dim, keepdim),
)  # fmt: skip
kth = primitive(
    "kthvalue", kernel.kthvalue, outputs=_TWO,
    x=lambda g, indices, x_shape, dim, keepdim: _back(g, indices, x_shape, dim, keepdim),
)  # fmt: skip
most_frequent = primitive(
    "mode", kernel.mode, outputs=_TWO,
    x=lambda g, indices, x_shape, dim, keepdim: _back(g, indices, x_shape, dim, keepdim),
)  # fmt: skip
running_max = primitive(
    "cummax", kernel.cummax, outputs=_TWO, x=lambda g, indices, x_shape, dim: _back(g, indices, x_shape, dim)
)
running_min = primitive(
    "cummin", kernel.cummin, outputs=_TWO, x=lambda g, indices, x_shape, dim: _back(g, indices, x_shape, dim)
)
log_running_sum = primitive(
    "logcumsumexp", kernel.logcumsumexp, casts="float",
    x=lambda g, x, y, dim: _shares(g, x, y, dim) - _shares(-g, x, y, dim),
)  # fmt: skip


def _shares(g: Any, x: Any, y: Any, dim: int) -> Any:
    """Return for each i the sum over j >= i of g[j] exp(x[i] - y[j]), of the positive g, without overflow.

    In place of the others there stands a number that is too small to count, whose logarithm is finite.
    """
    parts = flip(log(where(gt(g, 0), g, 1e-37)) - y, dims=(dim,))
    return exp(x + flip(log_running_sum(parts, dim=dim), dims=(dim,)))


@composite
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Return the indices that order `input` along `dim`; equals keep their order."""
    return sorted_along(input, dim=checked_dim(dim, input.ndim), descending=descending)[1]


@composite
def msort(input: Any) -> Any:
    """Return the values in ascending order along the first dim."""
    return sorted_along(input, dim=0)[0]


@composite
def cumprod(input: Any, dim: int) -> Any:
    """Return running products along `dim`: of two neighbours, then of four, and so on (Hillis & Steele, 1986)."""
    x = input if numpy_dtype(input.dtype).kind == "f" else to(input, dtype=_INT64)
    at, step = checked_dim(dim, x.ndim), 1
    if x.ndim == 0:
        return x * 1
    size = x.shape[at]
    while step < size:
        first = narrow(x, dim=at, start=0, length=step)
        later = narrow(x, dim=at, start=step, length=size - step) * narrow(x, dim=at, start=0, length=size - step)
        x, step = concatenate(first, later, dim=at), step * 2
    return x * 1 if size < 2 else x


@composite
def nansum(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Return the sum over `dim` with nan counted as 0."""
    return sum(
        input if numpy_dtype(input.dtype).kind != "f" else where(isnan(input), 0.0, input), dim=dim, keepdim=keepdim
    )


@composite
def nanmean(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Return the mean over `dim` of the values that are not nan."""
    count = sum(to(eq(input, input), dtype=input.dtype), dim=dim, keepdim=keepdim)
    return nansum(input, dim, keepdim) / count


@composite
def count_nonzero(input: Any, dim: Dim = None) -> Any:
    """Return how many elements over `dim` are not 0."""
    return sum(ne(input, 0), dim=dim)


@composite
def var_mean(input: Any, dim: Dim = None, correction: float = 1, keepdim: bool = False) -> Any:
    """Return the variance and the mean over `dim`."""
    return var(input, dim=dim, correction=correction, keepdim=keepdim), mean(input, dim=dim, keepdim=keepdim)


@composite
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the smallest and the largest value, over all or along `dim`."""
    return amin(input, dim=dim, keepdim=keepdim), amax(input, dim=dim, keepdim=keepdim)


@composite
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """Return the q-quantiles along `dim` (of all values by default), between neighbours by `interpolation`.

    `q` is a number in [0, 1] or a 1-D tensor of them, whose dim comes first. nan makes nan. Raises ArgumentError for
    another q or an interpolation other than linear, lower, higher, midpoint and nearest.
    """
    at = 0 if dim is None else checked_dim(dim, input.ndim)
    x = flatten(input) if dim is None or input.ndim == 0 else input
    values = where(sum(isnan(x), dim=at, keepdim=True) > 0, math.nan, sorted_along(x, dim=at)[0])
    last = np.full([1 if i == at else n for i, n in enumerate(x.shape)], x.shape[at] - 1)
    return _quantiles(input, values, q, last, dim, keepdim, interpolation)


@composite
def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """Return the q-quantiles along `dim` of the values that are not nan; see `quantile`."""
    at = 0 if dim is None else checked_dim(dim, input.ndim)
    x = flatten(input) if dim is None or input.ndim == 0 else input
    last = np.sum(~np.isnan(array_of(x)), axis=at, keepdims=True) - 1
    return _quantiles(input, sorted_along(x, dim=at)[0], q, np.maximum(last, 0), dim, keepdim, interpolation)


def _quantiles(input: Any, values: Any, q: Any, last: Any, dim: int | None, keepdim: bool, interpolation: str) -> Any:
    """Return the quantiles of ordered `values`, of which those up to `last` count."""
    points = np.asarray(array_of(q), np.float64)
    if points.size and not (points.min() >= 0 and points.max() <= 1):
        raise ArgumentError(f"quantile: q must be in the range [0, 1], got {points.tolist()}")
    at = 0 if dim is None else checked_dim(dim, input.ndim)
    exact = q if hasattr(q, "dtype") and numpy_dtype(q.dtype).kind == "f" else points
    each = [narrow(flatten(exact), dim=0, start=k, length=1) for k in range(points.size)]
    parts = [_between(values, part, last, at, interpolation) for part in each]
    shape = [1] * input.ndim if dim is None else [1 if i == at else n for i, n in enumerate(input.shape)]
    if not keepdim:
        shape = [] if dim is None else shape[:at] + shape[at + 1 :]
    if points.ndim == 0:
        return reshape(parts[0], shape=tuple(shape))
    return concatenate(*(reshape(part, shape=(1, *shape)) for part in parts), dim=0)


def _between(values: Any, q: Any, last: Any, dim: int, interpolation: str) -> Any:
    """Return the value at q * last of the ordered `values` along `dim`, between its neighbours."""
    kinds = ("linear", "lower", "higher", "midpoint", "nearest")
    if interpolation not in kinds:
        raise ArgumentError(f"quantile: interpolation must be one of {', '.join(kinds)}, got {interpolation!r}")
    place = np.asarray(array_of(q), np.float64) * last
    low, high = np.floor(place).astype(_INT64), np.ceil(place).astype(_INT64)
    if interpolation in ("lower", "higher", "nearest"):
        at = {"lower": low, "higher": high, "nearest": np.rint(place).astype(_INT64)}[interpolation]
        return gather(values, at, dim=dim)
    a, b = gather(values, low, dim=dim), gather(values, high, dim=dim)
    kind = numpy_dtype(values.dtype)
    weight = 0.5 if interpolation == "midpoint" else to(q * last.astype(np.float64) - low, dtype=kind)
    return where(eq(low, high), a, a + weight * (b - a))


# Counting: whole numbers, and without derivative.
searchsorted_ = primitive("searchsorted", kernel.searchsorted, edges=None, x=None)
bincount_ = primitive("bincount", kernel.bincount, x=None, weights=None)
unique_ = primitive("unique", kernel.unique, outputs=("values", "inverse", "counts"), x=None)
runs = primitive("unique_consecutive", kernel.runs, outputs=("values", "inverse", "counts"), x=None)
histogram_ = primitive("histogram", kernel.histogram, outputs=("hist", "bin_edges"), x=None)
nonzero = primitive("nonzero", lambda x: np.stack(np.nonzero(np.atleast_1d(x)), 1)[:, : x.ndim], x=None)


@composite
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Return in which of the intervals between the ordered `boundaries` each value lies; the right end belongs to it.

    With `right`, the left end does.
    """
    return searchsorted_(boundaries, input, right=right, out_int32=out_int32)


@composite
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """Return how many values lie in each of `bins` equal intervals of [min, max]; 0 and 0 mean the values' range."""
    return to(
        histogram_(input, bins=bins, low=float(min), high=float(max), margin=1.0)[0], dtype=numpy_dtype(input.dtype)
    )
