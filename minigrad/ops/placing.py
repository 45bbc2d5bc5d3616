"""Views by strides, values put at places of the flat tensor, rows reduced into rows, and rows limited in length."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import composite, primitive
from minigrad.kernels import moving as kernel
from minigrad.kernels.index import ARRAY
from minigrad.ops.elementwise import gt, where
from minigrad.ops.index import index_put, index_set, put_among_zeros
from minigrad.ops.moving import scatter_reduce
from minigrad.ops.reduce import norm
from minigrad.ops.shape import checked_dim, expand, flatten, reshape

# Reading memory by strides and adding back to it: each is the other's rule. Places may be read several times.
strided_of = primitive(
    "as_strided", kernel.strided, view="dense",
    x=lambda g, x_shape, size, stride, offset: add_strided(g, shape=x_shape, stride=stride, offset=offset),
)  # fmt: skip
add_strided = primitive(
    "add_strided", kernel.add_strided,
    x=lambda g, x_shape, stride, offset: strided_of(g, size=x_shape, stride=stride, offset=offset),
)  # fmt: skip


@composite
def as_strided_scatter(
    input: Any, src: Any, size: tuple[int, ...], stride: tuple[int, ...], storage_offset: int = 0
) -> Any:
    """Return a copy with `src` at the places that a size, steps and a first element name in the flat tensor."""
    how = {"size": tuple(size), "stride": tuple(stride), "offset": storage_offset}
    return index_set(input, src, steps=((strided_of, how),))


@composite
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """Return a copy with the elements of `source` written (or added) at the places `index` names in the flat tensor."""
    flat, places, values = flatten(input), flatten(index), flatten(source)
    if accumulate:
        y = flat + put_among_zeros(values, places, index=(ARRAY,), shape=tuple(flat.shape))
    else:
        y = index_put(flat, values, places, index=(ARRAY,))
    return reshape(y, shape=tuple(input.shape))


@composite
def index_reduce(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """Return a copy with the rows of `source` reduced into the rows along `dim` that the vector `index` names.

    `reduce` is "prod", "mean", "amax" or "amin"; without `include_self` what stood there does not count. Raises
    ArgumentError for another `reduce`.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ArgumentError(f"index_reduce(): reduce must be prod, mean, amax or amin, got {reduce!r}")
    if input.ndim == 0:
        one, row = reshape(input, shape=(1,)), reshape(source, shape=(-1,))
        return reshape(index_reduce(one, 0, index, row, reduce, include_self=include_self), shape=())
    at = checked_dim(dim, input.ndim)
    rows = reshape(index, shape=(*(1,) * at, -1, *(1,) * (input.ndim - 1 - at)))
    places = expand(rows, shape=tuple(source.shape))
    return scatter_reduce(input, at, places, source, reduce, include_self=include_self)


@composite
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Return a copy whose parts along `dim` have a p-norm of at most `maxnorm`: longer ones are shortened to it."""
    at = checked_dim(dim, input.ndim)
    sizes = norm(input, p, tuple(d for d in range(input.ndim) if d != at), True)
    return input * where(gt(sizes, maxnorm), maxnorm / (sizes + 1e-7), 1.0)
