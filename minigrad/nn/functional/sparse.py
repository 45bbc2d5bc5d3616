"""Rows of a table: one for each index, or those of each bag of indices summed up."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import no_grad
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from minigrad.kernels.index import ARRAY
from minigrad.nodenames import titled
from minigrad.ops import index as _index
from minigrad.ops.elementwise import where
from minigrad.ops.index import put_among_zeros
from minigrad.ops.loss import first_place
from minigrad.ops.reduce import max_along
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor, wrap


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of `weight` (rows, features) that the integers in `input` name; `padding_idx` gets no gradient.

    Rows whose `norm_type`-norm is above `max_norm` are first shortened to it, in place. `scale_grad_by_freq` divides a
    row's gradient by how often it was named. `sparse` is ignored: gradients are dense. Raises DTypeError if `input` is
    not of an integer dtype, OutOfRangeError if it names a row that is not there.
    """
    index = _checked(input, weight)
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    y: Tensor = _index.embedding(weight, input)
    if scale_grad_by_freq:
        y = titled(_by_frequency(y, index), "Embedding")
    if padding_idx is None:
        return y
    padding = (index == padding_idx % len(weight))[..., None]
    return titled(where(padding, y.detach(), y), "Embedding") if padding.any() else y


def _checked(input: Tensor, weight: Tensor) -> Array:
    """Return the indices, or say which is wrong."""
    index, rows = input._data, len(weight)
    if index.dtype.kind not in "iu":
        raise DTypeError(f"embedding: expected a tensor of int64 indices, got {index.dtype}; convert it with .long()")
    if index.min(initial=0) < 0 or index.max(initial=0) >= rows:
        place = first_place((index < 0) | (index >= rows))
        raise OutOfRangeError(
            f"embedding: index out of range in self: input{place} is {index[tuple(place)]}, the table has the rows "
            f"0..{rows - 1}"
        )
    return index


@no_grad()
def _shorten(weight: Tensor, index: Array, most: float, p: float) -> None:
    """Bring the rows that are too long to the length `most`, in place."""
    named = np.unique(index)
    rows = weight.detach()[wrap(named)]
    lengths = rows.norm(p, 1, keepdim=True)
    long = (lengths._data > most)[:, 0]
    if long.any():
        target = weight.detach()
        target[wrap(named[long])] = (rows * (most / (lengths + 1e-7)))[wrap(np.flatnonzero(long))]


def _by_frequency(y: Tensor, index: Array) -> Tensor:
    """Return `y`, its gradient divided by how often each index is there."""
    _, inverse, counts = np.unique(index, return_inverse=True, return_counts=True)
    share = (1 / counts[inverse.reshape(index.shape)]).astype(y._data.dtype)[..., None]
    part = y * wrap(share)
    return y.detach() + (part - part.detach())


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the "sum", "mean" or "max" of the rows of `weight` that each bag of indices names.

    `input` is (bags, size), or (N,) with the first place of each bag in `offsets`. `per_sample_weights`, of the shape
    of `input`, are factors of the rows (mode "sum"). Indices `padding_idx` are left out; an empty bag gives zeros.
    Raises ArgumentError or ShapeError for arguments that do not go together.
    """
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"embedding_bag: mode has to be one of sum, mean or max, got {mode!r}")
    if per_sample_weights is not None and mode != "sum":
        raise ArgumentError(f"embedding_bag: per_sample_weights goes only with mode='sum', got {mode!r}")
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ShapeError(
            f"embedding_bag: per_sample_weights {tuple(per_sample_weights.shape)} must have the shape of the input "
            f"{tuple(input.shape)}"
        )
    index = input.reshape(-1)
    bags, count = _bags(input, offsets, include_last_offset)
    rows = embedding(index, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)
    kept = np.ones(len(bags), bool) if padding_idx is None else index._data != padding_idx % len(weight)
    if mode == "max":
        return titled(_largest(rows, bags, kept, count), "EmbeddingBag")
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1)
    total: Tensor = put_among_zeros(
        where(kept[:, None], rows, 0.0), bags, index=(ARRAY,), shape=(count, weight.shape[1])
    )
    if mode == "sum":
        return titled(total, "EmbeddingBag")
    sizes = np.maximum(np.bincount(bags[kept], minlength=count), 1).astype(weight._data.dtype)
    return titled(total / wrap(sizes[:, None]), "EmbeddingBag")


def _bags(input: Tensor, offsets: Tensor | None, include_last: bool) -> tuple[Array, int]:
    """Return for each index which bag it belongs to, and how many bags there are."""
    if input.ndim == 2:
        if offsets is not None:
            raise ArgumentError("embedding_bag: if input is 2D, then offsets has to be None: each row is a bag")
        return np.repeat(np.arange(input.shape[0]), input.shape[1]), input.shape[0]
    if input.ndim != 1 or offsets is None or offsets.ndim != 1:
        raise ArgumentError(
            f"embedding_bag: input has to be 2D, or 1D with offsets a 1D Tensor, but got shape {tuple(input.shape)}"
        )
    starts = offsets._data[:-1] if include_last else offsets._data
    if len(starts) and (starts[0] != 0 or starts[-1] > len(input)):
        raise ArgumentError(f"embedding_bag: offsets[0] has to be 0, and none beyond the input, got {starts.tolist()}")
    return np.searchsorted(starts, np.arange(len(input)), side="right") - 1, len(starts)


def _largest(rows: Tensor, bags: Array, kept: Array, count: int) -> Tensor:
    """Return the largest of each bag's rows, feature by feature."""
    found: list[Any] = []
    for bag in range(count):
        places = np.flatnonzero((bags == bag) & kept)
        chosen = rows[wrap(places)]
        empty = wrap(np.zeros(rows.shape[1], rows._data.dtype))
        found.append(max_along(chosen, dim=0, keepdim=False)[0] if len(places) else empty)
    y: Tensor = stack(found, 0)
    return y
