"""Ops that move elements without computing: reshape, permute, expand, join, split, flip, and triangles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import OutOfRangeError, ShapeError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import reduce as kernel

Shape = tuple[int, ...]


def checked_dim(dim: int, ndim: int) -> int:
    """Return `dim` counted from the front; it must lie in [-ndim, ndim - 1] (a 0-d array counts as 1-d).

    >>> checked_dim(-1, 3)
    2
    """
    n = max(ndim, 1)
    if not -n <= dim < n:
        raise OutOfRangeError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def _reshape(x: Array, *, shape: Shape) -> Array:
    try:
        return x.reshape(shape)
    except ValueError:
        raise ShapeError(
            f"reshape: shape {tuple(shape)} is invalid for input of size {x.size}, shape {x.shape}"
        ) from None


def _permute(x: Array, *, dims: Shape) -> Array:
    try:
        return x.transpose(dims)
    except ValueError:
        raise ShapeError(
            f"permute: dims {tuple(dims)} are not a permutation of the {x.ndim} dims of shape {x.shape}"
        ) from None


def _expand(x: Array, *, shape: Shape) -> Array:
    if tuple(shape[len(shape) - x.ndim :]) == x.shape and all(n == 1 for n in shape[: len(shape) - x.ndim]):
        return x[(None,) * (len(shape) - x.ndim)]  # nothing is repeated, and so it may be written to
    try:
        return np.broadcast_to(x, shape)
    except ValueError:
        raise ShapeError(f"expand: shape {x.shape} cannot be expanded to {tuple(shape)}") from None


def _inverse(dims: Shape) -> Shape:
    """Return the permutation that undoes `dims`."""
    return tuple(int(i) for i in np.argsort([d % len(dims) for d in dims]))


reshape = primitive("reshape", _reshape, view="dense", x=lambda g, x_shape: reshape(g, shape=x_shape))
permute = primitive("permute", _permute, view="strided", x=lambda g, dims: permute(g, dims=_inverse(dims)))
expand = primitive("expand", _expand, view="strided", x=lambda g, x_shape: sum_to(g, shape=x_shape))
sum_to = primitive("sum_to", kernel.sum_to, x=lambda g, x_shape: expand(g, shape=x_shape))
flip = primitive(
    "flip", lambda x, *, dims: np.flip(x, dims if x.ndim else ()).copy(), x=lambda g, dims: flip(g, dims=dims)
)


def _concatenate(*xs: Array, dim: int) -> Array:
    try:
        return np.concatenate(xs, axis=dim)
    except ValueError:
        raise ShapeError(_misfit(xs, dim)) from None


def _misfit(xs: tuple[Array, ...], dim: int) -> str:
    """Return what is to be said of arrays that cannot be joined along `dim`."""
    first = xs[0].shape
    for i, x in enumerate(xs):
        if x.ndim != len(first):
            return f"cat: Tensors must have same number of dimensions: got {len(first)} and {x.ndim}, of tensor {i}"
        for axis, (expected, got) in enumerate(zip(first, x.shape, strict=True)):
            if axis != dim and got != expected:
                return (
                    f"cat: Sizes of tensors must match except in dimension {dim}. Expected size {expected} but got "
                    f"size {got} for tensor number {i} in the list, in dimension {axis}: shapes {first} and {x.shape}"
                )
    return f"cat: shapes {[x.shape for x in xs]} cannot be joined along dimension {dim}"


def _narrow(x: Array, *, dim: int, start: int, length: int) -> Array:
    return x[(slice(None),) * dim + (slice(start, start + length),)]


def _widen(x: Array, *, dim: int, start: int, size: int) -> Array:
    """Return zeros of `size` along `dim` with `x` placed from `start` on."""
    y = np.zeros((*x.shape[:dim], size, *x.shape[dim + 1 :]), x.dtype)
    _narrow(y, dim=dim, start=start, length=x.shape[dim])[...] = x
    return y


# A part of an axis, and its adjoint, the part put back among zeros: each is the other's rule.
narrow = primitive(
    "narrow", _narrow, view="strided",
    x=lambda g, x_shape, dim, start: widen(g, dim=dim, start=start, size=x_shape[dim]),
)  # fmt: skip
widen = primitive(
    "widen", _widen, x=lambda g, x_shape, dim, start: narrow(g, dim=dim, start=start, length=x_shape[dim])
)
concatenate = primitive(
    "cat", _concatenate, casts="promote",
    variadic={
        "xs": lambda g, i, xs_shape, dim: narrow(
            g, dim=dim, start=sum(s[dim] for s in xs_shape[:i]), length=xs_shape[i][dim]
        )
    },
)  # fmt: skip
tril = primitive(
    "tril", lambda x, *, diagonal=0: np.tril(x, diagonal), x=lambda g, diagonal: tril(g, diagonal=diagonal)
)
triu = primitive(
    "triu", lambda x, *, diagonal=0: np.triu(x, diagonal), x=lambda g, diagonal: triu(g, diagonal=diagonal)
)


@composite
def cat(tensors: Any, dim: int = 0) -> Any:
    """Join tensors along an existing dim; the other dims must agree. Empty 1-D tensors are skipped, as in PyTorch."""
    kept = [t for t in tensors if t.shape != (0,)] or list(tensors)
    if not kept:
        raise ShapeError("cat: expected a non-empty list of tensors")
    if any(t.ndim == 0 for t in kept):
        raise ShapeError("cat: zero-dimensional tensor cannot be concatenated; use stack")
    return concatenate(*kept, dim=checked_dim(dim, kept[0].ndim))


@composite
def stack(tensors: Any, dim: int = 0) -> Any:
    """Join tensors of one shape along a new dim."""
    tensors = list(tensors)
    if len({tuple(t.shape) for t in tensors}) != 1:
        shapes = " and ".join(f"{list(t.shape)} at entry {i}" for i, t in enumerate(tensors))
        raise ShapeError(f"stack expects each tensor to be equal size, but got {shapes or 'none'}")
    return cat([unsqueeze(t, dim) for t in tensors], checked_dim(dim, tensors[0].ndim + 1))


@composite
def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Return a view with two dims exchanged."""
    dims = list(range(x.ndim))
    if x.ndim:
        a, b = checked_dim(dim0, x.ndim), checked_dim(dim1, x.ndim)
        dims[a], dims[b] = dims[b], dims[a]
    return permute(x, dims=tuple(dims))


