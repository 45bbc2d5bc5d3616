"""The dense layer, convolutions, and rows of a table."""

from __future__ import annotations

from typing import Any

from minigrad.errors import DTypeError, OutOfRangeError
from minigrad.ops import conv as _conv
from minigrad.ops import index as _index
from minigrad.ops import linalg as _linalg
from minigrad.ops.elementwise import where
from minigrad.ops.loss import first_place
from minigrad.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight^T + bias, for input (..., in), weight (out, in) and bias (out,)."""
    return _linalg.linear(input, weight, bias)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of images (N, C, H, W) with weight (out, C / groups, kH, kW), plus bias (out,).

    `padding` is a number of zeros on each side, a pair (rows, columns), "valid" (none) or "same" (H and W stay).
    """
    return _conv.conv2d(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


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
    y = _index.embedding(weight, input)
    if padding_idx is None:
        return y
    padding = (index == padding_idx % rows)[..., None]
    return where(padding, y.detach(), y) if padding.any() else y
