"""Losses that are worth a pass of their own."""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array


def label_cross_entropy(label: Array, x: Array, *, dim: int) -> tuple[Array, Array]:
    """Return -log softmax(x)[label] along `dim`, and the logarithm of the sum of exponentials that it needs.

    `label` has the shape of `x` with size 1 at `dim`, and so have both results. Nothing overflows: the largest score
    is subtracted first.
    """
    top = np.maximum.reduce(x, axis=dim, keepdims=True)
    away = x - top
    picked = np.take_along_axis(away, label, dim)
    spread = np.log(np.add.reduce(np.exp(away, out=away), axis=dim, keepdims=True))
    return np.subtract(spread, picked), np.add(spread, top)
