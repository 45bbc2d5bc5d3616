"""Dropout: elements or channels left out by chance, in training."""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.random import draw_like, dropout_mask
from minigrad.tensor import Tensor, wrap


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return, in training, `input` with elements made 0 with probability `p` and the others divided by 1 - p."""
    if not _drops(p, training):
        return input
    return _times(input, draw_like(input, lambda count: dropout_mask((count,), p)) if p < 1 else None, p, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return, in training, `input` (N, C, ...) with whole channels made 0 with probability `p`, as `dropout` does."""
    if input.ndim < 2:
        raise ShapeError(f"dropout2d: expected an input (N, C, ...), got shape {tuple(input.shape)}")
    if not _drops(p, training):
        return input
    shape = (*input.shape[:2], *(1,) * (input.ndim - 2))
    return _times(input, dropout_mask(shape, p) if p < 1 else None, p, inplace)


def _drops(p: float, training: bool) -> bool:
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    return training and p > 0


def _times(x: Tensor, mask: Array | None, p: float, inplace: bool) -> Tensor:
    """Return x * mask / (1 - p); the mask is drawn outside the graph and enters it as a constant.

    It is laid out in memory as x is, which keeps the product a single pass.
    """
    kind = x._data.dtype
    noise: Array = np.zeros((), kind)
    if mask is not None:
        noise = np.empty_like(x._data) if mask.shape == x._data.shape else np.empty(mask.shape, kind)
        np.multiply(mask, kind.type(1) / kind.type(1 - p), out=noise)
    drawn = wrap(noise)
    drawn.name = "mask"
    return x.mul_(drawn) if inplace else x * drawn
