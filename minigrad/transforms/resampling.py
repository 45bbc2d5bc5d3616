"""Resizing and rotating arrays (..., H, W): each new pixel is a weighted sum of old ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels.resampling import FILTERS, smoothing


def weights(old: int, new: int, mode: str, antialias: bool) -> Array:
    """Return the matrix (new, old) that resizes a row of `old` pixels to `new`; a filter wider than a pixel if smaller.

    >>> weights(4, 2, "bilinear", antialias=False)
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """
    if mode == "nearest":
        return np.eye(old)[np.minimum((np.arange(new) * (old / new)).astype(np.int64), old - 1)]
    if mode not in FILTERS:
        raise ArgumentError(f"tensors are resized by nearest, bilinear or bicubic, not {mode}; PIL images by all")
    if antialias:
        return smoothing(old, new, old / new, mode)
    centres = (np.arange(new) + 0.5) * (old / new)
    table = FILTERS[mode][0](np.arange(-2, old + 2) + 0.5 - centres[:, None])  # the edge is repeated
    result = table[:, 2:-2].copy()
    result[:, 0] += table[:, :2].sum(1)
    result[:, -1] += table[:, -2:].sum(1)
    return result


def resized(array: Array, height: int, width: int, mode: str, antialias: bool) -> Array:
    """Return (..., H, W) as (..., height, width) in its own dtype; integers are rounded after each direction."""
    down, along = weights(array.shape[-2], height, mode, antialias), weights(array.shape[-1], width, mode, antialias)
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float32)
    steps: list[Callable[[Array], Array]] = [lambda a: a @ along.T.astype(kind), lambda a: down.astype(kind) @ a]
    if width * array.shape[-2] > array.shape[-1] * height:
        steps.reverse()  # the cheaper direction first, as Pillow has it
    for step in steps:
        array = like(step(array.astype(kind)), array.dtype)
    return array


def like(values: Array, kind: np.dtype[Any]) -> Array:
    """Return floats in `kind`: for integers rounded, and kept within what they can hold."""
    if kind.kind == "f":
        return values.astype(kind, copy=False)
    limits = np.iinfo(kind)
    return np.clip(np.floor(values + 0.5), limits.min, limits.max).astype(kind)


def rotated(array: Array, degrees: float, fill: float) -> Array:
    """Return (..., H, W) turned about its centre, counter-clockwise; each pixel is the nearest old one, or `fill`."""
    height, width = array.shape[-2:]
    turn = np.deg2rad(degrees)
    y, x = np.mgrid[:height, :width] + 0.5 - np.array([height, width]).reshape(2, 1, 1) / 2
    column = np.rint(np.cos(turn) * x - np.sin(turn) * y + width / 2 - 0.5).astype(np.int64)
    row = np.rint(np.sin(turn) * x + np.cos(turn) * y + height / 2 - 0.5).astype(np.int64)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    found = array[..., np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.where(inside, found, np.array(fill, array.dtype))
