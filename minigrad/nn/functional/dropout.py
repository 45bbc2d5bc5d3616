"""Dropout: elements or channels left out by chance, in training."""

from __future__ import annotations

import math

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


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return, in training, sequences (N, C, L) or (C, L) with whole channels made 0 with probability `p`."""
    return _by_channel("dropout1d", 2, input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return, in training, volumes (N, C, D, H, W) or (C, D, H, W) with whole channels made 0 with probability `p`."""
    return _by_channel("dropout3d", 4, input, p, training, inplace)


def _by_channel(what: str, rank: int, x: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if x.ndim not in (rank, rank + 1):
        raise ShapeError(f"{what}: Expected {rank}D or {rank + 1}D input, but received shape {tuple(x.shape)}")
    if not _drops(p, training):
        return x
    channels = (*x.shape[: x.ndim - rank + 1], *(1,) * (rank - 1))
    return _times(x, dropout_mask(channels, p) if p < 1 else None, p, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Return, in training, `input` with elements set to SELU's lower bound with probability `p`, then rescaled.

    Mean 0 and variance 1 stay what they are. (Klambauer et al., 2017, arXiv:1706.02515)
    """
    return _alpha(input, tuple(input.shape), p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Return, in training, `input` (N, C, ...) with whole channels dropped as `alpha_dropout` drops elements."""
    if input.ndim < 2 and training:
        raise ShapeError(f"feature_alpha_dropout: Feature dropout requires at least 2 dimensions, got {input.ndim}")
    return _alpha(input, (*input.shape[:2], *(1,) * (input.ndim - 2)), p, training, inplace)


def _alpha(x: Tensor, shape: tuple[int, ...], p: float, training: bool, inplace: bool) -> Tensor:
    """Return x * mask * a + b, with a and b such that mean and variance are kept."""
    if not _drops(p, training):
        return x
    if p == 1:
        return x.mul_(0.0) if inplace else x * 0.0
    kind, bound = x._data.dtype, 1.7580993408473766
    a = 1 / math.sqrt((bound**2 * p + 1) * (1 - p))
    mask = dropout_mask(shape, p).astype(kind)
    scale, shift = wrap(mask * kind.type(a)), wrap((mask - 1) * kind.type(bound * a) + kind.type(bound * a * p))
    return x.mul_(scale).add_(shift) if inplace else x * scale + shift


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
