"""Losses that are worth a pass of their own."""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.index import places


def label_cross_entropy(label: Array, x: Array, *, dim: int, reduction: str = "none") -> tuple[Array, Array]:
    """Return -log softmax(x)[label] along `dim`, and the logarithm of the sum of exponentials that it needs.

    `label` has the shape of `x` without `dim`, and so has the first result, but for reduction "mean" or "sum"; in the
    second `dim` stays, with size 1. Nothing overflows: the largest score is subtracted first.
    """
    top = np.maximum.reduce(x, axis=dim, keepdims=True, initial=None if x.size else -np.inf)
    away = x - top
    picked = away[places(label.reshape(top.shape), dim)].reshape(label.shape)
    spread = np.log(np.add.reduce(np.exp(away, out=away), axis=dim, keepdims=True))
    loss = spread.reshape(label.shape) - picked
    if reduction != "none":
        loss = np.asarray(np.add.reduce(loss, axis=None))
    if reduction == "mean":
        loss = np.asarray(loss / x.dtype.type(label.size))
    return np.asarray(loss), spread + top
