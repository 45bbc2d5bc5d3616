"""Reductions: sums, means, extremes, norms, softmax and cumulative sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import numpy_dtype
from minigrad.graph import composite, primitive
from minigrad.kernels import reduce as kernel
from minigrad.kernels.half import in_float32
from minigrad.kernels.reduce import Dim, axes
from minigrad.ops.elementwise import abs, eq, exp, isnan, logical_or, ne, sign, to, where
from minigrad.ops.index import scatter_along
from minigrad.ops.shape import checked_dim, concatenate, expand, flatten, flip, narrow, permute, reshape


def _kept(x: Any, shape: tuple[int, ...], dim: Dim, keepdim: bool) -> Any:
    """Return a reduction's result or gradient with the dims of size 1 that keepdim would have left in it."""
    if keepdim or not shape:
        return x
    over = axes(dim, len(shape))
    return reshape(x, shape=tuple(1 if i in over else n for i, n in enumerate(shape)))


def count_over(shape: tuple[int, ...], dim: Dim) -> int:
    """Return how many elements are reduced to one."""
    return math.prod(shape[a] for a in axes(dim, len(shape)))


def divided(g: Any, count: int) -> Any:
    """Return the part of a gradient that each of so many gets; float16 cannot hold a larger count than 65504."""
    if count > 65504 and g.dtype.itemsize == 2:
        return g * (1 / count)
    return g / max(count, 1)


def _spread(g: Any, shape: tuple[int, ...], dim: Dim, keepdim: bool) -> Any:
    """Return the gradient of a sum: the same for all that were summed."""
    return expand(_kept(g, shape, dim, keepdim), shape=shape)


def _ties(g: Any, x: Any, y: Any, dim: Dim, keepdim: bool) -> Any:
    """Return the gradient of an extreme: shared evenly by all that attain it (if there are nans, that is they)."""
    attained = logical_or(eq(x, _kept(y, x.shape, dim, keepdim)), isnan(x))
    count = to(sum(attained, dim=dim, keepdim=True), dtype=g.dtype)
    return where(attained, _kept(g, x.shape, dim, keepdim) / count, 0.0)


def _divisor(shape: tuple[int, ...], dim: Dim, correction: int) -> int:
    """Return what a variance is divided by."""
    return max(count_over(shape, dim) - correction, 0)


def _var_rule(g: Any, x: Any, dim: Dim, correction: int, keepdim: bool) -> Any:
    """Return the gradient of a variance; of too few values, which have none, it is nan."""
    divisor = _divisor(x.shape, dim, correction)
    scale = g * (2 / divisor if divisor else math.inf)
    return _kept(scale, x.shape, dim, keepdim) * (x - mean(x, dim=dim, keepdim=True))


def _std_rule(g: Any, x: Any, y: Any, dim: Dim, correction: int, keepdim: bool) -> Any:
    """Return the gradient of a standard deviation, 0 where all values are equal."""
    slope = g / (where(eq(y, 0), 1.0, y) * _divisor(x.shape, dim, correction))
    return _kept(where(eq(y, 0), 0.0, slope), x.shape, dim, keepdim) * (x - mean(x, dim=dim, keepdim=True))


def _norm_rule(g: Any, x: Any, y: Any, p: float, dim: Dim, keepdim: bool) -> Any:
    """Return the gradient of a p-norm, 0 at the zero vector."""
    length = where(eq(y, 0), 1.0, y)  # nothing infinite may arise even where it is masked: 0 * inf is nan one order on
    scale = where(eq(y, 0), 0.0, g / length if p == 2 else g)
    direction = x
    if p != 2:
        share = abs(where(eq(x, 0), 1.0, x)) / _kept(length, x.shape, dim, keepdim)
        direction = sign(x) * share ** (p - 1)
    return direction * _kept(scale, x.shape, dim, keepdim)


