"""More ops that move elements: diagonals, windows, rolls and repeats, and writing or adding along a dim."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import numpy_dtype
from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import moving as kernel
from minigrad.kernels.index import ARRAY
from minigrad.ops.elementwise import eq, to, where
from minigrad.ops.index import gather, getitem, index_put, index_select, put_among_zeros, scatter_add
from minigrad.ops.reduce import sum
from minigrad.ops.shape import (
    checked_dim,
    concatenate,
    expand,
    flatten,
    flip,
    narrow,
    permute,
    reshape,
    transpose,
)

# A diagonal and its adjoint, windows and theirs: each is the other's rule.
diagonal_of = primitive(
    "diagonal", kernel.diagonal, view="strided",
    x=lambda g, x_shape, offset, dim1, dim2: on_diagonal(g, shape=x_shape, offset=offset, dim1=dim1, dim2=dim2),
)  # fmt: skip
on_diagonal = primitive(
    "on_diagonal", kernel.on_diagonal,
    x=lambda g, offset, dim1, dim2: diagonal_of(g, offset=offset, dim1=dim1, dim2=dim2),
)  # fmt: skip
windows = primitive(
    "unfold", kernel.windows, view="strided",
    x=lambda g, x_shape, dim, step: add_windows(g, shape=x_shape, dim=dim, step=step),
)  # fmt: skip
add_windows = primitive(
    "add_windows", kernel.add_windows,
    x=lambda g, x_shape, dim, step: windows(g, dim=dim, size=x_shape[len(x_shape) - 1], step=step),
)  # fmt: skip

# Writing along a dim. Which of several values written to one place stays is not defined: they all get its gradient.
scatter_values = primitive(
    "scatter", kernel.scatter,
    x=lambda g, index, dim: scatter_values(g, index, 0, dim=dim),
    index=None,
    src=lambda g, index, src_shape, dim: _of_source(gather(g, index, dim=dim), src_shape),
)  # fmt: skip
scatter_extreme = primitive(
    "scatter_reduce", kernel.scatter_reduce,
    x=lambda g, x, index, src, y, dim, reduce, include_self: _kept_share(
        g, x, index, src, y, dim, reduce, include_self),
    index=None,
    src=lambda g, x, index, src, y, dim, reduce, include_self: _source_share(
        g, x, index, src, y, dim, reduce, include_self),
)  # fmt: skip
masked_scatter = primitive(
    "masked_scatter", kernel.masked_scatter,
    x=lambda g, mask: where(mask, 0.0, g),
    mask=None,
    source=lambda g, mask, source_shape: _first_of(g, mask, source_shape),
)  # fmt: skip


def _of_source(g: Any, shape: tuple[int, ...]) -> Any:
    """Return the gradient of a source of which only the leading corner may have been used."""
    if tuple(g.shape) == shape:
        return g
    return sum(g) if shape == () else put_among_zeros(g, index=tuple(slice(n) for n in g.shape), shape=shape)


def _attained(x: Any, index: Any, src: Any, y: Any, dim: int, include_self: bool) -> tuple[Any, Any, Any]:
    """Return, of an extreme taken at places: where x attains it, where src does, and by how many it is shared."""
    source = eq(src, gather(y, index, dim=dim))
    mine = eq(x, y) if include_self else scatter_values(eq(x, y), index, False, dim=dim)
    count = scatter_add(to(mine, dtype=y.dtype), index, to(source, dtype=y.dtype), dim=dim)
    return mine, source, where(eq(count, 0), 1.0, count)


def _nonzeros(x: Any, index: Any, src: Any, dim: int) -> tuple[Any, Any]:
    """Return, of values of src multiplied into places of x: the product without the zeros, and how many those are."""
    a, b = (where(eq(t, 0), 1.0, t) for t in (x, src))
    product = scatter_extreme(a, index, b, dim=dim, reduce="prod", include_self=True)
    none, one = (to(eq(t, 0), dtype=x.dtype) for t in (x, src))
    return product, scatter_add(none, index, one, dim=dim)


def _others(x: Any, product: Any, zeros: Any) -> Any:
    """Return the product of all the other factors, where `product` is that of all that are not 0."""
    is_zero = eq(x, 0)
    return where(eq(zeros, where(is_zero, 1.0, zeros * 0.0)), product / where(is_zero, 1.0, x), 0.0)


def _kept_share(g: Any, x: Any, index: Any, src: Any, y: Any, dim: int, reduce: str, include_self: bool) -> Any:
    """Return the gradient of the values that stood there before."""
    if reduce == "prod":
        return g * _others(x, *_nonzeros(x, index, src, dim)) if include_self else scatter_values(g, index, 0, dim=dim)
    mine, _, count = _attained(x, index, src, y, dim, include_self)
    return where(mine, g / count, 0.0)


def _source_share(g: Any, x: Any, index: Any, src: Any, y: Any, dim: int, reduce: str, include_self: bool) -> Any:
    """Return the gradient of the values that were brought in."""
    if reduce == "prod":
        before = x if include_self else scatter_values(x, index, 1, dim=dim)
        product, zeros = (gather(t, index, dim=dim) for t in _nonzeros(before, index, src, dim))
        return gather(g, index, dim=dim) * _others(src, product, zeros)
    _, source, count = _attained(x, index, src, y, dim, include_self)
    return where(source, gather(g / count, index, dim=dim), 0.0)


def _first_of(g: Any, mask: Any, shape: tuple[int, ...]) -> Any:
    """Return the gradient of a source whose first elements went to the places of a mask."""
    taken = masked_select(g, mask)
    flat = put_among_zeros(taken, index=(slice(taken.shape[0]),), shape=(math.prod(shape),))
    return reshape(flat, shape=shape)


# --- shapes ---


@composite
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Return a view of the elements [i, i + offset] of two dims, as the last dim."""
    a, b = checked_dim(dim1, input.ndim), checked_dim(dim2, input.ndim)
    return diagonal_of(input, offset=offset, dim1=a, dim2=b)


