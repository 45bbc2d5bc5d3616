"""Losses that are worth a pass of their own."""

from __future__ import annotations

import math

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.half import HALF, SINGLE
from minigrad.kernels.reduce import largest, multiples, sum_


def label_cross_entropy(label: Array, x: Array, *, dim: int, reduction: str = "none") -> tuple[Array, Array]:
    """Return -log softmax(x)[label] along `dim`, and softmax(x).

    `label` has the shape of `x` without `dim`, and so has the first result, but for reduction "mean" or "sum". Nothing
    overflows: the largest score is subtracted first.
    """
    if x.dtype is HALF:
        loss, share = label_cross_entropy(label, x.astype(SINGLE), dim=dim, reduction=reduction)
        return loss.astype(HALF), share.astype(HALF)
    share = x - largest(x, dim)
    picked = share.take(_flat_places(label, x.shape, dim)).reshape(label.shape)
    total = sum_(np.exp(share, out=share), dim=dim, keepdim=True)
    share /= total
    loss = np.log(total).reshape(label.shape) - picked
    if reduction != "none":
        loss = np.add.reduce(loss, axis=None)
    if reduction == "mean":
        loss = loss / x.dtype.type(label.size)
    return np.asarray(loss), share


def _flat_places(label: Array, shape: tuple[int, ...], dim: int) -> Array:
    """Return where, counted through an array of `shape`, the elements lie that `label` names along `dim`."""
    after = math.prod(shape[dim + 1 :])
    blocks = multiples(math.prod(shape[:dim]), shape[dim] * after)
    if after == 1:
        return np.asarray(label.reshape(-1) + blocks)
    return np.asarray(label.reshape(-1, after) * after + np.arange(after) + blocks[:, None])
