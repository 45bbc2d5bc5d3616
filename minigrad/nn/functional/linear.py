"""The dense layer, and rows of a table."""

from __future__ import annotations

from minigrad import ops
from minigrad.errors import DTypeError, OutOfRangeError
from minigrad.ops.elementwise import where
from minigrad.ops.loss import first_place
from minigrad.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight^T + bias, for input (..., in), weight (out, in) and bias (out,)."""
    return ops.linalg.linear(input, weight, bias)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Return the rows of `weight` (rows, features) that the integers in `input` name; `padding_idx` gets no gradient.

    Raises DTypeError if `input` is not of an integer dtype, OutOfRangeError if it names a row that is not there.
    """
    index = input._data
    if index.dtype.kind not in "iu":
        raise DTypeError(f"embedding: expected a tensor of int64 indices, got {index.dtype}; convert it with .long()")
    rows = len(weight)
    if index.min(initial=0) < 0 or index.max(initial=0) >= rows:
        place = first_place((index < 0) | (index >= rows))
        raise OutOfRangeError(
            f"embedding: index out of range in self: input{place} is {index[tuple(place)]}, the table has the rows "
            f"0..{rows - 1}"
        )
    y = ops.index.embedding(weight, input)
    if padding_idx is None:
        return y
    padding = (index == padding_idx % rows)[..., None]
    return where(padding, y.detach(), y) if padding.any() else y