sum = primitive(
    "sum", kernel.sum_,
    x=lambda g, x_shape, dim, keepdim: _spread(g, x_shape, dim, keepdim),
)  # fmt: skip
mean = primitive(
    "mean", in_float32(kernel.mean), casts="floating",
    x=lambda g, x_shape, dim, keepdim: _spread(divided(g, count_over(x_shape, dim)), x_shape, dim, keepdim),
)  # fmt: skip
amax = primitive("amax", kernel.amax, x=lambda g, x, y, dim, keepdim: _ties(g, x, y, dim, keepdim))
amin = primitive("amin", kernel.amin, x=lambda g, x, y, dim, keepdim: _ties(g, x, y, dim, keepdim))
max_along = primitive(
    "max", kernel.max_along, outputs=("values", "indices"),
    x=lambda g, indices, x_shape, dim, keepdim: scatter_along(
        _kept(g, x_shape, dim, keepdim), _kept(indices, x_shape, dim, keepdim), shape=x_shape, dim=dim),
)  # fmt: skip
min_along = primitive(
    "min", kernel.min_along, outputs=("values", "indices"),
    x=lambda g, indices, x_shape, dim, keepdim: scatter_along(
        _kept(g, x_shape, dim, keepdim), _kept(indices, x_shape, dim, keepdim), shape=x_shape, dim=dim),
)  # fmt: skip
argmax = primitive("argmax", kernel.argmax, x=None)
argmin = primitive("argmin", kernel.argmin, x=None)
var = primitive("var", in_float32(kernel.var), casts="floating", x=_var_rule)
std = primitive("std", in_float32(kernel.std), casts="floating", x=_std_rule)
vector_norm = primitive("norm", in_float32(kernel.norm), casts="floating", x=_norm_rule)
logsumexp = primitive(
    "logsumexp", in_float32(kernel.logsumexp), casts="float",
    x=lambda g, x, y, dim, keepdim: (
        _kept(g, x.shape, dim, keepdim) * exp(x - _kept(y, x.shape, dim, keepdim))),
)  # fmt: skip
softmax = primitive(
    "softmax",
    in_float32(kernel.softmax),
    casts="floating",
    x=lambda g, y, dim: y * (g - sum(g * y, dim=dim, keepdim=True)),
)
log_softmax = primitive(
    "log_softmax",
    in_float32(kernel.log_softmax),
    casts="floating",
    x=lambda g, y, dim: g - exp(y) * sum(g, dim=dim, keepdim=True),
)
cumsum = primitive(
    "cumsum", kernel.cumsum, x=lambda g, dim: flip(cumsum(flip(g, dims=(dim,)), dim=dim), dims=(dim,))
)  # fmt: skip


@composite
def norm(x: Any, p: float | str = 2.0, dim: Dim = None, keepdim: bool = False) -> Any:
    """Return the p-norm of the values over `dim` (all of them by default); inf is the largest absolute value."""
    if p in ("fro", 2):
        return vector_norm(x, p=2.0, dim=dim, keepdim=keepdim)
    if p == math.inf:
        return amax(abs(x), dim=dim, keepdim=keepdim)
    if p == -math.inf:
        return amin(abs(x), dim=dim, keepdim=keepdim)
    if p == 0:
        return sum(to(ne(x, 0), dtype=x.dtype), dim=dim, keepdim=keepdim)
    if p == 1:
        return sum(abs(x), dim=dim, keepdim=keepdim)
    return vector_norm(x, p=float(p), dim=dim, keepdim=keepdim)


@composite
def prod(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the product of all values, or along `dim`.

    Halves are multiplied with halves, so that the gradient is right where values are 0, at every order.
    """
    if numpy_dtype(x.dtype).kind != "f":
        x = to(x, dtype=np.dtype(np.int64))
    if dim is None:
        return reshape(_product(flatten(x)), shape=()) if x.ndim else x
    if x.ndim == 0:
        return x
    at = checked_dim(dim, x.ndim)
    order = (*(i for i in range(x.ndim) if i != at), at)
    product = _product(permute(x, dims=order))
    shape = tuple(1 if i == at else n for i, n in enumerate(x.shape) if keepdim or i != at)
    return reshape(product, shape=shape)


def _product(x: Any) -> Any:
    """Return the product along the last dim, which stays with size 1."""
    last = x.ndim - 1
    if x.shape[last] == 0:
        return sum(x, dim=last, keepdim=True) + 1
    while (n := x.shape[last]) > 1:
        half = n // 2
        y = narrow(x, dim=last, start=0, length=half) * narrow(x, dim=last, start=half, length=half)
        if n % 2:
            odd = narrow(x, dim=last, start=n - 1, length=1)
            first = narrow(y, dim=last, start=0, length=1) * odd
            rest = narrow(y, dim=last, start=1, length=half - 1)
            y = concatenate(first, rest, dim=last)
        x = y
    return x
