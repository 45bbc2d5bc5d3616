"""Places along a dim and on diagonals, written, added and reduced; and windows that overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.dtypes import Array
from minigrad.errors import ShapeError
from minigrad.kernels.index import places


def diagonal(x: Array, *, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """Return a view of the elements x[i, i + offset] of two dims, as the last dim."""
    a, b = dim1 % x.ndim, dim2 % x.ndim
    if a == b:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    length = max(min(x.shape[a] + min(offset, 0), x.shape[b] - max(offset, 0)), 0)
    start = [slice(None)] * x.ndim
    if length:
        start[a], start[b] = slice(max(-offset, 0), None), slice(max(offset, 0), None)
    rest = [i for i in range(x.ndim) if i not in (a, b)]
    corner = x[tuple(start)]
    shape = (*(x.shape[i] for i in rest), length)
    return as_strided(corner, shape, (*(x.strides[i] for i in rest), x.strides[a] + x.strides[b]))


def on_diagonal(g: Array, *, shape: tuple[int, ...], offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """Return zeros of `shape` with `g` on a diagonal: the adjoint of diagonal."""
    y = np.zeros(shape, g.dtype)
    diagonal(y, offset=offset, dim1=dim1, dim2=dim2)[...] = g
    return y


def windows(x: Array, *, dim: int, size: int, step: int) -> Array:
    """Return a view of the windows of `size` along `dim`, every `step`; the place in the window is the last dim."""
    if x.ndim == 0:
        return as_strided(x, (size,), (0,))
    count = (x.shape[dim] - size) // step + 1
    if size > x.shape[dim] or step < 1:
        raise ShapeError(f"unfold: size {size} and step {step} do not fit dim {dim} of size {x.shape[dim]}")
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    strides = (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim])
    return as_strided(x, shape, strides)


def add_windows(g: Array, *, shape: tuple[int, ...], dim: int, step: int) -> Array:
    """Return zeros of `shape` with windows added where they were taken: the adjoint of windows."""
    y = np.zeros(shape, g.dtype)
    if not shape:
        return np.asarray(g.sum(), g.dtype)
    for k in range(g.shape[-1]):
        y[(slice(None),) * dim + (slice(k, k + step * (g.shape[dim] - 1) + 1, step),)] += g[..., k]
    return y


def strided(x: Array, *, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> Array:
    """Return a view of the elements offset + sum(place * stride) of the flat `x`: a copy if that lies otherwise.

    Raises ShapeError if one of them is outside of `x`.
    """
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if min((offset, *stride)) < 0 or (0 not in size and last >= x.size):
        raise ShapeError(
            f"as_strided: size {size}, stride {stride} and storage offset {offset} reach element {last}, out of "
            f"bounds for storage of {x.size} elements"
        )
    return as_strided(x.reshape(-1)[offset:], size, tuple(s * x.itemsize for s in stride))


def add_strided(g: Array, *, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> Array:
    """Return zeros of `shape` with `g` added where `strided` reads: its adjoint."""
    y = np.zeros(shape, g.dtype)
    places = strided(np.arange(y.size), size=g.shape, stride=stride, offset=offset)
    np.add.at(y.reshape(-1), places, g)
    return y


def scatter(x: Array, index: Array, src: Any, *, dim: int) -> Array:
    """Return a copy of `x` with values of `src` written at the places `index` gives along `dim`; the last one stays."""
    y = np.array(x)
    values = src[tuple(slice(n) for n in index.shape)] if isinstance(src, np.ndarray) and src.ndim else src
    if y.ndim == 0:
        return np.asarray(values if np.ndim(values) == 0 else values.reshape(-1)[-1], y.dtype)
    y[places(index, dim)] = values
    return y


_REDUCERS: dict[str, Any] = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def scatter_reduce(x: Array, index: Array, src: Array, *, dim: int, reduce: str, include_self: bool = True) -> Array:
    """Return a copy of `x` with values of `src` multiplied in, or their extremes taken, at places along `dim`."""
    y, ufunc = np.array(x), _REDUCERS[reduce]
    values, at = src[tuple(slice(n) for n in index.shape)], places(index, dim)
    if not include_self:
        info: Any = np.finfo(x.dtype) if x.dtype.kind == "f" else np.iinfo(x.dtype)
        low, high = (-np.inf, np.inf) if x.dtype.kind == "f" else (info.min, info.max)
        y[at if y.ndim else ()] = {"prod": 1, "amax": low, "amin": high}[reduce]
    ufunc.at(y, at if y.ndim else (), values)
    return y


def masked_scatter(x: Array, mask: Array, source: Array) -> Array:
    """Return a copy of `x` with the first values of `source` written, in order, where `mask` is True."""
    y = np.array(np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape)))
    where = np.broadcast_to(mask, y.shape)
    count = int(where.sum())
    if source.size < count:
        raise ShapeError(f"masked_scatter: source has {source.size} elements, the mask {count} places")
    y[where] = source.reshape(-1)[:count]
    return y