@composite
def unsqueeze(x: Any, dim: int) -> Any:
    """Return a view with a dim of size 1 inserted at `dim`."""
    at = checked_dim(dim, x.ndim + 1)
    return reshape(x, shape=(*x.shape[:at], 1, *x.shape[at:]))


@composite
def squeeze(x: Any, dim: int | Shape | None = None) -> Any:
    """Return a view without its dims of size 1, or without `dim` if that has size 1."""
    dims = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    gone = {checked_dim(d, x.ndim) for d in dims}
    return reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if n != 1 or i not in gone))


@composite
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Return a view with the dims from `start_dim` to `end_dim` made one."""
    sizes = array_of(x).shape
    if not sizes:
        return reshape(x, shape=(1,))
    a, b = checked_dim(start_dim, len(sizes)), checked_dim(end_dim, len(sizes))
    if a > b:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return reshape(x, shape=(*sizes[:a], math.prod(sizes[a : b + 1]), *sizes[b + 1 :]))


@composite
def split(x: Any, split_size_or_sections: int | list[int], dim: int = 0) -> tuple[Any, ...]:
    """Return views of consecutive parts along `dim`: of one size (the last may be smaller), or of the sizes listed."""
    at = checked_dim(dim, x.ndim)
    size = x.shape[at]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 1:
            raise ShapeError(f"split: split_size must be positive, got {step}")
        sections = [min(step, size - i) for i in range(0, max(size, 1), step)]
    else:
        sections = list(split_size_or_sections)
        if sum(sections) != size:
            raise ShapeError(f"split: sections {sections} must add up to {size}, the size of dim {dim}")
    starts = [sum(sections[:i]) for i in range(len(sections))]
    return tuple(narrow(x, dim=at, start=s, length=n) for s, n in zip(starts, sections, strict=True))