@composite
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Return zeros with the last dim of `input` on a diagonal of two dims."""
    ndim, size = input.ndim + 1, input.shape[input.ndim - 1] + max(offset, -offset)
    a, b = checked_dim(dim1, ndim), checked_dim(dim2, ndim)
    rest = iter(input.shape)
    shape = tuple(size if i in (a, b) else next(rest) for i in range(ndim))
    return on_diagonal(input, shape=shape, offset=offset if a < b else -offset, dim1=min(a, b), dim2=max(a, b))


@composite
def diag(input: Any, diagonal: int = 0) -> Any:
    """Return a diagonal of a matrix, or the matrix with a vector on its diagonal."""
    if input.ndim == 1:
        return diag_embed(input, diagonal, 0, 1)
    if input.ndim != 2:
        raise ShapeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return diagonal_of(input, offset=diagonal, dim1=0, dim2=1)


@composite
def trace(input: Any) -> Any:
    """Return the sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, but got a tensor of shape {tuple(input.shape)}")
    return sum(diagonal_of(input, offset=0, dim1=0, dim2=1))


@composite
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Return a view of the windows of `size` along a dim, every `step`; the place in the window is a new last dim."""
    return windows(input, dim=checked_dim(dimension, input.ndim), size=size, step=step)


@composite
def movedim(input: Any, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Any:
    """Return a view with the dims in `source` moved to `destination`, and the others in their order."""
    pair = [(d,) if isinstance(d, int) else tuple(d) for d in (source, destination)]
    come, go = ([checked_dim(d, input.ndim) for d in dims] for dims in pair)
    if len(come) != len(go) or len(set(come)) < len(come) or len(set(go)) < len(go):
        raise ShapeError(f"movedim: source {source} and destination {destination} must be as many different dims")
    rest = iter(d for d in range(input.ndim) if d not in come)
    return permute(input, dims=tuple(come[go.index(i)] if i in go else next(rest) for i in range(input.ndim)))


@composite
def unflatten(input: Any, dim: int, sizes: tuple[int, ...]) -> Any:
    """Return a view with one dim split into several; one of the sizes may be -1."""
    at = checked_dim(dim, input.ndim)
    known = math.prod(n for n in sizes if n != -1)
    whole = tuple(input.shape[at] // known if n == -1 and known else n for n in sizes)
    if math.prod(whole) != input.shape[at]:
        raise ShapeError(f"unflatten: sizes {tuple(sizes)} do not multiply to {input.shape[at]}, the size of dim {dim}")
    return reshape(input, shape=(*input.shape[:at], *whole, *input.shape[at + 1 :]))


@composite
def rot90(input: Any, k: int = 1, dims: tuple[int, int] = (0, 1)) -> Any:
    """Return a copy turned by 90 degrees k times, from the first of two dims towards the second."""
    a, b = (checked_dim(d, input.ndim) for d in dims)
    if k % 4 == 2:
        return flip(input, dims=(a, b))
    turned = transpose(input, a, b) if k % 2 else input
    return flip(turned, dims=(a,)) if k % 4 == 1 else flip(turned, dims=(b,) if k % 4 == 3 else ())


@composite
def roll(input: Any, shifts: int | tuple[int, ...], dims: int | tuple[int, ...] | None = None) -> Any:
    """Return a copy with the elements moved on by `shifts` along `dims`, those at the end to the start.

    Without dims the tensor is rolled as if it were flat.
    """
    if dims is None or dims == ():
        return reshape(roll(flatten(input), shifts, 0), shape=tuple(input.shape))
    several = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    along = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(several) != len(along):
        raise ShapeError(f"roll: shifts and dimensions must align. shifts: {len(several)}, dims:{len(along)}")
    x = input
    for shift, dim in zip(several, along, strict=True):
        at = checked_dim(dim, x.ndim)
        size = x.shape[at] if x.ndim else 0
        start = -shift % size if size else 0
        back = narrow(x, dim=at, start=0, length=start) if size else x
        x = concatenate(narrow(x, dim=at, start=start, length=size - start), back, dim=at) if size else x
    return x * 1 if x is input else x


@composite
def tile(input: Any, dims: tuple[int, ...]) -> Any:
    """Return the tensor repeated `dims` times along its dims, counted from the last; new ones come in front."""
    ndim = max(input.ndim, len(dims))
    shape = (*(1,) * (ndim - input.ndim), *input.shape)
    times = (*(1,) * (ndim - len(dims)), *dims)
    apart = reshape(input, shape=tuple(m for n in shape for m in (1, n)))
    wide = expand(apart, shape=tuple(m for n, k in zip(shape, times, strict=True) for m in (k, n)))
    return reshape(wide * 1, shape=tuple(n * k for n, k in zip(shape, times, strict=True)))


@composite
def repeat_interleave(input: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """Return each element along `dim` (of the flat tensor by default) repeated: one count for all, or one for each."""
    counts = np.asarray(array_of(repeats))
    x, at = (flatten(input), 0) if dim is None else (input, checked_dim(dim, input.ndim))
    size = x.shape[at] if x.ndim else 1
    if counts.ndim and counts.size not in (1, size):
        raise ShapeError(f"repeat_interleave: {counts.size} repeats do not fit dim of size {size}")
    return index_select(x, at, np.repeat(np.arange(size), counts))


# --- places ---


@composite
def take(input: Any, index: Any) -> Any:
    """Return the elements of the flat tensor at `index`, in the shape of the index."""
    return getitem(flatten(input), index, index=(ARRAY,))


@composite
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """Return the elements at `indices` along `dim`; the other dims broadcast. Without dim, of the flat tensor."""
    if dim is None:
        return gather(flatten(input), flatten(indices), dim=0)
    at = checked_dim(dim, input.ndim)
    sizes = np.broadcast_shapes(_without(input.shape, at), _without(indices.shape, at))
    x, places = (expand(t, shape=(*sizes[:at], t.shape[at], *sizes[at + 1 :])) for t in (input, indices))
    return gather(x, places, dim=at)


def _without(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return tuple(1 if i == dim else n for i, n in enumerate(shape))


@composite
def masked_select(input: Any, mask: Any) -> Any:
    """Return the elements where `mask` is True, as a vector; both broadcast."""
    shape = np.broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    if shape == ():
        return masked_select(reshape(input, shape=(1,)), reshape(mask, shape=(1,)))
    return getitem(expand(input, shape=shape), expand(mask, shape=shape), index=(ARRAY,))


def _along(dim: int, ndim: int) -> tuple[Any, ...]:
    return (*(slice(None),) * checked_dim(dim, ndim), ARRAY)


@composite
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """Return a copy with alpha * source added to the rows along `dim` that `index` names; rows may repeat."""
    scaled = source if alpha == 1 else source * alpha
    if input.ndim == 0:
        return input + sum(scaled)
    return input + put_among_zeros(scaled, index, index=_along(dim, input.ndim), shape=tuple(input.shape))


@composite
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """Return a copy with the rows along `dim` that `index` names replaced by those of `source`."""
    if input.ndim == 0:
        return reshape(index_copy(reshape(input, shape=(1,)), 0, index, source), shape=())
    return index_put(input, source, index, index=_along(dim, input.ndim))


@composite
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """Return a copy with `value` in the rows along `dim` that `index` names."""
    if input.ndim == 0:
        return reshape(index_fill(reshape(input, shape=(1,)), 0, index, value), shape=())
    size = input.shape[checked_dim(dim, input.ndim)]
    once = np.unique(np.asarray(array_of(index)) % max(size, 1))  # a row named twice gives its gradient once
    return index_put(input, value, once, index=_along(dim, input.ndim))


@composite
def scatter(input: Any, dim: int, index: Any, src: Any, *, reduce: str | None = None) -> Any:
    """Return a copy with values of `src`, a tensor or a number, written at the places that `index` gives along `dim`.

    `reduce="add"` adds them and `"multiply"` multiplies them in.
    """
    at = checked_dim(dim, input.ndim)
    if reduce is None:
        return scatter_values(input, index, src, dim=at)
    if isinstance(src, int | float):
        src = expand(np.asarray(src).astype(numpy_dtype(input.dtype)), shape=tuple(index.shape))
    return scatter_reduce(input, at, index, src, {"add": "sum", "multiply": "prod"}.get(reduce, reduce))


@composite
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """Return a copy with values of `src` reduced into the places that `index` gives along `dim`.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; without `include_self` what stood there does not count.
    """
    at = checked_dim(dim, input.ndim)
    if reduce in ("prod", "amax", "amin"):
        return scatter_extreme(input, index, src, dim=at, reduce=reduce, include_self=include_self)
    if reduce not in ("sum", "mean"):
        raise ArgumentError(f"scatter_reduce: reduce must be sum, prod, mean, amax or amin, got {reduce!r}")
    start = input if include_self else scatter_values(input, index, 0, dim=at)
    total = scatter_add(start, index, src, dim=at)
    if reduce == "sum":
        return total
    kind = numpy_dtype(input.dtype)
    ones, none = np.ones(tuple(index.shape), kind), np.zeros(tuple(input.shape), kind)
    count = scatter_add(none, index, ones, dim=at)
    return total / (count + 1 if include_self else where(eq(count, 0), 1.0, count))
